"""`python -m bench` measures all, prints the table and writes bench/results.md; with names of modules, those alone, and
writes nothing."""

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib import import_module

from rich.console import Console
from rich.table import Table

from bench import OPA
from bench.report import Report
from bench.server import GOGC
from tests import ROOT

# Each measures its rows by itself; the order is that of the table.
MODULES = ["decisions", "calls", "embedded", "peers", "page", "scale"]

HEAD = "what", "against", "ratio", "goal", "met"


def main() -> None:
    report = Report()
    for name in sys.argv[1:] or MODULES:
        import_module(f"bench.{name}").rows(report)
    table = Table(*HEAD)
    for row in report.rows:
        table.add_row(*row.cells)
    Console().print(table)
    if not sys.argv[1:]:
        (ROOT / "bench" / "results.md").write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    version = subprocess.run([OPA, "version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    lines = [HEAD, ("---", "---", "---:", "---:", "---"), *(row.cells for row in report.rows)]
    return f"""<!-- Made by `make bench`; not to be edited. -->
# Measured on {datetime.now(timezone.utc):%Y-%m-%d}

On {machine}, OPA {version[9:]}. OPA's server with GOGC={GOGC}, as deployed. Client and OPA share the machine.
Ratios of things measured in turns, in one run.

{chr(10).join(f"| {' | '.join(cells)} |" for cells in lines)}

{chr(10).join(f"- {note}" for note in report.notes)}

![where a decision's time goes; an item in a batch](results.svg)
"""


main()
