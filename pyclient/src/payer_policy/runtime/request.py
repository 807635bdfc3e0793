"""The request of the contract: a value, and the JSON text as which it is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from numbers import Complex, Integral, Real
from typing import Any, NamedTuple
from uuid import UUID

from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.facts import FactsBase
from payer_policy.runtime.reading import Number, number

# In bits, as the exponent of a float; Python refuses to write much longer ones.
_LONGEST_INTEGER = 1024


@dataclass(frozen=True)
class Request:
    """One prior-authorisation request.

    `facts` is the `Facts` of the document's module (`payer_policy.cc0126`) or a mapping; a number may be a bound,
    `{"less_than": 0.01}`. `codes` is `{"hcpcs": str, "icd10": [str, …]}`, informational. `unavailable` names the facts
    that were asked for and cannot be had: they stay unknown, but are not asked for again. What is valid is decided by
    the policy, not here. Its repr names the document only, since the rest is health data.
    """

    document: str
    date_of_service: date | str = field(repr=False)
    facts: FactsBase | Mapping[str, Any] = field(repr=False)
    request_id: str | UUID | None = field(default=None, repr=False)
    codes: Mapping[str, Any] | None = field(default=None, repr=False)
    unavailable: Sequence[str] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The request as the policy takes it; facts that are None are left out. Raises `InvalidValue`."""
        request = {
            "document": self.document,
            "date_of_service": self.date_of_service,
            "request_id": self.request_id,
            "codes": self.codes,
            "facts": self.facts,
            "unavailable": self.unavailable,
        }
        return {name: to_json(value, name) for name, value in request.items() if value is not None}


# OPA refuses a whole body for a number of a larger or smaller exponent; many readers of JSON, for one of thousands of
# digits.
_LARGEST_EXPONENT, _LONGEST_NUMBER = 30_000, 1_000

_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False)

# What `decide` takes: a `Request`, or its plain dict.
AnyRequest = Request | Mapping[str, Any]


class Written(NamedTuple):
    """A request as JSON text, and as the plain types that its decision is compared with."""

    text: str
    plain: Any

    def __repr__(self) -> str:
        """It is health data."""
        return "Written(…)"


def written(request: AnyRequest) -> Written:
    """A request as it is sent. Raises `InvalidValue` with the path for what JSON cannot say.

    Not escaped: of a character that takes two escapes OPA's WebAssembly loses a bit, and U+20000 becomes U+10000.
    """
    try:
        plain = request.to_dict() if isinstance(request, Request) else to_json(request, "")
        return Written(to_text(plain, _encoder), plain)
    except (ValueError, RecursionError):  # by now only a circle, or nesting without end
        raise InvalidValue("the request is nested too deeply") from None


def to_text(value: Any, encoder: json.JSONEncoder) -> str:  # noqa: ANN401
    """What `to_json` made, as JSON text, with numbers as they were written."""
    try:
        return encoder.encode(value)
    except TypeError:  # it knows no `Number`
        return _spelt(value, encoder)


def _spelt(value: Any, encoder: json.JSONEncoder) -> str:  # noqa: ANN401
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        items = sorted(value.items()) if encoder.sort_keys else value.items()
        return "{" + ",".join(f"{encoder.encode(name)}:{_spelt(item, encoder)}" for name, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_spelt(item, encoder) for item in value) + "]"
    return encoder.encode(value)


