"""Requests to the policy in OPA, beside the second readings: `make prove`. Exit status 1 on any difference.

Per fact, a reading names the classes of values that no criterion tells apart; a bound is in that of what it leaves.
A combination has one class for each fact; which value stands for a class is drawn anew for each, so that all of them
occur everywhere, and so are the date of service, the codes and what is `unavailable`. Up to a million combinations
all are asked, once each. Of more, and in a sample, every combination of three classes is asked beside the answers that
favor each pathway, so that every pair of classes occurs, and the rest is drawn, near an approval and far from any.
"""

import argparse
import itertools
import json
import math
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests import ROOT
from tests.oracle.vectors import states
from tests.readings import READINGS
from tests.readings.decision import ABSENT, DaysBefore, Facts, Reading, decide
from tests.stage.opa import process

BATCH = 200
ALL = 1_000_000
SAMPLE = 150_000


def resolved(value: object, day: str) -> Any:  # noqa: ANN401
    """As it stands in a request for that day."""
    return value(day) if isinstance(value, DaysBefore) else value


class Space:
    """The requests to one version, one for each combination of classes."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.classes = {fact: list(classes.values()) for fact, classes in reading.classes.items()}
        self.total = math.prod(len(classes) for classes in self.classes.values())
        self.bases = [self.near(answers) for answers in reading.favors.values()]

    def __str__(self) -> str:
        return f"{self.reading.document} {self.reading.version}"

    def request(self, index: int) -> dict[str, Any]:
        """The request of one combination; the index is all it depends on."""
        draw = random.Random(index)
        day = draw.choice(self.reading.days)
        facts = {}
        rest = index
        for fact, classes in reversed(self.classes.items()):
            rest, chosen = divmod(rest, len(classes))
            if (value := draw.choice(classes[chosen])) is not ABSENT:
                facts[fact] = resolved(value, day)
        asked: dict[str, Any] = {"document": self.reading.document, "date_of_service": day, "facts": facts}
        if (codes := draw.choice(self.reading.code_samples)) is not ABSENT:
            asked["codes"] = codes
        if draw.random() < 0.3:
            unknown = [fact for fact in self.classes if facts.get(fact) is None]
            asked["unavailable"] = draw.sample(unknown, draw.randint(0, len(unknown)))
        return asked

    def index(self, chosen: Mapping[str, int]) -> int:
        index = 0
        for fact, classes in self.classes.items():
            index = index * len(classes) + chosen[fact]
        return index

    def near(self, answers: Facts) -> dict[str, int]:
        """The classes of these answers; what they leave out is unknown."""
        chosen = {}
        for fact, named in self.reading.classes.items():
            wanted = next((name for name, values in named.items() if answers.get(fact) in values), None)
            assert wanted is not None, f"no class of {fact} has its answer"
            chosen[fact] = list(named).index(wanted)
        return chosen

    def indices(self, count: int | None) -> Sequence[int]:
        """All; or so many, always the same."""
        if count is None and self.total <= ALL:
            return range(self.total)
        draw = random.Random(126)
        if count is not None and count > self.total // 2:
            return draw.sample(range(self.total), min(count, self.total))
        strata: dict[int, None] = {}
        for base in self.bases:
            for facts in itertools.combinations(self.classes, 3):
                for chosen in itertools.product(*(range(len(self.classes[fact])) for fact in facts)):
                    strata[self.index({**base, **dict(zip(facts, chosen, strict=True))})] = None
        wanted = count if count is not None else max(SAMPLE, len(strata))
        picked = list(strata) if len(strata) <= wanted else draw.sample(list(strata), wanted // 2)
        found = dict.fromkeys(picked)
        while len(found) < wanted:
            found[self.drawn(draw)] = None
        return list(found)

    def drawn(self, draw: random.Random) -> int:
        """As near to what favors a pathway as chance has it: of classes drawn evenly few would be approved."""
        base, near = draw.choice(self.bases), math.sqrt(draw.random())
        chosen = {
            fact: base[fact] if draw.random() < near else draw.randrange(len(classes))
            for fact, classes in self.classes.items()
        }
        return self.index(chosen)


SPACES = [Space(reading) for reading in READINGS]


def ask(session: requests.Session, url: str, asked: Sequence[object]) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = []
    for start in range(0, len(asked), BATCH):
        body = json.dumps({"input": {"requests": asked[start : start + BATCH]}})
        response = session.post(f"{url}/v1/data/payer/decisions", data=body, timeout=120)
        response.raise_for_status()
        decisions += json.loads(response.content)["result"]
    assert len(decisions) == len(asked)
    return decisions


def difference(space: Space, asked: dict[str, Any], decision: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the policy says and what the reading says, for all that differs."""
    said = decide(space.reading, asked)
    said["version"] = space.reading.version
    said["errors"] = []
    said["missing"] = list(said["missing"].items())
    seen = {
        **{name: decision[name] for name in ("outcome", "next_step", "pathways_met", "ask_first", "errors")},
        "version": (decision["policy"] or {}).get("version"),
        "missing": [(entry["fact"], entry["criteria"]) for entry in decision["missing"]],
        "terms": [(entry["pathway"], entry["duration"]) for entry in decision["terms"]],
        "reasons": [reason["criterion"] for reason in decision["reasons"]],
        "advisories": [advisory["code"] for advisory in decision["advisories"]],
        "states": states(decision["criteria"]),
    }
    return {name: (seen[name], said[name]) for name in said if seen[name] != said[name]}


