"""`payer-policy diff`: what changed between two versions."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from payer_policy.command.common import DECIDED, DIFFERENT, PATIENCE, Commands, Parser
from payer_policy.command.terminal import show_changes
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.policy import PolicyBase
from payer_policy.workshop.diff import diff
from rich.console import Console


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser("diff", parents=[shared], help="what changed between two versions, in words")
    for name in ("document", "old", "new"):
        command.add_argument(name, metavar=name.upper())
    command.set_defaults(run=run, attempts=PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    documents = Documents(policy)
    changes = diff(*(documents.version(options.document, name) for name in (options.old, options.new)))
    if options.json:
        print(json.dumps([asdict(change) for change in changes], ensure_ascii=False))
    else:
        show_changes(changes, console)
    return DIFFERENT if changes else DECIDED
