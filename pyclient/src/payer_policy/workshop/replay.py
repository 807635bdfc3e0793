"""Stored decisions, decided again: `payer-policy replay`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from payer_policy.runtime.errors import PolicyError
from payer_policy.runtime.policy import PolicyBase, decide_each
from payer_policy.runtime.values import Decision


@dataclass(frozen=True)
class Replayed:
    """A stored decision beside the one made now. `differences` are the paths at which they differ, without the values,
    which are health data; `error` says why none could be made. `superseded` means that the version has since got a last
    day in force, which is no difference in the decision."""

    line: int
    version: str | None
    outcome: str
    outcome_now: str | None
    differences: tuple[str, ...] = ()
    superseded: bool = False
    error: str | None = None

    @property
    def same(self) -> bool:
        return not self.differences and self.error is None


def replay(policy: PolicyBase, records: Iterable[dict[str, Any]]) -> Iterator[Replayed]:
    """Decides the request of each record (`line`, `request`, `decision`, as `batch` writes them) again, under the
    version that its decision names; under that of its date of service when it names none. In order, in constant
    memory. Raises `PolicyUnreachable`, `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more."""
    for version, group in groupby(records, _version):
        pairs = ((record, record["request"]) for record in group)
        for record, answer in decide_each(policy, pairs, version=version):
            yield _compared(record, version, answer)


def _version(record: dict[str, Any]) -> str | None:
    policy = record["decision"]["policy"]
    return None if policy is None else str(policy["version"])


def _compared(record: dict[str, Any], version: str | None, answer: Decision | PolicyError) -> Replayed:
    stored = record["decision"]
    if isinstance(answer, PolicyError):
        error = f"{type(answer).__name__}: {answer}"
        return Replayed(record["line"], version, stored["outcome"], None, error=error)
    differences = list(_differences(stored, answer.to_dict(), ""))
    superseded = "policy.effective_to" in differences and stored["policy"].get("effective_to", ...) is None
    if superseded:
        differences.remove("policy.effective_to")
    return Replayed(record["line"], version, stored["outcome"], answer.outcome.value, tuple(differences), superseded)


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name, ...), new.get(name, ...), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, f"{path}[{number}]")
    elif old != new or isinstance(old, bool) != isinstance(new, bool):  # 1 equals True
        yield path
