"""Every distinguishable request to the policy in OPA, beside the model: `make prove`. Exit status 1 on any difference.

Per fact, STATES names the classes of values that the model cannot tell apart. Every combination of classes is asked
once, unknown included; which value stands for a class is drawn anew for each, so that all of them occur everywhere.
"""

import argparse
import itertools
import json
import math
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import model
import requests
from conftest import free_port
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from vectors import states

ROOT = Path(__file__).resolve().parents[1]
BATCH = 200

ABSENT = object()
UNKNOWN = (None, ABSENT)
FLAG: dict[str, Sequence[Any]] = {"yes": (True,), "no": (False,), "unknown": UNKNOWN}


def some_of(*items: str) -> list[list[str]]:
    """Every choice of one or more, each in two orders."""
    choices = [c for size in range(1, len(items) + 1) for c in itertools.combinations(items, size)]
    return [list(order) for choice in choices for order in (choice, choice[::-1])]


_POMP = ("prednisone", "vincristine", "methotrexate", "mercaptopurine")
_TKIS = some_of("bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib")

STATES: dict[str, dict[str, Sequence[Any]]] = {
    "disease": {"all": ("all",), "dlbcl": ("dlbcl",), "other": ("other",), "unknown": UNKNOWN},
    "lineage": {
        "b_cell_precursor": ("b_cell_precursor",),
        "mature_b_cell": ("mature_b_cell",),
        "not_b_cell": ("t_cell", "other"),  # apart from mature_b_cell for the advisory alone
        "unknown": UNKNOWN,
    },
    "cd19_positive": FLAG,
    "infant": FLAG,
    "kmt2a_rearranged": FLAG,
    "disease_status": {
        "relapsed_or_refractory": ("relapsed", "refractory"),
        "neither": ("newly_diagnosed", "remission"),
        "unknown": UNKNOWN,
    },
    "complete_response": {"first_or_second": (1, 2, 1.0, 2.0), "neither": (0, 3, 20, 0.0), "unknown": UNKNOWN},
    "mrd_percent": {
        "enough": (0.1, 0.100000000000001, 0.11, 1, 5.5, 100),
        "below": (0.0999999999999999, 0.09, 0.01, 0.001, 1e-12, 0),
        "unknown": UNKNOWN,
    },
    "treatment_phase": {
        "consolidation": ("consolidation",),
        "maintenance": ("maintenance",),
        "neither": ("induction", "other"),
        "unknown": UNKNOWN,
    },
    "combined_with": {
        "single_agent": ([],),
        "tki": [*_TKIS, *(["other", *drugs] for drugs in _TKIS)],
        "interfant": (["interfant"], ["interfant", "other"], ["other", "interfant"]),
        "tki_and_interfant": [
            *(["interfant", *drugs] for drugs in _TKIS),
            *([*drugs, "interfant", "other"] for drugs in _TKIS),
        ],
        "other": (["other"],),
        "unknown": UNKNOWN,
    },
    "alternating_with": {
        "pomp": [list(order) for order in itertools.permutations(_POMP)],
        "not_exactly_pomp": [[], *(drugs for drugs in some_of(*_POMP, "other") if set(drugs) != set(_POMP))],
        "unknown": UNKNOWN,
    },
}
# They decide nothing, so they are no dimension: drawn like a value, and what they raise is compared.
CODES: Sequence[Any] = (
    ABSENT,
    None,
    {},
    {"hcpcs": "J9039", "icd10": ["C91.00"]},
    {"hcpcs": "j9039", "icd10": ["c9101", "C91.02"]},
    {"hcpcs": "J9999", "icd10": []},
    {"hcpcs": None, "icd10": ["C83.39"]},
    {"icd10": ["C91.00", "c83.30"]},
    {"icd10": ["Z51.11"]},
)

SPACE = [[(fact, values) for values in classes.values()] for fact, classes in STATES.items()]
TOTAL = math.prod(len(classes) for classes in SPACE)


def request(index: int) -> dict[str, Any]:
    """The request of one combination; the index is all it depends on."""
    draw = random.Random(index)
    facts = {}
    rest = index
    for classes in reversed(SPACE):
        rest, state = divmod(rest, len(classes))
        fact, values = classes[state]
        if (value := draw.choice(values)) is not ABSENT:
            facts[fact] = value
    asked = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": facts}
    if (codes := draw.choice(CODES)) is not ABSENT:
        asked["codes"] = codes
    return asked


