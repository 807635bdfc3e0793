"""Files of requests, decided line by line: what `payer-policy batch` does."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from payer_policy.client import PolicyBase
from payer_policy.errors import NOBODY_DECIDES, PolicyError
from payer_policy.model import Decision

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}

# The columns of a CSV that are no facts.
_COLUMNS = {"document", "date_of_service", "request_id", "hcpcs", "icd10"}

_AHEAD = 1000  # lines read before those that hold no request are written


class BatchError(Exception):
    """The batch cannot begin or go on; the message names the file and what to do."""


@dataclass
class Tally:
    """What a batch came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    open_facts: Counter[str] = field(default_factory=Counter)
    rejected: int = 0

    def add(self, decision: dict[str, Any]) -> None:
        self.outcomes[decision["outcome"]] += 1
        self.open_facts.update(item["fact"] for item in decision["missing"])


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


@dataclass
class Batch:
    """Decides every line of `source` into `target`, in order.

    `source` is JSON lines or, by its suffix `.csv`, a CSV with one column per fact. `target` gets one JSON object a
    line with `line`, `request` and `decision`; `rejects` gets what no request can be read from or no decision be had
    for, with `line`, `problem` and `text`. The same input gives the same bytes, however often the run was killed and
    resumed.
    """

    policy: PolicyBase
    source: Path
    target: Path
    rejects: Path
    in_flight: int = 2
    on_line: Callable[[Line, str | None], None] = lambda line, problem: None
    """Called for every line done, with its problem if it was rejected."""

    tally: Tally = field(default_factory=Tally)

    def run(self, *, resume: bool = False) -> Tally:
        """With `resume`, what is in the files already is kept and the rest is done.

        Raises `BatchError`, and `PolicyUnreachable`, `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more:
        what was decided until then is in the files.
        """
        if len({path.resolve() for path in (self.source, self.target, self.rejects)}) < 3:
            raise BatchError("input, output and rejects must be three files")
        if self.in_flight < 1:
            raise BatchError("in_flight must be positive")
        done = None
        if resume:
            done = self._decided()
            self._cut_rejects(done["line"] if done else 0)
        for file in (self.target, self.rejects):
            if not resume and file.exists():
                raise BatchError(f"{file} exists: go on with it by --resume, or move it away")
        with ExitStack() as files:
            lines = lines_of(self.policy, self.source, files)
            if done:
                self._skip(lines, done)
            target = files.enter_context(self.target.open("a", encoding="utf-8", newline="\n"))
            rejects = files.enter_context(self.rejects.open("a", encoding="utf-8", newline="\n"))
            self._decide(lines, target, rejects)
        if self.rejects.stat().st_size == 0:
            self.rejects.unlink()
        return self.tally

    def _decide(self, lines: Iterator[Line], target: IO[str], rejects: IO[str]) -> None:
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
            rejects.write(record_line(line=line.number, problem=problem, text=line.text))
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
                decision = answer.to_dict()
                target.write(record_line(line=line.number, request=line.request, decision=decision))
                self.tally.add(decision)
                self.on_line(line, None)
            while waiting:
                line = waiting.popleft()
                reject(line, line.problem or "")

    def _insisted(self, line: Line, answer: Decision | PolicyError) -> Decision | PolicyError:
        """Unless nobody decides any more, a line is asked for once more alone before it is rejected."""
        if isinstance(answer, NOBODY_DECIDES):
            self.policy.health()
            [answer] = self.policy.decide_many([line.request])
        return answer

    def _decided(self) -> dict[str, Any] | None:
        """Reads the tally off the output, cuts off a last line that a kill left unfinished, returns the last whole."""
        last = None
        if self.target.exists():
            with self.target.open("rb+") as file:
                end = 0
                for text in file:
                    if not text.endswith(b"\n"):
                        break
                    last = record_of(text, self.target, "line", "request", "decision")
                    self.tally.add(last["decision"])
                    end += len(text)
                file.truncate(end)
        return last

    def _cut_rejects(self, done: int) -> None:
        if self.rejects.exists():
            with self.rejects.open("rb+") as file:
                end = 0
                for text in file:
                    if not text.endswith(b"\n") or record_of(text, self.rejects, "line", "problem")["line"] > done:
                        break
                    self.tally.rejected += 1
                    end += len(text)
                file.truncate(end)

    def _skip(self, lines: Iterator[Line], done: dict[str, Any]) -> None:
        for line in lines:
            self.on_line(line, None)
            if line.number == done["line"]:
                if line.request != done["request"]:
                    break
                return
        raise BatchError(f"{self.target} is of another input: line {done['line']} differs; move it away")


def record_line(**record: Any) -> str:  # noqa: ANN401
    """A line of an output or of rejects."""
    # Sorted, since the embedded policy promises no order of keys.
    return json.dumps(record, sort_keys=True, separators=(",", ":")) + "\n"


