"""The fields of what a server sends: strict on what the contract names, blind to what it does not.

Where a value stands is spelled out for an error alone, on the way up, since a decision has some hundred fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from payer_policy.runtime.errors import ProtocolError

E = TypeVar("E", bound=Enum)
P = TypeVar("P")


class Broken(ProtocolError):
    """What breaks the contract, at a path; who reads the whole says of what."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__()
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


def object_of(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(value, dict):
        return value
    raise Broken("", "is not an object")


def given(node: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    if name in node:
        return node[name]
    raise Broken(f".{name}", "is absent")


def text_in(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    if isinstance(value, str):
        return value
    raise Broken(f".{name}", "is not a string" if name in node else "is absent")


def optional_text_in(node: Mapping[str, Any], name: str) -> str | None:
    return None if given(node, name) is None else text_in(node, name)


def texts_in(node: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = list_in(node, name)
    for value in values:
        if not isinstance(value, str):
            raise Broken(f".{name}", "holds something else than strings")
    return tuple(values)


def list_in(node: Mapping[str, Any], name: str) -> list[Any]:
    value = given(node, name)
    if isinstance(value, list):
        return value
    raise Broken(f".{name}", "is not an array")


def member_in(node: Mapping[str, Any], name: str, members: Mapping[str, E]) -> E:
    member = members.get(text_in(node, name))
    if member is None:
        raise Broken(f".{name}", "is none of the contract's values")
    return member


def day_in(node: Mapping[str, Any], name: str) -> date:
    text = text_in(node, name)
    with suppress(ValueError):  # whose text would hold the value
        day = date.fromisoformat(text)
        if day.isoformat() == text:  # else a week, or without hyphens
            return day
    raise Broken(f".{name}", "is not a date")


def optional_day_in(node: Mapping[str, Any], name: str) -> date | None:
    return None if given(node, name) is None else day_in(node, name)


def part_in(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P:
    value = given(node, name)
    try:
        return read(value)
    except Broken as broken:
        broken.path = f".{name}{broken.path}"
        raise


def optional_part_in(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P | None:
    return None if given(node, name) is None else part_in(node, name, read)


def parts_in(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> tuple[P, ...]:
    values, parts = list_in(node, name), []
    try:
        for value in values:
            parts.append(read(value))  # a comprehension would lose how far it came
    except Broken as broken:
        broken.path = f".{name}[{len(parts)}]{broken.path}"
        raise
    return tuple(parts)
