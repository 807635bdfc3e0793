"""The request and the decision of the contract, as typed and frozen values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from payer_policy.cc0126 import Facts
from payer_policy.errors import InvalidValue, ProtocolError
from payer_policy.reading import Number, number

E = TypeVar("E", bound=Enum)
P = TypeVar("P")

# In bits, as the exponent of a float; Python refuses to write much longer ones.
_LONGEST_INTEGER = 1024


class Outcome(str, Enum):
    """What was decided. Compares equal to its literal value."""

    APPROVED = "approved"
    NOT_APPROVED = "not_approved"
    NEEDS_INFORMATION = "needs_information"
    NO_POLICY_IN_FORCE = "no_policy_in_force"
    INVALID_REQUEST = "invalid_request"


class NextStep(str, Enum):
    """What to do now. A denial is a person's act: `not_approved` leads to `clinical_review`."""

    ISSUE_APPROVAL = "issue_approval"
    CLINICAL_REVIEW = "clinical_review"
    REQUEST_INFORMATION = "request_information"
    CORRECT_REQUEST = "correct_request"


class State(str, Enum):
    """The state of a criterion in strong Kleene logic."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Request:
    """One prior-authorisation request.

    `facts` is the `Facts` of the document's module (`payer_policy.cc0126`) or a mapping; `codes` is
    `{"hcpcs": str, "icd10": [str, …]}`, informational. What is valid is decided by the policy, not here. Its repr names
    the document only, since the rest is health data.
    """

    document: str
    date_of_service: date | str = field(repr=False)
    facts: Facts | Mapping[str, Any] = field(repr=False)
    request_id: str | None = field(default=None, repr=False)
    codes: Mapping[str, Any] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The request as the policy takes it; facts that are None are left out. Raises `InvalidValue`."""
        request = {
            "document": self.document,
            "date_of_service": self.date_of_service,
            "request_id": self.request_id,
            "codes": self.codes,
            "facts": self.facts,
        }
        return {name: to_json(value, name) for name, value in request.items() if value is not None}


# OPA refuses a whole body for a number of a larger or smaller exponent; many readers of JSON, for one of thousands of
# digits.
_LARGEST_EXPONENT, _LONGEST_NUMBER = 30_000, 1_000

_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False)

# What `decide` takes: a `Request`, or its plain dict.
AnyRequest = Request | Mapping[str, Any]


class Written(NamedTuple):
    """A request as JSON text, and the identifier that its decision must echo."""

    text: str
    request_id: Any

    def __repr__(self) -> str:
        """It is health data."""
        return "Written(…)"


def written(request: AnyRequest) -> Written:
    """A request as it is sent. Raises `InvalidValue` with the path for what JSON cannot say.

    Not escaped: of a character that takes two escapes OPA's WebAssembly loses a bit, and U+20000 becomes U+10000.
    """
    try:
        plain = request.to_dict() if isinstance(request, Request) else to_json(request, "")
        text = to_text(plain, _encoder)
        return Written(text, plain.get("request_id") if isinstance(plain, dict) else None)
    except (ValueError, RecursionError):  # by now only a circle, or nesting without end
        raise InvalidValue("the request is nested too deeply") from None


def to_text(value: Any, encoder: json.JSONEncoder) -> str:  # noqa: ANN401
    """What `to_json` made, as JSON text, with numbers as they were written."""
    try:
        return encoder.encode(value)
    except TypeError:  # it knows no `Number`
        return _spelt(value, encoder)


def _spelt(value: Any, encoder: json.JSONEncoder) -> str:  # noqa: ANN401
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        items = sorted(value.items()) if encoder.sort_keys else value.items()
        return "{" + ",".join(f"{encoder.encode(name)}:{_spelt(item, encoder)}" for name, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_spelt(item, encoder) for item in value) + "]"
    return encoder.encode(value)


