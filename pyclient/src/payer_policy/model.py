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
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from payer_policy.errors import InvalidValue, ProtocolError
from payer_policy.facts import FactsBase
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
    UNDECIDED = "undecided"
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

    `facts` is the `Facts` of the document's module (`payer_policy.cc0126`) or a mapping; a number may be a bound,
    `{"less_than": 0.01}`. `codes` is `{"hcpcs": str, "icd10": [str, …]}`, informational. `unavailable` names the facts
    that were asked for and cannot be had: they stay unknown, but are not asked for again. What is valid is decided by
    the policy, not here. Its repr names the document only, since the rest is health data.
    """

    document: str
    date_of_service: date | str = field(repr=False)
    facts: FactsBase | Mapping[str, Any] = field(repr=False)
    request_id: str | UUID | None = field(default=None, repr=False)
    codes: Mapping[str, Any] | None = field(default=None, repr=False)
    unavailable: Sequence[str] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The request as the policy takes it; facts that are None are left out. Raises `InvalidValue`."""
        request = {
            "document": self.document,
            "date_of_service": self.date_of_service,
            "request_id": self.request_id,
            "codes": self.codes,
            "facts": self.facts,
            "unavailable": self.unavailable,
        }
        return {name: to_json(value, name) for name, value in request.items() if value is not None}


# OPA refuses a whole body for a number of a larger or smaller exponent; many readers of JSON, for one of thousands of
# digits.
_LARGEST_EXPONENT, _LONGEST_NUMBER = 30_000, 1_000

_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False)

# What `decide` takes: a `Request`, or its plain dict.
AnyRequest = Request | Mapping[str, Any]


class Written(NamedTuple):
    """A request as JSON text, and as the plain types that its decision is compared with."""

    text: str
    plain: Any

    def __repr__(self) -> str:
        """It is health data."""
        return "Written(…)"


def written(request: AnyRequest) -> Written:
    """A request as it is sent. Raises `InvalidValue` with the path for what JSON cannot say.

    Not escaped: of a character that takes two escapes OPA's WebAssembly loses a bit, and U+20000 becomes U+10000.
    """
    try:
        plain = request.to_dict() if isinstance(request, Request) else to_json(request, "")
        return Written(to_text(plain, _encoder), plain)
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
    is for the caller, who knows how many of them were measured; across a threshold it would turn a decision. What a
    database or a data frame gives is taken where it has one meaning: Decimal, UUID, numbers and arrays of numpy.
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
            raise InvalidValue(f"{path or 'the request'} {_NOT_FINITE}")
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidValue(f"{path or 'the request'} {_NOT_FINITE}")
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
    if isinstance(value, UUID):
        return str(value)
    kind = type(value).__name__
    if type(value).__module__ == "numpy" and kind != "timedelta64":  # which numpy derives from its integers
        if kind in ("bool", "bool_"):  # its name before numpy 2
            return bool(value)
        if isinstance(value, Integral):
            return to_json(int(value), path)
        if isinstance(value, Real):  # float64 is a float; a narrower one, too, is what numpy shows
            return to_json(Decimal(str(value)), path)
        if kind == "ndarray" and value.ndim:
            return [to_json(item, f"{path}[{index}]") for index, item in enumerate(value)]
    instead = _INSTEAD.get(kind, "which JSON cannot hold")
    raise InvalidValue(f"{path or 'the request'} is a {kind}, {instead}")


_NOT_FINITE = "must be a finite number, or None when it is not known"

