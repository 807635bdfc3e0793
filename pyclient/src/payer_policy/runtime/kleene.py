"""Strong Kleene logic, as policy/engine/kleene.rego has it: what the states of the parts make of the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from payer_policy.runtime.fields import Broken
from payer_policy.runtime.values import State

# An attribute of an enum costs more than the comparison.
MET, NOT_MET, UNKNOWN = State


def all_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return NOT_MET if NOT_MET in states else UNKNOWN if UNKNOWN in states else MET


def any_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return MET if MET in states else UNKNOWN if UNKNOWN in states else NOT_MET


def none_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return NOT_MET if MET in states else UNKNOWN if UNKNOWN in states else MET


def at_least(states: list[State], least: Any) -> State:  # noqa: ANN401
    if type(least) is not int or not 1 <= least <= len(states):
        raise Broken(".at_least", "is no number from 1 to that of the parts")
    met = states.count(MET)
    if met >= least:
        return MET
    return NOT_MET if met + states.count(UNKNOWN) < least else UNKNOWN


# The kinds of compound criteria, by the name under which they have their parts: strong Kleene logic.
KINDS: dict[str, Callable[[list[State], Any], State]] = {
    "all_of": all_of,
    "any_of": any_of,
    "none_of": none_of,
    "of": at_least,
}
