"""What makes a request invalid, once more: written from the contract, sharing nothing with the Rego."""

import datetime
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

Check = Callable[[str, Any], Iterator[str]]  # yields the paths that are wrong, below the one given

FIRST_DAY = "2025-04-01"


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


def number(greatest: int, *, whole: bool = False) -> Check:
    return when(
        lambda value: (
            is_number(value)
            and is_well_written(value)
            and 0 <= value <= greatest
            and (not whole or value == int(value))
        )
    )


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
FACTS = fields(
    111,
    disease=one_of("all", "dlbcl", "other"),
    lineage=one_of("b_cell_precursor", "mature_b_cell", "t_cell", "other"),
    cd19_positive=FLAG,
    infant=FLAG,
    kmt2a_rearranged=FLAG,
    disease_status=one_of("newly_diagnosed", "remission", "relapsed", "refractory"),
    complete_response=number(20, whole=True),
    mrd_percent=number(100),
    treatment_phase=one_of("induction", "consolidation", "maintenance", "other"),
    combined_with=array(
        one_of("bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib", "interfant", "other"),
        most=7,
        repeats=False,
    ),
    alternating_with=array(
        one_of("prednisone", "vincristine", "methotrexate", "mercaptopurine", "other"), most=5, repeats=False
    ),
)


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
        yield from request.keys() - {"document", "date_of_service", "request_id", "codes", "facts"}
    document, date, facts = (request.get(name) for name in ("document", "date_of_service", "facts"))
    if document != "CC-0126":
        yield "document"
    if not is_date(date):
        yield "date_of_service"
    if request.get("request_id") is not None:
        yield from REQUEST_ID("request_id", request["request_id"])
    if request.get("codes") is not None:
        yield from CODES("codes", request["codes"])
    if not isinstance(facts, dict):
        yield "facts"
    elif document == "CC-0126" and is_date(date) and str(date) >= FIRST_DAY:
        yield from FACTS("facts", facts)
