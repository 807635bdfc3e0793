"""The requests in a file: JSON lines, or a CSV with a column per fact."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import PolicyError
from payer_policy.runtime.facts import SIGNS
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import CELLS, JSON, Notation, Number, Unreadable, read_json
from payer_policy.runtime.vocabulary import slip_of

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}

# The columns of a CSV that are no facts.
_COLUMNS = {"document", "date_of_service", "request_id", "hcpcs", "icd10", "unavailable"}

# A number that a laboratory reports within a bound.
_BOUNDS = {**SIGNS, "≤": "at_most", "≥": "at_least"}

# What spreadsheets and databases put between cells.
_SEPARATORS = ",;\t|"

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# How a file begins that is no JSON lines, and what to do with it.
_NO_LINES = {
    rb"\[": "begins with an array, not with one request a line: jq -c '.[]' makes lines of it",
    rb"\x1e": "has a record separator (RFC 7464) before each line: tr -d '\\036' removes them",
    # A first line that goes on where no line could begin; after a whole one such a line would be rejected alone.
    rb'\{([^\n]*[^}\s])?\s*\n\s*["}\],]': "begins with a request over several lines: jq -c . makes a line of each",
    rb"(?i)(?=[^\n{]*document)[^\n{]*date.of.service": "begins as a table does: with the suffix .csv it is read as one",
    rb"(---|#[^\n]*\n|\s)*document:": "is YAML, which payer-policy decide reads; a batch has JSON, one request a line",
}.items()

_ESCAPE = "surrogateescape"  # what is not UTF-8 is kept in the text, and refused with the name of its column
_ESCAPED = re.compile("[\udc80-\udcff]")

_SAVE = "save the file as UTF-8, a workbook as CSV UTF-8"


T = TypeVar("T")


class BatchError(PolicyError):
    """A file of requests or of records cannot be used; the message names it and what to do."""


@dataclass(frozen=True, repr=False)  # it would show health data
class Line:
    """A line of the input by its number from 1: the request in it, or the `problem` that there is none."""

    number: int
    request: Any
    problem: str | None
    text: str
    """As it was read; several lines when a cell of a CSV has them."""

    position: int
    """Bytes of the input read by then."""

    digest: str
    """Of the input from its first line to this one."""


def notation_of(source: Path) -> Notation:
    """How the values in a file of requests are written."""
    return CELLS if source.suffix.lower() == ".csv" else JSON


def lines_of(policy: PolicyBase, source: Path, files: ExitStack) -> Iterator[Line]:
    """The lines of a file of requests, which is closed with `files`. Raises `BatchError`."""
    file = opened(source, files)
    if b"\0" in (start := file.peek()[:64]) and start[:2] not in _UTF_16:
        raise BatchError(f"{source} is UTF-16 text without its mark, or no text: {_SAVE}")
    if notation_of(source) is CELLS:
        return _csv_lines(policy, source, file)
    start = file.peek().removeprefix(codecs.BOM_UTF8).lstrip()
    for begins, problem in _NO_LINES:
        if re.match(begins, start):
            raise BatchError(f"{source} {problem}")
    if start[:2] in _UTF_16:
        raise BatchError(f"{source} is UTF-16 text: save it as UTF-8, or by the suffix .csv if it is a table")
    return _json_lines(source, file)


def opened(source: Path, files: ExitStack) -> io.BufferedReader:
    try:
        file = files.enter_context(source.open("rb"))
        file.peek()  # a folder opens on some systems
    except OSError as error:
        raise BatchError(f"{source}: {error.strerror}") from None
    return file


def _json_lines(source: Path, file: IO[bytes]) -> Iterator[Line]:
    position, digest = 0, hashlib.sha256()
    for number, raw in enumerate(readable(source, file), 1):
        position += len(raw)
        digest.update(raw if raw.endswith(b"\n") else raw + b"\n")  # lines may be added behind it
        if not raw.strip():
            continue
        text = raw.rstrip(b"\r\n").decode("utf-8-sig" if number == 1 else "utf-8", "backslashreplace")
        request, problem = None, None
        try:
            raw.decode()
            request = read_json(text)
        except UnicodeDecodeError:
            problem = "not UTF-8 text"
        except Unreadable as error:
            problem = str(error)
        yield Line(number, request, problem, text, position, f"sha256:{digest.hexdigest()}")


def readable(source: Path, lines: Iterable[T]) -> Iterator[T]:
    """Raises `BatchError` where reading fails."""
    try:
        yield from lines
    except OSError as error:
        raise BatchError(f"{source}: {error.strerror}") from None
    except UnicodeError:
        raise BatchError(f"{source} is not UTF-16 text as its mark says") from None


def _csv_lines(policy: PolicyBase, source: Path, file: io.BufferedReader) -> Iterator[Line]:
    """A cell is text; what it stands for follows from the type of its fact, and what does not fit stays text, for the
    policy to name the field: so does what stands in the column of a fact that the version in force does not have. An
    empty cell is unknown, `[]` an empty list, `<0.01` a bound, items are separated by semicolons.

    As spreadsheets write it: separated by commas, semicolons, tabs or bars, by what the header shows, whether a first
    line `sep=;` says so or not; UTF-16 by its mark; with blanks behind separators, columns at the end that have no
    name, and rows that lack their last cells."""
    documents = Documents(policy)
    start = file.peek()
    wide = start[:2] in _UTF_16
    decoded = io.TextIOWrapper(file, *(("utf-16", "strict") if wide else ("utf-8-sig", _ESCAPE)), newline="")
    text = _Text(readable(source, decoded))
    header = next(text, "")
    if re.fullmatch(r'(?i)"?sep=[,;\t|]"?[,;\t|\s]*', header):
        header = next(text, "")
    if _ESCAPED.search(header):
        raise BatchError(f"{source} is not UTF-8 text: {_SAVE}")
    known = _COLUMNS.union(_facts(documents, _first_documents(start, wide)))
    separator, columns, named, strange = _described(header, known)
    if strange:
        known |= _facts(documents, documents)
        separator, columns, named, strange = _described(header, known)
    if strange:
        raise BatchError(f"{source}: {_misnamed(named, strange, known)}")
    if len(set(named)) < len(named) or not {"document", "date_of_service"} <= set(named):
        raise BatchError(f"{source}: the first line names each column once, document and date_of_service among them")
    return _rows(source, file, text, separator, columns, documents)


def _facts(documents: Documents, names: Iterable[str]) -> set[str]:
    return {fact for name in names for fact, _ in documents.all_facts(name)}


def _first_documents(start: bytes, wide: bool) -> set[str]:
    """What the first rows of a table have in the column document."""
    cut = len(start) >= io.DEFAULT_BUFFER_SIZE
    lines = start.decode("utf-16" if wide else "utf-8-sig", "replace").splitlines()
    lines = lines[1:] if lines and lines[0].lower().lstrip('"').startswith("sep=") else lines
    found = set[str]()
    for separator in _SEPARATORS:
        with suppress(csv.Error):
            reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
            header, *rows = [[cell.strip() for cell in row] for row in reader] or [[]]
            if "document" in header:
                place = header.index("document")
                found.update(row[place] for row in (rows[:-1] if cut else rows) if len(row) > place and row[place])
    return found


def _described(header: str, known: set[str]) -> tuple[str, list[str], list[str], list[int]]:
    """The separator by which most of a header is known, or a slip of what is; its columns, those with a name or before
    one that has, and the numbers of those that are not known."""

    def fit(separator: str) -> int:
        return sum(name in known or slip_of(name, known) is not None for name in _header(header, separator))

    separator = max(_SEPARATORS, key=fit)
    columns = _header(header, separator)
    named = columns[: max((number for number, name in enumerate(columns, 1) if name), default=0)]
    return separator, columns, named, [number for number, name in enumerate(named, 1) if name not in known]


def _misnamed(named: list[str], strange: list[int], known: set[str]) -> str:
    """Without the names: a file whose header is missing has a patient there."""
    near = {name for number in strange if (name := slip_of(named[number - 1], known))}
    if len(strange) == len(named) and not near:
        return (
            "the first line names no known column: it must name document, date_of_service and the facts, with commas,"
            " semicolons, tabs or bars between them"
        )
    problems = []
    if without := ", ".join(str(number) for number in strange if not named[number - 1]):
        problems.append(f"column {without} has no name: leave it out, as pandas does by to_csv(index=False)")
    if unknown := ", ".join(str(number) for number in strange if named[number - 1]):
        hint = f"; the nearest is {', '.join(sorted(near))}" if near else ""
        problems.append(f"column {unknown} is neither a fact nor a known column{hint}")
    return "by the first line, " + ", and ".join(problems)


def _rows(
    source: Path,
    file: IO[bytes],
    text: _Text,
    separator: str,
    columns: list[str],
    documents: Documents,
) -> Iterator[Line]:
    reader = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        text.record.clear()
        first = text.number + 1
        request, problem, cells = None, None, list[str]()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"not CSV: {error}"
        if not problem and not any(map(str.strip, cells)):  # a line of separators alone
            continue
        if len(cells) > len(columns):
            problem = "more cells than columns; a cell that holds the separator stands in quotes"
        elif any(cell.strip() for cell, name in zip(cells, columns, strict=False) if not name):
            problem = "a cell stands in a column without a name"
        elif escaped := [name for cell, name in zip(cells, columns, strict=False) if _ESCAPED.search(cell)]:
            problem = f"{', '.join(escaped)} is not UTF-8 text: {_SAVE}"
        wraps = any(separator in cell and len(cell.splitlines()) > 1 for cell in cells)
        if len(text.record) > 1 and (problem or wraps or len(cells) < len(columns)):
            # A quote without its end takes the rows behind it, and where they begin nobody can tell.
            raise BatchError(f"{source}: line {first}: a cell begins with a quote that ends nowhere: mend that line")
        if not problem:
            row = {name: cell for cell, name in zip(cells, columns, strict=False) if name}  # the last may be missing
            request = _from_cells(row, documents)
        yield Line(text.number, request, problem, "".join(text.record).rstrip("\r\n"), file.tell(), text.digest())


def _header(line: str, separator: str) -> list[str]:
    with suppress(csv.Error):
        reader = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
        return [name.strip() for name in next(reader, [])]
    return []


class _Text:
    """Lines of text, with what a reader of records does not tell: which of them are in the record at hand, how many
    there were, and their digest."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.record: list[str] = []
        self.number = 0
        self._lines = lines
        self._digest = hashlib.sha256()

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.record.append(line)
        self.number += 1
        self._digest.update((line if line.endswith(("\n", "\r")) else line + "\n").encode("utf-8", _ESCAPE))
        return line

    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


