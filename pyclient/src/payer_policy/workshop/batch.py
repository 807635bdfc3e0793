"""Files of requests, decided line by line: what `payer-policy batch` does."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import math
import os
import re
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import chain, combinations
from pathlib import Path
from typing import IO, Any, TypeVar

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import NOBODY_DECIDES, PolicyError
from payer_policy.runtime.facts import SIGNS
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import Number, Unreadable, hints, read_json
from payer_policy.runtime.request import to_json, to_text
from payer_policy.runtime.values import Decision
from payer_policy.runtime.vocabulary import slip_of

try:
    import fcntl
except ImportError:  # not on Windows, where two runs are told apart by nothing
    fcntl = None  # type: ignore[assignment]

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}

# The columns of a CSV that are no facts.
_COLUMNS = {"document", "date_of_service", "request_id", "hcpcs", "icd10", "unavailable"}

# A number that a laboratory reports within a bound.
_BOUNDS = {**SIGNS, "≤": "at_most", "≥": "at_least"}

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_ESCAPE = "surrogateescape"  # what is not UTF-8 is kept in the text, and refused with the name of its field

_AHEAD = 1000  # lines read before those that hold no request are written


T = TypeVar("T")

# How the lines of an output and of rejects begin, their names being sorted: what is cut off one must begin so.
_DECIDED, _REJECTED = b'{"decision":{"', b'{"input":"sha256:'


class BatchError(PolicyError):
    """The batch cannot begin or go on; the message names the file and what to do."""


def printable(text: str) -> str:
    """Text of a caller, names of files and fields too, for a terminal: no control characters."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