# By the name of a class, of pandas and numpy too, what to write for a value that has more than one meaning.
_INSTEAD = {
    **dict.fromkeys(("NAType", "NaTType"), "which says nothing: write None when it is not known"),
    **dict.fromkeys(("datetime", "Timestamp"), "whose day depends on the time zone: write a date, as .date() gives it"),
    "datetime64": "whose day depends on the time zone: write a date, as .astype('datetime64[D]').item() gives it",
    **dict.fromkeys(("Series", "DataFrame"), "which JSON cannot hold: write .tolist() or .to_dict() of it"),
}


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
    """A node of the criteria. A compound one has parts in `all_of`, `any_of`, `none_of`, or `of`, of which `at_least`
    so many; a leaf has the fact that it reads.

    Its state and value are health data and stay out of its repr.
    """

    id: str
    text: str
    state: State = field(repr=False)
    fact: str | None = None
    value: Any = field(default=None, repr=False)
    all_of: tuple[Criterion, ...] = field(default=(), repr=False)
    any_of: tuple[Criterion, ...] = field(default=(), repr=False)
    none_of: tuple[Criterion, ...] = field(default=(), repr=False)
    of: tuple[Criterion, ...] = field(default=(), repr=False)
    at_least: int | None = None
    evidence: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Criterion, ...]:
        return self.all_of or self.any_of or self.none_of or self.of

    @property
    def joined(self) -> str:
        """How its parts make its state, where their states alone would mislead; else empty."""
        return "none of" if self.none_of else f"at least {self.at_least} of" if self.of else ""

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
class AskFirst:
    """The shortest way to an approval: the pathway, and the fewest facts whose answers can approve by it."""

    pathway: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """What an approval by a pathway is good for; `duration` in ISO 8601, `P12W` say, or None. It tells of the patient,
    so its repr is empty."""

    pathway: str = field(repr=False)
    text: str = field(repr=False)
    duration: str | None = field(repr=False)


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
    ask_first: AskFirst | None
    terms: tuple[Terms, ...]
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
    def unavailable(self) -> tuple[str, ...]:
        """The facts that are open and yet not missing, since the request says that they cannot be had."""
        if self.outcome is not Outcome.NEEDS_INFORMATION or self.criteria is None:
            return ()
        asked = {item.fact for item in self.missing}
        return tuple(fact for fact in _open(self.criteria) if fact not in asked)

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
    def from_dict(
        cls,
        received: Any,  # noqa: ANN401
        provenance: Provenance | None = None,
        asked: Written | None = None,
        version: str | None = None,
        *,
        brief: bool = False,
    ) -> Decision:
        """Raises `ProtocolError` with the field when the decision breaks the contract or does not bear itself out; with
        what was `asked`, when it answers something else, and with a `version`, when another one decided. A `brief` one
        has no criteria."""
        tree = _Tree()
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
                criteria=_optional_part(node, "criteria", tree.criteria),
                reasons=_parts(node, "reasons", _reason),
                missing=_parts(node, "missing", _missing),
                ask_first=_optional_part(node, "ask_first", _ask_first),
                terms=_parts(node, "terms", _terms),
                advisories=_parts(node, "advisories", _advisory),
                errors=_parts(node, "errors", _request_error),
                provenance=provenance or Provenance(),
                _received=node,
            )
            needed = _open(decision.criteria) if decision.criteria and decision.outcome is _NEEDS_INFORMATION else {}
            _bears_itself_out(decision, needed, brief=brief)
            if asked is not None:
                _answers(decision, tree.values, None if brief else needed, asked.plain, version)
        except _Broken as broken:
            raise ProtocolError(f"decision{broken}") from None
        except RecursionError:
            raise ProtocolError("decision is nested too deeply") from None
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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    node = dict(pairs)
    if len(node) < len(pairs):
        raise ValueError
    return node


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999
        raise ValueError
    return number


def _no_number(_: str) -> None:
    raise ValueError


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number).decode


def answer_of(text: bytes) -> dict[str, Any]:
    """What a server answered, in JSON: no name twice in an object, no NaN, no Infinity. Raises `ProtocolError`."""
    answer = None
    with suppress(ValueError, RecursionError):  # whose context would hold the answer
        answer = _decode(text.decode())
    if not isinstance(answer, dict):
        raise ProtocolError("the answer is not that of OPA, a JSON object")
    return answer


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
        day = date.fromisoformat(text)
        if day.isoformat() == text:  # else a week, or without hyphens
            return day
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


def _ask_first(value: Any) -> AskFirst:  # noqa: ANN401
    node = _dict(value)
    return AskFirst(_text(node, "pathway"), _texts(node, "facts"))


def _terms(value: Any) -> Terms:  # noqa: ANN401
    node = _dict(value)
    return Terms(_text(node, "pathway"), _text(node, "text"), _optional_text(node, "duration"))


def _advisory(value: Any) -> Advisory:  # noqa: ANN401
    node = _dict(value)
    return Advisory(_text(node, "code"), _text(node, "text"))