def to_json(value: Any, path: str) -> Any:  # noqa: ANN401
    """A value as plain JSON types, and a `Number` where none of them is what was written. Raises `InvalidValue` with
    the path for what JSON cannot say.

    A float is sent as Python shows it and judged so by the policy: 0.1 + 0.2 is refused for its 17 digits. To round it
    is for the caller, who knows how many of them were measured; across a threshold it would turn a decision.
    """
    if value is None or type(value) is bool or (type(value) is str and value.isascii()):  # nearly all, at once
        return value
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not _is_unicode(name):
                raise InvalidValue(f"{path or 'the request'} has a name that is no Unicode text")
        return {name: to_json(item, f"{path}.{name}" if path else name) for name, item in value.items()}
    if isinstance(value, Enum):
        return to_json(value.value, path)
    if isinstance(value, str) and not _is_unicode(value):
        raise InvalidValue(f"{path or 'the request'} is not valid Unicode text")
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        raise InvalidValue(f"{path or 'the request'} is too large a number")
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{path or 'the request'} must be a finite number")
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidValue(f"{path or 'the request'} must be a finite number")
        exact = value if isinstance(value, Number) else number(str(value))
        if isinstance(exact, Number) and (
            len(exact.text) > _LONGEST_NUMBER or abs(exact.adjusted()) > _LARGEST_EXPONENT
        ):
            raise InvalidValue(f"{path or 'the request'} is a number too long, too large or too small")
        return exact
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        known = {item.name: getattr(value, item.name) for item in fields(value)}
        return {name: to_json(item, f"{path}.{name}") for name, item in known.items() if item is not None}
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, (bytes, bytearray, memoryview)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [to_json(item, f"{path}[{index}]") for index, item in enumerate(items)]
    raise InvalidValue(f"{path or 'the request'} is a {type(value).__name__}, which JSON cannot hold")


def _is_unicode(text: str) -> bool:
    """Whether no surrogate stands alone in it."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Criterion:
    """A node of the criteria. A compound one has parts in `all_of` or `any_of`; a leaf has the fact that it reads.

    Its state and value are health data and stay out of its repr.
    """

    id: str
    text: str
    state: State = field(repr=False)
    fact: str | None = None
    value: Any = field(default=None, repr=False)
    all_of: tuple[Criterion, ...] = field(default=(), repr=False)
    any_of: tuple[Criterion, ...] = field(default=(), repr=False)
    evidence: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Criterion, ...]:
        return self.all_of or self.any_of

    @property
    def once(self) -> Criterion:
        """What to show of it: a pathway that is one clause of the same id is said once."""
        return self.parts[0] if len(self.parts) == 1 and self.parts[0].id == self.id else self


@dataclass(frozen=True)
class Criteria:
    """The whole tree: any one pathway suffices, unless an exclusion is met."""

    pathways: tuple[Criterion, ...]
    exclusions: tuple[Criterion, ...]


@dataclass(frozen=True)
class Policy:
    """The document and version that decided. `effective_to` is the last day in force, None when there is none yet."""

    document: str
    title: str
    version: str
    effective_from: date
    effective_to: date | None
    last_reviewed: date


@dataclass(frozen=True)
class Reason:
    """A criterion that settles the outcome. It tells of the patient, so its repr is empty."""

    criterion: str = field(repr=False)
    state: State = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True)
class Missing:
    """A fact still needed, the question to ask, and the clauses for which it is open."""

    fact: str
    question: str
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class Advisory:
    """A note that decides nothing. It tells of the patient, so its repr is empty."""

    code: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True)
class RequestError:
    """What is wrong with a request, at a path such as `facts.mrd_percent`."""

    path: str
    message: str


class ReviewAction(str, Enum):
    """A code of X12 list 306, as the Da Vinci PAS guide puts on a review. A3, not certified, is a person's to give."""

    CERTIFIED_IN_TOTAL = "A1"
    PENDED = "A4"


@dataclass(frozen=True)
class Provenance:
    """Who decided, for the record."""

    opa_version: str | None = None
    """None when the policy ran in process."""

    revisions: Mapping[str, str] = field(default_factory=dict)
    """The revision of each bundle by its name; empty when OPA read the policy from a folder. In process, the digest of
    the compiled policy."""

    decision_id: str | None = None
    """Under which OPA logged the decision, or the batch it came in; None when OPA keeps no decision log."""

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Provenance:
        """From an answer of OPA's Data API. Raises `ProtocolError` when it is there in another shape."""
        try:
            version, revisions = _part(answer, "provenance", _origin) if "provenance" in answer else (None, {})
            decision_id = _text(answer, "decision_id") if "decision_id" in answer else None
        except _Broken as broken:
            raise ProtocolError(f"answer{broken}") from None
        return cls(opa_version=version, revisions=revisions, decision_id=decision_id)


