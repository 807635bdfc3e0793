"""The contract, once more: what follows from the criteria of any document, sharing nothing with the Rego.

A state is True (met), False (not met) or None (unknown: nobody has said, which is not no).
"""

import datetime
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

State = bool | None
Facts = Mapping[str, Any]
Values = Mapping[str, Sequence[Any]]

WORDS: dict[State, str] = {True: "met", False: "not_met", None: "unknown"}

ABSENT = object()
UNKNOWN: tuple[Any, ...] = (None, ABSENT)
FLAG: Values = {"yes": (True,), "no": (False,), "unknown": UNKNOWN}


@dataclass(frozen=True)
class DaysBefore:
    """A date so many days before the date of service; after it, when negative."""

    days: int

    def __call__(self, day: str) -> str:
        return str(datetime.date.fromisoformat(day) - datetime.timedelta(self.days))


@dataclass(frozen=True)
class Leaf:
    """A criterion on one fact. `test` takes its value; of a date, the days from it to the date of service."""

    fact: str
    test: Callable[[Any], bool]
    id: str = ""


@dataclass(frozen=True)
class Clause:
    """At least so many of the parts; all of them; or none."""

    id: str
    kind: str
    parts: tuple["Criterion", ...]
    least: int = 0


@dataclass(frozen=True)
class Fallback:
    """No pathway is met."""

    id: str


Criterion = Leaf | Clause | Fallback


def is_one_of(fact: str, *values: object, id: str = "") -> Leaf:
    return Leaf(fact, lambda value: value in values, id)


def holds_one_of(fact: str, *values: str, id: str = "") -> Leaf:
    return Leaf(fact, lambda given: any(value in given for value in values), id)


def all_of(id: str, *parts: Criterion) -> Clause:
    return Clause(id, "all_of", parts)


def any_of(id: str, *parts: Criterion) -> Clause:
    return Clause(id, "any_of", parts)


def none_of(id: str, *parts: Criterion) -> Clause:
    return Clause(id, "none_of", parts)


def at_least(least: int, id: str, *parts: Criterion) -> Clause:
    return Clause(id, "of", parts, least)


@dataclass(frozen=True)
class Reading:
    """A version of a document.

    `classes` has the facts in the order of the table; per fact, the classes of values that no criterion tells apart,
    `unknown` among them. `numbers` has, of each that may be given within a bound, its least and greatest value and,
    unless it is whole, the limits that the criteria set. `favors` has answers that meet a pathway.
    """

    document: str
    version: str
    days: Sequence[str]
    pathways: Sequence[Clause]
    exclusions: Sequence[Criterion]
    classes: Mapping[str, Values]
    numbers: Mapping[str, tuple[float, float, Sequence[float] | None]]
    hcpcs: Sequence[str]
    icd10: Sequence[str]
    code_samples: Sequence[Any]
    favors: Mapping[str, Facts]
    terms: Mapping[str, str | None] = field(default_factory=dict)
    advisories: Callable[[Facts, Sequence[str]], Mapping[str, bool]] = lambda facts, icd10: {}
    contradictions: Callable[[Facts], Mapping[str, bool]] = lambda facts: {}

    @functools.cached_property
    def dates(self) -> frozenset[str]:
        """The facts that are dates: those of which a class has a day before the date of service."""
        return frozenset(
            fact
            for fact, classes in self.classes.items()
            for values in classes.values()
            if any(isinstance(value, DaysBefore) for value in values)
        )


def within(numbers: tuple[float, float, Sequence[float] | None], side: str, number: float) -> Iterator[int | Fraction]:
    """Values to try of all that a bound leaves: every whole number, or each limit and one between any two, exactly."""
    least, greatest, limits = numbers
    tried: Iterable[int | Fraction]
    if limits is None:
        tried = range(int(least), int(greatest) + 1)
    else:
        at = sorted({Fraction(limit) for limit in (least, greatest, number, *limits)})
        tried = [*at, *((low + high) / 2 for low, high in pairwise(at))]
    for value in tried:
        leaves = {
            "less_than": value < number,
            "at_most": value <= number,
            "at_least": value >= number,
            "more_than": value > number,
        }[side]
        if leaves and least <= value <= greatest:
            yield value


@functools.cache
def settled_by(leaf: Leaf, numbers: tuple[float, float, Sequence[float] | None], side: str, number: float) -> State:
    answers = {leaf.test(value) for value in within(numbers, side, number)}
    return answers.pop() if len(answers) == 1 else None


