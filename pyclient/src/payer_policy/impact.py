"""Requests decided under two policies: how many change outcome, from what to what, and by which clause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import tee
from string import Template
from typing import Any

from payer_policy.client import PolicyBase, decide_each
from payer_policy.errors import PolicyError
from payer_policy.model import Criterion, Decision, Outcome


@dataclass(frozen=True)
class Side:
    """A policy, and the version to decide under; None is that in force on the date of service."""

    policy: PolicyBase
    version: str | None = None

    def decide(self, requests: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Decision | PolicyError]]:
        return decide_each(self.policy, requests, version=self.version)


@dataclass(frozen=True)
class Turned:
    """A request whose outcome changes, and the leaves that turned: clause, state before, state after; None where the
    version has no such clause."""

    line: int
    old: str
    new: str
    clauses: tuple[tuple[str, str | None, str | None], ...]


@dataclass
class Impact:
    """What becomes of the requests. `flows` counts them by outcome under the old and the new policy; an error of the
    client stands for an outcome by the name of its class."""

    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    clauses: Counter[tuple[str, str | None, str | None]] = field(default_factory=Counter)
    turned: list[Turned] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.flows.total()

    def ranked(self) -> list[tuple[tuple[str, str], int]]:
        """The flows, those that change outcome first, the largest first."""
        return sorted(self.flows.items(), key=lambda item: (item[0][0] == item[0][1], -item[1]))

    def to_dict(self) -> dict[str, Any]:
        return {
            "requests": self.total,
            "changed": len(self.turned),
            "flows": [{"old": old, "new": new, "requests": n} for (old, new), n in sorted(self.flows.items())],
            "clauses": [
                {"clause": clause, "old": old, "new": new, "requests": n}
                for (clause, old, new), n in self.clauses.most_common()
            ],
            "turned": [
                {
                    "line": turned.line,
                    "old": turned.old,
                    "new": turned.new,
                    "clauses": [list(c) for c in turned.clauses],
                }
                for turned in self.turned
            ],
        }


def impact(old: Side, new: Side, requests: Iterable[tuple[int, Any]]) -> Impact:
    """Decides every request under both. `requests` are numbered, and read as they are needed.

    Raises `PolicyUnreachable`, `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more: no request changes
    outcome by that.
    """
    result = Impact()
    first, second = tee(requests)
    for (number, before), (_, after) in zip(old.decide(first), new.decide(second), strict=True):
        flow = _outcome(before), _outcome(after)
        result.flows[flow] += 1
        if flow[0] != flow[1]:
            turned = Turned(number, *flow, tuple(_turned(_leaves(before), _leaves(after))))
            result.turned.append(turned)
            result.clauses.update(turned.clauses)
    return result


def _outcome(answer: Decision | PolicyError) -> str:
    return type(answer).__name__ if isinstance(answer, PolicyError) else answer.outcome.value


def _leaves(answer: Decision | PolicyError) -> dict[str, str]:
    if isinstance(answer, PolicyError) or answer.criteria is None:
        return {}
    found: dict[str, str] = {}
    nodes: list[Criterion] = [*reversed(answer.criteria.pathways), *answer.criteria.exclusions]
    while nodes:
        node = nodes.pop()
        nodes.extend(reversed(node.parts))
        if not node.parts and node.fact:
            found[node.id] = node.state.value
    return found


def _turned(old: dict[str, str], new: dict[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    if old and new:  # else another version, or none, decides, and every clause turned
        for clause in [*old, *(clause for clause in new if clause not in old)]:
            if old.get(clause) != new.get(clause):
                yield clause, old.get(clause), new.get(clause)


_COLOURS = {
    Outcome.APPROVED.value: "#2e7d32",
    Outcome.NOT_APPROVED.value: "#c62828",
    Outcome.NEEDS_INFORMATION.value: "#f9a825",
    Outcome.NO_POLICY_IN_FORCE.value: "#6a1b9a",
    Outcome.INVALID_REQUEST.value: "#546e7a",
}
_OTHER = "#212121"

# By which a page that may be written anew is known.
PAGE_START = b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Impact: '

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Impact: $old to $new</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #212121 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; border-bottom: 1px solid #ccc }
th { text-align: left } td.n { text-align: right; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto } text { font: 13px system-ui, sans-serif }
</style>
<h1>Impact of $new</h1>
<p><strong>$changed of $total requests</strong> change outcome, compared with $old.</p>
<p>This page holds counts of decisions and the clauses they turn on, and no request. A small count can still tell of one
person: keep the page as you keep the requests.</p>
<svg viewBox="0 0 900 $height" role="img" aria-label="Flow between outcomes">$picture</svg>
<h2>Outcomes</h2>
<table><tr><th>$old<th>$new<th>requests</tr>$flows</table>
<h2>Clauses that turned where the outcome changed</h2>
<table><tr><th>clause<th>before<th>after<th>requests</tr>$clauses</table>
</html>
""")


def page(result: Impact, old: str, new: str) -> str:
    """A page of its own, without a script or anything to load: the flows between outcomes as a picture, and tables."""
    return _PAGE.substitute(
        old=escape(old),
        new=escape(new),
        changed=f"{len(result.turned):,}",
        total=f"{result.total:,}",
        height=_HEIGHT + 40,
        picture=_picture(result.flows),
        flows="".join(_row(_words(before), _words(after), count) for (before, after), count in result.ranked()),
        clauses="".join(
            _row(clause, _words(before), _words(after), count)
            for (clause, before, after), count in result.clauses.most_common()
        ),
    )


def _row(*cells: str | int) -> str:
    return (
        "<tr>"
        + "".join(f'<td class="n">{cell:,}' if isinstance(cell, int) else f"<td>{escape(cell)}" for cell in cells)
        + "</tr>"
    )


def _words(name: str | None) -> str:
    return "none" if name is None else name.replace("_", " ")


_HEIGHT, _LEFT, _RIGHT, _BAR, _GAP = 400, 200, 700, 16, 14


def _picture(flows: Counter[tuple[str, str]]) -> str:
    """Outcomes as bars, old ones left and new ones right, as high as they are frequent; between them the flows."""
    names = sorted({name for flow in flows for name in flow}, key=lambda name: (name not in _COLOURS, name))
    scale = (_HEIGHT - _GAP * len(names)) / max(flows.total(), 1)
    drawn = []
    tops: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for side, x in enumerate((_LEFT, _RIGHT)):
        y = 20.0
        for name in names:
            count = sum(n for flow, n in flows.items() if flow[side] == name)
            tops[side][name] = y
            if count:
                words = f"{escape(_words(name))} {count:,}"
                anchor, at = ("end", x - 8) if side == 0 else ("start", x + _BAR + 8)
                drawn.append(
                    f'<rect x="{x}" y="{y:.1f}" width="{_BAR}" height="{max(count * scale, 1):.1f}"'
                    f' fill="{_COLOURS.get(name, _OTHER)}"/>'
                    f'<text x="{at}" y="{y + count * scale / 2 + 4:.1f}" text-anchor="{anchor}">{words}</text>'
                )
                y += count * scale + _GAP
    middle = (_LEFT + _BAR + _RIGHT) / 2
    for old in names:
        for new in names:
            if count := flows[old, new]:
                width = max(count * scale, 1)
                start, end = tops[0][old] + width / 2, tops[1][new] + width / 2
                tops[0][old] += width
                tops[1][new] += width
                drawn.append(
                    f'<path d="M{_LEFT + _BAR} {start:.1f}C{middle} {start:.1f} {middle} {end:.1f} {_RIGHT} {end:.1f}"'
                    f' fill="none" stroke="{_COLOURS.get(new, _OTHER)}" stroke-opacity="{0.2 if old == new else 0.6}"'
                    f' stroke-width="{width:.1f}"><title>{escape(_words(old))} to {escape(_words(new))}:'
                    f" {count:,}</title></path>"
                )
    return "".join(drawn)