Differences = list[tuple[int, dict[str, tuple[Any, Any]]]]
_session = requests.Session()


def compare(task: tuple[str, int, Sequence[int]]) -> tuple[int, Differences]:
    """How many were compared, and those that differ."""
    url, number, indices = task
    space = SPACES[number]
    asked = [space.request(index) for index in indices]
    pairs = zip(indices, asked, ask(_session, url, asked), strict=True)
    found = ((index, difference(space, question, decision)) for index, question, decision in pairs)
    return len(indices), [(index, differs) for index, differs in found if differs]


def compare_all(url: str, space: Space, indices: Sequence[int]) -> Iterator[tuple[int, Differences]]:
    """Batch by batch, on all cores, in no particular order."""
    number = SPACES.index(space)
    tasks = ((url, number, indices[start : start + BATCH]) for start in range(0, len(indices), BATCH))
    with multiprocessing.get_context("spawn").Pool(min(os.cpu_count() or 1, 8)) as pool:
        yield from pool.imap_unordered(compare, tasks)


def prove(url: str, space: Space, indices: Sequence[int], console: Console) -> bool:
    """Compare, show how far it is, print what differs; whether nothing does."""
    start = time.monotonic()
    compared, differing, shown = 0, 0, 5
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(str(space), total=len(indices))
        for count, differences in compare_all(url, space, indices):
            compared += count
            for index, differs in differences[: max(shown - differing, 0)]:
                console.print(f"combination {index}: {json.dumps(space.request(index))}", markup=False, highlight=False)
                for name, (seen, said) in differs.items():
                    console.print(f"  {name}: policy {seen}, reading {said}", markup=False, highlight=False)
            differing += len(differences)
            progress.update(bar, advance=count, description=f"{space}, {differing} differ")
    seconds = time.monotonic() - start
    console.print(
        f"{space}: {compared} of {space.total} combinations compared in {seconds:.0f} s, {differing} differ",
        highlight=False,
    )
    return compared == len(indices) and differing == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", nargs="?", help="one document, in all its versions; else all of them")
    parser.add_argument("version", nargs="?", help="one of its versions")
    parser.add_argument("--policy", type=Path, default=ROOT / "policy", help="another directory of Rego")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="compare N combinations of each version, always the same"
    )
    options = parser.parse_args()
    spaces = [
        space
        for space in SPACES
        if options.document in (None, space.reading.document) and options.version in (None, space.reading.version)
    ]
    if not spaces:
        parser.error(f"no second reading of this; there is one of {', '.join(map(str, SPACES))}")
    with process(options.policy) as (port, _):
        url = f"http://127.0.0.1:{port}"
        return 0 if all([prove(url, space, space.indices(options.sample), Console()) for space in spaces]) else 1


if __name__ == "__main__":
    sys.exit(main())
