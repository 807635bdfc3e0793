"""Files of Parquet, decided and compared on all cores: what `payer-policy batch` and `impact` do with them."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from payer_policy.runtime.embedded import EmbeddedPolicy
from payer_policy.runtime.errors import MissingExtra, PolicyUnreachable
from payer_policy.runtime.policy import PolicyBase
from payer_policy.workshop.batch import REJECTED_LINE, Tally, cut, free, outputs, private, withdraw
from payer_policy.workshop.impact import Impact, Side, Turned
from payer_policy.workshop.lines import BatchError
from payer_policy.workshop.records import client_version, record_line

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from payer_policy.tables import (
        APART,
        DECIDED,
        DECIDED_WHOLE,
        HINT,
        REJECTED,
        Deciding,
        Facts,
        columns_read,
        comparing,
        deciding,
    )
except ImportError as error:
    raise MissingExtra(f"Parquet needs pyarrow: pip install 'payer-policy-client[tables]' ({error})") from None

_ROWS = 1 << 13  # decided at a time, and kept when a run is interrupted: some seconds of work
_GROUP = 1 << 26  # bytes that a row group of the output has at least, before it is compressed

# Under which name a file says in its schema what it was decided from.
_MARK = b"payer_policy"

T = TypeVar("T")


@dataclass
class ParquetBatch:
    """Decides every row of `source`, a file or a folder of files, into `target`: its columns, and beside them those of
    `decide_table`, in order.

    A row that holds no request, or cannot be decided, stays in `target` with its errors, and its number is in `rejects`
    with the `problem`. `in_flight` is how many parts are decided at a time, each by a process of its own, or on a
    thread where a server decides; all cores when None. What is decided is kept in a folder, `target` with `.parts`
    behind its name, until `target` is written. The same input gives the same bytes, however often the run was killed
    and resumed."""

    policy: PolicyBase
    source: Path
    target: Path
    rejects: Path
    facts: Facts = "facts"
    whole: bool = False
    in_flight: int | None = None
    on_rows: Callable[[int, int], None] = lambda done, of: None
    """Called with how many rows are done and how many there are."""

    on_problem: Callable[[int, str], None] = lambda row, problem: None
    """Called for each row that is rejected."""

    on_hint: Callable[[int, str], None] = lambda row, hint: None
    """Called for a row with text that should be a number, with what to write instead."""

    tally: Tally = field(default_factory=Tally)

    def run(self, *, resume: bool = False) -> Tally:
        """Raises as `Batch.run` does, and `InvalidValue` when the table lacks a column, has one of the names of the
        result or one of a type that nothing in a request has: before any row is decided."""
        if self.target.suffix.lower() != ".parquet":
            raise BatchError(f"{self.target} must be Parquet too, by the suffix .parquet")
        free(self.source, self.target, self.rejects, resume)
        with ExitStack() as files:
            source = _Source(self.source)
            self._deciding = partial(deciding, self.policy, facts=self.facts, whole=self.whole, rejected=True)
            self._deciding().beside(source.schema.empty_table())
            self._read = columns_read(source.schema.names, self.facts)
            self._parts = Path(f"{self.target}.parts")
            if self._parts.exists() and not resume:
                raise BatchError(f"{self._parts} exists: go on with it by --resume, or move it away")
            target, rejects = outputs(self.target, self.rejects, files)
            self._input = source.digest()
            asked = {"input": self._input, "facts": self.facts, "whole": self.whole}
            self._mark = json.dumps(asked, sort_keys=True).encode()
            if os.fstat(target.fileno()).st_size and not self._parts.exists():
                self._again(source, target, rejects)
            else:
                self._decide(source)
                self._write(source, target, rejects)
                shutil.rmtree(self._parts)
        return self.tally

    def _decide(self, source: _Source) -> None:
        """Every part that is not there yet."""
        self._parts.mkdir(mode=0o700, exist_ok=True)
        done = {int(part.stem) for part in self._parts.glob("*.parquet") if part.stem.isdigit()}
        for number in done:
            self._marked(pq.read_schema(self._part(number)))
        total = source.rows
        rows = 0

        def left() -> Iterator[tuple[int, pa.Table]]:
            for number, table in enumerate(source.tables(self._read)):
                if number not in done:
                    yield number, table
                elif number == max(done):
                    self._same_policy(table, pq.read_table(self._part(number)))

        with _Workers([self.policy], self.in_flight, total, self._deciding) as workers:
            rows = min(len(done) * _ROWS, total)
            self.on_rows(rows, total)
            for size in workers.each(partial(_decide_part, self._parts, self._mark), left()):
                self.on_rows(rows := rows + size, total)

    def _write(self, source: _Source, target: IO[bytes], rejects: IO[bytes]) -> None:
        """`target` and `rejects` of all parts."""
        if (start := rejects.read(len(REJECTED_LINE))) and start != REJECTED_LINE:
            raise BatchError(f"{self.rejects} is not as this version of payer-policy writes it: move it away")
        for each in (target, rejects):
            cut(each, 0)
        result = DECIDED_WHOLE if self.whole else DECIDED
        mark = json.dumps({**json.loads(self._mark), "client_version": client_version()}, sort_keys=True).encode()
        schema = pa.schema([*source.schema, *result], {**(source.schema.metadata or {}), _MARK: mark})
        line = 0
        with pq.ParquetWriter(target, schema) as writer:
            group: list[pa.Table] = []
            for number, rows in enumerate(source.tables()):
                decided = pq.read_table(self._part(number))
                self._marked(decided.schema)
                flags = decided.column(REJECTED.name).to_pylist()
                self._count(rows, decided, flags)
                for row, problem in _problems(line, decided, flags):
                    rejects.write(record_line(input=self._input, line=row, problem=problem).encode())
                    self.on_problem(row, problem)
                for place, hint in _hints(decided.column(HINT.name).to_pylist()):
                    self.on_hint(line + place, hint)
                columns = [*rows.columns, *decided.select(result.names).columns]
                group.append(pa.Table.from_arrays(columns, schema=schema))
                if sum(each.nbytes for each in group) >= _GROUP:
                    _write_group(writer, group)
                line += rows.num_rows
            _write_group(writer, group)
        for each in (target, rejects):
            each.flush()
            os.fsync(each.fileno())

    def _again(self, source: _Source, target: IO[bytes], rejects: IO[bytes]) -> None:
        """Nothing is left to do: what was done is counted, if it is of this input and this policy."""
        held = _Source(self.target, target)
        self._marked(held.schema)
        for each in (target, rejects):
            withdraw(each)
        lines = {json.loads(line)["line"] for line in rejects}
        first = 1
        for table, decided in zip(source.tables(self._read), held.tables(), strict=True):
            self._count(table, decided, [first + row in lines for row in range(table.num_rows)])
            first += table.num_rows
        if first > 1:
            self._same_policy(table, decided)

    def _same_policy(self, table: pa.Table, decided: pa.Table) -> None:
        """Decides the rows once more."""
        names = (DECIDED_WHOLE if self.whole else DECIDED).names
        if not self._deciding().results(table).select(names).equals(decided.select(names)):
            raise BatchError(
                f"{self.target} was decided by another policy: go on with that one, or move it and {self._parts} away"
            )

    def _marked(self, schema: pa.Schema) -> None:
        try:
            mark = json.loads((schema.metadata or {})[_MARK])
            mark.pop("client_version", None)
        except (KeyError, ValueError, AttributeError):
            mark = None
        if mark != json.loads(self._mark):
            raise BatchError(
                f"{self.target} is not of this input, or its facts were named otherwise: move it and {self._parts} away"
            )

    def _part(self, number: int) -> Path:
        return _part(self._parts, number)

    def _count(self, table: pa.Table, decided: pa.Table, rejected: list[bool]) -> None:
        self.tally.rejected += sum(map(bool, rejected))
        outcomes = decided.column("outcome").to_pylist()
        self.tally.outcomes.update(
            outcome for outcome, out in zip(outcomes, rejected, strict=True) if outcome is not None and not out
        )
        missing = decided.column("missing")
        open_ = missing.to_pylist()
        at = [row for row, facts in enumerate(open_) if facts]
        documents = table.column("document").take(pa.array(at, pa.int64())).to_pylist()
        counted = Counter((document, tuple(open_[row])) for document, row in zip(documents, at, strict=True))
        for (document, facts), number in counted.items():
            for fact in facts:
                self.tally.open_facts[f"{document} {fact}"] += number


def _problems(line: int, decided: pa.Table, flags: list[bool]) -> Iterator[tuple[int, str]]:
    at = [row for row, flag in enumerate(flags) if flag]
    for row, errors in zip(at, decided.column("errors").take(pa.array(at, pa.int64())).to_pylist(), strict=True):
        yield line + row + 1, "; ".join(f"{error['path']}: {error['message']}".removeprefix(": ") for error in errors)


def _hints(of_rows: Iterable[str | None]) -> Iterator[tuple[int, str]]:
    return ((number, hint) for number, hint in enumerate(of_rows, 1) if hint)


def impact_parquet(
    document: str,
    old: Side,
    new: Side,
    source: Path,
    *,
    facts: Facts = "facts",
    in_flight: int | None = None,
    on_rows: Callable[[int, int], None] = lambda done, of: None,
    on_hint: Callable[[int, str], None] = lambda row, hint: None,
) -> Impact:
    """`impact` for the rows of a file, numbered from 1. A row that holds no request is an invalid one under both sides.
    Raises as `impact` and `ParquetBatch.run` do."""
    file = _Source(source)
    study = partial(comparing, document, old, new, facts=facts, hinted=True)
    study().beside(file.schema.empty_table())
    result, done = Impact(document), 0
    tables = enumerate(file.tables(columns_read(file.schema.names, facts)))
    numbered = ((number * _ROWS + 1, table) for number, table in tables)
    with _Workers([old.policy, new.policy], in_flight, file.rows, study) as workers:
        for part, size, hinted in workers.each(partial(_study_part, document), numbered):
            result.add(part)
            for place, hint in hinted:
                on_hint(done + place, hint)
            on_rows(done := done + size, file.rows)
    return result


class _Source:
    """A file of Parquet, or a folder of such as Spark writes it: their rows one file after the other, by name. Raises
    `BatchError`."""

    def __init__(self, path: Path, file: IO[bytes] | None = None) -> None:
        self._path, self._file = path, file
        self._paths = [path]
        if path.is_dir():
            found = (each for each in path.rglob("*.parquet") if each.is_file())
            # What begins with a dot or an underline is of a job that is under way.
            self._paths = sorted(
                each for each in found if not any(part[0] in "._" for part in each.relative_to(path).parts)
            )
        if not self._paths:
            raise BatchError(f"{path} is a folder without a file of Parquet")
        self.rows = 0
        for number, each in enumerate(self._paths):
            with self._opened(each) as opened:
                if number == 0:
                    self.schema = opened.schema_arrow
                elif not opened.schema_arrow.equals(self.schema):
                    raise BatchError(f"{each} has other columns than {self._paths[0]}: Spark makes one table of them")
                self.rows += opened.metadata.num_rows

    def _opened(self, path: Path) -> pq.ParquetFile:
        try:
            # Spark's old type of a time, of 96 bits, would come out as one of nanoseconds, which Spark does not read.
            return pq.ParquetFile(self._file or path, coerce_int96_timestamp_unit="us", buffer_size=1 << 20)
        except pa.ArrowInvalid:
            raise BatchError(f"{path} is no Parquet file") from None
        except OSError as error:
            raise BatchError(f"{path}: {error.strerror or 'cannot be read as Parquet'}") from None

    def digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._paths:
            with path.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
        return f"sha256:{digest.hexdigest()}"

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Of `_ROWS` rows each, whatever the files and their row groups are."""
        waiting: list[pa.Table] = []
        row = size = 0
        for path in self._paths:
            with self._opened(path) as opened:
                batches = opened.iter_batches(_ROWS, columns=columns)
                while (batch := self._next(batches, row + size)) is not None:
                    waiting.append(pa.Table.from_batches([batch]))
                    size += batch.num_rows
                    while size >= _ROWS:
                        whole = pa.concat_tables(waiting)
                        yield whole.slice(0, _ROWS).combine_chunks()
                        waiting, size, row = [whole.slice(_ROWS)], size - _ROWS, row + _ROWS
        if size:
            yield pa.concat_tables(waiting).combine_chunks()

    def _next(self, batches: Iterator[pa.RecordBatch], row: int) -> pa.RecordBatch | None:
        try:
            return next(batches, None)
        except (pa.ArrowException, OSError):
            raise BatchError(f"{self._path}: cannot be read behind row {row:,}") from None