def _request_error(value: Any) -> RequestError:  # noqa: ANN401
    node = _dict(value)
    return RequestError(_text(node, "path"), _text(node, "message"))


def _policy(value: Any) -> Policy:  # noqa: ANN401
    node = _dict(value)
    policy = Policy(
        document=_text(node, "document"),
        title=_text(node, "title"),
        version=_text(node, "version"),
        effective_from=_day(node, "effective_from"),
        effective_to=_optional_day(node, "effective_to"),
        last_reviewed=_day(node, "last_reviewed"),
    )
    if policy.version != node["effective_from"]:
        raise _Broken(".version", "is not the first day in force")
    return policy


# An attribute of an enum costs more than the comparison.
_MET, _NOT_MET, _UNKNOWN = State
_NEEDS_INFORMATION = Outcome.NEEDS_INFORMATION


def _all_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _NOT_MET if _NOT_MET in states else _UNKNOWN if _UNKNOWN in states else _MET


def _any_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _MET if _MET in states else _UNKNOWN if _UNKNOWN in states else _NOT_MET


def _none_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _NOT_MET if _MET in states else _UNKNOWN if _UNKNOWN in states else _MET


def _at_least(states: list[State], least: Any) -> State:  # noqa: ANN401
    if type(least) is not int or not 1 <= least <= len(states):
        raise _Broken(".at_least", "is no number from 1 to that of the parts")
    met = states.count(_MET)
    if met >= least:
        return _MET
    return _NOT_MET if met + states.count(_UNKNOWN) < least else _UNKNOWN


# The kinds of compound criteria, by the name under which they have their parts: strong Kleene logic.
_KINDS: dict[str, Callable[[list[State], Any], State]] = {
    "all_of": _all_of,
    "any_of": _any_of,
    "none_of": _none_of,
    "of": _at_least,
}


class _Tree:
    """Reads criteria: every state must follow from what is below it. `values` is what the leaves hold of each fact."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def criteria(self, value: Any) -> Criteria:  # noqa: ANN401
        node = _dict(value)
        pathways = _parts(node, "pathways", self.pathway)
        exclusions = _parts(node, "exclusions", self.exclusion)
        for place, exclusion in enumerate(exclusions):
            fallback = exclusion.fact is None and not exclusion.parts
            if fallback and exclusion.state is not _none_of([pathway.state for pathway in pathways]):
                raise _Broken(f".exclusions[{place}].state", "does not follow from the pathways")
        return Criteria(pathways, exclusions)

    def pathway(self, value: Any) -> Criterion:  # noqa: ANN401
        pathway = self.criterion(value)
        if pathway.fact is not None:
            raise _Broken("", "has no clauses")
        return pathway

    def exclusion(self, value: Any) -> Criterion:  # noqa: ANN401
        return self.criterion(value, fallback=True)

    def criterion(self, received: Any, *, fallback: bool = False) -> Criterion:  # noqa: ANN401
        """A fallback may have neither parts nor a fact."""
        node = _dict(received)
        state = _member(node, "state", _STATES)
        fields: dict[str, Any] = {"id": _text(node, "id"), "text": _text(node, "text"), "state": state}
        if "evidence" in node:
            fields["evidence"] = _texts(node, "evidence")
        if "fact" in node:
            if "all_of" in node or "any_of" in node or "none_of" in node or "of" in node:
                raise _Broken("", "has both a fact and parts")
            fact = fields["fact"] = _text(node, "fact")
            value = fields["value"] = _given(node, "value")
            # A bound, such as `{"less_than": 0.01}`, may leave a criterion open; any other value settles it.
            if (value is None) is not (state is _UNKNOWN) and not isinstance(value, dict):
                raise _Broken(".state", "does not follow from the value")
            known = self.values.setdefault(fact, value)
            if known is not value and not _same(known, value):
                raise _Broken(".value", "is not that of another criterion on the same fact")
        else:
            kind = None
            for name in _KINDS:
                if name in node:
                    if kind is not None:
                        raise _Broken("", f"has both {kind} and {name}")
                    kind = name
                    parts = fields[name] = _parts(node, name, self.criterion)
                    if not parts:
                        raise _Broken(f".{name}", "is empty")
                    if name == "of":
                        fields["at_least"] = node.get("at_least")
                    if state is not _KINDS[name]([part.state for part in parts], node.get("at_least")):
                        raise _Broken(".state", "does not follow from the parts")
            if kind is None and not fallback:
                raise _Broken("", "has neither a fact nor parts")
        # As Criterion(**fields), whose own way to freeze what it is given takes three times as long; a tree has thirty.
        criterion = object.__new__(Criterion)
        object.__setattr__(criterion, "__dict__", fields)
        return criterion


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same JSON: to Python, true equals 1."""
    if one is other or type(one) is str:
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, Decimal) or isinstance(other, Decimal):  # 0.1 as it was written is not the float nearest to it
        return isinstance(one, (int, float, Decimal)) and (
            isinstance(other, (int, float, Decimal)) and Decimal(str(one)) == Decimal(str(other))
        )
    return bool(one == other)


