"""The catalogue stays the plain dict that was received, so it is only held to what is read of it."""

from __future__ import annotations

from typing import Any

from payer_policy.runtime.errors import ProtocolError
from payer_policy.runtime.fields import (
    Broken,
    day_in,
    given,
    object_of,
    optional_day_in,
    part_in,
    parts_in,
    text_in,
    texts_in,
)
from payer_policy.runtime.kleene import KINDS


def catalogue_of(received: Any) -> dict[str, Any]:  # noqa: ANN401
    """The catalogue of a server. Raises `ProtocolError` with the field when it is there in another shape."""
    try:
        node = object_of(received)
        parts_in(node, "documents", _held_document)
    except Broken as broken:
        raise ProtocolError(f"catalogue{broken}") from None
    except RecursionError:
        raise ProtocolError("catalogue is nested too deeply") from None
    return node


def _held_document(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    text_in(node, "document")
    parts_in(node, "versions", _held_version)


def _held_version(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for name in ("version", "title"):
        text_in(node, name)
    for name in ("effective_from", "last_reviewed"):
        day_in(node, name)
    optional_day_in(node, "effective_to")
    part_in(node, "criteria", _held_criteria)
    parts_in(node, "facts", _held_fact)
    if "record" in node:  # a policy from before 2026-11 has none
        record = part_in(node, "record", object_of)
        for fact in record:
            parts_in(record, fact, _held_rule)
    codes = part_in(node, "codes", object_of)
    for system in codes:
        labels = part_in(codes, system, object_of)
        for code in labels:
            text_in(labels, code)


def _held_criteria(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for name in ("pathways", "exclusions"):
        parts_in(node, name, _held_criterion)


def _held_criterion(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for name in ("id", "text"):
        text_in(node, name)
    if "evidence" in node:
        texts_in(node, "evidence")
    for name in KINDS:
        if name in node:
            parts_in(node, name, _held_criterion)
    if "of" in node:
        given(node, "at_least")
    if "terms" in node:
        part_in(node, "terms", object_of)


def _held_fact(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for name in ("name", "type", "question"):
        text_in(node, name)
    texts_in(node, "criteria")
    if "minimum" in node or "maximum" in node:
        for name in ("minimum", "maximum"):
            if not isinstance(given(node, name), (int, float)):
                raise Broken(f".{name}", "is not a number")
    elif node["type"] in ("string", "array"):
        part_in(node, "values", object_of)


def _held_rule(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    text_in(node, "resource")
    for name in ("where", "read"):
        if name in node:
            text_in(node, name)
    if "codes" in node:
        part_in(node, "codes", _held_codes)
    if "component" in node:
        parts_in(node, "component", _held_component)
    if "means" in node:
        parts_in(node, "means", _held_meaning)


def _held_component(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for name in ("codes", "value"):
        part_in(node, name, _held_codes)


def _held_meaning(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    given(node, "value")
    part_in(node, "codes", _held_codes)


def _held_codes(value: Any) -> None:  # noqa: ANN401
    node = object_of(value)
    for system in node:
        texts_in(node, system)