def record_of(text: bytes, file: Path, *fields: str) -> dict[str, Any]:
    """A line of an output or of rejects, which has all of `fields`. Raises `BatchError`."""
    with suppress(ValueError):
        record = json.loads(text)
        if isinstance(record, dict) and record.keys() >= set(fields) and isinstance(record["line"], int):
            return record
    raise BatchError(f"{file} holds a line that no batch wrote; move it away")


def lines_of(policy: PolicyBase, source: Path, files: ExitStack) -> Iterator[Line]:
    """The lines of a file of requests, which is closed with `files`. Raises `BatchError`."""
    try:
        file = files.enter_context(source.open("rb"))
    except OSError as error:
        raise BatchError(f"{source}: {error.strerror}") from None
    return _csv_lines(policy, source, file) if source.suffix.lower() == ".csv" else _json_lines(file)


def _json_lines(file: IO[bytes]) -> Iterator[Line]:
    position = 0
    for number, raw in enumerate(file, 1):
        position += len(raw)
        if not raw.strip():
            continue
        text = raw.rstrip(b"\r\n").decode("utf-8-sig" if number == 1 else "utf-8", "backslashreplace")
        request, problem = None, None
        try:
            raw.decode()
            request = json.loads(text, object_pairs_hook=unique)
        except UnicodeDecodeError:
            problem = "not UTF-8 text"
        except json.JSONDecodeError as error:
            problem = f"not JSON: {error.msg} at column {error.colno}"
        except TwiceNamed:
            problem = "a name stands twice in an object"
        except (ValueError, RecursionError):
            problem = "a number is too long, or the nesting too deep"
        yield Line(number, request, problem, text, position)


class TwiceNamed(Exception):
    pass


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):  # JSON would let the last one win silently
        raise TwiceNamed
    return whole


def _csv_lines(policy: PolicyBase, source: Path, file: IO[bytes]) -> Iterator[Line]:
    """A cell is text; what it stands for follows from the type of its fact, and what does not fit stays text, for the
    policy to name the field. An empty cell is unknown, `[]` an empty list, items are separated by semicolons."""
    types = {
        entry["document"]: {fact["name"]: fact["type"] for held in entry["versions"] for fact in held["facts"]}
        for entry in policy.catalogue()["documents"]
    }
    record: list[str] = []
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")  # what is not UTF-8 is refused by name
    reader = csv.DictReader(_remembering(text, record), strict=True)
    try:
        columns = [*(reader.fieldnames or [])]
    except csv.Error:
        columns = []
    known = _COLUMNS.union(*types.values())
    # Without their names: a file whose header is missing has a patient there.
    if strange := [number for number, name in enumerate(columns, 1) if name not in known]:
        near = {name for number in strange for name in get_close_matches(columns[number - 1], known, 1, 0.75)}
        hint = f"; the nearest is {', '.join(sorted(near))}" if near else ""
        numbers = ", ".join(map(str, strange))
        raise BatchError(f"{source}: by the first line, column {numbers} is neither a fact nor a known column{hint}")
    if len(set(columns)) < len(columns) or not {"document", "date_of_service"} <= set(columns):
        raise BatchError(f"{source}: the first line names each column once, document and date_of_service among them")
    return _rows(reader, types, record, file)


def _rows(
    reader: csv.DictReader[str], types: dict[str, dict[str, str]], record: list[str], file: IO[bytes]
) -> Iterator[Line]:
    while True:
        record.clear()
        request, problem = None, None
        try:
            row = next(reader)
            if None in row or None in row.values():
                problem = "more or fewer cells than columns"
            else:
                request = _from_cells(row, types.get(row["document"].strip(), {}))
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"not CSV: {error}"
        yield Line(reader.reader.line_num, request, problem, "".join(record).rstrip("\r\n"), file.tell())


def _remembering(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    for line in lines:
        record.append(line)
        yield line


def _from_cells(row: dict[str, str], types: dict[str, str]) -> dict[str, Any]:
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    request: dict[str, Any] = {
        name: cells[name] for name in ("document", "date_of_service", "request_id") if name in cells
    }
    codes: dict[str, Any] = {"hcpcs": cells["hcpcs"]} if "hcpcs" in cells else {}
    if "icd10" in cells:
        codes["icd10"] = _items(cells["icd10"])
    if codes:
        request["codes"] = codes
    request["facts"] = {name: _value(cell, types.get(name)) for name, cell in cells.items() if name not in _COLUMNS}
    return request


def _value(cell: str, type_: str | None) -> Any:  # noqa: ANN401
    if type_ == "array":
        return _items(cell)
    if type_ == "boolean":
        return _BOOLEANS.get(cell.lower(), cell)
    if type_ in ("integer", "number"):
        with suppress(ValueError):
            number = json.loads(cell)
            if isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number):
                return number
    return cell


def _items(cell: str) -> list[str]:
    return [] if cell == "[]" else [item.strip() for item in cell.split(";")]
