"""A decision in OPA alone, beside that of the policy before and beside a constant."""

import subprocess
import tempfile
from functools import partial
from pathlib import Path

from bench import INPUTS, OPA, before
from bench.report import Report, in_turns
from tests import ROOT


def rows(report: Report) -> None:
    told = []
    with tempfile.TemporaryDirectory() as folder:
        old = before.policy(Path(folder))
        for name, file in INPUTS.items():
            measured = in_turns(
                {
                    "before": partial(nanoseconds, old, "data.payer.decision", file),
                    "now": partial(nanoseconds, ROOT / "policy", "data.payer.decision", file),
                    "constant": partial(nanoseconds, ROOT / "bench" / "constant.rego", "data.bench.constant", file),
                },
                rounds=5,
                of=min,
            )
            what = name.replace("_", " ")
            report.add(f"full decision, {what}, opa bench", before.BEFORE, measured["now"] / measured["before"], 1)
            for when in ("before", "now"):
                title = f"full decision, {what}, opa bench" + (f", {before.BEFORE}" if when == "before" else "")
                report.add(title, "a constant rule", measured[when] / measured["constant"], None)
            told.append(f"{what} {measured['before'] / 1000:,.0f} and {measured['now'] / 1000:,.0f}")
    report.note(f"Full decision by opa bench, {before.BEFORE} and now, in microseconds: {', '.join(told)}.")


def nanoseconds(policy: Path, query: str, file: Path) -> float:
    command: list[str | Path] = [
        OPA,
        "bench",
        "--count=1",
        "--format=gobench",
        "--metrics=false",
        "-d",
        policy,
        "-i",
        file,
        query,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return next(float(line.split("ns/op")[0].split()[-1]) for line in done.stdout.splitlines() if "ns/op" in line)
