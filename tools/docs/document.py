"""A version of a document, as OPA parses its files and the catalogue has it."""

import base64
import itertools
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tools import ROOT
from tools.docs.markdown import code, plain

STATES = {"met": "met", "not_met": "not met", "unknown": "unknown"}
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
    """A version of a document: its file of criteria, what the catalogue says, and whether it is a draft."""

    def __init__(self, file: File, held: Json, page: str, draft: bool) -> None:
        self.file, self.held, self.page, self.draft = file, held, page, draft
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


def combined(node: Node, states: list[str]) -> str:
    """The state of a compound whose parts have these: tried as if all that is unknown were met, and as if none were."""
    least = {"all_of": len(states), "at_least_n_of": (node.arguments or [0])[0]}.get(node.function, 1)
    negated = node.function in {"none_of", "fallback"}
    met = states.count("met")
    return one_state((count >= least) != negated for count in (met, met + states.count("unknown")))


def one_state(possible: Iterable[bool]) -> str:
    states = {"met" if one else "not_met" for one in possible}
    return states.pop() if len(states) == 1 else "unknown"