@dataclass(frozen=True, repr=False)
class Decision:
    """A decision as the contract has it. Its repr names document and outcome only, since the rest is health data."""

    outcome: Outcome
    next_step: NextStep
    summary: str
    request_id: str | None
    date_of_service: date | None
    policy: Policy | None
    pathways_met: tuple[str, ...]
    criteria: Criteria | None
    reasons: tuple[Reason, ...]
    missing: tuple[Missing, ...]
    advisories: tuple[Advisory, ...]
    errors: tuple[RequestError, ...]
    provenance: Provenance = field(compare=False)
    _received: dict[str, Any] = field(compare=False)

    def __repr__(self) -> str:
        document = self.policy.document if self.policy else None
        return f"Decision(document={document!r}, outcome={self.outcome.value!r})"

    def to_dict(self) -> dict[str, Any]:
        """The very dict that was received, to keep or to pass on."""
        return self._received

    @property
    def review_action(self) -> ReviewAction | None:
        """What a prior-authorisation response says: certified only for what is to be approved, pended for what needs
        information or a person. None for an invalid request, which gets no review but has to be corrected."""
        if self.outcome is Outcome.INVALID_REQUEST:
            return None
        issued = self.outcome is Outcome.APPROVED and self.next_step is NextStep.ISSUE_APPROVAL
        return ReviewAction.CERTIFIED_IN_TOTAL if issued else ReviewAction.PENDED

    def letter(self) -> str:
        """The rationale in plain text: the outcome, each clause with its state, what to send in, document and version.

        It holds health data, though no value of a fact.
        """
        from payer_policy.letter import letter

        return letter(self)

    @classmethod
    def from_dict(cls, received: Any, provenance: Provenance | None = None) -> Decision:  # noqa: ANN401
        """Raises `ProtocolError` with the field when the decision breaks the contract."""
        try:
            node = _dict(received)
            decision = cls(
                outcome=_member(node, "outcome", _OUTCOMES),
                next_step=_member(node, "next_step", _NEXT_STEPS),
                summary=_text(node, "summary"),
                request_id=_optional_text(node, "request_id"),
                date_of_service=_optional_day(node, "date_of_service"),
                policy=_optional_part(node, "policy", _policy),
                pathways_met=_texts(node, "pathways_met"),
                criteria=_optional_part(node, "criteria", _criteria),
                reasons=_parts(node, "reasons", _reason),
                missing=_parts(node, "missing", _missing),
                advisories=_parts(node, "advisories", _advisory),
                errors=_parts(node, "errors", _request_error),
                provenance=provenance or Provenance(),
                _received=node,
            )
        except _Broken as broken:
            raise ProtocolError(f"decision{broken}") from None
        undecided = decision.outcome in (Outcome.INVALID_REQUEST, Outcome.NO_POLICY_IN_FORCE)
        if undecided != (decision.policy is None) or undecided != (decision.criteria is None):
            raise ProtocolError("decision.policy and decision.criteria do not fit the outcome")
        if decision.criteria is not None and decision.outcome is Outcome.APPROVED:
            met = tuple(pathway.id for pathway in decision.criteria.pathways if pathway.state is State.MET)
            if not met or met != decision.pathways_met:
                raise ProtocolError("decision.pathways_met does not fit decision.criteria")
            if any(exclusion.state is not State.NOT_MET for exclusion in decision.criteria.exclusions):
                raise ProtocolError("decision.criteria holds an exclusion although the outcome is approved")
        return decision


# Reading what a server sends: strict on what the contract names, blind to what it does not. Where a value stands is
# spelled out for an error alone, on the way up, since a decision has some hundred fields.


