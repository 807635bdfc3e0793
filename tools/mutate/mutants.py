"""The mutants of a Rego file: OPA's parser says what stands where, and each is one edit of the source text there.

Expressions and branches are dropped and negated; operators, limits, strings and functions become their neighbours;
members of sets, objects and lists go, come and change places. What a fact says to people is no rule, and stays.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from tools.mutate.source import Node, Source, Words, branches, column, one_line, rule_name, word
from tools.mutate.vocabulary import SPOKEN, Vocabulary

Key: TypeAlias = tuple[str, str, str, str]  # file, rule (its head when several share the name), line before and after

COMPARISONS = {">=": ">", ">": ">=", "<=": "<", "<": "<=", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": ["-"], "-": ["+", "&"], "*": ["/"], "/": ["*"], "%": ["*"], "|": ["&"], "&": ["|"]}
OPPOSITES = [("max", "min"), ("startswith", "endswith"), ("trim_prefix", "trim_suffix"), ("upper", "lower")]
OPPOSITES += [("floor", "ceil"), ("object.remove", "object.filter"), ("json.remove", "json.filter")]
BUILTINS = dict(OPPOSITES) | {b: a for a, b in OPPOSITES}
COMPREHENSIONS = {"arraycomprehension", "setcomprehension", "objectcomprehension"}
SWAPS = 2  # at most so many other words are tried in place of one
ADDITIONS = 3  # at most so many words are added to a closed list


@dataclass(frozen=True)
class Mutant:
    """One edit: `source[start:end]` becomes `text`."""

    source: Source
    rule: str
    kind: str
    start: int
    end: int
    text: str

    @property
    def mutated(self) -> str:
        return self.source.text[: self.start] + self.text + self.source.text[self.end :]

    @property
    def line(self) -> int:
        start, replaced = self.start, self.source.text[self.start : self.end]
        return self.source.text.count("\n", 0, start + len(replaced) - len(replaced.lstrip())) + 1

    @property
    def change(self) -> tuple[str, str]:
        """The lines that differ, before and after, in one line each."""
        before, after = self.source.text.split("\n"), self.mutated.split("\n")
        while before and after and before[-1] == after[-1]:
            del before[-1], after[-1]
        while before and after and before[0] == after[0]:
            del before[0], after[0]
        return one_line("\n".join(before)), one_line("\n".join(after))

    @property
    def key(self) -> Key:
        """What names it in the list of equivalents: no line number, so that edits elsewhere do not matter."""
        return (self.source.name, self.rule, *self.change)

    def __str__(self) -> str:
        before, after = self.change
        return f"{self.source.name}:{self.line} {self.rule}: {self.kind}\n  - {before}\n  + {after}"


class Generator:
    """The mutants of one file."""

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self.source, self.vocabulary = source, vocabulary
        self.rule = ""
        self.found: dict[str, Mutant] = {}
        names = Counter(rule_name(rule) for rule in source.rules)
        for rule in source.rules:
            self.rule = rule_name(rule)
            if names[self.rule] > 1:
                self.rule = one_line(source.text[slice(*source.span(rule["head"]))])
            if source.document and self.rule == "facts":
                self._facts(rule["head"]["value"])
            else:
                self._rule(rule)

    def _add(self, kind: str, start: int, end: int, text: str) -> None:
        mutant = Mutant(self.source, self.rule, kind, start, end, text)
        if self.source.text[start:end] != text:
            self.found.setdefault(mutant.mutated, mutant)

    def _replace(self, kind: str, node: Node, text: str) -> None:
        self._add(kind, *self.source.span(node), text)

    def _remove(self, kind: str, items: list[tuple[int, int]], i: int, alone: str) -> None:
        """Takes an item and what parts it from the next one, or else from the one before."""
        if len(items) == 1:
            self._add(kind, *items[0], alone)
        elif i + 1 < len(items):
            self._add(kind, items[i][0], items[i + 1][0], "")
        else:
            self._add(kind, items[i - 1][1], items[i][1], "")

    def _rule(self, rule: Node) -> None:
        if rule.get("default"):
            self._add("default dropped", self.source.start(rule), self.source.end(rule["head"]), "")
        for branch in branches(rule):
            head = branch["head"]
            if not rule.get("default"):
                self._never(branch)
            self._body(branch["body"])
            for term in [*head["ref"][1:], *head.get("args", [])]:
                self._term(term)
            for name in {"value", "key"} & head.keys():
                self._term(head[name])

    def _facts(self, facts: Node) -> None:
        """The names, types, values and limits; which keys there are is closed, and what is said to people no rule."""
        self._reorder([self.source.span(fact) for fact in facts["value"]])
        for fact in facts["value"]:
            for key, value in fact["value"]:
                if key["value"] == "values":
                    names = sorted(value["value"], key=lambda pair: self.source.start(pair[0]))
                    spans = [(self.source.start(name), self.source.end(label)) for name, label in names]
                    for i in range(len(spans)):
                        self._remove("member removed", spans, i, "")
                elif key["value"] not in SPOKEN:
                    self._term(value)

    def _never(self, branch: Node) -> None:
        body = branch["body"]
        if body[0].get("generated"):
            end = self.source.end(branch["head"])
            self._add("branch dropped", end, end, " if false")
            return
        start, end = self.source.start(body[0]), self.source.end(body[-1])
        if self.source.text[:start].rstrip().endswith("{"):
            self._add("branch dropped", start, start, "false; ")
        else:
            self._add("branch dropped", start, end, f"{{ false; {self.source.text[start:end]} }}")

    def _body(self, body: list[Node]) -> None:
        if body[0].get("generated"):
            return
        spans = [self.source.span(expression) for expression in body]
        for i, expression in enumerate(body):
            self._remove("expression dropped", spans, i, "true")
            self._expression(expression)

    def _expression(self, expression: Node) -> None:
        start, end = self.source.span(expression)
        held = expression["terms"]
        operator = self._operator(held[0]) if isinstance(held, list) else ""
        if expression.get("negated"):
            bare = re.compile(r"not\s+").match(self.source.text, start)
            self._add("not dropped", start, bare.end() if bare else start, "")
        elif operator not in {":=", "="} and "symbols" not in held:
            self._add("not added", start, start, "not ")
        for modifier in expression.get("with", []):
            self._replace("with dropped", modifier, "")
            self._term(modifier["value"])
        if isinstance(held, list):
            self._call(held)
        elif "symbols" in held:
            for symbol in held["symbols"]:
                self._term(symbol)
        elif "domain" in held:
            self._every(held, start, end)
        else:
            self._term(held)

    def _every(self, every: Node, start: int, end: int) -> None:
        names = ", ".join(str(every[name]["value"]) for name in ("key", "value") if every.get(name))
        domain = slice(*self.source.span(every["domain"]))
        body = slice(self.source.start(every["body"][0]), self.source.end(every["body"][-1]))
        text = f"some {names} in {self.source.text[domain]}\n{self.source.text[body]}"
        self._add("every to some", start, end, text)
        self._term(every["domain"])
        self._body(every["body"])

    def _term(self, term: Node, own: Words = ()) -> None:
        kind: str = term["type"]
        value: Any = term.get("value")
        if self.source.literal(term):
            self._scalar(term, own)
        elif kind == "call":
            self._call(value)
        elif kind == "ref":
            self._ref(value)
        elif kind in COMPREHENSIONS:
            self._body(value["body"])
            for name in {"term", "key", "value"} & value.keys():
                self._term(value[name])
        elif kind == "object":
            self._object(term)
        elif kind in {"array", "set"}:
            self._members(term)

    def _ref(self, value: list[Node]) -> None:
        for term in value[1:]:
            self._term(term)
        last = value[-1]
        if last["type"] == "string" and not self.source.literal(last) and len(value) > 1:
            name = self.vocabulary.field(last["value"])
            if name:
                self._replace("field swapped", last, name)

    def _operator(self, operator: Node) -> str:
        return self.source.text[slice(*self.source.span(operator))]

    def _call(self, call: list[Node]) -> None:
        operator, arguments = call[0], call[1:]
        name = self._operator(operator)
        if name in COMPARISONS:
            self._replace("comparison", operator, COMPARISONS[name])
        for other in ARITHMETIC.get(name, []):
            self._replace("operator", operator, other)
        if name in BUILTINS:
            self._replace("built-in swapped", operator, BUILTINS[name])
        for other in self._other_functions(name):
            self._replace("function swapped", operator, other)
        for term in arguments:
            self._term(term)

    def _other_functions(self, name: str) -> list[str]:
        """The neighbours of a function that comes from an import: those whose arguments have the same names."""
        alias, _, function = name.partition(".")
        for imported in self.source.imports:
            path = [term["value"] for term in imported["path"]["value"][1:]]
            if path and alias == imported.get("alias", path[-1]):
                functions = self.vocabulary.functions.get(tuple(path), {})
                named = functions.get(function)
                return [
                    f"{alias}.{other}" for other, names in functions.items() if names == named and other != function
                ]
        return []

    def _scalar(self, term: Node, own: Words, *, unique: bool = False) -> None:
        """A literal; `unique` when it is a key or a member, which must not become what stands beside it."""
        said = word(term)
        if term["type"] == "boolean":
            texts, kind = ["false" if term["value"] else "true"], "boolean flipped"
        elif term["type"] == "number":
            texts, kind = _beside(said), "number"
        elif unique:
            return
        else:
            texts, kind = self.vocabulary.others(said, own)[:SWAPS], "string swapped"
            texts = [text for text in texts if text.startswith('"')]
            if not texts:
                texts, kind = self._cut(term), "string cut"
        for text in texts:
            if not unique or text not in own:
                self._replace(kind, term, text)

    def _cut(self, term: Node) -> list[str]:
        """A string without its last character, and a raw string, a pattern as a rule, also without its first."""
        text = self.source.text[slice(*self.source.span(term))]
        if len(text) == 2:
            return ['"mutated"']
        if text[0] == "`":
            return [text[:-2] + "`", "`" + text[2:]]
        return [json.dumps(term["value"][:-1], ensure_ascii=False)]

    def _object(self, term: Node) -> None:
        pairs = sorted(term["value"], key=lambda pair: self.source.start(pair[0]))
        keys, values = column(key for key, _ in pairs), column(value for _, value in pairs)
        spans = [(self.source.start(key), self.source.end(value)) for key, value in pairs]
        for i, (key, value) in enumerate(pairs):
            self._remove("member removed", spans, i, "")
            self._term(value, values)
            if self.source.literal(key):
                self._scalar(key, keys, unique=True)
            else:
                self._term(key)
        if pairs and all(self.source.literal(value) for _, value in pairs):
            for other in self.vocabulary.beyond(keys)[:ADDITIONS]:
                for value in values:
                    self._add("member added", spans[0][0], spans[0][0], f"{other}: {value}, ")

    def _members(self, term: Node) -> None:
        is_set = term["type"] == "set"
        members = sorted(term["value"], key=self.source.start)
        spans = [self.source.span(member) for member in members]
        words = column(members)
        for i, member in enumerate(members):
            if is_set and len(members) == 1:
                self._replace("member removed", term, "set()")
            else:
                self._remove("member removed", spans, i, "")
            if self.source.literal(member):
                self._scalar(member, words, unique=is_set or member["type"] == "string")
            else:
                self._term(member)
        if is_set:
            for other in self.vocabulary.beyond(words)[:ADDITIONS]:
                self._add("member added", spans[0][0], spans[0][0], f"{other}, ")
        else:
            self._reorder(spans)

    def _reorder(self, spans: list[tuple[int, int]]) -> None:
        text = self.source.text
        for (start, middle), (next_, end) in itertools.pairwise(spans):
            self._add("order swapped", start, end, text[next_:end] + text[middle:next_] + text[start:middle])


def _beside(number: str) -> list[str]:
    """A whole number one less and one more; any other a tenth of its last place less and more."""
    places = int(Decimal(number).as_tuple().exponent)
    step = Decimal(1).scaleb(places - 1) if places < 0 else Decimal(1)
    return [f"{Decimal(number) + by:f}" for by in (-step, step)]
