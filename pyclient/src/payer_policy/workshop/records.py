"""Records: what is kept of a decision, a line of JSON each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from payer_policy.runtime.reading import Unreadable, read_json
from payer_policy.runtime.request import to_json, to_text
from payer_policy.runtime.values import Decision
from payer_policy.workshop.lines import BatchError, opened, readable


def recorded(line: int, request: Any, decision: Decision) -> dict[str, Any]:  # noqa: ANN401
    """What is kept of a decision, wherever it is kept: enough to make it again and to find it in OPA's log."""
    return {
        "line": line,
        "request": to_json(request, ""),
        "decision": decision.to_dict(),
        "provenance": {"client_version": client_version(), **asdict(decision.provenance)},
    }


@cache
def client_version() -> str:
    return version("payer-policy-client")


# Sorted, since the embedded policy promises no order of keys.
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def record_line(**record: Any) -> str:  # noqa: ANN401
    """A line of an output or of rejects."""
    return to_text(record, _encoder) + "\n"


def record_of(text: bytes, file: Path, number: int, *fields: str) -> dict[str, Any]:
    """The record in a line of an output or of rejects, which has `line` and all of `fields`. Raises `BatchError`."""
    with suppress(Unreadable):
        record = read_json(text)
        if (
            isinstance(record, dict)
            and record.keys() >= {"line", *fields}
            and type(record["line"]) is int
            and ("decision" not in fields or _is_decision(record["decision"]))
            and isinstance(record.get("provenance", {}), dict)
        ):
            return record
    raise BatchError(f"{file}: line {number} is not as this version of payer-policy writes it")


def _is_decision(value: Any) -> bool:  # noqa: ANN401
    """Whether it has what is read of it here; what else it should have a replay tells."""
    if not isinstance(value, dict) or not value.keys() >= {"outcome", "policy", "missing"}:
        return False
    policy, missing = value["policy"], value["missing"]
    return (
        isinstance(value["outcome"], str)
        and (policy is None or (isinstance(policy, dict) and isinstance(policy.get("version"), str)))
        and isinstance(missing, list)
        and all(isinstance(item, dict) and isinstance(item.get("fact"), str) for item in missing)
    )


def records_of(source: Path, files: ExitStack) -> Iterator[dict[str, Any]]:
    """The records in a file of them, which is closed with `files`, or in standard input by the name -. Raises
    `BatchError`."""
    file = sys.stdin.buffer if str(source) == "-" else opened(source, files)
    lines = enumerate(readable(source, file), 1)
    return (record_of(text, source, number, "request", "decision") for number, text in lines)
