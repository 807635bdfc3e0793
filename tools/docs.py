"""Writes docs/<document>.md, one file for each document held; with `--check` says whether they are stale.

Everything comes from elsewhere: words from METADATA by way of `opa inspect` and the catalogue, vectors from
policy_tests/, readings from docs/readings.md. When a criterion is met, not met or unknown is asked of the policy, never
told: each fact is tried with every value it can have (of the numbers, the limits and those of the vectors), and all
that the vectors show must agree.
"""

import difflib
import html
import itertools
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vectors import VECTORS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
STATES = {"met": "met", "not_met": "not met", "unknown": "unknown"}
MADE = "<!-- Made by `make docs`; not to be edited. -->"
NOT_GIVEN = "absent or null"

# When each outcome comes; what follows it is asked of the policy.
OUTCOMES = {
    "invalid_request": "the request is not valid; no criterion is evaluated",
    "no_policy_in_force": "no version is in force on the date of service",
    "not_approved": "an exclusion is met, or every pathway is not met",
    "approved": "a pathway is met and every exclusion is not met",
    "needs_information": "all else",
}

Json = dict[str, Any]


class Node(NamedTuple):
    """A criterion of the tree; `kind` is `pathway`, `clause`, `exclusion`, or `part`, which has no rule of its own."""

    kind: str
    depth: int
    content: Json
    note: Json | None

    @property
    def id(self) -> str:
        return str(self.content["id"])

    @property
    def parts(self) -> list[Json]:
        return parts(self.content)

    @property
    def title(self) -> str:
        title = self.note["annotations"]["title"] if self.note else self.content["text"]
        return f"{self.kind.capitalize()} {self.id.removeprefix(self.kind + '.')}: {title}"


class Reading(NamedTuple):
    number: str
    clauses: list[str]
    words: str


# What is asked.


def opa(*arguments: str, question: object = None) -> Any:  # noqa: ANN401
    command = [str(ROOT / ".tools" / "bin" / "opa"), *arguments]
    run = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        sys.exit(run.stderr or run.stdout)
    return json.loads(run.stdout)


def evaluate(query: str, question: object = None) -> Any:  # noqa: ANN401
    answer = opa("eval", "--fail", "-f", "json", "-d", "policy", "-I", query, question=question)
    return answer["result"][0]["expressions"][0]["value"]


def decide(requests: list[Any]) -> list[Json]:
    """All of them at once: starting OPA costs more than most decisions."""
    decisions: list[Json] = evaluate("[d | some r in input; d := data.payer.decision with input as r]", requests)
    if len(decisions) != len(requests):
        sys.exit(f"{len(requests)} requests gave {len(decisions)} decisions")
    return decisions


def annotations() -> list[Json]:
    notes: list[Json] = opa("inspect", "-a", "-f", "json", "policy")["annotations"]
    for note in notes:
        note["names"] = [step["value"] for step in note["path"]]
    return notes


