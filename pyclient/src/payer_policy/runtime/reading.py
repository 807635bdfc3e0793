"""JSON and YAML text as plain values, in which a number stays what was written: nothing is rounded on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.values import RequestError


class Unreadable(InvalidValue):
    """Text that holds no values. The message says why, and in which line where that is known."""


class NotJson(Unreadable):
    """It may still be YAML."""


class Number(Decimal):
    """A number that no int or float holds as it was written: the policy gets its `text`, and refuses it."""

    text: str

    def __new__(cls, text: str) -> Number:
        try:
            number = super().__new__(cls, text)
        except InvalidOperation:  # an exponent of more than eighteen digits
            number = super().__new__(cls, "Infinity")
        number.text = text
        return number


# The contract's limit and so much that no number which is taken has to be kept as text.
_LONGEST = 100


def number(text: str) -> int | float | Number:
    """The number that JSON text says: an int or a float if that is exactly the same, else a `Number`."""
    exact = Number(text)
    if len(text) <= _LONGEST and exact.is_finite():
        plain = int(text) if text.lstrip("-").isdigit() else float(text)
        if Decimal(repr(plain)) == exact:
            return plain
    return exact


def read_json(text: str | bytes) -> Any:  # noqa: ANN401
    """Raises `Unreadable`."""
    try:
        return json.loads(text, object_pairs_hook=_once_named, parse_float=number, parse_int=number)
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}: " if error.lineno > 1 else ""
        raise NotJson(f"{line}not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None


def _once_named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):  # JSON would let the last one win silently
        raise Unreadable("a name stands twice in an object")
    return whole


def read_yaml(text: str) -> list[Any]:
    """The documents in it that are not empty. Raises `Unreadable`.

    What is not quoted means what it means in JSON, with the spellings of true, false and null in YAML 1.2; by YAML
    1.1, which PyYAML reads, 1:10 is 70, 010 is 8, 1e-1 text and `no` false. All else is text, dates too: the policy
    says best what is wrong with 2025-02-30. Aliases are refused, since a few lines of them hold billions of values,
    and tags, since they make something else of a value.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.AliasEvent):
                raise _at(event, "an alias (*name) is not read; write out what it stands for")
            if getattr(event, "tag", None) is not None:
                raise _at(event, "a tag (!name) is not read; write the value alone")
            if getattr(event, "style", None) == ">":  # as in mrd_percent: >5
                raise _at(event, _FOLDED)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            # As in {mrd_percent: 0,5} or 0,05.
            if any(name.tag != _TEXT or (name.style is None and name.value[:1].isdigit()) for name, _ in node.value):
                raise _at(node, "a name is not text; in braces a comma separates, and a number has a point")
            names = [name.value for name, _ in node.value]
            if len(set(names)) < len(names):
                raise _at(node, "a name stands twice in an object")
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {}
    for kind, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", pattern, first)
    Loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: number(node.value))
    try:
        return [document for document in yaml.load_all(text, Loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        folded = getattr(error, "context", None) == "while scanning a block scalar"  # >100
        raise Unreadable(line + (_FOLDED if folded else "neither JSON nor YAML")) from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None


def _at(place: Any, problem: str) -> Unreadable:  # noqa: ANN401
    return Unreadable(f"line {place.start_mark.line + 1}: {problem}")


_TEXT = "tag:yaml.org,2002:str"

_FOLDED = "text after > is not read; write a bound as {more_than: 5}"

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?"

# What stands for something else than text when it is not quoted: as in JSON, and what YAML has for nothing.
_PLAIN: list[tuple[str, re.Pattern[str], list[str]]] = [
    ("null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("float", re.compile(rf"{_NUMBER}\Z", re.ASCII), list("-0123456789")),
]


class Notation(NamedTuple):
    """How a kind of file says what is not known exactly."""

    bound: str
    other_bounds: str
    unknown: str


JSON = Notation('{"less_than": 0.01}', "at_most, at_least, more_than", "null")  # and YAML
CELLS = Notation("<0.01", "<=, >=, >", "an empty cell")

# What is no number, and what to write instead; the first that fits. Who follows it must not say something else than was
# meant: of 5 ‰ the number alone would be ten times as much, of 4 log it has nothing to do with a percentage.
_NEARLY = [
    (_NUMBER, "write the number without quotes"),
    (
        r".*(?:[<>≤≥]|\b(?:less|more|greater|below|above|under|over|least|most)\b).*",
        "write a bound as {0.bound}, in the unit of the fact; or with {0.other_bounds}",
    ),
    (r"[-+]?\d+,\d+(?:e[-+]?\d+)?", "write a decimal point, not a comma, and nothing between thousands"),
    (
        r"(?s:.*)",
        "write a number as 0.5, 12 or 1e-4, converted to the unit of the fact; a bound as {0.bound}; {0.unknown} when"
        " neither is known",
    ),
]


_CAST = "cast its column to numbers; a bound has its place in facts of JSON"


def hints(request: Any, errors: Iterable[RequestError], notation: Notation | None) -> Iterator[str]:  # noqa: ANN401
    """For each fact that is text but should be a number, or whose bound is: what to write instead, without the text. Of
    a table, in which a fact has a column or a field of one type, there is no notation."""
    facts = request.get("facts") if isinstance(request, dict) else None
    for error in errors:
        value = facts.get(error.path.removeprefix("facts.")) if isinstance(facts, dict) else None
        if isinstance(value, dict) and len(value) == 1:  # a bound
            [value] = value.values()
        if isinstance(value, str) and error.message.startswith(("must be a number", "must be a whole number")):
            text = value.strip()[:40]
            hint = next(hint for pattern, hint in _NEARLY if re.fullmatch(pattern, text, re.IGNORECASE))
            yield f"{error.path} {error.message}: {hint.format(notation) if notation else _CAST}"