class _Broken(Exception):
    """What breaks the contract, at a path."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__()
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


_OUTCOMES = {member.value: member for member in Outcome}
_NEXT_STEPS = {member.value: member for member in NextStep}
_STATES = {member.value: member for member in State}


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(value, dict):
        return value
    raise _Broken("", "is not an object")


def _given(node: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    if name in node:
        return node[name]
    raise _Broken(f".{name}", "is absent")


def _text(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    if isinstance(value, str):
        return value
    raise _Broken(f".{name}", "is not a string" if name in node else "is absent")


def _optional_text(node: Mapping[str, Any], name: str) -> str | None:
    return None if _given(node, name) is None else _text(node, name)


def _texts(node: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(node, name)
    for value in values:
        if not isinstance(value, str):
            raise _Broken(f".{name}", "holds something else than strings")
    return tuple(values)


def _list(node: Mapping[str, Any], name: str) -> list[Any]:
    value = _given(node, name)
    if isinstance(value, list):
        return value
    raise _Broken(f".{name}", "is not an array")


def _member(node: Mapping[str, Any], name: str, members: Mapping[str, E]) -> E:
    member = members.get(_text(node, name))
    if member is None:
        raise _Broken(f".{name}", "is none of the contract's values")
    return member


def _day(node: Mapping[str, Any], name: str) -> date:
    text = _text(node, name)
    with suppress(ValueError):  # whose text would hold the value
        return date.fromisoformat(text)
    raise _Broken(f".{name}", "is not a date")


def _optional_day(node: Mapping[str, Any], name: str) -> date | None:
    return None if _given(node, name) is None else _day(node, name)


def _part(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P:
    value = _given(node, name)
    try:
        return read(value)
    except _Broken as broken:
        broken.path = f".{name}{broken.path}"
        raise


def _optional_part(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P | None:
    return None if _given(node, name) is None else _part(node, name, read)


def _parts(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> tuple[P, ...]:
    values, parts = _list(node, name), []
    try:
        for value in values:
            parts.append(read(value))  # a comprehension would lose how far it came
    except _Broken as broken:
        broken.path = f".{name}[{len(parts)}]{broken.path}"
        raise
    return tuple(parts)


def _origin(value: Any) -> tuple[str | None, dict[str, str]]:  # noqa: ANN401
    node = _dict(value)
    version = _text(node, "version") if "version" in node else None
    return version, _part(node, "bundles", _revisions) if "bundles" in node else {}


def _revisions(value: Any) -> dict[str, str]:  # noqa: ANN401
    bundles = _dict(value)
    return {name: _part(bundles, name, _revision) for name in bundles}


def _revision(value: Any) -> str:  # noqa: ANN401
    return _text(_dict(value), "revision")


def _reason(value: Any) -> Reason:  # noqa: ANN401
    node = _dict(value)
    return Reason(_text(node, "criterion"), _member(node, "state", _STATES), _text(node, "text"))


def _missing(value: Any) -> Missing:  # noqa: ANN401
    node = _dict(value)
    return Missing(_text(node, "fact"), _text(node, "question"), _texts(node, "criteria"))


def _advisory(value: Any) -> Advisory:  # noqa: ANN401
    node = _dict(value)
    return Advisory(_text(node, "code"), _text(node, "text"))


def _request_error(value: Any) -> RequestError:  # noqa: ANN401
    node = _dict(value)
    return RequestError(_text(node, "path"), _text(node, "message"))


def _policy(value: Any) -> Policy:  # noqa: ANN401
    node = _dict(value)
    return Policy(
        document=_text(node, "document"),
        title=_text(node, "title"),
        version=_text(node, "version"),
        effective_from=_day(node, "effective_from"),
        effective_to=_optional_day(node, "effective_to"),
        last_reviewed=_day(node, "last_reviewed"),
    )


def _criteria(value: Any) -> Criteria:  # noqa: ANN401
    node = _dict(value)
    return Criteria(pathways=_parts(node, "pathways", _criterion), exclusions=_parts(node, "exclusions", _criterion))


def _criterion(value: Any) -> Criterion:  # noqa: ANN401
    node = _dict(value)
    fields: dict[str, Any] = {
        "id": _text(node, "id"),
        "text": _text(node, "text"),
        "state": _member(node, "state", _STATES),
    }
    if "fact" in node:
        fields["fact"] = _text(node, "fact")
        fields["value"] = _given(node, "value")
    for name in ("all_of", "any_of"):
        if name in node:
            fields[name] = _parts(node, name, _criterion)
    if "evidence" in node:
        fields["evidence"] = _texts(node, "evidence")
    # As Criterion(**fields), whose own way to freeze what it is given takes three times as long; a tree has thirty.
    criterion = object.__new__(Criterion)
    object.__setattr__(criterion, "__dict__", fields)
    return criterion
