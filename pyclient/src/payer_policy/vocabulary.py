"""Words of a sender turned into values of the contract: any case, synonyms, a suggestion for what is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

from payer_policy.errors import InvalidValue


def in_values(facts: type, known: Mapping[str, Any], synonyms: Mapping[str, str]) -> dict[str, Any]:
    """What is known, in the names and values of a document's `Facts`, whose type hints say what they are.

    Raises `InvalidValue` as `choose` does, and for a list that is none. Numbers and booleans are passed on.
    """
    hints = get_type_hints(facts)
    names = {name: choose("the name of a fact", name, hints) for name in known}
    if len(set(names.values())) < len(names):
        raise InvalidValue("a fact is named twice")
    return {names[name]: _in_values(names[name], value, hints[names[name]], synonyms) for name, value in known.items()}


def _in_values(name: str, value: object, hint: object, synonyms: Mapping[str, str]) -> object:
    kind = get_args(hint)[0]  # the other is None
    if value is None or get_origin(kind) is None:
        return value
    if get_origin(kind) is Literal:
        return choose(f"facts.{name}", value, get_args(kind))
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidValue(f"facts.{name} must be a list of names")
    values = get_args(get_args(kind)[0])
    return tuple(choose(f"facts.{name}[{number}]", word, values, synonyms) for number, word in enumerate(value))


def choose(path: str, word: object, values: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """The value that `word` means: one of `values` or a synonym of one, in any case, with spaces or hyphens.

    Raises `InvalidValue` with the path, the nearest valid value and all valid ones. Never with the word: it may be
    health data.
    """
    known = {value: value for value in values}
    known |= {_plain(name): value for name, value in (synonyms or {}).items() if value in known}
    plain = _plain(word) if isinstance(word, str) else ""
    if plain in known:
        return known[plain]
    near = get_close_matches(plain, known, n=1, cutoff=0.6)
    suggestion = f"; the nearest is {known[near[0]]}" if near else ""
    raise InvalidValue(f"{path} must be one of {', '.join(sorted(set(known.values())))}{suggestion}")


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
