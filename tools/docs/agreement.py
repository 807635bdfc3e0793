"""Whether the policy agrees with what a page says of it. What the engine calculates is tried here."""

import itertools
import math
import sys
from collections.abc import Iterable
from datetime import date
from typing import Any

from tools.docs.document import LEAVES, Json, Node, Version, combined, one_state


def read(node: Node, value: Any, day: str) -> str:  # noqa: ANN401
    """The state of a leaf whose fact has a value, null for what is not known."""
    if value is None:
        return "unknown"
    holds = LEAVES[node.function].holds
    if isinstance(value, dict):
        return one_state(holds(number, *node.arguments) for number in within(value, node))
    if node.fact["type"] == "date":
        value = (date.fromisoformat(day) - date.fromisoformat(value)).days
    return one_state([holds(value, *node.arguments)])


def within(bound: Json, node: Node) -> list[float]:
    """Of what a bound leaves, every number at which the answer can change, and one between any two of them."""
    [(side, end)] = bound.items()
    low, high = node.fact["minimum"], node.fact["maximum"]
    limits = [limit for argument in node.arguments for limit in (argument if isinstance(argument, set) else [argument])]
    ends = sorted({low, high, end, *limits})
    tried: Iterable[float] = [*ends, *((one + next_) / 2 for one, next_ in itertools.pairwise(ends))]
    if node.fact["type"] == "integer":
        tried = {math.floor(number) + by for number in ends for by in (-1, 0, 1)}
    return [number for number in tried if low <= number <= high and LEAVES[side].holds(number, end)]


def told(node: Node, request: Json, pathways: list[str]) -> list[Json]:
    """What a decision must show of a criterion and all below it, its parts by id."""
    shown = {name: value for name, value in node.custom.items() if name != "terms"}
    shown |= {"id": node.id, "text": node.text}
    below = [told(part, request, pathways) for part in node.parts]
    if node.fact:
        value = request["facts"].get(node.fact["name"])
        shown |= {"state": read(node, value, request["date_of_service"]), "fact": node.fact["name"], "value": value}
    else:
        shown["state"] = combined(node, [part[0]["state"] for part in below] or pathways)
    if node.function == "at_least_n_of":
        shown["at_least"] = node.arguments[0]
    if below:
        shown["of" if "at_least" in shown else node.function] = [part[0]["id"] for part in below]
    return [shown, *itertools.chain.from_iterable(below)]


def flat(node: Json) -> list[Json]:
    """The same of what a decision does show."""
    kinds = ("all_of", "any_of", "none_of", "of")
    below = [part for kind in kinds for part in node.get(kind, [])]
    ids = {kind: [part["id"] for part in node[kind]] for kind in kinds if kind in node}
    return [{**node, **ids}, *itertools.chain.from_iterable(map(flat, below))]


def agree(version: Version, name: str, request: Json, decision: Json) -> None:
    pathways = [told(node, request, []) for node in version.pathways]
    states = [nodes[0]["state"] for nodes in pathways]
    exclusions = [told(node, request, states) for node in version.exclusions]
    unless = [nodes[0]["state"] for nodes in exclusions]
    outcome = "needs_information"
    if "met" in unless or set(states) == {"not_met"}:
        outcome = "not_approved"
    elif "met" in states and "unknown" not in unless:
        outcome = "approved"
    want = [*itertools.chain.from_iterable(pathways + exclusions), {"id": "the outcome", "state": outcome}]
    nodes = decision["criteria"]["pathways"] + decision["criteria"]["exclusions"]
    have = [*itertools.chain.from_iterable(map(flat, nodes)), {"id": "the outcome", "state": decision["outcome"]}]
    for said, seen in itertools.zip_longest(want, have):
        if said != seen:
            sys.exit(f"{version.file.name}: the page would say {said}, the policy says {seen}: vector {name!r}")
