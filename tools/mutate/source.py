"""A Rego file as OPA parses it, and what stands where in its text."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

Node: TypeAlias = dict[str, Any]
Words: TypeAlias = tuple[str, ...]  # words, as Rego writes them, of which one could stand for another


class Failure(Exception):
    """What stops the run before it says anything about the tests."""


def one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:159] + "…"


class Source:
    """A Rego file, its text and its tree."""

    def __init__(self, opa: str, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.text = path.read_text(encoding="utf-8")
        command = [opa, "parse", "--format", "json", "--json-include", "locations,-comments", str(path)]
        parsed = subprocess.run(command, capture_output=True, text=True, check=False)
        if parsed.returncode:
            raise Failure(f"{name} does not parse: {parsed.stderr or parsed.stdout}")
        tree: Node = json.loads(parsed.stdout)
        self.package = [term["value"] for term in tree["package"]["path"][1:]]
        kind = self.package[1] if self.package[0] == "payer" and len(self.package) > 1 else ""
        self.document = self.package[2] if kind in {"criteria", "records"} else ""
        # What of a FHIR record establishes a fact decides nothing; the tests of who reads it hold it.
        self.decides = kind not in {"fhir", "records"}
        self.imports: list[Node] = tree.get("imports", [])
        self.rules: list[Node] = tree.get("rules", [])
        self._lines = [0]
        for line in self.text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)

    def start(self, node: Node) -> int:
        return self.span(node)[0]

    def end(self, node: Node) -> int:
        return self.span(node)[1]

    def span(self, node: Node) -> tuple[int, int]:
        location = node["location"]
        text = base64.b64decode(location["text"]).decode()
        start = self._lines[location["row"] - 1] + location["col"] - 1
        if text == "-" and node.get("type") == "number":  # only the sign is given
            text = re.compile(r"-\s*[\d.eE+-]+").match(self.text, start)[0]  # type: ignore[index]
        if text.startswith("}") and not self.text.startswith(text, start):  # of {…}[a] only the end is given
            text = self.text[start : self.text.index(text, start) + len(text)]
        while not self.text.startswith(text, start):  # the column of (a) is that of a
            start -= 1
            if not text.startswith("(") or self.text[start] not in "( \t\n":
                raise Failure(f"{self.name}:{location['row']}:{location['col']}: {text!r} does not stand there")
        return start, start + len(text)

    def literal(self, node: Node) -> bool:
        """Whether a scalar stands in the text as such; `a.b` holds a string that does not, a bare rule a `true`."""
        starts = {"string": '"`', "number": "-0123456789", "boolean": "tf"}.get(node.get("type", ""))
        if not starts or "location" not in node:
            return False
        text = base64.b64decode(node["location"]["text"]).decode()
        return text[0] in starts and (node["type"] != "boolean" or text == word(node))


def word(node: Node) -> str:
    """A scalar as Rego writes it."""
    return json.dumps(node["value"], ensure_ascii=False)


def terms(node: Node | list[Node]) -> Iterator[Node]:
    """Every node of a tree."""
    if isinstance(node, dict):
        yield node
        for name, child in node.items():
            if name != "location":
                yield from terms(child)
    elif isinstance(node, list):
        for child in node:
            yield from terms(child)


def branches(rule: Node) -> Iterator[Node]:
    """A rule and its else branches."""
    while rule:
        yield rule
        rule = rule.get("else", {})


def column(nodes: Iterable[Node]) -> Words:
    """The scalars among some terms, each once."""
    return tuple(dict.fromkeys(word(node) for node in nodes if node["type"] in {"string", "number", "boolean"}))


def rule_name(rule: Node) -> str:
    return ".".join(str(term["value"]) for term in rule["head"]["ref"])
