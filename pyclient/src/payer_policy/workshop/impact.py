"""Requests decided under two policies: how many change outcome, from what to what, and by which clause."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, tee
from typing import Any

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import PolicyError
from payer_policy.runtime.policy import PolicyBase, decide_each
from payer_policy.runtime.reading import JSON, Notation, hints
from payer_policy.runtime.values import Criterion, Decision, RequestError


@dataclass(frozen=True)
class Side:
    """A policy, and the version to decide under; None is that in force on the date of service."""

    policy: PolicyBase
    version: str | None = None

    def decide(
        self, requests: Iterable[tuple[int, Any]], in_flight: int
    ) -> Iterator[tuple[int, Decision | PolicyError]]:
        return decide_each(self.policy, requests, version=self.version, in_flight=in_flight)

    def facts(self, held: Documents, request: Any) -> Collection[str]:  # noqa: ANN401
        """The facts that a request is decided by; none when no version decides."""
        document = request["document"]
        return held.facts(document, self.version or held.in_force(document, request.get("date_of_service")))


@dataclass(frozen=True, slots=True)
class Turned:
    """A request whose outcome changes, and the leaves that turned: clause, state before, state after; None where the
    version has no such clause."""

    line: int
    old: str
    new: str
    clauses: tuple[tuple[str, str | None, str | None], ...]


@dataclass
class Impact:
    """What becomes of the requests of a document. `flows` counts them by outcome under the old and the new policy; an
    error of the client stands for an outcome by the name of its class. `apart` counts the requests of other documents,
    which are not decided, and `left_out` those with a fact that a version does not have, or a value that its fact does
    not have: it is left out for that side. By side (old or new), name and kind (fact or value)."""

    document: str
    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    clauses: Counter[tuple[str, str | None, str | None]] = field(default_factory=Counter)
    turned: list[Turned] = field(default_factory=list)
    apart: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def count(
        self,
        old: str,
        new: str,
        clauses: Iterable[tuple[str, str | None, str | None]],
        left_out: Iterable[tuple[str, str, str]],
        requests: int = 1,
    ) -> None:
        """So many requests more of which the same became."""
        self.flows[old, new] += requests
        for clause in clauses:
            self.clauses[clause] += requests
        for what in left_out:
            self.left_out[what] += requests

    def add(self, other: Impact) -> None:
        """The requests of another study, behind those of this one."""
        self.flows.update(other.flows)
        self.clauses.update(other.clauses)
        self.turned.extend(other.turned)
        self.apart.update(other.apart)
        self.left_out.update(other.left_out)

    @property
    def total(self) -> int:
        return self.flows.total()

    @property
    def changed(self) -> int:
        return sum(count for (old, new), count in self.flows.items() if old != new)

    def ranked(self) -> list[tuple[tuple[str, str], int]]:
        """The flows, those that change outcome first, the largest first."""
        return sorted(self.flows.items(), key=lambda item: (item[0][0] == item[0][1], -item[1]))

    def to_dict(self) -> dict[str, Any]:
        return {
            "document": self.document,
            "requests": self.total,
            "changed": self.changed,
            "flows": [{"old": old, "new": new, "requests": n} for (old, new), n in sorted(self.flows.items())],
            "apart": dict(sorted(self.apart.items())),
            "left_out": [
                {"side": side, "fact": fact, "kind": kind, "requests": n}
                for (side, fact, kind), n in self.left_out.most_common()
            ],
            "clauses": [
                {"clause": clause, "old": old, "new": new, "requests": n}
                for (clause, old, new), n in self.clauses.most_common()
            ],
            "turned": [
                {
                    "line": turned.line,
                    "old": turned.old,
                    "new": turned.new,
                    "clauses": [list(c) for c in turned.clauses],
                }
                for turned in self.turned
            ],
        }


# Requests of which those are decided once more, as one batch, that one side refuses for a value.
_TOGETHER = 200

# Where a request of no document that is held is counted; it names no value of the request.
NONE_HELD = "no document held"


@dataclass(frozen=True, slots=True)
class Compared(Turned):
    """A request whose outcome may change or not, what was left out, by side, name and kind, and the errors that it has
    under both."""

    left_out: tuple[tuple[str, str, str], ...]
    errors: tuple[RequestError, ...]


def impact(
    document: str,
    old: Side,
    new: Side,
    requests: Iterable[tuple[int, Any]],
    notation: Notation = JSON,
    on_hint: Callable[[int, str], None] = lambda number, hint: None,
) -> Impact:
    """Decides every request of a document under both sides. `requests` are numbered, and read as they are needed. Of
    one that has text where a number should be, `on_hint` is told what to write instead, in the `notation`.

    Raises `InvalidValue` when a side does not hold the document or its version, and `PolicyUnreachable`,
    `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more: no request changes outcome by that.
    """
    result = Impact(document)
    held = [Documents(side.policy) for side in (old, new)]
    asked: deque[Any] = deque()  # as many as were read ahead

    def of_document() -> Iterator[tuple[int, Any]]:
        for number, request in requests:
            named = request.get("document") if isinstance(request, dict) else None
            if named == document:
                asked.append(request)
                yield number, request
            else:
                result.apart[str(named) if any(named in each for each in held) else NONE_HELD] += 1

    for each in compared(document, old, new, of_document()):
        result.count(each.old, each.new, each.clauses, each.left_out)
        if hint := "; ".join(hints(asked.popleft(), each.errors, notation)):
            on_hint(each.line, hint)
        if each.old != each.new:
            result.turned.append(Turned(each.line, each.old, each.new, each.clauses))
    return result


def compared(
    document: str, old: Side, new: Side, requests: Iterable[tuple[int, Any]], *, in_flight: int = 2
) -> Iterator[Compared]:
    """Every request, all of the document, with what becomes of it, in order. `in_flight` is that of `decide_many`.
    Raises as `impact` does."""
    for number, before, after, left_out in decided(document, old, new, requests, in_flight=in_flight):
        flow = _outcome(before), _outcome(after)
        turned = tuple(_turned(_leaves(before), _leaves(after))) if flow[0] != flow[1] else ()
        yield Compared(number, *flow, turned, left_out, _errors(before, after))


def decided(
    document: str, old: Side, new: Side, requests: Iterable[tuple[int, Any]], *, in_flight: int = 2
) -> Iterator[tuple[int, Decision | PolicyError, Decision | PolicyError, tuple[tuple[str, str, str], ...]]]:
    """Every request, all of the document, with the answers of both sides and what was left out, in order. Left out is a
    fact that another version has and the one that decides has not, and a value that the policy refuses on this side
    and takes on the other. What nobody takes stays, since it is an error under all. Raises as `impact` does."""
    sides = (old, Documents(old.policy)), (new, Documents(new.policy))
    for side, held in sides:
        held.version(document, side.version)
    known = {name for _, held in sides for name, _ in held.all_facts(document)}
    asked: tuple[deque[_Asked], deque[_Asked]] = deque(), deque()  # of what was read and is not yet answered

    def fitted(n: int, items: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        side, held = sides[n]
        for number, request in items:
            own = side.facts(held, request)
            out = {name for name in _named(request) if name in known and name not in own} if own else set()
            asked[n].append(_Asked(_without(request, out), own, out))
            yield number, asked[n][-1].request

    first, second = tee(requests)
    answers = old.decide(fitted(0, first), in_flight), new.decide(fitted(1, second), in_flight)
    pairs = zip(*answers, strict=True)
    while some := [(number, [before, after]) for (number, before), (_, after) in islice(pairs, _TOGETHER)]:
        items = [(asked[0].popleft(), asked[1].popleft()) for _ in some]
        alone = [_refused_alone(both, those) for (_, both), those in zip(some, items, strict=True)]
        for n in (0, 1):
            again = [(place, _without(items[place][n].request, out[n])) for place, out in enumerate(alone) if out[n]]
            for place, answer in sides[n][0].decide(again, in_flight):
                some[place][1][n] = answer
        for (number, (before, after)), those, values in zip(some, items, alone, strict=True):
            left_out = (
                (side, *each)
                for side, item, refused in zip(("old", "new"), those, values, strict=True)
                for each in sorted(
                    [*((fact, "fact") for fact in item.left_out), *((fact, "value") for fact in refused)]
                )
            )
            yield number, before, after, tuple(left_out)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a side is asked: the request without the facts left out, and the facts of the version that decides."""

    request: Any
    facts: Collection[str]
    left_out: Collection[str]


def _named(request: Any) -> list[str]:  # noqa: ANN401
    """The facts that a request knows or says are not to be had."""
    facts, gone = request.get("facts"), request.get("unavailable")
    return [*facts, *(name for name in _listed(gone) if isinstance(name, str))] if isinstance(facts, dict) else []


def _without(request: Any, names: Collection[str]) -> Any:  # noqa: ANN401
    """A request without these facts; itself when there are none."""
    if not names:
        return request
    fitted = {**request, "facts": {name: value for name, value in request["facts"].items() if name not in names}}
    if gone := _listed(request.get("unavailable")):
        fitted["unavailable"] = [name for name in gone if not (isinstance(name, str) and name in names)]
    return fitted


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _refused_alone(both: Sequence[Decision | PolicyError], items: Sequence[_Asked]) -> list[set[str]]:
    """For each side, the facts that both have of whose values it alone says what is wrong."""
    old, new = map(_refused, both)
    shared = [fact for fact in old ^ new if all(fact in item.facts for item in items)]
    return [old.intersection(shared), new.intersection(shared)]


def _refused(answer: Decision | PolicyError) -> set[str]:
    """The facts of whose values the policy says what is wrong, by path: facts.age, or an item, facts.symptoms[0]."""
    errors = () if isinstance(answer, PolicyError) else answer.errors
    paths = (re.fullmatch(r"facts\.(.+?)(\[\d+\])?", error.path, re.DOTALL) for error in errors)
    return {path[1] for path in paths if path}


def _errors(old: Decision | PolicyError, new: Decision | PolicyError) -> tuple[RequestError, ...]:
    if isinstance(old, PolicyError) or isinstance(new, PolicyError):
        return ()
    paths = {error.path for error in old.errors}
    return tuple(error for error in new.errors if error.path in paths)


def _outcome(answer: Decision | PolicyError) -> str:
    return type(answer).__name__ if isinstance(answer, PolicyError) else answer.outcome.value


def _leaves(answer: Decision | PolicyError) -> dict[str, str]:
    if isinstance(answer, PolicyError) or answer.criteria is None:
        return {}
    found: dict[str, str] = {}
    nodes: list[Criterion] = [*reversed(answer.criteria.pathways), *answer.criteria.exclusions]
    while nodes:
        node = nodes.pop()
        nodes.extend(reversed(node.parts))
        if not node.parts and node.fact:
            found[node.id] = node.state.value
    return found


def _turned(old: dict[str, str], new: dict[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    if old and new:  # else another version, or none, decides, and every clause turned
        for clause in [*old, *(clause for clause in new if clause not in old)]:
            if old.get(clause) != new.get(clause):
                yield clause, old.get(clause), new.get(clause)
