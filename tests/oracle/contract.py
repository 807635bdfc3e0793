"""What makes a request invalid, once more: written from the contract, sharing nothing with the Rego."""

import datetime
import json
import re
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any

from tests.readings import READINGS
from tests.readings.decision import UNKNOWN, DaysBefore, Reading

Check = Callable[[str, Any], Iterator[str]]  # yields the paths that are wrong, below the one given

BOUNDS = ("less_than", "at_most", "at_least", "more_than")


def when(valid: Callable[[Any], bool]) -> Check:
    def check(path: str, value: object) -> Iterator[str]:
        if not valid(value):
            yield path

    return check


class Number(Decimal):
    """A number of JSON that remembers how it was written; `json.loads(text, parse_float=Number, parse_int=Number)`."""

    text: str

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


def is_well_written(value: object) -> bool:
    """In 100 characters and 15 significant digits at most, and either 0 or not too small for a double."""
    text = value.text if isinstance(value, Number) else json.dumps(value)
    if len(text) > 100:
        return False
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return len(digits) <= 15 and (not digits or Decimal(text).copy_abs() >= Decimal("1e-300"))


def is_date(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        return 1900 <= datetime.date.fromisoformat(value).year <= 2199
    except ValueError:
        return False


def text(longest: int) -> Check:
    return when(lambda value: isinstance(value, str) and 1 <= len(value) <= longest)


def one_of(*values: str) -> Check:
    return when(lambda value: isinstance(value, str) and value in values)


def number(least: float, greatest: float, *, whole: bool) -> Check:
    """Of the range; or a bound that leaves some of it."""

    def in_range(value: object) -> bool:
        return is_number(value) and is_well_written(value) and least <= value <= greatest  # type: ignore[operator]

    def leaves(side: str, limit: float) -> bool:
        if not whole:
            return not ((side == "less_than" and limit == least) or (side == "more_than" and limit == greatest))
        tried = range(int(least), int(greatest) + 1)
        return any(
            {"less_than": v < limit, "at_most": v <= limit, "at_least": v >= limit, "more_than": v > limit}[side]
            for v in tried
        )

    def valid(value: Any) -> bool:  # noqa: ANN401
        if isinstance(value, dict):
            return len(value) == 1 and all(
                side in BOUNDS and in_range(limit) and leaves(side, limit) for side, limit in value.items()
            )
        return in_range(value) and (not whole or value == int(value))

    return when(valid)


def array(item: Check, *, most: int, repeats: bool) -> Check:
    """Refused as a whole when it holds more than `most` items; repeats are looked for among its strings."""

    def check(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, list) or len(value) > most:
            yield path
            return
        texts = [entry for entry in value if isinstance(entry, str)]
        if not repeats and len(set(texts)) < len(texts):
            yield path
        for index, entry in enumerate(value):
            yield from item(f"{path}[{index}]", entry)

    return check


def fields(most: int, **checks: Check) -> Check:
    """An object of optional fields: null is absent, a name that is not listed is wrong whatever its value. Refused as a
    whole when it has more than `most` fields."""

    def check(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict) or len(value) > most:
            yield path
            return
        for name, entry in value.items():
            if name not in checks:
                yield f"{path}.{name}"
            elif entry is not None:
                yield from checks[name](f"{path}.{name}", entry)

    return check


FLAG = when(lambda value: isinstance(value, bool))

REQUEST_ID = text(128)
CODES = fields(100, hcpcs=text(20), icd10=array(text(20), most=100, repeats=True))


def fact(reading: Reading, name: str) -> Check:
    """What may be given for it, by the values that its classes have."""
    values = [value for some in reading.classes[name].values() for value in some if value not in UNKNOWN]
    if name in reading.numbers:
        least, greatest, limits = reading.numbers[name]
        return number(least, greatest, whole=limits is None)
    if isinstance(values[0], bool):
        return FLAG
    if isinstance(values[0], DaysBefore):
        return when(is_date)
    if any(isinstance(value, list) for value in values):
        items = {item for value in values for item in value}
        return array(one_of(*items), most=len(items), repeats=False)
    return one_of(*values)


FACTS = {
    (reading.document, reading.version): (
        reading.classes.keys(),
        fields(100 + len(reading.classes), **{name: fact(reading, name) for name in reading.classes}),
    )
    for reading in READINGS
}


def in_force(document: object, date: object) -> tuple[str, str] | None:
    held = [version for name, version in FACTS if name == document and is_date(date) and version <= str(date)]
    return (str(document), max(held)) if held else None


def errors(request: object) -> list[str]:
    """The path of every error, in order."""
    return sorted(set(_errors(request)))


def _errors(request: object) -> Iterator[str]:
    if not isinstance(request, dict):
        yield ""
        return
    if len(request) > 100:
        yield ""
    else:
        yield from request.keys() - {"document", "date_of_service", "request_id", "codes", "facts", "unavailable"}
    document, date, facts = (request.get(name) for name in ("document", "date_of_service", "facts"))
    version = in_force(document, date)
    if document not in [name for name, _ in FACTS]:
        yield "document"
    if not is_date(date):
        yield "date_of_service"
    if request.get("request_id") is not None:
        yield from REQUEST_ID("request_id", request["request_id"])
    if request.get("codes") is not None:
        yield from CODES("codes", request["codes"])
    if not isinstance(facts, dict):
        yield "facts"
    elif version:
        yield from FACTS[version][1]("facts", facts)
    if "unavailable" in request:
        yield from _unavailable(request["unavailable"], FACTS[version][0] if version else None, facts)


def _unavailable(names: object, known: Collection[str] | None, facts: object) -> Iterator[str]:
    """Facts of the version, when one is in force, that are not given."""
    given_ = facts if isinstance(facts, dict) else {}
    if not isinstance(names, list):
        yield "unavailable"
    elif known is not None:
        free = [name for name in known if given_.get(name) is None]
        yield from array(one_of(*free), most=len(known), repeats=False)("unavailable", names)
