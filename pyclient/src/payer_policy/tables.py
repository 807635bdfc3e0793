"""Tables of requests, decided row by row: what Spark, and whatever else hands out Arrow, goes through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import InvalidValue, MissingExtra, PolicyError
from payer_policy.runtime.policy import PolicyBase, decide_each
from payer_policy.runtime.reading import Unreadable, read_json
from payer_policy.runtime.values import Decision, NextStep, Outcome
from payer_policy.workshop.impact import Compared, Side, compared
from payer_policy.workshop.lines import cell_value

try:
    import pyarrow as pa
    import pyarrow.types as kinds
except ImportError:
    raise MissingExtra("tables need pyarrow: pip install 'payer-policy-client[tables]'") from None


def _texts(**fields: pa.DataType) -> pa.DataType:
    """A struct; what is not said to be something else is text."""
    return pa.struct(list(fields.items()))


_TEXT, _NAMES = pa.string(), pa.list_(pa.string())
_ERRORS = pa.list_(_texts(path=_TEXT, message=_TEXT))

# What a decision is beside its request. `missing` names the facts that are.
DECIDED = pa.schema(
    {
        "outcome": _TEXT,
        "next_step": _TEXT,
        "version": _TEXT,
        "pathways_met": _NAMES,
        "missing": _NAMES,
        "ask_first": _texts(pathway=_TEXT, facts=_NAMES),
        "terms": pa.list_(_texts(pathway=_TEXT, text=_TEXT, duration=_TEXT)),
        "advisories": pa.list_(_texts(code=_TEXT, text=_TEXT)),
        "errors": _ERRORS,
        "revision": _TEXT,
    }
)
# With the whole decision, as JSON.
DECIDED_WHOLE = DECIDED.append(pa.field("decision", _TEXT))

# What becomes of a request under another version; both outcomes are null in the row of another document.
COMPARED = pa.schema(
    {
        "old_outcome": _TEXT,
        "new_outcome": _TEXT,
        "clauses": pa.list_(_texts(clause=_TEXT, old=_TEXT, new=_TEXT)),
        "left_out": pa.list_(_texts(side=_TEXT, fact=_TEXT, kind=_TEXT)),
    }
)

_TYPES = {
    "string": _TEXT,
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "array": _NAMES,
}

# The name of one column, or the names of facts that have one each.
Facts = str | Sequence[str]

_Row = Mapping[str, Any]

# What is read as JSON where it is text.
_JSON = {"codes", "unavailable", "facts"}

# How an `InvalidValue` of a request reads: a path and what is wrong there, or no path.
_INVALID = re.compile(r"(?:((?:document|date_of_service|codes|unavailable|facts)(?:[.\[]\S*)?) )?(.*)", re.DOTALL)


def facts_type(policy: PolicyBase, document: str) -> pa.StructType:
    """The facts of all versions of a document as a struct, to read them from JSON, say; a bound on a number has no
    place in it. Raises `InvalidValue` when the document is not held, or a fact is not of one type in all versions."""
    documents, types = Documents(policy), dict[str, pa.DataType]()
    documents.version(document)
    for name, fact in documents.all_facts(document):
        if types.setdefault(name, _TYPES[fact["type"]]) != _TYPES[fact["type"]]:
            raise InvalidValue(f"facts.{name} is not of one type in all versions of {document}")
    return pa.struct(list(types.items()))


def decide_table(
    policy: PolicyBase,
    table: pa.Table,
    *,
    facts: Facts = "facts",
    version: str | None = None,
    whole: bool = False,
) -> pa.Table:
    """The table with the columns of `DECIDED` beside its own, row by row; with `whole`, also each decision as JSON.

    Of the table, `document`, `date_of_service` and the facts are read, and `codes` and `unavailable` where it has them;
    `request_id` is not, so that equal requests are decided once. `facts` is the name of one column (JSON text, a struct
    or a map; of a map of text, the values are written as in a CSV of `payer-policy batch`) or the names of the facts
    that have columns of their own. A null is unknown. With `version`, all rows are decided under it.

    An invalid row stays, with its errors by path; so does one that cannot be read. A row that cannot be decided, since
    it is too large say, has no outcome, and the name of the error. Raises `InvalidValue` when the table lacks a column,
    has one of the names of the result, or one of a type that no fact has; and `PolicyUnreachable`, `PolicyRefused` or
    `PolicyNotLoaded` when nobody decides any more.
    """
    rows = _Rows(policy, table, facts, DECIDED_WHOLE if whole else DECIDED)
    answers = decide_each(policy, rows.requests(), version=version, detail="full" if whole else "brief")
    return rows.beside(((place, _decided(answer, whole)) for place, answer in answers), _refused)


def impact_table(table: pa.Table, document: str, old: Side, new: Side, *, facts: Facts = "facts") -> pa.Table:
    """The table with the columns of `COMPARED` beside its own: what becomes of each request of a document, and the
    clauses that turned where the outcome changes. Facts, and values of facts, that a version does not have are left out
    for it. Reads columns and raises as `decide_table` and `impact` do."""
    rows = _Rows(old.policy, table, facts, COMPARED)
    results: dict[int, _Row] = {}

    def of_document() -> Iterator[tuple[int, Any]]:
        for place, request in rows.requests():
            if request.get("document") == document:
                yield place, request
            else:
                results[place] = {}

    results |= {each.line: _compared(each) for each in compared(document, old, new, of_document())}
    return rows.beside(results.items(), lambda *_: _REFUSED_TWICE)


class _Rows:
    """The rows of a table as requests, each of those that differ once."""

    def __init__(self, policy: PolicyBase, table: pa.Table, facts: Facts, result: pa.Schema) -> None:
        for name in result.names:
            if name in table.column_names:
                raise InvalidValue(f"the table has a column {name} already: rename it")
        self._table, self._result, self._documents = table, result, Documents(policy)
        columns = {name: _column(table, name) for name in ("document", "date_of_service")}
        columns |= {name: _column(table, name) for name in ("codes", "unavailable") if name in table.column_names}
        columns["facts"] = _column(table, facts) if isinstance(facts, str) else _together(table, facts)
        for name, column in columns.items():
            kind = (
                column.type.item_type if kinds.is_map(column.type) and _is_text(column.type.key_type) else column.type
            )
            _check(facts if name == "facts" and isinstance(facts, str) else name, kind)
        of_facts = columns["facts"].type
        self._of_cells = kinds.is_map(of_facts) and _is_text(of_facts.item_type)
        self._names = list(columns)
        self._readers = [
            _pairs if kinds.is_map(column.type) else read_json if name in _JSON and _is_text(column.type) else _known
            for name, column in columns.items()
        ]
        rows = zip(*(_values(column) for column in columns.values()), strict=True)
        places: dict[Any, int] = {}
        self._places: list[int] = []
        self._rows: list[tuple[Any, ...]] = []
        for row in rows:
            place = places.setdefault(tuple(map(_key, row)), len(places))
            if place == len(self._rows):
                self._rows.append(row)
            self._places.append(place)
        self._unread: dict[int, tuple[str, str]] = {}

    def requests(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Those that can be read, numbered."""
        for place, row in enumerate(self._rows):
            request: dict[str, Any] = {}
            for name, value, read in zip(self._names, row, self._readers, strict=True):
                try:
                    if isinstance(value, Unreadable):
                        raise value
                    if value is not None:
                        request[name] = read(value)
                except Unreadable as error:
                    self._unread[place] = name, str(error)
                    break
            else:
                if self._of_cells and "facts" in request:
                    request["facts"] = self._from_cells(request)
                yield place, request

    def _from_cells(self, request: Mapping[str, Any]) -> dict[str, Any]:
        types = self._documents.facts_for(request.get("document"), request.get("date_of_service"))
        return {
            name: cell_value(cell.strip(), types[name]["type"] if name in types else None)
            for name, cell in request["facts"].items()
            if cell is not None and cell.strip()
        }

    def beside(self, answered: Iterable[tuple[int, _Row]], refused: Callable[[str, str], _Row]) -> pa.Table:
        """What was answered beside the rows that asked it, and what is said of those that could not be read."""
        results = dict(answered)
        results |= {place: refused(*unread) for place, unread in self._unread.items()}
        in_order = [results[place] for place in range(len(self._rows))]
        taken = pa.Table.from_pylist(in_order, self._result).take(pa.array(self._places, pa.int64()))
        table = self._table
        for field, column in zip(self._result, taken.columns, strict=True):
            table = table.append_column(field, column)
        return table


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if table.column_names.count(name) != 1:
        raise InvalidValue(f"the table has {'more than one' if name in table.column_names else 'no'} column {name}")
    return table.column(name)


