"""The page of a version."""

import itertools
import re
from pathlib import Path
from typing import NamedTuple

from payer_policy.workshop.diff import rule_in_words

from tools import ROOT
from tools.docs.document import STATES, Json, Node, Version
from tools.docs.markdown import code, link, plain, table

DOCS = ROOT / "docs"
MADE = "<!-- Made by `make docs`; not to be edited. -->"

# When each outcome comes, the first that applies, and what may follow it.
OUTCOMES = {
    "invalid_request": ("the request is not valid; no criterion is evaluated", ["correct_request"]),
    "no_policy_in_force": ("no version is in force on the date of service", ["clinical_review"]),
    "undecided": ("the rules give no decision, which is a fault of the policy", ["clinical_review"]),
    "not_approved": ("an exclusion is met, or every pathway is not met", ["clinical_review"]),
    "approved": ("a pathway is met and every exclusion is not met", ["issue_approval", "clinical_review"]),
    "needs_information": ("all else", ["request_information", "clinical_review"]),
}


def fact_row(fact: Json) -> list[str]:
    values = "; ".join(f"`{value}` {plain(label)}" for value, label in fact.get("values", {}).items())
    limits = f"{fact['minimum']} to {fact['maximum']} {fact.get('unit', '')}".strip() if "minimum" in fact else ""
    asking = ", ".join(map(code, fact["criteria"]))
    words = " ".join(filter(None, [fact["question"], fact.get("note")]))
    return [code(fact["name"]), fact["type"], plain(words), values or limits, asking]


def record(version: Version) -> list[str]:
    """What of a FHIR record says something of the facts, where a version says so."""
    if not (rules := version.held["record"]):
        return []
    rows = [
        [code(fact), "is suggested by" if rule.get("suggests") else "is established by", plain(rule_in_words(rule))]
        for fact in version.facts
        for rule in rules[fact]
    ]
    asked = ", ".join(code(fact) for fact in version.facts if not rules[fact])
    return [
        "## From a FHIR record",
        "",
        "What establishes a fact, and what is only shown beside its question. [How it is read](fhir.md).",
        f"Nothing is known to say {asked}.",
        "",
        *table("fact | | of a record", rows),
    ]


def picture(version: Version) -> list[str]:
    """The tree in Mermaid, what stands twice drawn once. `I+II` is no name there, hence numbers."""
    lines = ["```mermaid", "flowchart LR", f'  n["{version.document} {version.version}"]']
    drawn: dict[str, str] = {}

    def draw(node: Node, above: str, edge: str) -> None:
        key = node.name if node.own else node.id
        if key in drawn:
            lines.append(f"  {above} {edge} {drawn[key]}")
            return
        name = drawn[key] = f"n{len(drawn)}"
        how = (
            f"at least {node.arguments[0]} of" if node.function == "at_least_n_of" else node.function.replace("_", " ")
        )
        words = [node.title if node.own else node.id, *([how] if len(node.parts) > 1 else [])]
        label = "<br/>".join(re.sub(r"[^\w .,:;()+/%-]", lambda match: f"#{ord(match[0])};", word) for word in words)
        lines.append(f'  {above} {edge} {name}["{label}"]')
        for part in node.parts:
            draw(part, name, "-->")

    for node in version.pathways + version.exclusions:
        draw(node, "n", "-- any of -->" if node in version.pathways else "-. unless .->")
    return [*lines, "```", ""]


class Reading(NamedTuple):
    clauses: list[str]
    words: str