def readings(document: str) -> list[Reading]:
    """The rows of the table below the heading of the document in docs/readings.md."""
    text = (DOCS / "readings.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(document)}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [line.strip("|").split("|") for line in section[0].splitlines() if line.startswith("|")] if section else []
    cells = [
        dict(zip((name.strip() for name in rows[0]), (cell.strip() for cell in row), strict=True)) for row in rows[2:]
    ]
    return [
        Reading(row["#"], row["clauses"].split(", "), f"{row['reading']} {row['why']} Where: {row['where']}.")
        for row in cells
    ]


# What the answers say.


def parts(node: Json) -> list[Json]:
    found: list[Json] = node.get("all_of") or node.get("any_of") or []
    return found


def walk(nodes: list[Json]) -> Iterator[Json]:
    for node in nodes:
        yield node
        yield from walk(parts(node))


def tree(criteria: Json, notes: list[Json]) -> list[Node]:
    def nodes(contents: list[Json], kind: str, depth: int) -> Iterator[Node]:
        for content in contents:
            note = next(
                (
                    note
                    for note in notes
                    if note["names"][-1].startswith(kind + "_")
                    and note["annotations"].get("custom", {}).get("id") == content["id"]
                ),
                None,
            )
            yield Node(kind if note else "part", depth, content, note)
            yield from nodes(parts(content), "clause", depth + 1)

    return [*nodes(criteria["pathways"], "pathway", 0), *nodes(criteria["exclusions"], "exclusion", 0)]


def tried(fact: Json) -> list[Any]:
    """Every value of a fact; of the numbers, which have no end, the limits and what the vectors rightly give."""
    kind, values = fact["type"], list(fact.get("values", {}))
    if kind == "boolean":
        return [True, False]
    if kind == "string":
        return values
    if kind == "array":
        return [list(some) for size in range(len(values) + 1) for some in itertools.combinations(values, size)]
    low, high = fact["minimum"], fact["maximum"]
    if kind == "integer":
        return list(range(low, high + 1))
    found = {low, high}
    for vector in VECTORS.values():
        if f"facts.{fact['name']}" in vector["expect"].get("errors", []):
            continue
        facts = vector["input"].get("facts") if isinstance(vector["input"], dict) else None
        value = facts.get(fact["name"]) if isinstance(facts, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            found.add(value)
    return sorted(found)


def key(value: object) -> str:
    """The same for lists of the same items and for 1 and 1.0."""
    if isinstance(value, list):
        return json.dumps(sorted(value))
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def leaf_states(held: Json, document: str, seen: list[Json]) -> dict[str, dict[str, list[Any]]]:
    """For each leaf: for each state, the values of its fact that give it."""
    probes = [(fact["name"], value) for fact in held["facts"] for value in [*tried(fact), None]]
    answers = decide(
        [
            {"document": document, "date_of_service": held["effective_from"], "facts": {name: value}}
            for name, value in probes
        ]
    )
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    states: dict[tuple[str, str], str] = {}
    for (name, value), answer in zip(probes, answers, strict=True):
        if answer["errors"]:
            sys.exit(f"{name} {value!r}: {answer['errors']}")
        for node in walk(answer["criteria"]["pathways"] + answer["criteria"]["exclusions"]):
            if node.get("fact") == name:
                found[node["id"]][node["state"]].append(value)
                states[node["id"], key(value)] = node["state"]
    for decision in [*answers, *seen]:
        agree(decision["criteria"], states)
    return found


def agree(criteria: Json, states: dict[tuple[str, str], str]) -> None:
    """Stops unless a decision is what the documentation says of every one of its nodes."""
    open_ = {node["state"] for node in criteria["pathways"]}
    for node in walk(criteria["pathways"] + criteria["exclusions"]):
        inner = {part["state"] for part in parts(node)}
        if "fact" in node:
            expected = states.get((node["id"], key(node["value"])), node["state"])
        elif "all_of" in node:
            expected = "not_met" if "not_met" in inner else "unknown" if "unknown" in inner else "met"
        elif "any_of" in node:
            expected = "met" if "met" in inner else "unknown" if "unknown" in inner else "not_met"
        else:
            expected = "not_met" if "met" in open_ else "unknown" if "unknown" in open_ else "met"
        if node["state"] != expected:
            sys.exit(
                f"{node['id']} is {node['state']}, where {expected} was expected: tools/docs.py would say it wrongly"
            )


def vectors_of(document: str, version: str, decisions: dict[str, Json]) -> dict[str, dict[str, list[str]]]:
    """For each criterion: for each state, the vectors that expect it."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, vector in VECTORS.items():
        policy = decisions[name]["policy"] or {}
        if (policy.get("document"), policy.get("version")) == (document, version):
            for id_, state in vector["expect"].get("states", {}).items():
                found[id_][state].append(name)
    return found


# Words.


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, in a table too."""
    return re.sub(r"([\\`*_|\[\]~])", r"\\\1", html.escape(text, quote=False))


def code(text: str) -> str:
    return f"`{text}`"


def table(head: str, rows: list[list[str]]) -> list[str]:
    width = head.count("|") + 1
    return [f"| {head} |", "|" + " --- |" * width, *(f"| {' | '.join(row)} |" for row in rows), ""]


def facts_needed(facts: list[Json]) -> list[str]:
    rows = []
    for fact in facts:
        values = "; ".join(f"`{value}` {plain(label)}" for value, label in fact.get("values", {}).items())
        unit = fact.get("unit", "")
        limits = f"{fact['minimum']} to {fact['maximum']}" if "minimum" in fact else ""
        rows.append([code(fact["name"]), fact["type"], values or limits, unit, plain(fact["question"])])
    return table("fact | type | values | unit | question", rows)


def spans(values: list[Any], all_values: list[Any]) -> str:
    """Numbers in a row as the first and the last of them."""
    runs: list[list[Any]] = []
    for index, value in enumerate(all_values):
        if value in values:
            if index and runs and runs[-1][-1] == all_values[index - 1]:
                runs[-1].append(value)
            else:
                runs.append([value])
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def lists(values: list[list[str]], all_values: list[list[str]]) -> str:
    """In words that hold for exactly these of all lists, or the lists themselves."""

    def of(items: set[str]) -> str:
        return f"{'of ' if len(items) > 1 else ''}{', '.join(map(code, sorted(items)))}"

    chosen = {frozenset(value) for value in values}
    every = {frozenset(value) for value in all_values}
    enough = {item for one in chosen if len(one) == 1 for item in one}
    barred = {item for one in every - chosen if len(one) == 1 for item in one}
    if chosen == {frozenset()}:
        return "the empty list"
    if chosen == every - {frozenset()}:
        return "every list but the empty one"
    if chosen == {one for one in every if enough & one}:
        return f"a list with {'any ' if len(enough) > 1 else ''}{of(enough)}"
    if chosen == {one for one in every if not barred & one}:
        return f"a list without {'any ' if len(barred) > 1 else ''}{of(barred)}"
    if len(chosen) == 1:
        return f"exactly {', '.join(map(code, values[0]))}"
    if len(every - chosen) == 1:
        return f"every list but {', '.join(map(code, *(sorted(one) for one in every - chosen)))}"
    return " or ".join(f"[{', '.join(map(code, value))}]" for value in values)


def in_words(fact: Json, values: list[Any]) -> str:
    given = [value for value in values if value is not None]
    words = [NOT_GIVEN] if len(given) < len(values) else []
    if given and fact["type"] in {"integer", "number"}:
        words.insert(0, spans(given, tried(fact)))
    elif given and fact["type"] == "array":
        words.insert(0, lists(given, tried(fact)))
    elif given:
        words.insert(0, ", ".join(code(value if isinstance(value, str) else json.dumps(value)) for value in given))
    return ", ".join(words) or "never"


def state_rules(content: Json, leaves: dict[str, dict[str, list[Any]]], facts: dict[str, Json]) -> list[str]:
    """When it is met, not met, unknown."""
    ids = ", ".join(code(part["id"]) for part in parts(content))
    if "fact" in content:
        fact = facts[content["fact"]]
        return [f"`{fact['name']}`: {in_words(fact, leaves[content['id']][state])}" for state in STATES]
    if "all_of" in content and len(parts(content)) == 1:
        return [f"{ids} is {words}" for words in STATES.values()]
    if "all_of" in content:
        return [f"all of {ids} are met", "any of them is not met", "none is not met, and any is unknown"]
    if "any_of" in content:
        return [f"any of {ids} is met", "all of them are not met", "none is met, and any is unknown"]
    return ["every pathway is not met", "any pathway is met", "no pathway is met, and any is unknown"]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def vectors_listed(ids: list[str], vectors: dict[str, dict[str, list[str]]]) -> list[str]:
    counts = ", ".join(f"{len(vectors[ids[0]][state])} {words}" for state, words in STATES.items())
    lines = ["<details>", f"<summary>Vectors: {counts}</summary>", ""]
    for id_ in ids:
        for state, words in STATES.items():
            names = "; ".join(map(plain, vectors[id_][state])) or "none"
            lines.append(f"- `{id_}` {words}: {names}")
    return [*lines, "", "</details>", ""]


def picture(name: str, nodes: list[Node]) -> list[str]:
    """The tree in Mermaid. `I+II` is no name there, hence numbers; what is special in a label is escaped."""

    def label(text: str) -> str:
        return re.sub(r"[^\w .,:;()+/%-]", lambda match: f"#{ord(match[0])};", text)

    lines = ["```mermaid", "flowchart LR", f'  n["{label(name)}"]']
    above = ["n"]
    for index, node in enumerate(nodes):
        del above[node.depth + 1 :]
        how = "all of" if "all_of" in node.content else "any of" if "any_of" in node.content else ""
        words = [node.title if node.note else node.id, how if len(node.parts) > 1 else ""]
        edge = "-. unless .->" if node.kind == "exclusion" else "-- any of -->" if node.kind == "pathway" else "-->"
        lines.append(f'  {above[-1]} {edge} n{index}["{"<br/>".join(label(word) for word in words if word)}"]')
        above.append(f"n{index}")
    return [*lines, "```", ""]


def section(
    node: Node,
    vectors: dict[str, dict[str, list[str]]],
    leaves: dict[str, dict[str, list[Any]]],
    facts: dict[str, Json],
    read: list[Reading],
) -> list[str]:
    assert node.note
    file = node.note["location"]["file"]  # without its line: the page changes when its meaning does, and only then
    own = [part for part in node.parts if part["id"] == f"{node.id}.{part.get('fact')}"]
    rules = state_rules(node.content, leaves, facts)
    needed = {leaf["fact"]: facts[leaf["fact"]] for leaf in walk([node.content]) if "fact" in leaf}
    rows = [[words, rule] for words, rule in zip(STATES.values(), rules, strict=True)]
    if evidence := node.content.get("evidence"):
        rows.insert(0, ["evidence", plain(", ".join(evidence))])
    rows.append(["rule", f"[`{node.note['names'][-1]}`](../{file})"])
    lines = [f"{'#' * (node.depth + 3)} {node.title}", "", plain(node.content["text"]), "", *table(" | ", rows)]
    if own:
        lines += table(
            "part | text | met | not met | unknown",
            [[code(part["id"]), plain(part["text"]), *state_rules(part, leaves, facts)] for part in own],
        )
    if own or "fact" in node.content:
        lines += facts_needed(sorted(needed.values(), key=list(facts.values()).index))
    elif needed:
        names = ", ".join(code(name) for name in facts if name in needed)
        lines += [f"Facts, by way of its parts: {names}.", ""]
    lines += [f"- Reading {reading.number}: {reading.words}" for reading in read if node.id in reading.clauses]
    return [*lines, *([""] if lines[-1] else []), *vectors_listed([node.id, *(part["id"] for part in own)], vectors)]


def page(document: str, versions: list[Json], notes: list[Json], decisions: dict[str, Json]) -> str:
    held = versions[-1]
    version = held["version"]
    own = [note for note in notes if note["names"][2:5] == ["criteria", document, version]]
    nodes = tree(held["criteria"], own)
    facts = {fact["name"]: fact for fact in held["facts"]}
    seen = [
        decision
        for decision in decisions.values()
        if decision["policy"] and (decision["policy"]["document"], decision["policy"]["version"]) == (document, version)
    ]
    leaves = leaf_states(held, document, seen)
    vectors = vectors_of(document, version, decisions)
    read = readings(document)
    known = {"document", *(node.id for node in nodes)}
    for reading in read:
        if unknown := set(reading.clauses) - known:
            sys.exit(
                f"docs/readings.md: reading {reading.number} is of {', '.join(sorted(unknown))}, not in {document}"
            )
    package = next(note for note in own if note["annotations"]["scope"] == "package")
    lines = [
        MADE,
        f"# {document}: {plain(held['title'])}",
        "",
        plain(package["annotations"]["description"].strip()),
        "",
        "`make docs` makes this page from the METADATA of the rules, the catalogue, the vectors and",
        "`docs/readings.md`. When a criterion is met, not met or unknown was asked of the policy: each fact was tried",
        "with every value it can have, a number with its limits and with every value that a vector has, and what all",
        "vectors show agrees.",
        "",
        "## Versions",
        "",
        *table(
            "version | in force from | to | last reviewed",
            [
                [
                    f"{one['version']}{', this page' if one is held else ''}",
                    one["effective_from"],
                    one["effective_to"] or "the next version",
                    one["last_reviewed"],
                ]
                for one in reversed(versions)
            ],
        ),
        *table("reviewed | change", [[one["date"], plain(one["change"])] for one in held["history"]]),
        "## Criteria",
        "",
        *picture(f"{document} {version}", nodes),
        *[f"{'  ' * node.depth}- [{plain(node.title)}](#{slug(node.title)})" for node in nodes if node.note],
        "",
        "## Outcome",
        "",
        "The first that applies.",
        "",
        *table("outcome | when | next step", outcomes(decisions)),
        "## Codes and advisories",
        "",
        "Codes are informational: they never decide, but may raise an advisory.",
        "",
        *table(
            "system | code | meaning",
            [
                [system, code(name), plain(meaning)]
                for system, codes in held["codes"].items()
                for name, meaning in codes.items()
            ],
        ),
        *table("advisory | kind | meaning", advisories(notes, own)),
        "## Readings of the whole document",
        "",
        *[f"- Reading {reading.number}: {reading.words}" for reading in read if "document" in reading.clauses],
        "",
        "## Clause by clause",
        "",
    ]
    for node in nodes:
        if node.note:
            lines += section(node, vectors, leaves, facts, read)
    return "\n".join(lines).rstrip() + "\n"


def outcomes(decisions: dict[str, Json]) -> list[list[str]]:
    steps: dict[str, set[str]] = defaultdict(set)
    for decision in decisions.values():
        steps[decision["outcome"]].add(decision["next_step"])
    if set(steps) != set(OUTCOMES):
        sys.exit(f"the vectors have the outcomes {sorted(steps)}, tools/docs.py has words for {sorted(OUTCOMES)}")
    return [
        [code(name), when, " or ".join(code(step) for step in sorted(steps[name], reverse=True))]
        for name, when in OUTCOMES.items()
    ]


def advisories(notes: list[Json], own: list[Json]) -> list[list[str]]:
    rows = []
    for note in notes:
        about = note["annotations"]
        advisory = about.get("custom", {}).get("advisory")
        if advisory and (note in own or note["names"][2] != "criteria"):
            contradicts = note["names"][-1] == "contradictions"
            kind = "contradicts: a person reviews the approval" if contradicts else "a note"
            rows.append([code(advisory), kind, plain(about["description"])])
    return sorted(rows)


def main() -> None:
    names = list(VECTORS)
    decisions = dict(zip(names, decide([VECTORS[name]["input"] for name in names]), strict=True))
    notes = annotations()
    pages = {
        DOCS / f"{entry['document'].lower().replace('-', '')}.md": page(
            entry["document"], entry["versions"], notes, decisions
        )
        for entry in evaluate("data.payer.catalogue")["documents"]
    }
    held = {path: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    made = {path: text for path, text in held.items() if text.startswith(MADE) or path in pages}
    if sys.argv[1:] == ["--check"]:
        for path in sorted(made.keys() | pages.keys()):
            name = str(path.relative_to(ROOT))
            old, new = (texts.get(path, "").splitlines(keepends=True) for texts in (made, pages))
            sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name}, made anew", n=1))
        if made != pages:
            sys.exit("docs/ is stale: make docs")
        return
    for path in made.keys() - pages.keys():
        path.unlink()
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
