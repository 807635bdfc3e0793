"""Tables of requests, decided row by row: what Spark, and whatever else hands out Arrow, goes through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import InvalidValue, MissingExtra, PolicyError
from payer_policy.runtime.policy import PolicyBase, decide_each
from payer_policy.runtime.reading import CELLS, JSON, Unreadable, hints, read_json
from payer_policy.runtime.values import Decision, NextStep, Outcome, RequestError
from payer_policy.workshop.impact import NONE_HELD, Compared, Side, compared
from payer_policy.workshop.lines import cell_value

try:
    import pyarrow as pa
    import pyarrow.types as kinds
except ImportError as error:
    raise MissingExtra(f"tables need pyarrow: pip install 'payer-policy-client[tables]' ({error})") from None


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

# Whether a row was no request, or could not be decided, where a result is asked to say it.
REJECTED = pa.field("payer_policy_rejected", pa.bool_())

# What to write instead of text that should be a number.
HINT = pa.field("payer_policy_hint", pa.string())

# By which a request of another document than the one compared is known.
APART = "payer_policy_apart"

# The name of one column, or the names of facts that have one each.
Facts = str | Sequence[str]

_Row = Mapping[str, Any]

# Numbered.
Requests = Iterator[tuple[int, dict[str, Any]]]

# Requests whose answers are held for the tables that follow, and as many from before them; some 2 kB each.
_HELD = 1 << 15

# The columns that are no facts.
_NEEDED, _OPTIONAL = ("document", "date_of_service"), ("codes", "unavailable")

# Types of Arrow that say the same; views, which Polars hands out, are younger than the oldest pyarrow that will do.
_TEXTS, _LISTS = (
    [getattr(kinds, f"is_{name}") for name in names if hasattr(kinds, f"is_{name}")]
    for names in (
        ("string", "large_string", "string_view"),
        ("list", "large_list", "fixed_size_list", "list_view", "large_list_view"),
    )
)

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
    return deciding(policy, facts=facts, version=version, whole=whole).beside(table)


def decide_batches(
    policy: PolicyBase,
    batches: Iterable[pa.RecordBatch],
    *,
    facts: Facts = "facts",
    version: str | None = None,
    whole: bool = False,
    in_flight: int = 2,
) -> Iterator[pa.RecordBatch]:
    """Each batch with the columns of `decide_table` beside its own, one after the other; a request that came in an
    earlier one is not decided again while it is among the last 30,000 or so that differ. `in_flight` is that of
    `decide_many`: 1 where each core has a process of its own. Raises as `decide_table` does."""
    work = deciding(policy, facts=facts, version=version, whole=whole, in_flight=in_flight)
    return work.beside_each(batches)


def impact_table(table: pa.Table, document: str, old: Side, new: Side, *, facts: Facts = "facts") -> pa.Table:
    """The table with the columns of `COMPARED` beside its own: what becomes of each request of a document, and the
    clauses that turned where the outcome changes. Facts, and values of facts, that a version does not have are left out
    for it. Reads columns and raises as `decide_table` and `impact` do."""
    return comparing(document, old, new, facts=facts).beside(table)


def impact_batches(
    batches: Iterable[pa.RecordBatch],
    document: str,
    old: Side,
    new: Side,
    *,
    facts: Facts = "facts",
    in_flight: int = 2,
) -> Iterator[pa.RecordBatch]:
    """What `impact_table` is to `decide_table`, to `decide_batches`."""
    return comparing(document, old, new, facts=facts, in_flight=in_flight).beside_each(batches)


def deciding(
    policy: PolicyBase,
    *,
    facts: Facts = "facts",
    version: str | None = None,
    whole: bool = False,
    rejected: bool = False,
    in_flight: int = 2,
) -> Deciding:
    """With `rejected`, the result says of each row whether it was no request or could not be decided, and what to write
    instead of text that should be a number."""
    result = DECIDED_WHOLE if whole else DECIDED
    decide = partial(decide_each, policy, version=version, detail="full" if whole else "brief", in_flight=in_flight)

    def decided(requests: Requests) -> Iterator[tuple[int, _Row]]:
        for place, answer in decide(requests):
            yield place, _decided(answer, whole)

    return Deciding(
        Documents(policy), facts, result.append(REJECTED).append(HINT) if rejected else result, decided, _refused
    )


def comparing(
    document: str, old: Side, new: Side, *, facts: Facts = "facts", hinted: bool = False, in_flight: int = 2
) -> Deciding:
    """Of a request of another document, the result says only which it is, by `APART`. With `hinted`, it says what to
    write instead of text that should be a number."""
    held = [Documents(side.policy) for side in (old, new)]

    def apart(named: Any) -> _Row:  # noqa: ANN401
        return {APART: named if any(named in each for each in held) else NONE_HELD}

    def decided(requests: Requests) -> Iterator[tuple[int, _Row]]:
        others: list[tuple[int, _Row]] = []

        def of_document() -> Requests:
            for place, request in requests:
                if request.get("document") == document:
                    yield place, request
                else:
                    others.append((place, apart(request.get("document"))))

        for each in compared(document, old, new, of_document(), in_flight=in_flight):
            yield each.line, _compared(each)
        yield from others

    def refused(name: str, problem: str, read: Mapping[str, Any]) -> _Row:
        return _REFUSED_TWICE if read.get("document") == document else apart(read.get("document"))

    return Deciding(held[0], facts, COMPARED.append(HINT) if hinted else COMPARED, decided, refused)


class Deciding:
    """Rows of one table after the other as requests, each of those that differ once, and what becomes of each."""

    def __init__(
        self,
        documents: Documents,
        facts: Facts,
        result: pa.Schema,
        decided: Callable[[Requests], Iterator[tuple[int, _Row]]],
        refused: Callable[[str, str, Mapping[str, Any]], _Row],
    ) -> None:
        self._documents, self._facts, self.result = documents, facts, result
        self._decided, self._refused = decided, refused
        self._schema: pa.Schema | None = None
        self._held: dict[tuple[Any, ...], _Row] = {}
        self._older: dict[tuple[Any, ...], _Row] = {}

    def beside(self, table: pa.Table) -> pa.Table:
        """The table with the columns of the result beside its own."""
        if not isinstance(table, pa.Table):
            raise InvalidValue("the table must be one of Arrow, as pa.Table.from_pandas(frame) makes it")
        for name in self.result.names:
            if name in table.column_names:
                raise InvalidValue(f"the table has a column {name} already: rename it")
        for field, column in zip(self.result, self.results(table).columns, strict=True):
            table = table.append_column(field, column)
        return table

    def beside_each(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from self.beside(pa.Table.from_batches([batch])).to_batches()

    def results(self, table: pa.Table) -> pa.Table:
        """The columns of the result alone."""
        rows, places = self.rows(table)
        return pa.Table.from_pylist(rows, self.result).take(pa.array(places, pa.int64()))

    def rows(self, table: pa.Table) -> tuple[list[_Row], list[int]]:
        """What becomes of the requests that differ, and for each row of the table which of them it is."""
        if table.schema != self._schema:  # the same values in other columns are another request
            self._schema, self._held, self._older = table.schema, {}, {}
        columns = _Columns(table, self._facts)
        places: dict[tuple[Any, ...], int] = {}
        of_rows: list[int] = []
        values: list[tuple[Any, ...]] = []
        for row in columns.rows():
            place = places.setdefault(tuple(map(_key, row)), len(places))
            if place == len(values):
                values.append(row)
            of_rows.append(place)
        results = {
            place: found
            for key, place in places.items()
            if (found := self._held.get(key) or self._older.get(key)) is not None
        }
        unread: list[tuple[int, _Row]] = []

        def requests() -> Requests:
            for place, row in enumerate(values):
                if place not in results:
                    try:
                        yield place, columns.request(row, self._documents)
                    except _Unread as error:
                        unread.append((place, self._refused(error.name, str(error), error.read)))

        answered = dict(self._decided(requests()))
        for place, answer in answered.items() if HINT.name in self.result.names else ():
            if errors := answer.get("errors"):
                answered[place] = {**answer, HINT.name: columns.hint(values[place], errors, self._documents)}
        results.update(answered)
        results.update(unread)
        if len(self._held) + len(places) > _HELD:  # what comes again and again goes from one to the other
            self._held, self._older = {}, self._held
        self._held.update((key, results[place]) for key, place in islice(places.items(), _HELD))
        return [results[place] for place in range(len(values))], of_rows


class _Unread(Exception):
    """A column of a row cannot be read; what was read of it before."""

    def __init__(self, name: str, problem: str, read: Mapping[str, Any]) -> None:
        super().__init__(problem)
        self.name, self.read = name, read


def columns_read(names: Sequence[str], facts: Facts) -> list[str]:
    """Those of a table's columns that make a request. Raises `InvalidValue` for facts that are no names."""
    named = [*_NEEDED, *_OPTIONAL, *_chosen(facts)]
    return [name for name in dict.fromkeys(named) if name in names]