def _together(table: pa.Table, facts: Sequence[str]) -> pa.ChunkedArray:
    """Facts that have a column each, as one struct."""
    chosen = pa.table({name: _column(table, name) for name in facts})
    if not facts:
        return pa.chunked_array([pa.array([{}] * table.num_rows, pa.struct([]))])
    return chosen.to_struct_array()


def _check(name: str, kind: pa.DataType) -> None:
    """Raises `InvalidValue` for a type that stands for nothing in a request; 0.1 in a float32 would have 17 digits."""
    if kinds.is_struct(kind):
        for field in kind:
            _check(f"{name}.{field.name}", field.type)
    elif kinds.is_list(kind) or kinds.is_large_list(kind):
        _check(f"{name} (its items)", kind.value_type)
    elif not (
        _is_text(kind)
        or kinds.is_boolean(kind)
        or kinds.is_integer(kind)
        or kinds.is_float64(kind)
        or kinds.is_decimal(kind)
        or kinds.is_date(kind)
        or kinds.is_null(kind)
    ):
        raise InvalidValue(f"the column {name} is {kind}, which nothing in a request is: cast it")


def _is_text(kind: pa.DataType) -> bool:
    if kinds.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind))


def _values(column: pa.ChunkedArray) -> Iterator[Any]:
    """As Python has them; in place of one that it cannot have, a day after 9999 or no UTF-8, why not."""
    for chunk in column.chunks:
        try:
            yield from chunk.to_pylist()
        except (ValueError, ArithmeticError):
            for value in chunk:
                try:
                    plain = value.as_py()
                except UnicodeDecodeError:
                    plain = Unreadable("not UTF-8 text")
                except (ValueError, ArithmeticError):
                    plain = Unreadable("out of range")
                yield plain


