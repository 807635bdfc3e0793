"""`payer-policy batch`: a file of many requests, one a line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from payer_policy.command.common import DECIDED, INVALID, PATIENCE, Commands, Parser, add_facts, facts_of
from payer_policy.command.terminal import FileProgress, plain, show_tally
from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.values import Outcome
from payer_policy.workshop.batch import Batch, Tally
from payer_policy.workshop.lines import Line
from rich.console import Console

_HELP = """CSV: columns document, date_of_service, request_id, hcpcs, icd10, unavailable and one for each fact of
any document; the first two are required. An empty cell is unknown, [] an empty list, <0.01 a bound; items are separated
by semicolons: J9039;J9038. The cell of a fact that the version in force does not have must be empty. Commas,
semicolons, tabs or bars separate the cells, as the first line has them; where semicolons do, several items stand in
quotes. Numbers have a point. The text is UTF-8, or UTF-16 with its mark. A cell whose quote has no end stops the run
with the number of its line, since what follows cannot be told apart; mend it and go on with --resume.

Parquet, a file or a folder of files: columns document, date_of_service and facts (JSON text, a struct or a map), or by
--facts the names of those that hold a fact each; codes and unavailable where they are there. A null is unknown. OUT has
all columns of IN, and beside them outcome, next_step, version, pathways_met, missing, ask_first, terms, advisories,
errors and revision. Equal requests are decided once within some thousand rows. A row that holds no request stays in OUT
with its errors, and its number is in the rejects. What is decided is in the folder OUT.parts until OUT is written.

A line that holds no request goes to the rejects with its number, and the rest goes on. When the policy is unreachable
the run stops with status 3; --resume then does what is left, and OUT is the same as without the interruption. It is
refused when what was read of IN has changed, or when another policy decides. OUT and the rejects hold health data: only
their owner may read them.
"""


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser(
        "batch",
        parents=[shared],
        help="decide a file of many requests, one a line or a row",
        description="Decide every line of IN (JSON lines, or a CSV with one column per fact), or every row of Parquet,"
        " into OUT, in order.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "source", type=Path, metavar="IN", help="requests: JSON lines; CSV or Parquet by the suffix .csv or .parquet"
    )
    command.add_argument(
        "target", type=Path, metavar="OUT", help="records: JSON lines of request, decision, provenance; or Parquet"
    )
    command.add_argument("--rejects", type=Path, metavar="FILE", help="what could not be decided; default OUT.rejects")
    command.add_argument("--resume", action="store_true", help="keep what is in OUT and do the rest")
    command.add_argument(
        "--in-flight",
        type=int,
        metavar="N",
        help="batches decided at a time; default 2, of Parquet as many as there are cores",
    )
    add_facts(command)
    command.add_argument("--whole", action="store_true", help="of Parquet, each decision as JSON too, some 5 kB a row")
    command.set_defaults(run=run, attempts=10 * PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    rejects = options.rejects or Path(f"{options.target}.rejects")
    facts = facts_of(options, options.source)
    if options.whole and facts is None:
        raise InvalidValue("--whole is of Parquet")
    tally = _lines(policy, options, rejects) if facts is None else _rows(policy, options, rejects, facts)
    if options.json:
        print(json.dumps({"outcomes": tally.outcomes, "open_facts": tally.open_facts, "rejected": tally.rejected}))
    else:
        show_tally(tally, rejects, console)
    return INVALID if tally.rejected or tally.outcomes[Outcome.INVALID_REQUEST.value] else DECIDED


def _lines(policy: PolicyBase, options: argparse.Namespace, rejects: Path) -> Tally:
    with FileProgress("lines", options.source) as progress:

        def on_line(line: Line, problem: str | None) -> None:
            if problem is not None:
                progress.console.print(f"line {line.number}: {plain(problem)}")
            progress.advance(line.position)

        in_flight = 2 if options.in_flight is None else options.in_flight
        batch = Batch(policy, options.source, options.target, rejects, in_flight, on_line, progress.hint)
        return batch.run(resume=options.resume)


def _rows(policy: PolicyBase, options: argparse.Namespace, rejects: Path, facts: str | Sequence[str]) -> Tally:
    from payer_policy.parquet import ParquetBatch

    with FileProgress("rows") as progress:

        def on_problem(row: int, problem: str) -> None:
            progress.console.print(f"row {row}: {plain(problem)}")

        batch = ParquetBatch(
            policy,
            options.source,
            options.target,
            rejects,
            facts,
            options.whole,
            options.in_flight,
            progress.reached,
            on_problem,
            progress.hint,
        )
        return batch.run(resume=options.resume)
