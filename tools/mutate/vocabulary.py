"""The words of some files, of which one could stand for another."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tools.mutate.source import Node, Source, Words, branches, column, rule_name, terms

# What a fact says to people: the published text locks it, and no test reads it.
SPOKEN = {"question", "unit", "synonyms"}


class Vocabulary:
    """Which words stand in one column somewhere: members, keys, values, and what the branches of a rule say."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.lists: list[Words] = []  # of sets and keys
        self.columns: list[Words] = []
        self.functions: dict[tuple[str, ...], dict[str, Words]] = {}
        for source in sources:
            functions = self.functions.setdefault(tuple(source.package), {})
            heads: dict[str, list[list[Node]]] = {}
            for rule in source.rules:
                if "args" in rule["head"]:
                    functions[rule_name(rule)] = tuple(str(term["value"]) for term in rule["head"]["args"])
                for branch in branches(rule):
                    head = branch["head"]
                    value = [head[name] for name in ("value", "key") if name in head]
                    said = [value, *([term] for term in head["ref"][1:]), *([term] for term in head.get("args", []))]
                    columns = heads.setdefault(head["ref"][0]["value"], [[] for _ in said])
                    for held, new in zip(columns, said, strict=False):
                        held.extend(new)
            self.columns += [column(held) for columns in heads.values() for held in columns]
            for node in terms(source.rules):
                if node.get("type") == "array":
                    self._table(node["value"])
                elif node.get("type") == "set":
                    self.lists.append(column(node["value"]))
                elif node.get("type") == "object":
                    self.lists.append(column(key for key, _ in node["value"]))
                    self.columns.append(column(value for _, value in node["value"]))

    def _table(self, rows: list[Node]) -> None:
        """Of a list of objects, what stands below each key, as the names of facts."""
        columns: dict[str, list[Node]] = {}
        for row in rows:
            for key, value in row["value"] if row["type"] == "object" else []:
                columns.setdefault(str(key["value"]), []).append(value)
        self.columns[:0] = [column(held) for name, held in columns.items() if name not in SPOKEN]

    def others(self, said: str, own: Words = ()) -> list[str]:
        """What else could stand in a word's place, its own column first."""
        columns = [own, *(held for held in self.columns + self.lists if said in held)]
        return [other for other in dict.fromkeys(other for held in columns for other in held) if other != said]

    def beyond(self, held: Words) -> list[str]:
        """What the smallest list that holds all of these holds besides."""
        wider = [wide for wide in self.lists if set(held) < set(wide)]
        return [other for other in min(wider, key=len) if other not in held] if held and wider else []

    def field(self, name: str) -> str | None:
        """The name that follows in a table of names."""
        for held in self.lists:
            names = [json.loads(other) for other in held]
            if name in names:
                following = names[(names.index(name) + 1) % len(names)]
                if following != name and isinstance(following, str) and following.isidentifier():
                    return following
        return None
