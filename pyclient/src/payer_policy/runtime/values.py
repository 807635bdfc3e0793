"""The decision of the contract, and what it holds, as typed and frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any


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


_UNKNOWN = State.UNKNOWN  # an attribute of an enum costs more than the comparison


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

    @property
    def open_facts(self) -> dict[str, list[str]]:
        """The facts of the open leaves, those that are unknown with all above them, each with the ids of its leaves; in
        the order of the document."""
        found: dict[str, list[str]] = {}
        nodes = [*self.pathways, *self.exclusions][::-1]
        while nodes:
            node = nodes.pop()
            if node.state is _UNKNOWN:
                nodes += node.parts[::-1]
                if node.fact is not None:
                    found.setdefault(node.fact, []).append(node.id)
        return found


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
        return tuple(fact for fact in self.criteria.open_facts if fact not in asked)

    @property
    def review_action(self) -> ReviewAction | None:
        """What a prior-authorisation response says: certified only for what is to be approved, pended for what needs
        information or a person. None for an invalid request, which gets no review but has to be corrected."""
        if self.outcome is Outcome.INVALID_REQUEST:
            return None
        issued = self.outcome is Outcome.APPROVED and self.next_step is NextStep.ISSUE_APPROVAL
        return ReviewAction.CERTIFIED_IN_TOTAL if issued else ReviewAction.PENDED
