"""Writes a page of docs/ for each version of a document held; with `--check` says whether they are stale.

Every sentence of a document is one rule, METADATA and one call of the vocabulary (policy/engine/criterion.rego), so
OPA's parser gives the tree, the words and the rule behind each; facts, codes, history and dates come from the
catalogue, vectors from policy_tests/, readings from docs/readings.md. When a criterion is met, not met or unknown is
read from its function and arguments, in another way than in the engine: what the policy decided on every vector must be
what this reading says, to the last node.
"""

import base64
import difflib
import html
import itertools
import json
import math
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser
from payer_policy.workshop.diff import rule_in_words

from tests.oracle.vectors import VECTORS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
STATES = {"met": "met", "not_met": "not met", "unknown": "unknown"}
MADE = "<!-- Made by `make docs`; not to be edited. -->"
Json = dict[str, Any]


class Asked(NamedTuple):
    """What a leaf asks of the value of its fact, and that in words, of the arguments; a date is its age in days."""

    holds: Callable[..., bool]
    met: str
    not_met: str


LEAVES = {
    "is_true": Asked(lambda value: value is True, "yes", "no"),
    "one_of": Asked(lambda value, values: value in values, "{0}", "any other value"),
    "at_least": Asked(lambda value, limit: value >= limit, "{0} or more", "less than {0}"),
    "at_most": Asked(lambda value, limit: value <= limit, "{0} or less", "more than {0}"),
    "more_than": Asked(lambda value, limit: value > limit, "more than {0}", "{0} or less"),
    "less_than": Asked(lambda value, limit: value < limit, "less than {0}", "{0} or more"),
    "from_to": Asked(lambda value, low, high: low <= value <= high, "{0} to {1}", "less than {0}, or more than {1}"),
    "holds_any": Asked(lambda items, some: bool(some & set(items)), "any of {0}", "none of {0}"),
    "holds_none": Asked(lambda items, some: not some & set(items), "none of {0}", "any of {0}"),
    "holds_exactly": Asked(lambda items, all_: set(items) == all_, "exactly {0}", "any other list"),
    "within_days_before": Asked(
        lambda age, most: 0 <= age <= most,
        "the date of service or at most {0} days before it",
        "more than {0} days before the date of service, or after it",
    ),
}

# When a compound is met, not met and unknown; {0} are its parts, {1} how many it asks for.
COMPOUNDS = {
    "all_of": ["all of {0} are met", "any of them is not met", "none of them is not met, and any is unknown"],
    "any_of": ["any of {0} is met", "all of them are not met", "none of them is met, and any is unknown"],
    "none_of": ["all of {0} are not met", "any of them is met", "none of them is met, and any is unknown"],
    "at_least_n_of": [
        "{1} or more of {0} are met",
        "fewer than {1} of them are met or unknown",
        "fewer than {1} of them are met, but with the unknown ones {1} or more",
    ],
    "fallback": ["every pathway is not met", "any pathway is met", "no pathway is met, and any is unknown"],
}

# When each outcome comes, the first that applies, and what may follow it.
OUTCOMES = {
    "invalid_request": ("the request is not valid; no criterion is evaluated", ["correct_request"]),
    "no_policy_in_force": ("no version is in force on the date of service", ["clinical_review"]),
    "undecided": ("the rules give no decision, which is a fault of the policy", ["clinical_review"]),
    "not_approved": ("an exclusion is met, or every pathway is not met", ["clinical_review"]),
    "approved": ("a pathway is met and every exclusion is not met", ["issue_approval", "clinical_review"]),
    "needs_information": ("all else", ["request_information", "clinical_review"]),
}

# What is asked of OPA.


def opa(*arguments: str, question: object = None) -> Any:  # noqa: ANN401
    command = [str(ROOT / ".tools" / "bin" / "opa"), *arguments]
    run = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        sys.exit(run.stderr or run.stdout)
    return json.loads(run.stdout)


def evaluate(query: str, question: object = None) -> Any:  # noqa: ANN401
    answer = opa("eval", "--fail", "-f", "json", "-d", "policy", "-I", query, question=question)
    return answer["result"][0]["expressions"][0]["value"]