def _key(value: Any) -> Any:  # noqa: ANN401
    """By which equal values of a column, which are of one type, are known."""
    return repr(value) if isinstance(value, (list, dict, float, Unreadable)) else value


def _known(value: Any) -> Any:  # noqa: ANN401
    """A value without the fields of structs that are null: they stand for what is unknown, and perhaps no fact of this
    version."""
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items() if item is not None}
    return value


def _pairs(value: list[tuple[str, Any]]) -> dict[str, Any]:
    """A map, which keeps what it names. Raises `Unreadable`."""
    whole = dict(value)
    if len(whole) < len(value):
        raise Unreadable("a name stands twice in a map")
    return whole


def _decided(answer: Decision | PolicyError, whole: bool) -> _Row:
    if isinstance(answer, InvalidValue):
        return _refused(*_INVALID.fullmatch(str(answer)).groups())  # type: ignore[union-attr]
    if isinstance(answer, PolicyError):
        return {"errors": [{"path": "", "message": f"{type(answer).__name__}: {answer}"}]}
    received = answer.to_dict()
    return {
        **{name: received[name] for name in DECIDED.names if name in received},
        "version": answer.policy and answer.policy.version,
        "missing": [item.fact for item in answer.missing],
        "revision": ", ".join(revision for _, revision in sorted(answer.provenance.revisions.items())) or None,
        "decision": json.dumps(received, ensure_ascii=False) if whole else None,
    }


def _refused(path: str | None, message: str) -> _Row:
    """What never reached the policy, since it is no request."""
    return {
        "outcome": Outcome.INVALID_REQUEST.value,
        "next_step": NextStep.CORRECT_REQUEST.value,
        **{name: [] for name in ("pathways_met", "missing", "terms", "advisories")},
        "errors": [{"path": path or "", "message": message}],
    }


_REFUSED_TWICE: _Row = {
    "old_outcome": "invalid_request",
    "new_outcome": "invalid_request",
    "clauses": [],
    "left_out": [],
}


def _compared(answer: Compared) -> _Row:
    return {
        "old_outcome": answer.old,
        "new_outcome": answer.new,
        "clauses": [dict(zip(("clause", "old", "new"), clause, strict=True)) for clause in answer.clauses],
        "left_out": [dict(zip(("side", "fact", "kind"), what, strict=True)) for what in answer.left_out],
    }