def readings(document: str, docs: Path = DOCS) -> list[Reading]:
    """The rows of the table below the heading of the document in docs/readings.md."""
    text = (docs / "readings.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(document)}$.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip("|").split("|") for line in found[0].splitlines() if line.startswith("|")] if found else []
    rows = [dict(zip(map(str.strip, lines[0]), map(str.strip, line), strict=True)) for line in lines[2:]]
    return [
        Reading(
            row["clauses"].split(", "), f"- Reading {row['#']}: {row['reading']} {row['why']} Where: {row['where']}."
        )
        for row in rows
    ]


def section(node: Node, version: Version, read: list[Reading]) -> list[str]:
    shown = [node, *(part for part in node.parts if not part.own)]
    counts = ", ".join(f"{len(version.vectors[node.id][state])} {words}" for state, words in STATES.items())
    said = {"Evidence": ", ".join(node.custom.get("evidence", []))}
    said["Terms of an approval"] = " ".join(node.custom.get("terms", {}).values())
    return [
        f"{'#' * min(node.depth + 3, 6)} {node.title}",
        "",
        *table(
            "id | text | rule | met | not met | unknown",
            ([code(one.id), plain(one.text), code(one.call), *one.words()] for one in shown),
        ),
        # Without its line: the page changes when its meaning does, and only then.
        f"- Rule: [`{node.name}`](../{version.file.name})",
        *(f"- {name}: {plain(words)}" for name, words in said.items() if words),
        *(reading.words for reading in read if node.id in reading.clauses),
        "",
        "<details>",
        f"<summary>Vectors: {counts}</summary>",
        "",
        *(
            f"- `{one.id}` {words}: {'; '.join(map(plain, version.vectors[one.id][state])) or 'none'}"
            for one in shown
            for state, words in STATES.items()
        ),
        "",
        "</details>",
        "",
    ]


def page(version: Version, versions: list[Version], read: list[Reading], advisories: list[list[str]]) -> str:
    held = version.held
    kinds = {"contradictions": "contradicts: a person reviews the approval", "advisories": "a note"}
    lines = [
        MADE,
        f"# {version.document}: {plain(held['title'])}",
        "",
        plain(version.file.about["description"]),
        "",
        *(
            ["**This is a draft**: it is not published, and decides nothing in production.", ""]
            if version.draft
            else []
        ),
        "`make docs` makes this page: text and rule come from the policy's files, facts from the catalogue, vectors",
        "from `policy_tests/`, readings from `docs/readings.md`. When a criterion is met is said from its rule, and",
        "what the policy decided on every vector agrees. Whether text and rule say the same is for a person to judge.",
        "",
        "## Versions",
        "",
        *table(
            "in force from | to | last reviewed",
            (
                [
                    (f"{one.version}, this page" if one is version else f"[{one.version}]({one.page})")
                    + (", a draft" if one.draft else ""),
                    one.held["effective_to"] or "the next version",
                    one.held["last_reviewed"],
                ]
                for one in versions
            ),
        ),
        *table("reviewed | change", ([one["date"], plain(one["change"])] for one in held["history"])),
        "## Criteria",
        "",
        *picture(version),
        *(f"{'  ' * node.depth}- {link(node.title)}" for node in version.nodes if node.own),
        "",
        "## Facts",
        "",
        *table("fact | type | question | values | asked by", map(fact_row, held["facts"])),
        *record(version),
        "## Outcome",
        "",
        "The first that applies.",
        "",
        *table(
            "outcome | when | next step",
            ([code(name), when, " or ".join(map(code, steps))] for name, (when, steps) in OUTCOMES.items()),
        ),
        "## Codes and advisories",
        "",
        "Codes are informational: they never decide, but may raise an advisory.",
        "",
        *table(
            "system | code | meaning",
            (
                [system, code(name), plain(meaning)]
                for system, codes in held["codes"].items()
                for name, meaning in codes.items()
            ),
        ),
        *table(
            "advisory | kind | meaning",
            ([name, kinds[kind], words] for name, kind, words in sorted(advisories + version.file.advisories)),
        ),
        "## Readings of the whole document",
        "",
        *(reading.words for reading in read if "document" in reading.clauses),
        "",
        "## Clause by clause",
        "",
        *itertools.chain.from_iterable(section(node, version, read) for node in version.sections),
    ]
    return "\n".join(lines).rstrip() + "\n"