class File:
    """A file of the policy as OPA parses it."""

    def __init__(self, name: str) -> None:
        parsed = opa("parse", "--format", "json", "--json-include", "locations,-comments", name)
        self.name = name
        self.path = [step["value"] for step in parsed["package"]["path"][1:]]
        self.rules: dict[str, Json] = {rule["head"]["ref"][0]["value"]: rule for rule in parsed["rules"]}
        self.about: Json = next((note for note in parsed.get("annotations", []) if note["scope"] == "package"), {})
        self.advisories = [
            [code(note["custom"]["advisory"]), rule["head"]["ref"][0]["value"], plain(note["description"])]
            for rule in parsed["rules"]
            for note in rule.get("annotations", [])
            if "advisory" in note.get("custom", {})
        ]

    def value(self, term: Json) -> Any:  # noqa: ANN401
        """A scalar, a set, the names of rules; or what stands in a rule that holds one of these."""
        if term["type"] == "var":
            return self.value(self.rules[term["value"]]["head"]["value"])
        if term["type"] == "set":
            return {member["value"] for member in term["value"]}
        if term["type"] == "array":
            return [part["value"] for part in term["value"]]
        return set() if term["type"] == "call" else term["value"]  # `set()` is a call


class Node:
    """A criterion where it stands in the tree; without an id it is named by its fact and shown with what it is in."""

    def __init__(self, version: "Version", name: str, above: str = "", depth: int = 0) -> None:
        rule = version.file.rules[name]
        [note, *_], term = rule["annotations"], rule["head"]["value"]
        self.name, self.depth, self.text = name, depth, note["description"]
        self.custom = note.get("custom", {})
        self.function: str = term["value"][0]["value"][1]["value"]
        arguments = [version.file.value(argument) for argument in term["value"][2:]]
        self.call = re.sub(r"\s+", " ", base64.b64decode(term["location"]["text"]).decode())
        self.call = self.call.replace("rego.metadata.rule(), ", "").removeprefix("criterion.")
        leaf = self.function in LEAVES
        self.fact: Json = version.facts[arguments.pop(0)] if leaf else {}
        parts: list[str] = [] if leaf else arguments.pop()
        self.arguments = arguments
        self.id = str(self.custom.get("id") or f"{above}.{self.fact['name']}")
        kind = name.partition("_")[0] if depth == 0 else "clause"
        self.title = f"{kind.capitalize()} {self.id.removeprefix(kind + '.')}: {note['title']}"
        self.parts = [Node(version, part, self.id, depth + 1) for part in parts if self.function != "fallback"]

    @property
    def own(self) -> bool:
        return "id" in self.custom

    def __iter__(self) -> Iterator["Node"]:
        yield self
        yield from itertools.chain.from_iterable(self.parts)

    def words(self) -> list[str]:
        """When it is met, not met and unknown."""
        if len(self.parts) == 1:
            states = [STATES[combined(self, [state])] for state in STATES]
            return [f"`{self.parts[0].id}` is {states[i]}" for i in range(3)]
        if not self.fact:
            ids = ", ".join(code(part.id) for part in self.parts)
            return [words.format(ids, *self.arguments) for words in COMPOUNDS[self.function]]
        asked = LEAVES[self.function]
        unit = self.fact.get("unit", "")
        given = [
            (", ".join(code(str(value)) for value in sorted(argument)) or "the empty list")
            if isinstance(argument, set)
            else f"{argument} {unit}".strip()
            for argument in self.arguments
        ]
        bound = ", or a bound that leaves it open" if "minimum" in self.fact else ""
        words = asked.met.format(*given), asked.not_met.format(*given), f"not known{bound}"
        return [f"`{self.fact['name']}`: {word}" for word in words]


class Version:
    """A version of a document: its file of criteria and what the catalogue says."""

    def __init__(self, file: File, held: Json, page: str) -> None:
        self.file, self.held, self.page = file, held, page
        self.document, self.version = file.path[2:]
        self.facts = {fact["name"]: fact for fact in held["facts"]}
        self.pathways, self.exclusions = (
            [Node(self, name) for name in file.value(file.rules[list_]["head"]["value"])]
            for list_ in ("pathways", "exclusions")
        )
        self.nodes = [*itertools.chain.from_iterable(self.pathways + self.exclusions)]
        self.vectors: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))

    @property
    def sections(self) -> Iterable[Node]:
        """What has an id, each rule where it stands first."""
        found: dict[str, Node] = {}
        for node in self.nodes:
            if node.own:
                found.setdefault(node.name, node)
        return found.values()


# Whether the policy agrees. What the engine calculates is tried here.


def read(node: Node, value: Any, day: str) -> str:  # noqa: ANN401
    """The state of a leaf whose fact has a value, null for what is not known."""
    if value is None:
        return "unknown"
    holds = LEAVES[node.function].holds
    if isinstance(value, dict):
        return one_state(holds(number, *node.arguments) for number in within(value, node))
    if node.fact["type"] == "date":
        value = (date.fromisoformat(day) - date.fromisoformat(value)).days
    return one_state([holds(value, *node.arguments)])


