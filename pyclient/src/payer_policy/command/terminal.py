"""What the command `payer-policy` shows to a person. Needs rich."""

from __future__ import annotations

import json
import os
import time
from datetime import date
from pathlib import Path
from typing import Any

from payer_policy.command.common import printable
from payer_policy.fhir import Reading
from payer_policy.letter import terms_in_words, to_ask
from payer_policy.runtime.values import Criterion, Decision, Missing, Outcome, State
from payer_policy.workshop.batch import Tally
from payer_policy.workshop.diff import Change, joined_parts
from payer_policy.workshop.impact import Impact
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.tree import Tree

_SHOWN = 20  # clauses that turned

_COLOUR = {
    Outcome.APPROVED: "green",
    Outcome.NOT_APPROVED: "red",
    Outcome.NEEDS_INFORMATION: "yellow",
    Outcome.NO_POLICY_IN_FORCE: "magenta",
    Outcome.UNDECIDED: "magenta",
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
    for terms in decision.terms:
        console.print(f"[bold green]terms[/] {plain(terms_in_words(terms))}")
    first, rest = to_ask(decision)
    if decision.ask_first:
        console.print(f"\n[bold]ask first[/], since it can approve by pathway {plain(decision.ask_first.pathway)}")
        _ask(first, 1, console)
    if rest:
        console.print("\n[bold]still needed[/]" + (", if that does not settle it" if first else ""))
        _ask(rest, len(first) + 1, console)
    if decision.unavailable:
        console.print("\n[bold]not to be had[/], so not asked for: " + plain(", ".join(decision.unavailable)))
    if decision.errors:
        table = Table("field", "what is wrong")
        for error in decision.errors:
            table.add_row(f"[red]{plain(error.path or 'the request')}[/]", plain(error.message))
        console.print(table)
    console.print()


def show_provenance(provenance: dict[str, Any], console: Console) -> None:
    """Of a record, which may be of an older version of this package, or of another hand."""
    revisions = provenance.get("revisions")
    who = [f"{name} {revision}" for name, revision in revisions.items()] if isinstance(revisions, dict) else []
    for name, what in (("opa_version", "OPA"), ("decision_id", "decision id"), ("client_version", "client")):
        if provenance.get(name) is not None:
            who.append(f"{what} {provenance[name]}")
    console.print("[bold]decided by[/] " + plain(", ".join(who) or "nobody that the record names") + "\n")


def _ask(items: list[Missing], start: int, console: Console) -> None:
    for number, item in enumerate(items, start):
        console.print(
            f"  {number}. {plain(item.question)} [dim]{plain(item.fact)}, for {plain(', '.join(item.criteria))}[/]"
        )


def _grow(tree: Tree, node: Criterion, kind: str, marks: dict[State, str]) -> None:
    node = node.once
    line = f"{marks[node.state]}  [bold]{kind}{plain(node.id)}[/]  {plain(node.text)}"
    if node.evidence:
        line += f" [dim]({plain(', '.join(node.evidence))})[/]"
    if node.joined:
        line += f" [dim]{node.joined}[/]"
    if node.fact:
        known = "" if node.value is None else f" = {json.dumps(node.value, ensure_ascii=False)}"
        line += f"  [cyan]{plain(node.fact + known)}[/]"
    branch = tree.add(line)
    for part in node.parts:
        _grow(branch, part, "", marks)


def show_catalogue(documents: list[dict[str, Any]], on: date | None, console: Console) -> None:
    for entry in documents:
        for held in entry["versions"]:
            version = (
                f"{held['title']}, version {held['version']}, {_in_force(held, on)}, last reviewed"
                f" {held['last_reviewed']}"
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


def _in_force(held: dict[str, Any], on: date | None) -> str:
    """When a version is in force, and what it is on the day that the caller names, since nothing here reads a clock."""
    first, last = held["effective_from"], held["effective_to"]
    period = f"from {first} to {last}" if last else f"from {first} on"
    return period if on is None else f"{standing(held, on).replace('_', ' ')} on {on} ({period})"


def standing(held: dict[str, Any], on: date) -> str:
    """Of a version, on a day."""
    if on.isoformat() < held["effective_from"]:
        return "to_come"
    return "superseded" if held["effective_to"] and held["effective_to"] < on.isoformat() else "in_force"


def _values(fact: dict[str, Any]) -> str:
    if "minimum" in fact:
        return f"{fact['type']}, {fact['minimum']} to {fact['maximum']} {fact.get('unit', '')}".rstrip()
    return f"{fact['type']}: {', '.join(sorted(fact['values']))}" if "values" in fact else str(fact["type"])


def _grow_words(tree: Tree, node: dict[str, Any]) -> None:
    joined, parts = joined_parts(node)
    if len(parts) == 1 and parts[0]["id"] == node["id"]:
        return _grow_words(tree, parts[0])
    branch = tree.add(f"[bold]{plain(node['id'])}[/]  {plain(node['text'])}" + f" [dim]{joined}[/]" * bool(joined))
    for part in parts:
        _grow_words(branch, part)
    return None


class FileProgress:
    """How far a file has been read, in bytes, or in rows when it is not named, on standard error when that is a
    terminal. A context manager."""

    _STEP = 50  # lines
    _HINTS = 20  # lines

    def __init__(self, what: str, file: Path | None = None) -> None:
        self.console = Terminal(stderr=True, highlight=False)
        self._what, self._hints = what, 0
        self._bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + (what if file is None else "bytes")),
            BarColumn(),
            TextColumn(f"{{task.fields[lines]:,}} {what}, {{task.fields[rate]:,.0f}}/s"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        size = os.path.getsize(file) if file and os.path.isfile(file) else 0
        self._task = self._bar.add_task("", total=size, lines=0, rate=0.0)
        self._start = time.monotonic()
        self._lines = 0

    def advance(self, position: int) -> None:
        """One line more, with so many bytes read by then."""
        self._lines += 1
        if self._lines % self._STEP == 0:
            self._show(position)

    def reached(self, rows: int, total: int) -> None:
        """So many rows of all."""
        self._lines = rows
        self._bar.update(self._task, total=total)
        self._show(rows)

    def hint(self, number: int, hint: str) -> None:
        """What to write instead in a line or a row, said for the first of them."""
        self._hints += 1
        if self._hints <= self._HINTS:
            self.console.print(f"{self._what[:-1]} {number}: {plain(hint)}")

    def _show(self, completed: int) -> None:
        rate = self._lines / (time.monotonic() - self._start)
        self._bar.update(self._task, completed=completed, lines=self._lines, rate=rate)

    def __enter__(self) -> FileProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._bar.update(self._task, completed=self._bar.tasks[self._task].total, lines=self._lines)
        self._bar.stop()
        if self._hints > self._HINTS:
            self.console.print(f"and so on in {self._hints - self._HINTS:,} more {self._what}")


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
        counted = f"{tally.rejected:,} {'line' if tally.rejected == 1 else 'lines'}"
        console.print(f"[red]{counted} could not be decided[/]: see {plain(str(rejects))}")


def show_impact(result: Impact, old_name: str, new_name: str, console: Console) -> None:
    console.print(
        f"[bold]{result.changed:,} of {result.total:,} requests of {plain(result.document)} change outcome[/]"
    )
    if result.apart:
        counts = ", ".join(f"{document} {count:,}" for document, count in result.apart.most_common())
        console.print(f"counted apart, not decided: {plain(counts)}")
    table = Table(plain(old_name), plain(new_name), Column("requests", justify="right"))
    for (old, new), count in result.ranked():
        style = "dim" if old == new else ""
        table.add_row(old.replace("_", " "), new.replace("_", " "), f"{count:,}", style=style)
    console.print(table)
    if result.clauses:
        table = Table("clause that turned", "before", "after", Column("requests", justify="right"))
        for (clause, before, after), count in result.clauses.most_common(_SHOWN):
            table.add_row(plain(clause), before or "none", after or "none", f"{count:,}")
        console.print(table)
        if (more := len(result.clauses) - _SHOWN) > 0:
            console.print(f"and {more:,} more: --json has them all")
    if result.left_out:
        table = Table("left out", "it or its value", "does not exist in", Column("requests", justify="right"))
        for (side, fact, kind), count in result.left_out.most_common():
            table.add_row(plain(fact), kind, plain(old_name if side == "old" else new_name), f"{count:,}")
        console.print(table)


def show_changes(changes: list[Change], console: Console) -> None:
    for change in changes:
        console.print(f"[bold]{change.kind}[/] {plain(change.subject)}")
        for colour, mark, words in (("red", "-", change.old), ("green", "+", change.new)):
            if words is not None:
                console.print(f"  [{colour}]{mark} {plain(words)}[/]")


def show_evidence(reading: Reading, console: Console) -> None:
    table = Table("fact", "standing", "value", "place", "date", "why")
    for each in reading.evidence:
        value = "" if each.value is None else json.dumps(each.value)
        cells = (each.fact, each.standing, value, f"{each.path} ({each.resource})", each.day or "", each.reason or "")
        table.add_row(*(plain(cell) for cell in cells))
    console.print(table)