def count_all(states: Sequence[State]) -> State:
    return False if False in states else None if None in states else True


def count_any(states: Sequence[State]) -> State:
    return True if True in states else None if None in states else False


class Decided:
    """One valid request under one version; `said` is what the contract says of it."""

    def __init__(self, reading: Reading, request: Mapping[str, Any]) -> None:
        self.reading = reading
        self.facts: Facts = request["facts"]
        self.day: str = request["date_of_service"]
        self.unavailable: Sequence[str] = request.get("unavailable", ())
        self.codes: Mapping[str, Any] = request.get("codes") or {}
        self.known: dict[int, State] = {}

    def state(self, criterion: Criterion) -> State:
        if id(criterion) not in self.known:
            self.known[id(criterion)] = self.worked_out(criterion)
        return self.known[id(criterion)]

    def worked_out(self, criterion: Criterion) -> State:
        if isinstance(criterion, Fallback):
            met = count_any([self.state(pathway) for pathway in self.reading.pathways])
            return None if met is None else not met
        if isinstance(criterion, Leaf):
            return self.state_of_leaf(criterion)
        states = [self.state(part) for part in criterion.parts]
        if criterion.kind == "of":
            sure, possible = states.count(True), states.count(True) + states.count(None)
            return True if sure >= criterion.least else None if possible >= criterion.least else False
        if criterion.kind == "all_of":
            return count_all(states)
        if criterion.kind == "none_of":
            return count_all([None if state is None else not state for state in states])
        return count_any(states)

    def state_of_leaf(self, leaf: Leaf) -> State:
        value = self.facts.get(leaf.fact)
        if value is None:
            return None
        if isinstance(value, dict):
            ((side, number),) = value.items()
            return settled_by(leaf, self.reading.numbers[leaf.fact], side, number)
        if leaf.fact in self.reading.dates:
            value = (datetime.date.fromisoformat(self.day) - datetime.date.fromisoformat(value)).days
        return leaf.test(value)

    def leaves(self, criterion: Criterion, above: tuple[State, ...], clause: str) -> Iterator[tuple[Leaf, str, bool]]:
        """Every leaf with the clause that asks, and whether it is open: unknown, as is all that it is a part of."""
        states = (*above, self.state(criterion))
        if isinstance(criterion, Leaf):
            yield criterion, criterion.id or clause, all(state is None for state in states)
        elif isinstance(criterion, Clause):
            for part in criterion.parts:
                yield from self.leaves(part, states, criterion.id)

    def states(self) -> dict[str, str]:
        found: dict[str, str] = {}

        def walk(criterion: Criterion, above: str) -> None:
            own = criterion.id or f"{above}.{criterion.fact}" if isinstance(criterion, Leaf) else criterion.id
            found[own] = WORDS[self.state(criterion)]
            if isinstance(criterion, Clause):
                for part in criterion.parts:
                    walk(part, criterion.id)

        for criterion in (*self.reading.pathways, *self.reading.exclusions):
            walk(criterion, "")
        return found

    def open_clauses(self, criteria: Sequence[Criterion]) -> dict[str, list[str]]:
        """Each fact that an open leaf reads, with the clauses that ask for it."""
        found: dict[str, list[str]] = {}
        for criterion in criteria:
            for leaf, clause, is_open in self.leaves(criterion, (), ""):
                if is_open and clause not in found.setdefault(leaf.fact, []):
                    found[leaf.fact].append(clause)
        return {fact: clauses for fact, clauses in found.items() if clauses}

    def missing(self) -> dict[str, list[str]]:
        asked = {**self.open_clauses(self.reading.exclusions), **self.open_clauses(self.reading.pathways)}
        return {fact: asked[fact] for fact in self.reading.classes if fact in asked and fact not in self.unavailable}

    def needs(self, criterion: Criterion, *, to_be: bool) -> frozenset[str] | None:
        """The fewest facts with which a criterion can come to a state; None when it cannot."""
        state = self.state(criterion)
        if isinstance(criterion, Fallback) or state == to_be:
            return frozenset()
        if state is not None:
            return None
        if isinstance(criterion, Leaf):
            return None if criterion.fact in self.unavailable else frozenset([criterion.fact])
        parts_to_be = not to_be if criterion.kind == "none_of" else to_be
        unsettled = [part for part in criterion.parts if self.state(part) is None]
        settled = sum(self.state(part) is parts_to_be for part in criterion.parts)
        number = {
            ("all_of", True): len(criterion.parts),
            ("all_of", False): 1,
            ("any_of", True): 1,
            ("any_of", False): len(criterion.parts),
            ("none_of", True): len(criterion.parts),
            ("none_of", False): 1,
            ("of", True): criterion.least,
            ("of", False): len(criterion.parts) - criterion.least + 1,
        }[criterion.kind, to_be]
        ways = [way for part in unsettled if (way := self.needs(part, to_be=parts_to_be)) is not None]
        chosen = sorted(ways, key=len)[: number - settled]
        return frozenset().union(*chosen) if len(chosen) == number - settled else None

    def ask_first(self) -> dict[str, Any] | None:
        found = []
        exclusions = [self.needs(exclusion, to_be=False) for exclusion in self.reading.exclusions]
        for pathway in self.reading.pathways:
            needed = [self.needs(pathway, to_be=True), *exclusions]
            if all(way is not None for way in needed):
                facts = frozenset().union(*(way for way in needed if way is not None))
                found.append((pathway.id, [fact for fact in self.reading.classes if fact in facts]))
        if not found:
            return None
        pathway_id, fewest = min(found, key=lambda way: len(way[1]))
        return {"pathway": pathway_id, "facts": fewest}

    def notes(self, outcome: str) -> tuple[list[str], bool]:
        """The advisories, and whether one of them sends an approval to a person."""

        def plain(code: str) -> str:
            return "".join(code.split()).replace(".", "").upper()

        icd10 = [plain(code) for code in self.codes.get("icd10") or ()]
        hcpcs = self.codes.get("hcpcs")
        raised = {
            "icd10_not_listed": any(code not in map(plain, self.reading.icd10) for code in icd10),
            "hcpcs_not_listed": hcpcs is not None and plain(hcpcs).partition("-")[0] not in self.reading.hcpcs,
            **self.reading.advisories(self.facts, icd10),
        }
        against = self.reading.contradictions(self.facts) if outcome == "approved" else {}
        return sorted(code for code, holds in {**raised, **against}.items() if holds), any(against.values())

    def said(self) -> dict[str, Any]:
        pathways = [(pathway, self.state(pathway)) for pathway in self.reading.pathways]
        exclusions = [(exclusion, self.state(exclusion)) for exclusion in self.reading.exclusions]
        excluded = {state for _, state in exclusions}
        pathway_states = {state for _, state in pathways}
        missing: dict[str, list[str]] = {}
        ask_first = None
        terms: list[tuple[str, str | None]] = []

        def clauses(state: State) -> list[str]:
            return [part.id for pathway, its in pathways if its is state for part in clauses_of(pathway, state)]

        def clauses_of(pathway: Clause, state: State) -> list[Clause | Leaf]:
            return [p for p in pathway.parts if not isinstance(p, Fallback) and self.state(p) is state]

        if True in excluded or pathway_states == {False}:
            outcome, next_step = "not_approved", "clinical_review"
            reasons = clauses(False)
            reasons += [e.id for e, state in exclusions if state and not isinstance(e, Fallback)]
        elif True in pathway_states and excluded == {False}:
            outcome, next_step = "approved", "issue_approval"
            reasons = clauses(True)
            terms = [(p.id, self.reading.terms[p.id]) for p, met in pathways if met and p.id in self.reading.terms]
        else:
            outcome = "needs_information"
            missing = self.missing()
            next_step = "request_information" if missing else "clinical_review"
            ask_first = self.ask_first() if missing else None
            reasons = clauses(None)
            if True in pathway_states:
                reasons += [exclusion.id for exclusion, state in exclusions if state is None]

        advisories, contradicted = self.notes(outcome)
        return {
            "outcome": outcome,
            "next_step": "clinical_review" if contradicted else next_step,
            "pathways_met": [pathway.id for pathway, met in pathways if met],
            "missing": missing,
            "ask_first": ask_first,
            "terms": terms,
            "reasons": list(dict.fromkeys(reasons)),
            "advisories": advisories,
            "states": self.states(),
        }


def decide(reading: Reading, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the contract says of a valid request for a day on which the version is in force."""
    return Decided(reading, request).said()