def combined(node: Node, states: list[str]) -> str:
    """The state of a compound whose parts have these: tried as if all that is unknown were met, and as if none were."""
    least = {"all_of": len(states), "at_least_n_of": (node.arguments or [0])[0]}.get(node.function, 1)
    negated = node.function in {"none_of", "fallback"}
    met = states.count("met")
    return one_state((count >= least) != negated for count in (met, met + states.count("unknown")))


def one_state(possible: Iterable[bool]) -> str:
    states = {"met" if one else "not_met" for one in possible}
    return states.pop() if len(states) == 1 else "unknown"


def within(bound: Json, node: Node) -> list[float]:
    """Of what a bound leaves, every number at which the answer can change, and one between any two of them."""
    [(side, end)] = bound.items()
    low, high = node.fact["minimum"], node.fact["maximum"]
    limits = [limit for argument in node.arguments for limit in (argument if isinstance(argument, set) else [argument])]
    ends = sorted({low, high, end, *limits})
    tried: Iterable[float] = [*ends, *((one + next_) / 2 for one, next_ in itertools.pairwise(ends))]
    if node.fact["type"] == "integer":
        tried = {math.floor(number) + by for number in ends for by in (-1, 0, 1)}
    return [number for number in tried if low <= number <= high and LEAVES[side].holds(number, end)]


def told(node: Node, request: Json, pathways: list[str]) -> list[Json]:
    """What a decision must show of a criterion and all below it, its parts by id."""
    shown = {name: value for name, value in node.custom.items() if name != "terms"}
    shown |= {"id": node.id, "text": node.text}
    below = [told(part, request, pathways) for part in node.parts]
    if node.fact:
        value = request["facts"].get(node.fact["name"])
        shown |= {"state": read(node, value, request["date_of_service"]), "fact": node.fact["name"], "value": value}
    else:
        shown["state"] = combined(node, [part[0]["state"] for part in below] or pathways)
    if node.function == "at_least_n_of":
        shown["at_least"] = node.arguments[0]
    if below:
        shown["of" if "at_least" in shown else node.function] = [part[0]["id"] for part in below]
    return [shown, *itertools.chain.from_iterable(below)]


def flat(node: Json) -> list[Json]:
    """The same of what a decision does show."""
    kinds = ("all_of", "any_of", "none_of", "of")
    below = [part for kind in kinds for part in node.get(kind, [])]
    ids = {kind: [part["id"] for part in node[kind]] for kind in kinds if kind in node}
    return [{**node, **ids}, *itertools.chain.from_iterable(map(flat, below))]


def agree(version: Version, name: str, request: Json, decision: Json) -> None:
    pathways = [told(node, request, []) for node in version.pathways]
    states = [nodes[0]["state"] for nodes in pathways]
    exclusions = [told(node, request, states) for node in version.exclusions]
    unless = [nodes[0]["state"] for nodes in exclusions]
    outcome = "needs_information"
    if "met" in unless or set(states) == {"not_met"}:
        outcome = "not_approved"
    elif "met" in states and "unknown" not in unless:
        outcome = "approved"
    want = [*itertools.chain.from_iterable(pathways + exclusions), {"id": "the outcome", "state": outcome}]
    nodes = decision["criteria"]["pathways"] + decision["criteria"]["exclusions"]
    have = [*itertools.chain.from_iterable(map(flat, nodes)), {"id": "the outcome", "state": decision["outcome"]}]
    for said, seen in itertools.zip_longest(want, have):
        if said != seen:
            sys.exit(f"{version.file.name}: the page would say {said}, the policy says {seen}: vector {name!r}")