# What a decision without criteria comes with: its next step, and whether it names a policy.
_WITHOUT_CRITERIA = {
    Outcome.INVALID_REQUEST: (NextStep.CORRECT_REQUEST, False),
    Outcome.NO_POLICY_IN_FORCE: (NextStep.CLINICAL_REVIEW, False),
    Outcome.UNDECIDED: (NextStep.CLINICAL_REVIEW, True),
}

# The contract's advisories. Those that contradict an approval send it to a person; of any other code only the policy
# knows whether it does.
_CONTRADICTIONS = frozenset({"cd19_negative", "not_b_cell"})
_NOTES = frozenset({"icd10_not_listed", "hcpcs_not_listed", "icd10_conflicts"})


def _bears_itself_out(decision: Decision, needed: Mapping[str, list[str]], *, brief: bool) -> None:
    """Whether all that a decision says follows from its criteria, or from there being none; `needed` is open."""
    refused = decision.outcome is Outcome.INVALID_REQUEST
    if bool(decision.errors) is not refused:
        raise _Broken(".errors", "do not fit the outcome")
    if decision.date_of_service is None and not refused:
        raise _Broken(".date_of_service", "is absent although the request is valid")
    bare = _WITHOUT_CRITERIA.get(decision.outcome)
    has_policy = bare is None or bare[1]
    if (decision.criteria is None) is not (brief or bare is not None) or (
        decision.policy is not None
    ) is not has_policy:
        raise _Broken(".policy", "and decision.criteria do not fit the outcome")
    if bare is not None:
        for name in ("pathways_met", "reasons", "missing", "ask_first", "terms", "advisories"):
            if getattr(decision, name):
                raise _Broken(f".{name}", "does not fit the outcome")
        next_steps: tuple[NextStep, ...] = (bare[0],)
    elif decision.criteria is not None:
        next_steps = _follow(decision, decision.criteria, needed)
    else:
        next_steps = _next_steps(decision)
    if decision.next_step not in next_steps:
        raise _Broken(".next_step", "does not fit the outcome")


def _follow(decision: Decision, criteria: Criteria, needed: Mapping[str, list[str]]) -> tuple[NextStep, ...]:
    """Whether outcome, pathways met, reasons and missing facts follow from the criteria; and which next steps may."""
    outcome = decision.outcome
    pathways = _any_of([pathway.state for pathway in criteria.pathways])
    exclusions = _any_of([exclusion.state for exclusion in criteria.exclusions])
    if exclusions is _MET or pathways is _NOT_MET:
        follows, settled_by = Outcome.NOT_APPROVED, _NOT_MET
    elif exclusions is _NOT_MET and pathways is _MET:
        follows, settled_by = Outcome.APPROVED, _MET
    else:
        follows, settled_by = Outcome.NEEDS_INFORMATION, _UNKNOWN
    if outcome is not follows:
        raise _Broken(".outcome", "does not follow from the criteria")
    if decision.pathways_met != tuple([pathway.id for pathway in criteria.pathways if pathway.state is _MET]):
        raise _Broken(".pathways_met", "does not follow from the criteria")
    settling = {
        clause.id: clause
        for pathway in criteria.pathways
        if pathway.state is settled_by
        for clause in pathway.parts
        if clause.state is settled_by
    }
    if settled_by is _NOT_MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is _MET and (node.parts or node.fact)}
    elif settled_by is _UNKNOWN and pathways is _MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is _UNKNOWN}
    for place, reason in enumerate(decision.reasons):
        node = settling.pop(reason.criterion, None)
        if node is None or node.state is not reason.state or node.text != reason.text:
            raise _Broken(f".reasons[{place}]", "does not follow from the criteria")
    if settling:
        raise _Broken(".reasons", "lack a criterion that settles the outcome")
    next_steps = _next_steps(decision)
    for place, item in enumerate(decision.missing):
        leaves = needed.get(item.fact, ())  # a part without an id of its own is named by its clause and its fact
        if not leaves or not all(id in leaves or f"{id}.{item.fact}" in leaves for id in item.criteria):
            raise _Broken(f".missing[{place}]", "does not follow from the criteria")
    if outcome is _NEEDS_INFORMATION and decision.ask_first != _shortest(decision, criteria):
        raise _Broken(".ask_first", "does not follow from the criteria")
    return next_steps


