"""`payer-policy show`: stored decisions for a person to read."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from payer_policy.command.common import DECIDED, INVALID, Commands, say
from payer_policy.command.terminal import show_decision, show_provenance
from payer_policy.runtime.answers import decision_of
from payer_policy.runtime.errors import InvalidValue, ProtocolError
from payer_policy.runtime.request import written
from payer_policy.workshop.records import records_of
from rich.console import Console


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "show",
        help="show stored decisions to a person",
        description="Show each record in DECISIONS as decide shows a decision, and who decided it. Nobody is asked; a"
        " decision that does not follow from its criteria, or answers another request than that beside it, is refused.",
    )
    command.add_argument(
        "decisions", type=Path, metavar="DECISIONS", help="as batch and decide --json write them; - for standard input"
    )
    command.set_defaults(run=run)


def run(_: None, options: argparse.Namespace, console: Console) -> int:
    status = DECIDED
    with ExitStack() as files:
        for record in records_of(options.decisions, files):
            name = f"{options.decisions}, input line {record['line']}"
            try:
                decision = decision_of(record["decision"], asked=written(record["request"]))
            except (ProtocolError, InvalidValue) as error:  # somebody has changed it
                say(f"{name}: {error}")
                status = INVALID
                continue
            show_decision(decision, name, console)
            show_provenance(record.get("provenance", {}), console)
    return status
