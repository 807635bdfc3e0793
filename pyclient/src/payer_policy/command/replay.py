"""`payer-policy replay`: stored decisions decided again."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from payer_policy.command.common import DECIDED, DIFFERENT, PATIENCE, Commands, Parser
from payer_policy.command.terminal import plain
from payer_policy.runtime.policy import PolicyBase
from payer_policy.workshop.records import records_of
from payer_policy.workshop.replay import replay
from rich.console import Console
from rich.table import Table

_SHOWN = 50  # differences; --json has them all


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser(
        "replay",
        parents=[shared],
        help="decide stored decisions again",
        description="Decide each request in DECISIONS again under the version its decision names; show what differs.",
    )
    command.add_argument(
        "decisions", type=Path, metavar="DECISIONS", help="as batch and decide --json write them; - for standard input"
    )
    command.set_defaults(run=run, attempts=10 * PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    table = Table("line", "version", "outcome", "outcome now", "what differs")
    total = different = superseded = 0
    with ExitStack() as files:
        for result in replay(policy, records_of(options.decisions, files)):
            total += 1
            superseded += result.superseded
            if result.same:
                continue
            different += 1
            if options.json:
                print(json.dumps(asdict(result)))
            elif different <= _SHOWN:
                what = result.error or ", ".join(result.differences[:5])
                cells = (str(result.line), result.version, result.outcome, result.outcome_now, what)
                table.add_row(*(plain(cell or "") for cell in cells))
    if different and not options.json:
        console.print(table)
    print(
        f"{total:,} decisions replayed, {different:,} differ"
        + (f"; {superseded:,} by a version that has since been superseded" if superseded else ""),
        file=sys.stderr if options.json else sys.stdout,
    )
    return DIFFERENT if different else DECIDED
