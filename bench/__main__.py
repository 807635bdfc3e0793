"""`python -m bench` measures, prints the table and writes bench/results.md; with names of modules those alone, and what
the others measured last stays. What a module measured is kept in build/bench, since all of it takes an hour."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import import_module

from rich.console import Console
from rich.table import Table

from bench.report import Report
from tests import ROOT
from tests.stage.opa import GOGC, OPA

# Each measures its rows by itself, with `rows(report)`; the order is that of the table.
MODULES = ["decisions", "calls", "embedded", "peers", "page", "scale", "tables"]

KEPT = ROOT / "build" / "bench"
HEAD = "what", "against", "ratio", "goal", "met"


def main() -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or MODULES:
        report = Report(day=f"{datetime.now(timezone.utc):%Y-%m-%d}")
        import_module(f"bench.{name}").rows(report)
        (KEPT / f"{name}.json").write_text(json.dumps(asdict(report)), encoding="utf-8")
    kept = [file for name in MODULES if (file := KEPT / f"{name}.json").exists()]
    reports = [Report.kept(json.loads(file.read_text(encoding="utf-8"))) for file in kept]
    table = Table(*HEAD)
    for row in (row for report in reports for row in report.rows):
        table.add_row(*row.cells)
    Console().print(table)
    (ROOT / "bench" / "results.md").write_text(page(reports), encoding="utf-8")


def page(reports: list[Report]) -> str:
    version = subprocess.run([OPA, "version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    lines = [HEAD, ("---", "---", "---:", "---:", "---"), *(row.cells for report in reports for row in report.rows)]
    days = sorted({report.day for report in reports})
    return f"""<!-- Made by `make bench`; not to be edited. -->
# Measured on {" and ".join(days)}

On {machine}, OPA {version[9:]}. OPA's server with GOGC={GOGC}, as deployed. Client and OPA share the machine.
Ratios of things measured in turns, each in one run.

{chr(10).join(f"| {' | '.join(cells)} |" for cells in lines)}

{chr(10).join(f"- {note}" for report in reports for note in report.notes)}

![where a decision's time goes; an item in a batch](results.svg)
"""


main()
