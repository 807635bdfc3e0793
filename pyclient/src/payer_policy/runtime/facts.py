"""What the facts of every document have in common; those of each are in a module of its own, made by `make facts`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypedDict, TypeVar, get_args, get_origin, get_type_hints

from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.vocabulary import choose

F = TypeVar("F", bound="FactsBase")


class LessThan(TypedDict):
    less_than: float


class AtMost(TypedDict):
    at_most: float


class AtLeast(TypedDict):
    at_least: float


class MoreThan(TypedDict):
    more_than: float


# What a laboratory reports as <0.01 %: a number known within a bound only, `{"less_than": 0.01}`.
Bound = LessThan | AtMost | AtLeast | MoreThan

# More are refused by the policy; to round is for the caller, who knows how many were measured.
MOST_DIGITS = 15

_SIDES = ("less_than", "at_most", "at_least", "more_than")

# How a bound is written beside its number; of two signs that begin alike the longer first.
SIGNS = {"<=": "at_most", ">=": "at_least", "<": "less_than", ">": "more_than"}

# How many of the unit of a fact, the first name, make one of another; exact in decimals, or it is not here.
_UNITS = {
    "percent": {"%": Decimal(1), "fraction": Decimal(100)},
    "g/dL": {"g/L": Decimal("0.1")},
}


@dataclass(frozen=True, repr=False)
class Quantity:
    """A number, or a bound on one, in a unit: `Quantity(94, "g/L")`. `FactsBase.of` turns it into the unit of its fact,
    exact in decimals."""

    value: float | Decimal | Bound
    unit: str

    def __repr__(self) -> str:
        """It is health data."""
        return "Quantity(…)"

    def into(self, unit: str, path: str) -> float | dict[str, float]:
        """The number or the bound in another unit. Raises `InvalidValue` with the path when there is no such way."""
        others = _UNITS.get(unit, {})
        factors = {name.casefold(): factor for name, factor in {unit: Decimal(1), **others}.items()}
        factor = factors.get(self.unit.casefold()) if isinstance(self.unit, str) else None
        if factor is None:
            raise InvalidValue(f"the unit of {path} must be one of {', '.join([unit, *others])}")
        if isinstance(self.value, Mapping):
            if len(self.value) != 1 or not self.value.keys() <= set(_SIDES):
                raise InvalidValue(f"{path} must be a number, or a bound: one of {', '.join(_SIDES)}")
            return {side: _times(number, factor, path) for side, number in self.value.items()}
        return _times(self.value, factor, path)


def _times(number: object, factor: Decimal, path: str) -> float:
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        raise InvalidValue(f"{path} must be a number")
    with suppress(ArithmeticError, ValueError):  # beyond what a Decimal holds
        given = Decimal(str(number))
        product = float(given * factor)
        if math.isfinite(product):
            if len("".join(map(str, given.as_tuple().digits)).strip("0")) > MOST_DIGITS:
                raise InvalidValue(f"{path} must have at most {MOST_DIGITS} significant digits")
            return product
    raise InvalidValue(f"{path} must be a finite number")


@dataclass(frozen=True, kw_only=True, repr=False)
class FactsBase:
    """What is known for the criteria of a document. None means unknown, never false."""

    _synonyms: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """By fact, other words for its values."""

    _units: ClassVar[Mapping[str, str]] = {}
    """By fact, the unit that its numbers are in."""

    @classmethod
    def of(cls: type[F], **known: Any) -> F:  # noqa: ANN401
        """Facts in the words of a sender: any case, synonyms (a brand name, say), a `Quantity` in a unit of its own.

        A word that is not known is refused, never taken for `other`. Raises `InvalidValue` for it and for an unknown
        fact, with what is meant when it is but a slip of spelling.
        """
        hints = get_type_hints(cls)
        known_names = [field.name for field in fields(cls)]
        names = {name: choose("the name of a fact", name, known_names) for name in known}
        if len(set(names.values())) < len(names):
            raise InvalidValue("a fact is named twice")
        return cls(**{names[name]: cls._value(names[name], value, hints[names[name]]) for name, value in known.items()})

    @classmethod
    def _value(cls, name: str, value: object, hint: object) -> object:
        kind = get_args(hint)[0]  # what is left is None, and the bounds on a number
        if isinstance(value, Quantity):
            if name not in cls._units:
                raise InvalidValue(f"facts.{name} has no unit")
            return value.into(cls._units[name], f"facts.{name}")
        if value is None or get_origin(kind) is None:
            return value
        synonyms = cls._synonyms.get(name, {})
        if get_origin(kind) is Literal:
            return choose(f"facts.{name}", value, get_args(kind), synonyms)
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise InvalidValue(f"facts.{name} must be a list of names")
        values = get_args(get_args(kind)[0])
        return tuple(choose(f"facts.{name}[{number}]", word, values, synonyms) for number, word in enumerate(value))

    def __repr__(self) -> str:
        """Names no fact: facts are health data."""
        return f"{type(self).__name__}(…)"
