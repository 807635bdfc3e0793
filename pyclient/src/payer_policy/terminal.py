"""What the command `payer-policy` shows to a person. Needs rich."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from payer_policy.batch import Tally, printable
from payer_policy.diff import Change
from payer_policy.impact import Impact
from payer_policy.model import Criterion, Decision, Outcome, State
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.tree import Tree

_COLOUR = {
    Outcome.APPROVED: "green",
    Outcome.NOT_APPROVED: "red",
    Outcome.NEEDS_INFORMATION: "yellow",
    Outcome.NO_POLICY_IN_FORCE: "magenta",
    Outcome.INVALID_REQUEST: "red",
}

_MARK = {State.MET: "[green]✔ met[/]", State.NOT_MET: "[red]✘ not met[/]", State.UNKNOWN: "[yellow]? unknown[/]"}

# An exclusion that is not met is good news.
_MARK_OF_EXCLUSION = {**_MARK, State.MET: "[red]✔ met[/]", State.NOT_MET: "[green]✘ not met[/]"}


class Terminal(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would exit, with the status of something that differs


def plain(text: str) -> str:
    """Text of a caller or of a server for a terminal: no markup, no control characters."""
    return escape(printable(text))


def show_decision(decision: Decision, name: str, console: Console) -> None:
    colour = _COLOUR[decision.outcome]
    outcome = decision.outcome.value.replace("_", " ").upper()
    lines = [f"[bold {colour}]{outcome}[/]  next step: {decision.next_step.value.replace('_', ' ')}"]
    lines.append(plain(decision.summary))
    if decision.policy:
        policy = decision.policy
        until = f" to {policy.effective_to}" if policy.effective_to else ""
        lines.append(
            plain(
                f"{policy.document} {policy.title}, version {policy.version}, in force from"
                f" {policy.effective_from}{until}, last reviewed {policy.last_reviewed}"
            )
        )
    subject = " ".join(part for part in (decision.request_id, str(decision.date_of_service or "")) if part)
    console.print(Panel("\n".join(lines), title=plain(name), subtitle=plain(subject), border_style=colour))
    if decision.criteria:
        tree = Tree("criteria, any one pathway suffices")
        for pathway in decision.criteria.pathways:
            _grow(tree, pathway, "pathway ", _MARK)
        for exclusion in decision.criteria.exclusions:
            _grow(tree, exclusion, "", _MARK_OF_EXCLUSION)
        console.print(tree)
    if decision.reasons:
        console.print("\n[bold]settled by[/] " + plain(", ".join(reason.criterion for reason in decision.reasons)))
    for advisory in decision.advisories:
        console.print(f"[bold yellow]note[/] {plain(advisory.code)}: {plain(advisory.text)}")
    if decision.missing:
        console.print("\n[bold]still needed[/]")
        for number, item in enumerate(decision.missing, 1):
            clauses = plain(", ".join(item.criteria))
            console.print(f"  {number}. {plain(item.question)} [dim]{plain(item.fact)}, for {clauses}[/]")
    if decision.errors:
        table = Table("field", "what is wrong")
        for error in decision.errors:
            table.add_row(f"[red]{plain(error.path or 'the request')}[/]", plain(error.message))
        console.print(table)
    console.print()


def _grow(tree: Tree, node: Criterion, kind: str, marks: dict[State, str]) -> None:
    node = node.once
    line = f"{marks[node.state]}  [bold]{kind}{plain(node.id)}[/]  {plain(node.text)}"
    if node.evidence:
        line += f" [dim]({plain(', '.join(node.evidence))})[/]"
    if node.fact:
        known = "" if node.value is None else f" = {json.dumps(node.value, ensure_ascii=False)}"
        line += f"  [cyan]{plain(node.fact + known)}[/]"
    branch = tree.add(line)
    for part in node.parts:
        _grow(branch, part, "", marks)


def show_catalogue(documents: list[dict[str, Any]], console: Console) -> None:
    for entry in documents:
        for held in entry["versions"]:
            until = held["effective_to"] or "now"
            version = (
                f"{held['title']}, version {held['version']}, in force from {held['effective_from']} to {until}, last"
                f" reviewed {held['last_reviewed']}"
            )
            console.print(f"[bold]{plain(entry['document'])}[/] {plain(version)}")
            tree = Tree("criteria")
            for node in held["criteria"]["pathways"] + held["criteria"]["exclusions"]:
                _grow_words(tree, node)
            console.print(tree)
            table = Table("fact", "values", "question", "read by")
            for fact in held["facts"]:
                cells = fact["name"], _values(fact), fact["question"], ", ".join(fact["criteria"])
                table.add_row(*map(plain, cells))
            console.print(table)
            for system, codes in held["codes"].items():
                console.print(plain(f"{system}: {', '.join(f'{code} ({label})' for code, label in codes.items())}"))
            console.print()


def _values(fact: dict[str, Any]) -> str:
    if "minimum" in fact:
        return f"{fact['type']}, {fact['minimum']} to {fact['maximum']} {fact.get('unit', '')}".rstrip()
    return f"{fact['type']}: {', '.join(sorted(fact['values']))}"


def _grow_words(tree: Tree, node: dict[str, Any]) -> None:
    parts = node.get("all_of") or node.get("any_of") or []
    if len(parts) == 1 and parts[0]["id"] == node["id"]:
        return _grow_words(tree, parts[0])
    joined = "" if not parts else " [dim]all of[/]" if "all_of" in node else " [dim]any of[/]"
    branch = tree.add(f"[bold]{plain(node['id'])}[/]  {plain(node['text'])}{joined}")
    for part in parts:
        _grow_words(branch, part)
    return None


class FileProgress:
    """How far a file of lines has been read, on standard error when that is a terminal. A context manager."""

    _STEP = 50  # lines

    def __init__(self, file: Path, what: str) -> None:
        self.console = Terminal(stderr=True, highlight=False)
        self._size = os.path.getsize(file) if os.path.isfile(file) else 0
        self._bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} bytes"),
            BarColumn(),
            TextColumn(f"{{task.fields[lines]:,}} {what}, {{task.fields[rate]:,.0f}}/s"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._size, lines=0, rate=0.0)
        self._start = time.monotonic()
        self._lines = 0

    def advance(self, position: int) -> None:
        """One line more, with so many bytes read by then."""
        self._lines += 1
        if self._lines % self._STEP == 0:
            rate = self._lines / (time.monotonic() - self._start)
            self._bar.update(self._task, completed=position, lines=self._lines, rate=rate)

    def __enter__(self) -> FileProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._bar.update(self._task, completed=self._size, lines=self._lines)
        self._bar.stop()


def show_tally(tally: Tally, rejects: Path, console: Console) -> None:
    total = tally.outcomes.total()
    table = Table("outcome", Column("requests", justify="right"), Column("share", justify="right"))
    for outcome in Outcome:
        if count := tally.outcomes[outcome.value]:
            name = outcome.value.replace("_", " ")
            table.add_row(f"[{_COLOUR[outcome]}]{name}[/]", f"{count:,}", f"{count / total:.1%}")
    table.add_row("[bold]all[/]", f"{total:,}", "")
    console.print(table)
    if tally.open_facts:
        table = Table("fact most often open", Column("requests", justify="right"))
        for fact, count in tally.open_facts.most_common(10):
            table.add_row(plain(fact), f"{count:,}")
        console.print(table)
    if tally.rejected:
        console.print(f"[red]{tally.rejected:,} lines could not be decided[/]: see {plain(str(rejects))}")


def show_impact(result: Impact, old_name: str, new_name: str, console: Console) -> None:
    console.print(f"[bold]{len(result.turned):,} of {result.total:,} requests change outcome[/]")
    table = Table(plain(old_name), plain(new_name), Column("requests", justify="right"))
    for (old, new), count in result.ranked():
        style = "dim" if old == new else ""
        table.add_row(old.replace("_", " "), new.replace("_", " "), f"{count:,}", style=style)
    console.print(table)
    if result.clauses:
        table = Table("clause that turned", "before", "after", Column("requests", justify="right"))
        for (clause, before, after), count in result.clauses.most_common():
            table.add_row(plain(clause), before or "none", after or "none", f"{count:,}")
        console.print(table)


def show_changes(changes: list[Change], console: Console) -> None:
    for change in changes:
        console.print(f"[bold]{change.kind}[/] {plain(change.subject)}")
        for colour, mark, words in (("red", "-", change.old), ("green", "+", change.new)):
            if words is not None:
                console.print(f"  [{colour}]{mark} {plain(words)}[/]")
