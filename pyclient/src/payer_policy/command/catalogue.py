"""`payer-policy catalogue`: what is held."""

from __future__ import annotations

import argparse
import json

from payer_policy.command.common import DECIDED, INVALID, PATIENCE, Commands, Parser, day, say
from payer_policy.command.terminal import show_catalogue, standing
from payer_policy.runtime.policy import PolicyBase
from rich.console import Console


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser("catalogue", parents=[shared], help="list documents, versions, facts and criteria")
    command.add_argument("document", nargs="?", metavar="DOCUMENT", help="only this one")
    command.add_argument(
        "--on",
        type=day,
        metavar="DATE",
        help="say which version is superseded, in force or to come on that day",
    )
    command.set_defaults(run=run, attempts=PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    documents = policy.catalogue(options.document)["documents"]
    if not documents:
        say(f"{options.document} is not held")
        return INVALID
    if options.json:
        if on := options.on:
            for entry in documents:
                entry["versions"] = [
                    {**held, "on": {"date": str(on), "standing": standing(held, on)}} for held in entry["versions"]
                ]
        print(json.dumps({"documents": documents}, ensure_ascii=False))
        return DECIDED
    show_catalogue(documents, options.on, console)
    return DECIDED