def ask(session: requests.Session, url: str, asked: Sequence[object]) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = []
    for start in range(0, len(asked), BATCH):
        body = json.dumps({"input": {"requests": asked[start : start + BATCH]}})
        response = session.post(f"{url}/v1/data/payer/decisions", data=body, timeout=120)
        response.raise_for_status()
        decisions += json.loads(response.content)["result"]
    assert len(decisions) == len(asked)
    return decisions


WORDS = {True: "met", False: "not_met", None: "unknown"}


def difference(asked: dict[str, Any], decision: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the policy says and what the model says, for all that differs."""
    said = model.decide(asked["facts"], asked.get("codes"))
    said["errors"] = []
    said["missing"] = list(said["missing"].items())
    said["states"] = {criterion: WORDS[state] for criterion, state in said["states"].items()}
    state_of = states(decision["criteria"])
    seen = {
        **{name: decision[name] for name in ("outcome", "next_step", "pathways_met", "errors")},
        "missing": [(entry["fact"], entry["criteria"]) for entry in decision["missing"]],
        "reasons": [reason["criterion"] for reason in decision["reasons"]],
        "advisories": sorted(advisory["code"] for advisory in decision["advisories"]),
        "states": {criterion: state_of.get(criterion) for criterion in said["states"]},
    }
    return {name: (seen[name], said[name]) for name in said if seen[name] != said[name]}


Differences = list[tuple[int, dict[str, tuple[Any, Any]]]]
_session = requests.Session()


def compare(task: tuple[str, Sequence[int]]) -> tuple[int, Differences]:
    """How many were compared, and those that differ."""
    url, indices = task
    asked = [request(index) for index in indices]
    pairs = zip(indices, asked, ask(_session, url, asked), strict=True)
    found = ((index, difference(question, decision)) for index, question, decision in pairs)
    return len(indices), [(index, differs) for index, differs in found if differs]


def compare_all(url: str, indices: Sequence[int]) -> Iterator[tuple[int, Differences]]:
    """Batch by batch, on all cores, in no particular order."""
    tasks = ((url, indices[start : start + BATCH]) for start in range(0, len(indices), BATCH))
    with multiprocessing.get_context("spawn").Pool(min(os.cpu_count() or 1, 8)) as pool:
        yield from pool.imap_unordered(compare, tasks)


@contextmanager
def opa(policy: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    binary = ROOT / ".tools" / "bin" / "opa"
    options = (f"--addr=127.0.0.1:{port}", "--skip-version-check", "--log-level=error")
    server = subprocess.Popen([str(binary), "run", "--server", *options, str(policy)])
    try:
        for _ in range(300):
            if server.poll() is not None:
                raise SystemExit("OPA did not start")
            try:
                if "result" in requests.get(f"{url}/v1/data/payer/catalogue", timeout=5).json():
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            raise SystemExit("OPA did not become ready")
        yield url
    finally:
        server.terminate()
        server.wait()


def prove(policy: Path, indices: Sequence[int], console: Console) -> int:
    """Compare, show how far it is, print what differs; returns the exit status."""
    start = time.monotonic()
    compared, differing, shown = 0, 0, 5
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        opa(policy) as url,
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress,
    ):
        bar = progress.add_task("comparing", total=len(indices))
        for count, differences in compare_all(url, indices):
            compared += count
            for index, differs in differences[: max(shown - differing, 0)]:
                console.print(f"combination {index}: {json.dumps(request(index)['facts'])}", highlight=False)
                for name, (seen, said) in differs.items():
                    console.print(f"  {name}: policy {seen}, model {said}", markup=False, highlight=False)
            differing += len(differences)
            progress.update(bar, advance=count, description=f"comparing, {differing} differ")
    seconds = time.monotonic() - start
    console.print(
        f"{compared} of {TOTAL} combinations compared in {seconds:.0f} s, {differing} differ", highlight=False
    )
    return 0 if compared == len(indices) and differing == 0 else 1


def sample(count: int) -> list[int]:
    return random.Random(126).sample(range(TOTAL), count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, default=ROOT / "policy", help="another directory of Rego")
    parser.add_argument("--sample", type=int, metavar="N", help="compare N of the combinations, always the same")
    options = parser.parse_args()
    indices = range(TOTAL) if options.sample is None else sample(options.sample)
    return prove(options.policy, indices, Console())


if __name__ == "__main__":
    sys.exit(main())