def _chosen(facts: Facts) -> Sequence[str]:
    chosen = [facts] if isinstance(facts, str) else facts
    if not (isinstance(chosen, Sequence) and all(isinstance(name, str) for name in chosen)):
        raise InvalidValue("facts must be the name of one column, or a list of the names of several")
    return chosen


class _Columns:
    """Those of a table that make a request."""

    def __init__(self, table: pa.Table, facts: Facts) -> None:
        chosen = _chosen(facts)
        columns = {name: _column(table, name) for name in _NEEDED}
        columns |= {name: _column(table, name) for name in _OPTIONAL if name in table.column_names}
        columns["facts"] = _column(table, facts) if isinstance(facts, str) else _together(table, chosen)
        for name, column in columns.items():
            kind = (
                column.type.item_type if kinds.is_map(column.type) and _is_text(column.type.key_type) else column.type
            )
            _check(facts if name == "facts" and isinstance(facts, str) else name, kind)
        of_facts = columns["facts"].type
        if not (_is_text(of_facts) or kinds.is_struct(of_facts) or kinds.is_map(of_facts) or kinds.is_null(of_facts)):
            raise InvalidValue(
                f"the column {facts} is {of_facts}, and facts are JSON, a struct or a map: a column of one fact is"
                " named in a list, and for --facts with a comma behind"
            )
        self._of_text = _is_text(of_facts)
        self._of_cells = kinds.is_map(of_facts) and _is_text(of_facts.item_type)
        self._columns = columns
        self._readers = [
            _pairs if kinds.is_map(column.type) else read_json if name in _JSON and _is_text(column.type) else _known
            for name, column in columns.items()
        ]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        return zip(*map(_values, self._columns.values()), strict=True)

    def request(self, row: tuple[Any, ...], documents: Documents) -> dict[str, Any]:
        """Raises `_Unread`."""
        request: dict[str, Any] = {}
        for name, value, read in zip(self._columns, row, self._readers, strict=True):
            try:
                if isinstance(value, Unreadable):
                    raise value
                if value is not None:
                    request[name] = read(value)
            except Unreadable as error:
                raise _Unread(name, str(error), request) from None
        if self._of_cells and "facts" in request:
            types = documents.facts_for(request.get("document"), request.get("date_of_service"))
            request["facts"] = {
                name: cell_value(cell.strip(), types[name]["type"] if name in types else None)
                for name, cell in request["facts"].items()
                if cell is not None and cell.strip()
            }
        return request

    def hint(self, row: tuple[Any, ...], errors: Iterable[dict[str, str]], documents: Documents) -> str | None:
        """What to write instead in a row that was read."""
        notation = CELLS if self._of_cells else JSON if self._of_text else None
        request = self.request(row, documents)
        return "; ".join(hints(request, (RequestError(**error) for error in errors), notation)) or None


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
    if kinds.is_dictionary(kind):
        _check(name, kind.value_type)
    elif kinds.is_struct(kind):
        names = [field.name for field in kind]
        if len({*names}) < len(names):
            raise InvalidValue(f"the column {name} has two fields of one name")
        for field in kind:
            _check(f"{name}.{field.name}", field.type)
    elif any(is_list(kind) for is_list in _LISTS):
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
        cast = "cast it"
        if kinds.is_timestamp(kind):
            cast += " to a date where it was taken"
        elif kinds.is_floating(kind):  # as a double, 0.1 of it is 0.10000000149011612
            cast += " to a double and round that to what was measured, or to a decimal"
        raise InvalidValue(f"the column {name} is {kind}, which nothing in a request is: {cast}")


def _is_text(kind: pa.DataType) -> bool:
    if kinds.is_dictionary(kind):
        return _is_text(kind.value_type)
    return any(is_text(kind) for is_text in _TEXTS)


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
        return {REJECTED.name: True, "errors": [{"path": "", "message": f"{type(answer).__name__}: {answer}"}]}
    received = answer.to_dict()
    return {
        **{name: received[name] for name in DECIDED.names if name in received},
        "version": answer.policy and answer.policy.version,
        "missing": [item.fact for item in answer.missing],
        "revision": ", ".join(revision for _, revision in sorted(answer.provenance.revisions.items())) or None,
        "decision": json.dumps(received, ensure_ascii=False) if whole else None,
    }


def _refused(path: str | None, message: str, read: Mapping[str, Any] | None = None) -> _Row:
    """What never reached the policy, since it is no request."""
    return {
        REJECTED.name: True,
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
        "errors": [asdict(error) for error in answer.errors],
        "left_out": [dict(zip(("side", "fact", "kind"), what, strict=True)) for what in answer.left_out],
    }
