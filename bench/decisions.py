"""A decision in OPA beside that of the policy before and beside a constant, by OPA's processor time: a busy machine
turns by a factor what `opa bench` says."""

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import INPUTS, before
from bench.report import Report, in_turns
from bench.server import Server, serving
from tests import ROOT

CALLS = 200


def rows(report: Report) -> None:
    told = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(before.policy(Path(folder))) as old,
        serving(ROOT / "policy") as new,
    ):
        for name, file in INPUTS.items():
            request = json.loads(file.read_text(encoding="utf-8"))
            asked = {
                "before": (old, old.ask("payer/decision", request)),
                "now": (new, new.ask("payer/decision", request)),
                "constant": (new, new.ask("bench/constant", request)),
            }
            took = in_turns({title: partial(microseconds, *each) for title, each in asked.items()}, rounds=7)
            outcome = name.replace("_", " ")
            what = f"full decision, {outcome}, processor time in OPA"
            now, then = (took[title] - took["constant"] for title in ("now", "before"))
            report.add(f"{what} beyond a constant's", before.BEFORE, now / then, 1)
            report.add(f"{what}, {before.BEFORE}", "a constant rule", took["before"] / took["constant"], None)
            report.add(what, "a constant rule", took["now"] / took["constant"], None)
            told.append(f"{outcome} {took['before']:,.0f} and {took['now']:,.0f}")
    report.note(
        f"OPA's processor time for a decision by HTTP, {before.BEFORE} and now, in microseconds: {', '.join(told)};"
        f" a constant {took['constant']:,.0f}."
    )


def microseconds(server: Server, call: Callable[[], object]) -> float:
    start = server.processor_seconds()
    for _ in range(CALLS):
        call()
    return (server.processor_seconds() - start) / CALLS * 1e6