def to_json(value: Any, path: str) -> Any:  # noqa: ANN401
    """A value as plain JSON types, and a `Number` where none of them is what was written. Raises `InvalidValue` with
    the path for what JSON cannot say.

    A float is sent as Python shows it and judged so by the policy: 0.1 + 0.2 is refused for its 17 digits. To round it
    is for the caller, who knows how many of them were measured; across a threshold it would turn a decision. What a
    database or a data frame gives is taken where it has one meaning: Decimal, UUID, numbers and arrays of numpy, but no
    float32, as in a table: it shows 0.1 and is 0.10000000149011612.
    """
    if value is None or type(value) is bool or (type(value) is str and value.isascii()):  # nearly all, at once
        return value
    if isinstance(value, (dict, Mapping)):  # of what is there mostly, first: to ask an abstract class takes longer
        for name in value:
            if not isinstance(name, str) or not _is_unicode(name):
                raise InvalidValue(f"{path or 'the request'} has a name that is no Unicode text")
        return {name: to_json(item, f"{path}.{name}" if path else name) for name, item in value.items()}
    if isinstance(value, Enum):
        return to_json(value.value, path)
    if isinstance(value, (list, tuple, Sequence, set, frozenset)) and not isinstance(value, _TEXTS):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [to_json(item, f"{path}[{index}]") for index, item in enumerate(items)]
    if isinstance(value, str) and not _is_unicode(value):
        raise InvalidValue(f"{path or 'the request'} is not valid Unicode text")
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        raise InvalidValue(f"{path or 'the request'} {_NOT_SENT}")
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{path or 'the request'} {_NOT_FINITE}")
        return value
    if isinstance(value, Decimal):
        if not value.is_finite() and not isinstance(value, Number):
            raise InvalidValue(f"{path or 'the request'} {_NOT_FINITE}")
        exact = value if isinstance(value, Number) else number(str(value))
        if isinstance(exact, Number) and (
            not exact.is_finite()  # by its exponent alone: Infinity and NaN of JSON text are floats
            or len(exact.text) > _LONGEST_NUMBER
            or abs(exact.adjusted()) > _LARGEST_EXPONENT
        ):
            raise InvalidValue(f"{path or 'the request'} {_NOT_SENT}")
        return exact
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        known = {item.name: getattr(value, item.name) for item in fields(value)}
        return {name: to_json(item, f"{path}.{name}") for name, item in known.items() if item is not None}
    if isinstance(value, UUID):
        return str(value)
    kind = type(value).__name__
    if type(value).__module__ == "numpy" and kind != "timedelta64":  # which numpy derives from its integers
        if kind in ("bool", "bool_"):  # its name before numpy 2
            return bool(value)
        if isinstance(value, Integral):
            return to_json(int(value), path)
        if isinstance(value, Real) and kind not in ("float16", "float32"):  # longdouble; float64 is a float
            return to_json(Decimal(str(value)), path)
        if kind == "ndarray" and value.ndim:
            return [to_json(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise InvalidValue(f"{path or 'the request'} is a {kind}, {_instead(value, kind)}")


_TEXTS = (str, bytes, bytearray, memoryview)

_NOT_SENT = "is a number too long, too large or too small"

_NOT_FINITE = "must be a finite number, or None when it is not known"

# By the name of a class, of pandas and numpy too, what to write for a value that has more than one meaning.
_INSTEAD = {
    **dict.fromkeys(("NAType", "NaTType"), "which says nothing: write None when it is not known"),
    **dict.fromkeys(("datetime", "Timestamp"), "whose day depends on the time zone: write a date, as .date() gives it"),
    "datetime64": "whose day depends on the time zone: write a date, as .astype('datetime64[D]').item() gives it",
    "Period": "which may be more than a day: write a date",
    **dict.fromkeys(("Series", "DataFrame"), "which JSON cannot hold: write .tolist() or .to_dict() of it"),
}


def _instead(value: object, kind: str) -> str:
    if kind in _INSTEAD:
        return _INSTEAD[kind]
    if isinstance(value, Real) and kind != "timedelta64":  # a Fraction, or a narrow float of numpy
        return "which is not the number that was measured: write float() of it, rounded to the digits that were"
    if isinstance(value, _TEXTS):
        return "which JSON cannot hold: write the text, decoded"
    if hasattr(value, "tolist") and not isinstance(value, Complex):
        return "which JSON cannot hold: write .tolist() of it"
    if isinstance(value, Iterable):
        return "which JSON cannot hold: write list() of it"
    return "which JSON cannot hold"


def _is_unicode(text: str) -> bool:
    """Whether no surrogate stands alone in it."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
