"""The rows of the table, and what times them.

Every figure is a ratio of two things measured in turns in one run, since a time alone says more about the machine than
about the policy.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from rich.console import Console

_progress = Console(stderr=True)


@dataclass
class Row:
    what: str
    against: str
    ratio: float
    goal: float | None  # None: reported only
    at_least: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        met = "" if self.goal is None else "yes" if self._met(self.goal) else "no"
        goal = "" if self.goal is None else f"{'at least ' if self.at_least else ''}{self.goal:g}"
        return self.what, self.against, f"{self.ratio:.2f}", goal, met

    def _met(self, goal: float) -> bool:
        return self.ratio >= goal if self.at_least else self.ratio <= goal


@dataclass
class Report:
    """What a module measured, and when."""

    day: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def kept(cls, held: dict[str, Any]) -> "Report":
        return cls(held["day"], [Row(**row) for row in held["rows"]], held["notes"])

    def add(self, what: str, against: str, ratio: float, goal: float | None, *, at_least: bool = False) -> None:
        self.rows.append(Row(what, against, ratio, goal, at_least))
        _progress.print(f"{what}, against {against}: {ratio:.2f}", soft_wrap=True)

    def note(self, text: str) -> None:
        self.notes.append(text)
        _progress.print(text, soft_wrap=True)


def in_turns(
    measures: dict[str, Callable[[], float]], rounds: int, of: Callable[[Iterable[float]], float] = statistics.median
) -> dict[str, float]:
    """Of what is measured in turns, the median; in another order each time, since each finds the caches as the last one
    left them, and OPA as busy with what it threw away."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    order, shuffle = list(measures.items()), Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name, measure in order:
            values[name].append(measure())
    return {name: of(each) for name, each in values.items()}


def p50(
    calls: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds, of calls made in turns, each of which is made once before. What waits for nobody is measured by its
    processor time, `time.process_time`: a long call meets others on this machine more often than a short one."""
    for call in calls.values():
        call()
    return in_turns({name: partial(seconds, call, clock) for name, call in calls.items()}, rounds)


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    call()
    return clock() - start
