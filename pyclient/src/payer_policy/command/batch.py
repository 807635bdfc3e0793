"""`payer-policy batch`: a file of many requests, one a line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from payer_policy.command.common import DECIDED, INVALID, PATIENCE, Commands, Parser
from payer_policy.command.terminal import FileProgress, plain, show_tally
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.values import Outcome
from payer_policy.workshop.batch import Batch
from payer_policy.workshop.lines import Line
from rich.console import Console

_HELP = """CSV: columns document, date_of_service, request_id, hcpcs, icd10, unavailable and one for each fact of
any document; the first two are required. An empty cell is unknown, [] an empty list, <0.01 a bound; items are separated
by semicolons: J9039;J9038. The cell of a fact that the version in force does not have must be empty. Commas, semicolons
or tabs separate the cells, as the first line has them; where semicolons do, several items stand in quotes. Numbers have
a point. The text is UTF-8, or UTF-16 with its mark. A cell whose quote has no end stops the run with the number of its
line, since what follows cannot be told apart; mend it and go on with --resume.

A line that holds no request goes to the rejects with its number, and the rest goes on. When the policy is unreachable
the run stops with status 3; --resume then does what is left, and OUT is the same as without the interruption. It is
refused when what was read of IN has changed, or when another policy decides. OUT and the rejects hold health data: only
their owner may read them.
"""


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser(
        "batch",
        parents=[shared],
        help="decide a file of many requests, one a line",
        description="Decide every line of IN (JSON lines, or a CSV with one column per fact) into OUT, in order.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("source", type=Path, metavar="IN", help="requests: JSON lines, or CSV by the suffix .csv")
    command.add_argument(
        "target", type=Path, metavar="OUT", help="records: JSON lines of request, decision, provenance"
    )
    command.add_argument("--rejects", type=Path, metavar="FILE", help="what could not be decided; default OUT.rejects")
    command.add_argument("--resume", action="store_true", help="keep what is in OUT and do the rest")
    command.add_argument("--in-flight", type=int, default=2, metavar="N", help="batches decided at a time; default 2")
    command.set_defaults(run=run, attempts=10 * PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    rejects = options.rejects or Path(f"{options.target}.rejects")
    with FileProgress(options.source, "lines") as progress:

        def on_line(line: Line, problem: str | None) -> None:
            if problem is not None:
                progress.console.print(f"line {line.number}: {plain(problem)}")
            progress.advance(line.position)

        batch = Batch(policy, options.source, options.target, rejects, options.in_flight, on_line)
        tally = batch.run(resume=options.resume)
    if options.json:
        print(json.dumps({"outcomes": tally.outcomes, "open_facts": tally.open_facts, "rejected": tally.rejected}))
    else:
        show_tally(tally, rejects, console)
    return INVALID if tally.rejected or tally.outcomes[Outcome.INVALID_REQUEST.value] else DECIDED
