"""What came of an impact as a page of its own."""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.resources import files
from string import Template

from payer_policy.runtime.values import Outcome
from payer_policy.workshop.impact import Impact

_COLOURS = {
    Outcome.APPROVED.value: "#2e7d32",
    Outcome.NOT_APPROVED.value: "#c62828",
    Outcome.NEEDS_INFORMATION.value: "#f9a825",
    Outcome.NO_POLICY_IN_FORCE.value: "#6a1b9a",
    Outcome.UNDECIDED.value: "#4e342e",
    Outcome.INVALID_REQUEST.value: "#546e7a",
}
_OTHER = "#212121"

# By which a page that may be written anew is known.
PAGE_START = b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Impact: '

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Impact: $old to $new</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
${look}svg { width: 100%; height: auto } text { font: 13px system-ui, sans-serif }
</style>
<main>
<h1>Impact of $new</h1>
<p><strong>$changed of $total requests</strong> of $document change outcome, compared with $old.</p>
<p>This page holds counts of decisions and the clauses they turn on, and no request. A small count can still tell of one
person: keep the page as you keep the requests.</p>
<svg viewBox="0 0 900 $height" role="img" aria-label="Flow between outcomes">$picture</svg>
$besides
<h2>Outcomes</h2>
<table><tr><th>$old<th>$new<th>requests</tr>$flows</table>
<h2>Clauses that turned where the outcome changed</h2>
<table><tr><th>clause<th>before<th>after<th>requests</tr>$clauses</table>
</main>
</html>
""")


def page(result: Impact, old: str, new: str) -> str:
    """A page of its own, without a script or anything to load: the flows between outcomes as a picture, and tables."""
    return _PAGE.substitute(
        look=(files("payer_policy.workshop") / "look.css").read_text(encoding="utf-8"),  # of `make page` too
        old=escape(old),
        new=escape(new),
        changed=f"{result.changed:,}",
        total=f"{result.total:,}",
        document=escape(result.document),
        besides=_besides(result, old, new),
        height=_HEIGHT + 40,
        picture=_picture(result.flows),
        flows="".join(_row(_words(before), _words(after), count) for (before, after), count in result.ranked()),
        clauses="".join(
            _row(clause, _words(before), _words(after), count)
            for (clause, before, after), count in result.clauses.most_common()
        ),
    )


def _besides(result: Impact, old: str, new: str) -> str:
    """What was not decided, and what was left out."""
    said = []
    if result.apart:
        rows = "".join(_row(document, count) for document, count in result.apart.most_common())
        said.append(f"<h2>Counted apart, not decided</h2>\n<table><tr><th>document<th>requests</tr>{rows}</table>")
    if result.left_out:
        rows = "".join(
            _row(fact, kind, old if side == "old" else new, count)
            for (side, fact, kind), count in result.left_out.most_common()
        )
        head = "<h2>Facts left out</h2>\n<table><tr><th>fact<th>it or its value<th>does not exist in<th>requests</tr>"
        said.append(f"{head}{rows}</table>")
    return "\n".join(said)


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