# Of a worker, or of a thread.
_local = threading.local()


class _Workers:
    """As many as there is work for. A server is asked from threads; what decides in process needs one of its own, since
    what Python does of a decision is done by one thread at a time: of several each has one core."""

    def __init__(
        self, policies: list[PolicyBase], in_flight: int | None, rows: int, make: Callable[..., Deciding]
    ) -> None:
        if in_flight is not None and in_flight < 1:
            raise BatchError("in_flight must be positive")
        parts = max(rows // _ROWS, 1)
        # A process takes a second to begin, in which one decides some thousand rows, or many more that are alike.
        count = min(in_flight or min(os.cpu_count() or 1, max(parts // 4, 1)), parts)
        if count > 1 or in_flight == 1:
            make = partial(make, in_flight=1)
        self._ahead = 2 * count
        self._executor: Executor
        if count > 1 and all(isinstance(policy, EmbeddedPolicy) for policy in policies):
            # A fork would copy the locks of Arrow's threads as they are at the time.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(count, context, _begin_process, (make,))
        else:
            self._executor = ThreadPoolExecutor(count, initializer=_begin, initargs=(make,))

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def each(self, work: Callable[..., T], items: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """What comes of each item, in order."""
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(self._executor.submit(work, *item))
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise PolicyUnreachable(
                "a process that decides was ended from outside, for lack of memory say: fewer --in-flight need less"
            ) from None


def _begin(make: Callable[[], Deciding]) -> None:
    _local.deciding = make()


def _begin_process(make: Callable[[], Deciding]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _begin(make)


def _end_with_parent() -> None:
    """Who waits for work waits for ever when the one that hands it out is killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _part(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.parquet"


def _decide_part(folder: Path, mark: bytes, number: int, table: pa.Table) -> int:
    """Written whole or not at all."""
    results = _local.deciding.results(table)
    part = _part(folder, number)
    written = part.with_suffix(f".{os.getpid()}")
    with open(written, "wb", opener=private) as file:
        pq.write_table(results.replace_schema_metadata({_MARK: mark}), file, compression="zstd")
    os.replace(written, part)
    return int(table.num_rows)


def _study_part(document: str, first: int, table: pa.Table) -> tuple[Impact, int, list[tuple[int, str]]]:
    rows, places = _local.deciding.rows(table)
    part = Impact(document)
    for place, count in Counter(places).items():
        row = rows[place]
        if APART in row:
            part.apart[row[APART]] += count
        else:
            part.count(row["old_outcome"], row["new_outcome"], _tuples(row, "clauses"), _tuples(row, "left_out"), count)
    turned = [row.get("old_outcome") != row.get("new_outcome") for row in rows]
    clauses = {place: _tuples(row, "clauses") for place, row in enumerate(rows) if turned[place]}
    part.turned = [
        Turned(line, rows[place]["old_outcome"], rows[place]["new_outcome"], clauses[place])
        for line, place in enumerate(places, first)
        if turned[place]
    ]
    return part, table.num_rows, [*_hints(rows[place].get(HINT.name) for place in places)]


def _tuples(row: dict[str, Any], name: str) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(each.values()) for each in row[name])


def _write_group(writer: pq.ParquetWriter, group: list[pa.Table]) -> None:
    if group:
        table = pa.concat_tables(group)
        writer.write_table(table, row_group_size=table.num_rows)
        group.clear()