def _from_cells(row: dict[str, str], documents: Documents) -> dict[str, Any]:
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    facts = documents.facts_for(cells.get("document"), cells.get("date_of_service"))
    request: dict[str, Any] = {
        name: cells[name] for name in ("document", "date_of_service", "request_id") if name in cells
    }
    codes: dict[str, Any] = {"hcpcs": cells["hcpcs"]} if "hcpcs" in cells else {}
    if "icd10" in cells:
        codes["icd10"] = _items(cells["icd10"])
    if codes:
        request["codes"] = codes
    if "unavailable" in cells:
        request["unavailable"] = _items(cells["unavailable"])
    request["facts"] = {
        name: cell_value(cell, facts[name]["type"] if name in facts else None)
        for name, cell in cells.items()
        if name not in _COLUMNS
    }
    return request


def cell_value(cell: str, type_: str | None) -> Any:  # noqa: ANN401
    """What a cell says of a fact of a type of the catalogue; its text when that is nothing of the type."""
    if type_ == "array":
        return _items(cell)
    if type_ == "boolean":
        return _BOOLEANS.get(cell.lower(), cell)
    if type_ in ("integer", "number"):
        for sign, side in _BOUNDS.items():
            if cell.startswith(sign):
                number = cell_value(cell.removeprefix(sign).strip(), type_)
                return cell if isinstance(number, (str, dict)) else {side: number}
        with suppress(Unreadable):
            number = read_json(cell)
            if isinstance(number, Number) or (type(number) in (int, float) and math.isfinite(number)):
                return number
    return cell


def _items(cell: str) -> list[str]:
    return [] if cell == "[]" else [item.strip() for item in cell.split(";")]
