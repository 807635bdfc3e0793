"""`payer-policy impact`: which requests would be decided otherwise."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from payer_policy.command.common import (
    DECIDED,
    DIFFERENT,
    FAILED,
    PATIENCE,
    Commands,
    Parser,
    add_facts,
    client,
    facts_of,
    printable,
    say,
)
from payer_policy.command.terminal import FileProgress, show_impact
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.embedded import EmbeddedPolicy
from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.values import Outcome
from payer_policy.workshop.batch import private, withdraw
from payer_policy.workshop.impact import Impact, Side, impact
from payer_policy.workshop.lines import BatchError, lines_of, notation_of
from payer_policy.workshop.page import PAGE_START, page
from rich.console import Console


def add(commands: Commands, shared: Parser) -> None:
    command = commands.add_parser(
        "impact",
        parents=[shared],
        help="which requests would be decided otherwise",
        description="Decide every request of DOCUMENT under OLD and NEW: versions by their first day in force, policies"
        " compiled by opa build -t wasm, or URLs of servers. Shows how many change outcome, from what to what, by which"
        " clause. A fact that a version does not have is left out for it, and counted.",
    )
    command.add_argument("document", metavar="DOCUMENT", help="whose requests are decided; others are counted apart")
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    command.add_argument(
        "requests", type=Path, metavar="REQUESTS", help="JSON lines; CSV or Parquet by the suffix .csv or .parquet"
    )
    add_facts(command)
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page of its own, the flows drawn")
    command.set_defaults(run=run, attempts=10 * PATIENCE)


def run(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    facts = facts_of(options, options.requests)
    if options.html:
        _check_page(options.html)
    with ExitStack() as stack:
        old, new = (_side(name, policy, options, stack) for name in (options.old, options.new))
        if facts is None:
            result = _of_lines(policy, old, new, options, stack)
        else:
            from payer_policy.parquet import impact_parquet

            progress = stack.enter_context(FileProgress("rows"))
            result = impact_parquet(
                options.document,
                old,
                new,
                options.requests,
                facts=facts,
                on_rows=progress.reached,
                on_hint=progress.hint,
            )
    if options.html:
        with open(options.html, "w", encoding="utf-8", opener=private) as file:
            withdraw(file)
            file.write(page(result, printable(options.old), printable(options.new)))
    if options.json:
        print(json.dumps(result.to_dict()))
    else:
        show_impact(result, options.old, options.new, console)
    if undecided := sum(n for flow, n in result.flows.items() if not {*flow} <= {each.value for each in Outcome}):
        say(f"{undecided:,} requests could not be decided by both")
        return FAILED
    return DIFFERENT if result.turned else DECIDED


def _of_lines(policy: PolicyBase, old: Side, new: Side, options: argparse.Namespace, stack: ExitStack) -> Impact:
    progress = stack.enter_context(FileProgress("lines", options.requests))
    requests = lines_of(policy, options.requests, stack)

    def numbered() -> Iterator[tuple[int, Any]]:
        for line in requests:
            if line.problem is not None:
                raise BatchError(f"{options.requests}: line {line.number}: {line.problem}")
            progress.advance(line.position)
            yield line.number, line.request

    return impact(options.document, old, new, numbered(), notation_of(options.requests), progress.hint)


def _check_page(file: Path) -> None:
    """Before the work begins: is there room for a page, or one to write anew? Raises `BatchError`."""
    if not file.parent.is_dir():
        raise BatchError(f"{file.parent} is no folder")
    if file.is_dir() or (file.is_symlink() and not file.exists()):
        raise BatchError(f"{file} is a folder, or a link to nowhere")
    if file.is_file():
        try:
            with file.open("rb") as held:
                start = held.read(len(PAGE_START))
        except OSError as error:
            raise BatchError(f"{file}: {error.strerror}") from None
        if start not in (b"", PAGE_START):
            raise BatchError(f"{file} is no page of impact: move it away, or name another file")


def _side(name: str, policy: PolicyBase, options: argparse.Namespace, stack: ExitStack) -> Side:
    if name.startswith(("http://", "https://")):
        return Side(stack.enter_context(client(name, options.attempts)))
    if os.path.exists(name):
        return Side(stack.enter_context(EmbeddedPolicy(name)))
    try:
        Documents(policy).version(options.document, name)
    except InvalidValue as error:
        raise InvalidValue(f"{name} is no file, and {error}") from None
    return Side(policy, version=name)
