"""The request and the decision of the contract, as typed and frozen values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from payer_policy.cc0126 import Facts
from payer_policy.errors import InvalidValue, ProtocolError

E = TypeVar("E", bound=Enum)

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
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False)
        return Written(text, plain.get("request_id") if isinstance(plain, dict) else None)
    except (ValueError, RecursionError):  # by now only a circle, or nesting without end
        raise InvalidValue("the request is nested too deeply") from None


def to_json(value: Any, path: str) -> Any:  # noqa: ANN401
    """A value as plain JSON types. Raises `InvalidValue` with the path for what JSON cannot say."""
    if isinstance(value, Enum):
        return to_json(value.value, path)
    if isinstance(value, str) and not _is_unicode(value):
        raise InvalidValue(f"{path or 'the request'} is not valid Unicode text")
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        raise InvalidValue(f"{path or 'the request'} is too large a number")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{path or 'the request'} must be a finite number")
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        known = {item.name: getattr(value, item.name) for item in fields(value)}
        return {name: to_json(item, f"{path}.{name}") for name, item in known.items() if item is not None}
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not _is_unicode(name):
                raise InvalidValue(f"{path or 'the request'} has a name that is no Unicode text")
        return {name: to_json(item, f"{path}.{name}" if path else name) for name, item in value.items()}
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
        node = _Reader(answer.get("provenance", {}), "provenance")
        bundles = node.objects("bundles") if "bundles" in node else {}
        return cls(
            opa_version=node.text("version") if "version" in node else None,
            revisions={name: bundle.text("revision") for name, bundle in bundles.items()},
            decision_id=_Reader(answer, "answer").text("decision_id") if "decision_id" in answer else None,
        )


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
        node = _Reader(received, "decision")
        policy = node.maybe("policy")
        criteria = node.maybe("criteria")
        decision = cls(
            outcome=node.enum("outcome", _OUTCOMES),
            next_step=node.enum("next_step", _NEXT_STEPS),
            summary=node.text("summary"),
            request_id=node.optional_text("request_id"),
            date_of_service=node.optional_day("date_of_service"),
            policy=None if policy is None else _policy(policy),
            pathways_met=node.texts("pathways_met"),
            criteria=None if criteria is None else _criteria(criteria),
            reasons=tuple(
                Reason(item.text("criterion"), item.enum("state", _STATES), item.text("text"))
                for item in node.items("reasons")
            ),
            missing=tuple(
                Missing(item.text("fact"), item.text("question"), item.texts("criteria"))
                for item in node.items("missing")
            ),
            advisories=tuple(Advisory(item.text("code"), item.text("text")) for item in node.items("advisories")),
            errors=tuple(RequestError(item.text("path"), item.text("message")) for item in node.items("errors")),
            provenance=provenance or Provenance(),
            _received=received,
        )
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


class _Reader:
    """Reads one JSON object field by field, strict on what the contract names, blind to what it does not.

    Where it stands is only spelled out for an error: a decision has some hundred fields.
    """

    __slots__ = ("_name", "_parent", "_value")

    def __init__(self, value: Any, name: str, parent: _Reader | None = None) -> None:  # noqa: ANN401
        self._value = value
        self._name = name
        self._parent = parent
        if not isinstance(value, dict):
            raise ProtocolError(f"{self._path()} is not an object")

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def raw(self, name: str) -> Any:  # noqa: ANN401
        if name not in self._value:
            raise self._error(name, "is absent")
        return self._value[name]

    def text(self, name: str) -> str:
        value = self.raw(name)
        if not isinstance(value, str):
            raise self._error(name, "is not a string")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self.raw(name) is None else self.text(name)

    def day(self, name: str) -> date:
        day = None
        with suppress(ValueError):  # whose text would hold the value
            day = date.fromisoformat(self.text(name))
        if day is None:
            raise self._error(name, "is not a date")
        return day

    def optional_day(self, name: str) -> date | None:
        return None if self.raw(name) is None else self.day(name)

    def enum(self, name: str, members: Mapping[str, E]) -> E:
        member = members.get(self.text(name))
        if member is None:
            raise self._error(name, "is none of the contract's values")
        return member

    def maybe(self, name: str) -> _Reader | None:
        return None if self.raw(name) is None else _Reader(self.raw(name), name, self)

    def objects(self, name: str) -> dict[str, _Reader]:
        node = _Reader(self.raw(name), name, self)
        return {each: _Reader(value, each, node) for each, value in node._value.items()}

    def items(self, name: str) -> list[_Reader]:
        return [_Reader(item, f"{name}[{index}]", self) for index, item in enumerate(self._array(name))]

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._array(name)
        if not all(isinstance(value, str) for value in values):
            raise self._error(name, "holds something else than strings")
        return tuple(values)

    def _array(self, name: str) -> list[Any]:
        value = self.raw(name)
        if not isinstance(value, list):
            raise self._error(name, "is not an array")
        return value

    def _error(self, name: str, problem: str) -> ProtocolError:
        return ProtocolError(f"{self._path()}.{name} {problem}")

    def _path(self) -> str:
        return f"{self._parent._path()}.{self._name}" if self._parent else self._name


_OUTCOMES = {member.value: member for member in Outcome}
_NEXT_STEPS = {member.value: member for member in NextStep}
_STATES = {member.value: member for member in State}


def _criteria(node: _Reader) -> Criteria:
    return Criteria(
        pathways=tuple(_criterion(item) for item in node.items("pathways")),
        exclusions=tuple(_criterion(item) for item in node.items("exclusions")),
    )


def _policy(node: _Reader) -> Policy:
    return Policy(
        document=node.text("document"),
        title=node.text("title"),
        version=node.text("version"),
        effective_from=node.day("effective_from"),
        effective_to=node.optional_day("effective_to"),
        last_reviewed=node.day("last_reviewed"),
    )


def _criterion(node: _Reader) -> Criterion:
    leaf = "fact" in node
    return Criterion(
        id=node.text("id"),
        text=node.text("text"),
        state=node.enum("state", _STATES),
        fact=node.text("fact") if leaf else None,
        value=node.raw("value") if leaf else None,
        all_of=tuple(_criterion(item) for item in node.items("all_of")) if "all_of" in node else (),
        any_of=tuple(_criterion(item) for item in node.items("any_of")) if "any_of" in node else (),
        evidence=node.texts("evidence") if "evidence" in node else (),
    )