@dataclass
class Tally:
    """What a batch came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    open_facts: Counter[str] = field(default_factory=Counter)
    """By document and name, `CC-0126 lineage` say: documents may have facts of the same name."""

    rejected: int = 0

    def add(self, decision: dict[str, Any]) -> None:
        self.outcomes[decision["outcome"]] += 1
        if decision["missing"]:
            document = decision["policy"]["document"]
            self.open_facts.update(f"{document} {item['fact']}" for item in decision["missing"])


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


@dataclass
class Batch:
    """Decides every line of `source` into `target`, in order.

    `source` is JSON lines or, by its suffix `.csv`, a CSV with one column per fact. `target` gets one record a line,
    as `recorded` makes it, with the digest of the `input` up to there; `rejects` gets what no request can be read from
    or no decision be had for, with `line`, `problem`, `text` and the same digest. The same input gives the same bytes,
    however often the run was killed and resumed, but for the decision ids that a server draws.
    """

    policy: PolicyBase
    source: Path
    target: Path
    rejects: Path
    in_flight: int = 2
    on_line: Callable[[Line, str | None], None] = lambda line, problem: None
    """Called for every line done, with its problem if it was rejected, or with what to write instead of text that is
    nearly a number."""

    tally: Tally = field(default_factory=Tally)

    def run(self, *, resume: bool = False) -> Tally:
        """With `resume`, what is in the files already is kept and the rest is done.

        Raises `BatchError`, and `PolicyUnreachable`, `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more:
        what was decided until then is in the files. Nothing that no batch wrote is overwritten or cut off.
        """
        if any(_same(*pair) for pair in combinations((self.source, self.target, self.rejects), 2)):
            raise BatchError("input, output and rejects must be three files")
        if self.in_flight < 1:
            raise BatchError("in_flight must be positive")
        for file in (self.target, self.rejects):
            if os.path.exists(file) and not resume:
                raise BatchError(f"{file} exists: go on with it by --resume, or move it away")
        if os.path.exists(self.rejects) and not os.path.exists(self.target):
            raise BatchError(f"{self.rejects} is of another output: move it away")
        with ExitStack() as files:
            lines = lines_of(self.policy, self.source, files)
            target = _output(self.target, files)
            rejects = _output(self.rejects, files)
            files.callback(self._drop_if_empty, rejects)  # however the run ends, and while nobody else can open it
            self._decide(self._resumed(lines, target, rejects), target, rejects)
        return self.tally

    def _drop_if_empty(self, rejects: IO[bytes]) -> None:
        if os.fstat(rejects.fileno()).st_size == 0:
            with suppress(PermissionError):  # Windows removes no open file
                self.rejects.unlink()

    def _decide(self, lines: Iterator[Line], target: IO[bytes], rejects: IO[bytes]) -> None:
        waiting: deque[Line] = deque()  # as many as decide_many has read ahead
        more = True

        def requests() -> Iterator[Any]:
            nonlocal more
            for line in lines:
                waiting.append(line)
                if line.problem is None:
                    yield line.request
                if len(waiting) >= _AHEAD:
                    return
            more = False

        def reject(line: Line, problem: str) -> None:
            rejects.write(record_line(input=line.digest, line=line.number, problem=problem, text=line.text).encode())
            rejects.flush()  # before the next decision: the last line of `target` says how far both files are complete
            self.tally.rejected += 1
            self.on_line(line, problem)

        while more:
            for answer in self.policy.decide_many(requests(), in_flight=self.in_flight):
                while (line := waiting.popleft()).problem is not None:
                    reject(line, line.problem)
                answer = self._insisted(line, answer)
                if isinstance(answer, PolicyError):
                    reject(line, f"{type(answer).__name__}: {answer}")
                    continue
                record = recorded(line.number, line.request, answer)
                target.write(record_line(**record, input=line.digest).encode())
                self.tally.add(record["decision"])
                self.on_line(line, "; ".join(hints(line.request, answer.errors)) or None)
            while waiting:
                line = waiting.popleft()
                reject(line, line.problem or "")

    def _insisted(self, line: Line, answer: Decision | PolicyError) -> Decision | PolicyError:
        """Unless nobody decides any more, a line is asked for once more alone before it is rejected."""
        if isinstance(answer, NOBODY_DECIDES):
            self.policy.health()
            [answer] = self.policy.decide_many([line.request])
        return answer

    def _resumed(self, lines: Iterator[Line], target: IO[bytes], rejects: IO[bytes]) -> Iterator[Line]:
        """The lines left to do. What a kill left unfinished is cut off the outputs once they are known to be of this
        input and this policy."""
        done: dict[str, Any] | None = None
        rejected: dict[str, Any] | None = None
        end = cut = 0
        for record, size in _whole_lines(target, self.target, _DECIDED, "decision", "input", "provenance", "request"):
            done, end = record, size
            self.tally.add(record["decision"])
        last = done["line"] if done else 0
        for record, size in _whole_lines(rejects, self.rejects, _REJECTED, "input", "problem", "text"):
            rejected = record
            if record["line"] <= last:
                cut = size
                self.tally.rejected += 1
        if done:
            self._same_policy(done)
        marks = [record for record in (done, rejected) if record]
        ahead: list[Line] = []  # rejected before, but the output does not say so yet
        while marks:
            line = next(lines, None)
            if line is None or any(mark["line"] <= line.number and mark["input"] != line.digest for mark in marks):
                raise BatchError(f"{self.target} and {self.rejects} are not both of this input: move them away")
            marks = [mark for mark in marks if mark["line"] > line.number]
            if line.number > last:
                ahead.append(line)
            else:
                self.on_line(line, None)
        _cut(target, end)
        _cut(rejects, cut)
        return chain(ahead, lines)

    def _same_policy(self, done: dict[str, Any]) -> None:
        """Asks for the last decision again: an OPA that has its policy from a folder names no revision."""
        [answer] = self.policy.decide_many([done["request"]])
        if isinstance(answer, NOBODY_DECIDES):
            raise answer
        which = ""
        if isinstance(answer, Decision):
            again = recorded(done["line"], done["request"], answer)
            revisions = [json.dumps(record["provenance"].get("revisions"), sort_keys=True) for record in (done, again)]
            if revisions[0] == revisions[1] and done["decision"] == again["decision"]:
                return
            which = f", {revisions[0]}; asked now is {revisions[1]}"
        raise BatchError(f"{self.target} was decided by another policy{which}: go on with that one, or move it away")


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, by whatever names."""
    try:
        return one.samefile(other)
    except OSError:  # one is not there yet
        return os.path.realpath(one) == os.path.realpath(other)


def private(path: str, flags: int) -> int:
    """Opens files for `open`: only the owner may read what is made so, which is health data."""
    return os.open(path, flags, 0o600)


def _output(path: Path, files: ExitStack) -> IO[bytes]:
    """An output to read and go on with, made if it is not there, for this run alone. Raises `BatchError`."""
    try:
        # By "x" no link to nowhere is followed, and of two runs that begin at once one fails.
        how = "r+b" if os.path.exists(path) else "x+b"
        file = files.enter_context(open(path, how, opener=private))  # noqa: SIM115
        held = os.fstat(file.fileno())
        if not stat.S_ISREG(held.st_mode):
            raise BatchError(f"{path} is no regular file")
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(held, path.stat()):  # removed since by the run that made it
                raise BlockingIOError
    except BlockingIOError:
        raise BatchError(f"{path} is being written by another run") from None
    except OSError as error:
        raise BatchError(f"{path}: {error.strerror}") from None
    return file


def _cut(file: IO[bytes], end: int) -> None:
    file.truncate(end)
    file.seek(max(end - 1, 0))
    if end and file.read(1) != b"\n":
        file.write(b"\n")


def _whole_lines(file: IO[bytes], path: Path, begins: bytes, *fields: str) -> Iterator[tuple[dict[str, Any], int]]:
    """The records in an output, each with the size of the file up to it, without a last one that is unfinished. Raises
    `BatchError` when anything else stands there."""
    last = size = 0
    for number, text in enumerate(file, 1):
        try:
            record = record_of(text, path, number, *fields)
        except BatchError:
            if text.endswith(b"\n") or not (text.startswith(begins) or begins.startswith(text)):
                raise
            return
        if record["line"] <= last:
            raise BatchError(f"{path}: line {number} comes after a later one: two runs wrote it; move it away")
        last = record["line"]
        size += len(text)
        yield record, size


def recorded(line: int, request: Any, decision: Decision) -> dict[str, Any]:  # noqa: ANN401
    """What is kept of a decision, wherever it is kept: enough to make it again and to find it in OPA's log."""
    return {
        "line": line,
        "request": to_json(request, ""),
        "decision": decision.to_dict(),
        "provenance": {"client_version": client_version(), **asdict(decision.provenance)},
    }


@cache
def client_version() -> str:
    return version("payer-policy-client")


# Sorted, since the embedded policy promises no order of keys.
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def record_line(**record: Any) -> str:  # noqa: ANN401
    """A line of an output or of rejects."""
    return to_text(record, _encoder) + "\n"


def record_of(text: bytes, file: Path, number: int, *fields: str) -> dict[str, Any]:
    """The record in a line of an output or of rejects, which has `line` and all of `fields`. Raises `BatchError`."""
    with suppress(Unreadable):
        record = read_json(text)
        if (
            isinstance(record, dict)
            and record.keys() >= {"line", *fields}
            and type(record["line"]) is int
            and ("decision" not in fields or _is_decision(record["decision"]))
            and isinstance(record.get("provenance", {}), dict)
        ):
            return record
    raise BatchError(f"{file}: line {number} is not as this version of payer-policy writes it")


def _is_decision(value: Any) -> bool:  # noqa: ANN401
    """Whether it has what is read of it here; what else it should have a replay tells."""
    if not isinstance(value, dict) or not value.keys() >= {"outcome", "policy", "missing"}:
        return False
    policy, missing = value["policy"], value["missing"]
    return (
        isinstance(value["outcome"], str)
        and (policy is None or (isinstance(policy, dict) and isinstance(policy.get("version"), str)))
        and isinstance(missing, list)
        and all(isinstance(item, dict) and isinstance(item.get("fact"), str) for item in missing)
    )


def records_of(source: Path, files: ExitStack) -> Iterator[dict[str, Any]]:
    """The records in a file of them, which is closed with `files`. Raises `BatchError`."""
    lines = enumerate(_readable(source, _opened(source, files)), 1)
    return (record_of(text, source, number, "request", "decision") for number, text in lines)


def lines_of(policy: PolicyBase, source: Path, files: ExitStack) -> Iterator[Line]:
    """The lines of a file of requests, which is closed with `files`. Raises `BatchError`."""
    file = _opened(source, files)
    if source.suffix.lower() == ".csv":
        return _csv_lines(policy, source, file)
    start = file.peek().removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"["):
        raise BatchError(f"{source} begins with an array, not with one request a line: jq -c '.[]' makes lines of it")
    if start.startswith(b"\x1e"):
        raise BatchError(f"{source} has a record separator (RFC 7464) before each line: tr -d '\\036' removes them")
    if start[:2] in _UTF_16:
        raise BatchError(f"{source} is UTF-16 text: save it as UTF-8, or by the suffix .csv if it is a table")
    return _json_lines(source, file)


def _opened(source: Path, files: ExitStack) -> io.BufferedReader:
    try:
        file = files.enter_context(source.open("rb"))
        file.peek()  # a folder opens on some systems
    except OSError as error:
        raise BatchError(f"{source}: {error.strerror}") from None
    return file


def _json_lines(source: Path, file: IO[bytes]) -> Iterator[Line]:
    position, digest = 0, hashlib.sha256()
    for number, raw in enumerate(_readable(source, file), 1):
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


def _readable(source: Path, lines: Iterable[T]) -> Iterator[T]:
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

    As spreadsheets write it: separated by commas, semicolons or tabs, by what the header shows or a first line `sep=;`
    says; UTF-16 by its mark; with columns at the end that have no name, and rows that lack their last cells."""
    documents = Documents(policy)
    start = file.peek()
    wide = start[:2] in _UTF_16
    decoded = io.TextIOWrapper(file, *(("utf-16", "strict") if wide else ("utf-8-sig", _ESCAPE)), newline="")
    text = _Text(_readable(source, decoded))
    header, separators = next(text, ""), ",;\t"
    if said := re.fullmatch(r'(?i)"?sep=([,;\t|])"?\s*', header):
        header, separators = next(text, ""), said[1]
    known = _COLUMNS.union(_facts(documents, _first_documents(start, wide)))
    separator, columns, named, strange = _described(header, separators, known)
    if strange:
        known |= _facts(documents, documents)
        separator, columns, named, strange = _described(header, separators, known)
    # Without their names: a file whose header is missing has a patient there.
    if strange:
        near = {name for number in strange if (name := slip_of(named[number - 1], known))}
        hint = f"; the nearest is {', '.join(sorted(near))}" if near else ""
        numbers = ", ".join(map(str, strange))
        raise BatchError(f"{source}: by the first line, column {numbers} is neither a fact nor a known column{hint}")
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
    for separator in ",;\t|":
        with suppress(csv.Error):
            header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)] or [[]]
            if "document" in header:
                place = header.index("document")
                found.update(row[place] for row in (rows[:-1] if cut else rows) if len(row) > place and row[place])
    return found


def _described(header: str, separators: str, known: set[str]) -> tuple[str, list[str], list[str], list[int]]:
    """The separator by which most of a header is known, its columns, those with a name or before one that has, and the
    numbers of those that are not known."""
    separator = max(separators, key=lambda each: len(known.intersection(_header(header, each))))
    columns = _header(header, separator)
    named = columns[: max((number for number, name in enumerate(columns, 1) if name), default=0)]
    return separator, columns, named, [number for number, name in enumerate(named, 1) if name not in known]


def _rows(
    source: Path,
    file: IO[bytes],
    text: _Text,
    separator: str,
    columns: list[str],
    documents: Documents,
) -> Iterator[Line]:
    reader = csv.reader(text, delimiter=separator, strict=True)
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
        return [name.strip() for name in next(csv.reader([line], delimiter=separator, strict=True), [])]
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
