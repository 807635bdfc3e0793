"""`payer-policy decide`: the requests in files."""

from __future__ import annotations

import argparse

from payer_policy.command.common import DECIDED, EXAMPLES, FAILED, INVALID, PATIENCE, Commands, Parser, requests_in, say
from payer_policy.command.terminal import show_decision
from payer_policy.fhir import Records
from payer_policy.runtime.errors import InvalidRequest, InvalidValue, PolicyError
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import JSON, Unreadable, hints
from payer_policy.workshop.records import record_line, recorded
from rich.console import Console


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser(
        "decide",
        parents=[shared],
        help="decide the requests in files",
        description="Decide every request in the files: JSON or YAML, one request, a list, several YAML documents, or "
        "a patient's FHIR record, a Bundle.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for standard input")
    command.set_defaults(run=run, attempts=PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    status, asked = DECIDED, 0
    records: Records | None = None
    for name in options.files:
        try:
            requests = requests_in(name)
        except Unreadable as error:
            say(f"{name}: {error}")
            status = max(status, INVALID)
            continue
        for number, request in enumerate(requests, 1):
            asked += 1
            try:
                if isinstance(request, dict) and request.get("resourceType") == "Bundle":
                    records = records or Records(policy)
                    request = records.read(request).request.to_dict()
                decision = policy.decide(request)
            except InvalidRequest as invalid:
                decision = invalid.decision
                status = max(status, INVALID)
                for hint in hints(request, invalid.errors, JSON):
                    say(f"{name}: request {number}: {hint}")
            except PolicyError as error:
                say(f"{name}: request {number}: {error}")
                status = max(status, INVALID if isinstance(error, InvalidValue) else FAILED)
                continue
            if options.json:
                print(record_line(**recorded(asked, request, decision)), end="")
            else:
                show_decision(decision, name, console)
    return status
