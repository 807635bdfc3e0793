"""Requests decided under two policies: how many change outcome, from what to what, and by which clause."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import Any

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import PolicyError
from payer_policy.runtime.policy import PolicyBase, decide_each
from payer_policy.runtime.values import Criterion, Decision

# The facts of all versions of a document, by name.
Known = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Side:
    """A policy, and the version to decide under; None is that in force on the date of service."""

    policy: PolicyBase
    version: str | None = None

    def decide(self, requests: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Decision | PolicyError]]:
        return decide_each(self.policy, requests, version=self.version)

    def fitted(self, held: Documents, request: Any, known: Known) -> tuple[Any, frozenset[tuple[str, str]]]:  # noqa: ANN401
        """A request without what another version has and the one that decides has not: facts, and values of facts; and
        which these are, by name and kind. What no version has stays, since it is an error under all of them."""
        facts, gone = request.get("facts"), request.get("unavailable")
        version = self.version or held.in_force(request["document"], request.get("date_of_service"))
        own = held.facts(request["document"], version)
        if not own or not isinstance(facts, dict):
            return request, frozenset()
        gone = gone if isinstance(gone, list) else []
        named = [*facts, *(name for name in gone if isinstance(name, str))]
        out = {name: "fact" for name in named if name in known and name not in own}
        for name, value in facts.items():
            if name in own and not _admits(own[name], value) and any(_admits(fact, value) for fact in known[name]):
                out[name] = "value"
        if not out:
            return request, frozenset()
        fitted = {**request, "facts": {name: value for name, value in facts.items() if name not in out}}
        if gone:
            fitted["unavailable"] = [name for name in gone if not (isinstance(name, str) and name in out)]
        return fitted, frozenset(out.items())


def _admits(fact: Mapping[str, Any], value: Any) -> bool:  # noqa: ANN401
    """Whether a fact may have a value by type, list and range; null says that it is unknown."""
    match fact["type"]:
        case _ if value is None:
            return True
        case "string":
            return isinstance(value, str) and value in fact["values"]
        case "array":
            return isinstance(value, list) and all(isinstance(item, str) and item in fact["values"] for item in value)
        case "integer" | "number" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return bool(fact["minimum"] <= value <= fact["maximum"])
        case "integer" | "number":
            return isinstance(value, dict)  # a bound
        case kind:
            return isinstance(value, bool if kind == "boolean" else str)


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


# Where a request of no document that is held is counted; it names no value of the request.
NONE_HELD = "no document held"


@dataclass(frozen=True, slots=True)
class Compared(Turned):
    """A request whose outcome may change or not, and what was left out, by side, name and kind."""

    left_out: tuple[tuple[str, str, str], ...]


def impact(document: str, old: Side, new: Side, requests: Iterable[tuple[int, Any]]) -> Impact:
    """Decides every request of a document under both sides. `requests` are numbered, and read as they are needed.

    Raises `InvalidValue` when a side does not hold the document or its version, and `PolicyUnreachable`,
    `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more: no request changes outcome by that.
    """
    result = Impact(document)
    held = [Documents(side.policy) for side in (old, new)]

    def of_document() -> Iterator[tuple[int, Any]]:
        for number, request in requests:
            named = request.get("document") if isinstance(request, dict) else None
            if named == document:
                yield number, request
            else:
                result.apart[str(named) if any(named in each for each in held) else NONE_HELD] += 1

    for each in compared(document, old, new, of_document()):
        result.count(each.old, each.new, each.clauses, each.left_out)
        if each.old != each.new:
            result.turned.append(Turned(each.line, each.old, each.new, each.clauses))
    return result


def compared(document: str, old: Side, new: Side, requests: Iterable[tuple[int, Any]]) -> Iterator[Compared]:
    """Every request, all of the document, with what becomes of it, in order. Raises as `impact` does."""
    sides = {"old": (old, Documents(old.policy)), "new": (new, Documents(new.policy))}
    for side, held in sides.values():
        held.version(document, side.version)
    known: dict[str, list[Mapping[str, Any]]] = {}
    for _, held in sides.values():
        for name, fact in held.all_facts(document):
            known.setdefault(name, []).append(fact)

    def fitted(name: str, items: Iterable[tuple[int, Any]], out: deque[list[tuple[str, str, str]]]) -> Iterator[Any]:
        side, held = sides[name]
        for number, request in items:
            item, what = side.fitted(held, request, known)
            out.append([(name, *each) for each in sorted(what)])
            yield number, item

    first, second = tee(requests)
    out: tuple[deque[Any], deque[Any]] = deque(), deque()  # of what was read and is not yet answered
    befores, afters = old.decide(fitted("old", first, out[0])), new.decide(fitted("new", second, out[1]))
    for (number, before), (_, after) in zip(befores, afters, strict=True):
        flow = _outcome(before), _outcome(after)
        turned = tuple(_turned(_leaves(before), _leaves(after))) if flow[0] != flow[1] else ()
        yield Compared(number, *flow, turned, (*out[0].popleft(), *out[1].popleft()))


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
