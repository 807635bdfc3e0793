"""Files of requests, decided line by line: what `payer-policy batch` does."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path
from typing import IO, Any

from payer_policy.runtime.errors import NOBODY_DECIDES, PolicyError
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import hints
from payer_policy.runtime.values import Decision
from payer_policy.workshop.lines import BatchError, Line, lines_of, notation_of
from payer_policy.workshop.records import record_line, record_of, recorded

try:
    import fcntl
except ImportError:  # not on Windows, where two runs are told apart by nothing
    fcntl = None  # type: ignore[assignment]

_AHEAD = 1000  # lines read before those that hold no request are written

# How the lines of an output and of rejects begin, their names being sorted: what is cut off one must begin so.
_DECIDED, REJECTED_LINE = b'{"decision":{"', b'{"input":"sha256:'


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
    """Called for every line done, with its problem if it was rejected."""

    on_hint: Callable[[int, str], None] = lambda line, hint: None
    """Called for a line with text that should be a number, with what to write instead."""

    tally: Tally = field(default_factory=Tally)

    def run(self, *, resume: bool = False) -> Tally:
        """With `resume`, what is in the files already is kept and the rest is done.

        Raises `BatchError`, and `PolicyUnreachable`, `PolicyRefused` or `PolicyNotLoaded` when nobody decides any more:
        what was decided until then is in the files. Nothing that no batch wrote is overwritten or cut off.
        """
        if self.in_flight < 1:
            raise BatchError("in_flight must be positive")
        if self.target.suffix.lower() == ".parquet":
            raise BatchError(f"{self.target} would hold JSON lines: Parquet is made of Parquet alone")
        free(self.source, self.target, self.rejects, resume)
        with ExitStack() as files:
            lines = lines_of(self.policy, self.source, files)
            target, rejects = outputs(self.target, self.rejects, files)
            self._decide(self._resumed(lines, target, rejects), target, rejects)
        return self.tally

    def _decide(self, lines: Iterator[Line], target: IO[bytes], rejects: IO[bytes]) -> None:
        notation = notation_of(self.source)
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
                if hint := "; ".join(hints(line.request, answer.errors, notation)):
                    self.on_hint(line.number, hint)
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

    def _resumed(self, lines: Iterator[Line], target: IO[bytes], rejects: IO[bytes]) -> Iterator[Line]:
        """The lines left to do. What a kill left unfinished is cut off the outputs once they are known to be of this
        input and this policy."""
        done: dict[str, Any] | None = None
        rejected: dict[str, Any] | None = None
        end = ends = 0
        for record, size in _whole_lines(target, self.target, _DECIDED, "decision", "input", "provenance", "request"):
            done, end = record, size
            self.tally.add(record["decision"])
        last = done["line"] if done else 0
        for record, size in _whole_lines(rejects, self.rejects, REJECTED_LINE, "input", "problem", "text"):
            rejected = record
            if record["line"] <= last:
                ends = size
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
        cut(target, end)
        cut(rejects, ends)
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


def free(source: Path, target: Path, rejects: Path, resume: bool) -> None:
    """Raises `BatchError` when a run may not write there."""
    if any(_same(*pair) for pair in combinations((source, target, rejects), 2)):
        raise BatchError("input, output and rejects must be three files")
    for file in (target, rejects):
        if os.path.exists(file) and not resume:
            raise BatchError(f"{file} exists: go on with it by --resume, or move it away")
    if os.path.exists(rejects) and not os.path.exists(target):
        raise BatchError(f"{rejects} is of another output: move it away")


def outputs(target: Path, rejects: Path, files: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """Both, as `_output` opens them, closed with `files`; rejects that are empty then are removed."""
    opened = _output(target, files), _output(rejects, files)
    files.callback(_drop_if_empty, opened[1], rejects)  # however the run ends, and while nobody else can open it
    return opened


def _drop_if_empty(file: IO[bytes], path: Path) -> None:
    if os.fstat(file.fileno()).st_size == 0:
        with suppress(PermissionError):  # Windows removes no open file
            path.unlink()


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, by whatever names."""
    try:
        return one.samefile(other)
    except OSError:  # one is not there yet
        return os.path.realpath(one) == os.path.realpath(other)


def private(path: str, flags: int) -> int:
    """Opens files for `open`: only the owner may read what is made so, which is health data."""
    return os.open(path, flags, 0o600)


def withdraw(file: IO[Any]) -> None:
    """What everybody may read, as by the umask when it was made elsewhere, is its owner's alone from here on; a group
    that its owner has let in stays."""
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IRWXO and hasattr(os, "fchmod"):  # not on Windows
        os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR)


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


def cut(file: IO[bytes], end: int) -> None:
    """To go on behind `end`."""
    withdraw(file)
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