def _shortest(decision: Decision, criteria: Criteria) -> AskFirst | None:
    """The way to an approval that needs fewest facts, the first of equal ones."""
    unavailable = frozenset(decision.unavailable)
    besides = [_needs(exclusion, unavailable)[1] for exclusion in criteria.exclusions]
    shortest: tuple[str, frozenset[str]] | None = None
    for pathway in criteria.pathways:
        facts = _needs(pathway, unavailable)[0].union(*besides)
        if pathway.state is _NOT_MET or facts & unavailable:
            continue
        if shortest is None or len(facts) < len(shortest[1]):
            shortest = pathway.id, facts
    if shortest is None:
        return None
    return AskFirst(shortest[0], tuple([item.fact for item in decision.missing if item.fact in shortest[1]]))


def _needs(node: Criterion, unavailable: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The fewest facts that can make a criterion met, and not met; none when it is not open, or is the fallback."""
    if node.state is not _UNKNOWN:
        return frozenset(), frozenset()
    if node.fact is not None:
        return frozenset([node.fact]), frozenset([node.fact])
    ways = [_needs(part, unavailable) for part in node.parts if part.state is _UNKNOWN]
    meets, fails = [way[0] for way in ways], [way[1] for way in ways]
    met, least = [part.state for part in node.parts].count(_MET), node.at_least or 0
    if node.all_of:
        least = len(ways) + met
    elif not node.of:  # of none-of, what any-of is not
        least = 1
    to_meet, to_fail = least - met, met + len(ways) - least + 1
    answers = _fewest(meets, to_meet, unavailable), _fewest(fails, to_fail, unavailable)
    return answers[::-1] if node.none_of else answers


def _fewest(ways: list[frozenset[str]], number: int, unavailable: frozenset[str]) -> frozenset[str]:
    """What so many ways need together: of those that need fewest facts, those that can be had first."""
    ranked = sorted(ways, key=lambda way: (bool(way & unavailable), len(way)))
    return frozenset().union(*ranked[:number])


def _next_steps(decision: Decision) -> tuple[NextStep, ...]:
    """The next steps that may be, as far as they follow without the criteria; and whether the rest fits the outcome."""
    missing = [item.fact for item in decision.missing]
    asks = decision.outcome is _NEEDS_INFORMATION
    if len(set(missing)) < len(missing):
        raise _Broken(".missing", "names a fact twice")
    if missing and not asks:
        raise _Broken(".missing", "does not fit the outcome")
    if decision.ask_first is not None and not (asks and set(missing).issuperset(decision.ask_first.facts)):
        raise _Broken(".ask_first", "does not fit the outcome or asks for what is not missing")
    named = [terms.pathway for terms in decision.terms]
    if named and (decision.outcome is not Outcome.APPROVED or not set(named) <= set(decision.pathways_met)):
        raise _Broken(".terms", "are of no pathway that is met in an approval")
    if asks:
        return (NextStep.REQUEST_INFORMATION,) if missing else (NextStep.CLINICAL_REVIEW,)
    if decision.outcome is not Outcome.APPROVED:
        return (NextStep.CLINICAL_REVIEW,)
    if not decision.pathways_met:
        raise _Broken(".pathways_met", "does not fit the outcome")
    codes = {advisory.code for advisory in decision.advisories}
    if codes & _CONTRADICTIONS:
        return (NextStep.CLINICAL_REVIEW,)
    return (NextStep.ISSUE_APPROVAL,) if codes <= _NOTES else (NextStep.ISSUE_APPROVAL, NextStep.CLINICAL_REVIEW)


def _open(criteria: Criteria) -> dict[str, list[str]]:
    """The facts of the open leaves, those that are unknown with all above them, each with the ids of its leaves; in the
    order of the document."""
    found: dict[str, list[str]] = {}
    nodes = [*criteria.pathways, *criteria.exclusions][::-1]
    while nodes:
        node = nodes.pop()
        if node.state is _UNKNOWN:
            nodes += node.parts[::-1]
            if node.fact is not None:
                found.setdefault(node.fact, []).append(node.id)
    return found


def _answers(
    decision: Decision,
    values: Mapping[str, Any],
    needed: Mapping[str, list[str]] | None,
    asked: Any,  # noqa: ANN401
    version: str | None,
) -> None:
    """Whether a decision is that on the request that was asked; `values` is what its leaves hold, `needed` is open,
    None when it has no criteria to tell."""
    asked = asked if isinstance(asked, dict) else {}
    received, policy = decision.to_dict(), decision.policy
    refused = decision.outcome is Outcome.INVALID_REQUEST  # then both are null unless they are valid
    for name in ("request_id", "date_of_service"):
        if not (received[name] == asked.get(name) or (refused and received[name] is None)):
            raise _Broken(f".{name}", "is that of another request")
    if policy is None:
        if version is not None and not refused:
            raise _Broken(".policy", "is absent although a version was asked for")
        return
    if policy.document != asked.get("document"):
        raise _Broken(".policy.document", "is another than was asked for")
    if version is not None and policy.version != version:
        raise _Broken(".policy.version", "is another than was asked for")
    if version is None and decision.date_of_service is not None:
        day = decision.date_of_service
        if not policy.effective_from <= day <= (policy.effective_to or day):
            raise _Broken(".policy", "was not in force on the date of service")
    facts = asked.get("facts")
    facts = facts if isinstance(facts, dict) else {}
    for fact, value in values.items():
        if not _same(value, facts.get(fact)):
            raise _Broken(".criteria", f"does not hold facts.{fact if fact in facts else '?'} as it was sent")
    if needed is None:
        return
    unavailable = asked.get("unavailable")
    expected = {name for name in needed if not isinstance(unavailable, list) or name not in unavailable}
    if {item.fact for item in decision.missing} != expected:
        raise _Broken(".missing", "does not name every fact that is open, and no other")


# The catalogue stays the plain dict that was received, so it is only held to what is read of it.


def catalogue_of(received: Any) -> dict[str, Any]:  # noqa: ANN401
    """The catalogue of a server. Raises `ProtocolError` with the field when it is there in another shape."""
    try:
        node = _dict(received)
        _parts(node, "documents", _held_document)
    except _Broken as broken:
        raise ProtocolError(f"catalogue{broken}") from None
    except RecursionError:
        raise ProtocolError("catalogue is nested too deeply") from None
    return node


def _held_document(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    _text(node, "document")
    _parts(node, "versions", _held_version)


def _held_version(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("version", "title"):
        _text(node, name)
    for name in ("effective_from", "last_reviewed"):
        _day(node, name)
    _optional_day(node, "effective_to")
    _part(node, "criteria", _held_criteria)
    _parts(node, "facts", _held_fact)
    codes = _part(node, "codes", _dict)
    for system in codes:
        labels = _part(codes, system, _dict)
        for code in labels:
            _text(labels, code)


def _held_criteria(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("pathways", "exclusions"):
        _parts(node, name, _held_criterion)


def _held_criterion(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("id", "text"):
        _text(node, name)
    if "evidence" in node:
        _texts(node, "evidence")
    for name in _KINDS:
        if name in node:
            _parts(node, name, _held_criterion)
    if "of" in node:
        _given(node, "at_least")
    if "terms" in node:
        _part(node, "terms", _dict)


def _held_fact(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("name", "type", "question"):
        _text(node, name)
    _texts(node, "criteria")
    if "minimum" in node or "maximum" in node:
        for name in ("minimum", "maximum"):
            if not isinstance(_given(node, name), (int, float)):
                raise _Broken(f".{name}", "is not a number")
    elif node["type"] in ("string", "array"):
        _part(node, "values", _dict)