# Words.


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, in a table too."""
    return re.sub(r"([\\`*_|\[\]~])", r"\\\1", html.escape(text.strip(), quote=False))


def code(text: str) -> str:
    return f"`{text}`"


def table(head: str, rows: Iterable[list[str]]) -> list[str]:
    width = head.count("|") + 1
    return [f"| {head} |", "|" + " --- |" * width, *(f"| {' | '.join(row)} |" for row in rows), ""]


def link(heading: str) -> str:
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{plain(heading)}](#{anchor})"


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


class Strict(ErrorListener):  # type: ignore[misc]
    """Where fhirpathpy would mend what it cannot parse, and go on."""

    def syntaxError(self, recognizer: object, symbol: object, line: int, column: int, message: str, e: object) -> None:
        raise ValueError(f"at {column}, {message}")


def parse_fhirpath(expression: str) -> None:
    """Raises `ValueError` for what is no FHIRPath, or calls what fhirpathpy does not have."""
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(Strict())
    parser.entireExpression()
    for function in re.findall(r"(\w+)\(", re.sub(r"'(?:[^'\\]|\\.)*'", "", expression)):
        if function not in invocation_registry:
            raise ValueError(f"there is no function {function}")


def check_fhirpath(files: list[File], catalogue: Json) -> None:
    """tools/check needs OPA alone, and OPA cannot parse it."""
    named = {tuple(file.path[1:]): file.name for file in files}
    found = [
        (named["fhir",], kind, test["where"])
        for kind, resource in catalogue["fhir"]["resources"].items()
        for test in [{"where": resource.get("code", "true")}, *resource["stands"]]
    ]
    found += [
        (named["records", entry["document"], held["version"]], fact, rule[part])
        for entry in catalogue["documents"]
        for held in entry["versions"]
        for fact, rules in held["record"].items()
        for rule in rules
        for part in ("where", "read")
        if part in rule
    ]
    for file, of, expression in found:
        try:
            parse_fhirpath(expression)
        except ValueError as error:
            sys.exit(f"{file}: {of} is read by what is no FHIRPath, {error}: {expression}")


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


def readings(document: str) -> list[Reading]:
    """The rows of the table below the heading of the document in docs/readings.md."""
    text = (DOCS / "readings.md").read_text(encoding="utf-8")
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
                    f"{one.version}, this page" if one is version else f"[{one.version}]({one.page})",
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


def pages() -> dict[str, str]:
    """What docs/ should hold, by name of file."""
    paths = sorted((ROOT / "policy").rglob("*.rego"))
    with ThreadPoolExecutor() as pool:
        files = list(pool.map(File, (str(path.relative_to(ROOT)) for path in paths)))
    criteria = {tuple(file.path[2:]): file for file in files if "pathways" in file.rules}
    advisories = [row for file in files if file.path[:2] != ["payer", "criteria"] for row in file.advisories]
    held: dict[str, list[Version]] = {}
    catalogue = evaluate("data.payer.catalogue")
    check_fhirpath(files, catalogue)
    for entry in catalogue["documents"]:
        document = entry["document"]
        module = document.lower().replace("-", "").replace(".", "_")
        for version in reversed(entry["versions"]):
            dated = f"{module}_{version['version'].replace('-', '_')}.md"
            name = dated if document in held else f"{module}.md"
            held.setdefault(document, []).append(Version(criteria[document, version["version"]], version, name))
    # All at once: starting OPA costs more than most decisions.
    questions = [vector["input"] for vector in VECTORS.values()]
    decisions = evaluate("[d | some r in input; d := data.payer.decision with input as r]", questions)
    by_version = {(one.document, one.version): one for versions in held.values() for one in versions}
    for (name, vector), decision in zip(VECTORS.items(), decisions, strict=True):
        if decision["next_step"] not in OUTCOMES[decision["outcome"]][1]:
            sys.exit(
                f"a page would not say that {decision['next_step']} follows {decision['outcome']}: vector {name!r}"
            )
        if decision["criteria"]:
            one = by_version[decision["policy"]["document"], decision["policy"]["version"]]
            agree(one, name, vector["input"], decision)
            for id_, state in vector["expect"].get("states", {}).items():
                one.vectors[id_][state].append(name)
    made = {}
    for document, versions in held.items():
        read = readings(document)
        known = {"document", *(node.id for one in versions for node in one.nodes)}
        for reading in read:
            if unknown := set(reading.clauses) - known:
                sys.exit(f"docs/readings.md: {document} has no {', '.join(sorted(unknown))}: {reading.words}")
        made.update({one.page: page(one, versions, read, advisories) for one in versions})
    return made


def main() -> None:
    wanted = {DOCS / name: text for name, text in pages().items()}
    held = {path: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    made = {path: text for path, text in held.items() if text.startswith(MADE) or path in wanted}
    if sys.argv[1:] == ["--check"]:
        for path in sorted(made.keys() | wanted.keys()):
            name = str(path.relative_to(ROOT))
            old, new = (texts.get(path, "").splitlines(keepends=True) for texts in (made, wanted))
            sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name}, made anew", n=1))
        if made != wanted:
            sys.exit("docs/ is stale: make docs")
        return
    for path in made.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
