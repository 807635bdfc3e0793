"""Files of Parquet: every row decided in its place, kills and resumption, what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from payer_policy import EmbeddedPolicy, InvalidValue, PolicyError, parquet
from payer_policy.command import main
from payer_policy.parquet import ParquetBatch
from payer_policy.runtime.errors import PolicyUnreachable
from payer_policy.tables import DECIDED, decide_table
from payer_policy.workshop.impact import Side
from payer_policy.workshop.lines import BatchError

DAY = "2025-06-01"
BAD = {
    "{": "facts: not JSON: Expecting property name enclosed in double quotes at column 2",
    '{"infant":true,"infant":true}': "facts: a name stands twice in an object",
    '{"mrd_percent":NaN}': "facts.mrd_percent: must be a finite number, or None when it is not known",
}
LARGE = json.dumps({"disease": "x" * (1 << 19)})


def table(rows: int = 300, bad: bool = True) -> pa.Table:
    """All rows differ; what is no request stands among them."""
    facts = [json.dumps({"disease": ("all", "dlbcl")[row % 2], "mrd_percent": row / 100}) for row in range(rows)]
    if bad:
        facts[100:100] = [*BAD, LARGE, '{"infant":1}']
    number = len(facts)
    return pa.table(
        {
            "claim": range(number),
            "document": ["CC-0126"] * number,
            "date_of_service": [DAY] * number,
            "paid": pa.array([None if row % 3 else row for row in range(number)], pa.decimal128(9, 2)),
            "facts": facts,
        }
    )


@pytest.fixture
def batch(policy: EmbeddedPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ParquetBatch:
    monkeypatch.setattr(parquet, "_ROWS", 64)
    pq.write_table(table(), tmp_path / "in.parquet", row_group_size=50)
    return again(policy, tmp_path)


def again(policy: EmbeddedPolicy, folder: Path, **options: Any) -> ParquetBatch:  # noqa: ANN401
    files = folder / "in.parquet", folder / "out.parquet", folder / "out.parquet.rejects"
    return ParquetBatch(policy, *files, **{"in_flight": 1, **options})


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("in_flight", [1, 2])
@pytest.mark.parametrize("whole", [False, True])
def test_every_row_is_decided_in_its_place(
    batch: ParquetBatch, policy: EmbeddedPolicy, whole: bool, in_flight: int
) -> None:
    problems: list[tuple[int, str]] = []
    reached: list[tuple[int, int]] = []
    batch.whole, batch.in_flight = whole, in_flight
    batch.on_rows, batch.on_problem = (lambda *rows: reached.append(rows)), (lambda *what: problems.append(what))
    tally = batch.run()
    decided = pq.read_table(batch.target)
    assert decided.equals(decide_table(policy, table(), whole=whole))
    large = "RequestTooLarge: the request is too large"
    wanted = [*zip(range(101, 104), BAD.values(), strict=True)]
    assert problems[:3] == wanted
    assert (problems[3][0], problems[3][1][: len(large)], len(problems)) == (104, large, 4)
    rejected = lines(batch.rejects)
    assert [(line["line"], line["problem"]) for line in rejected] == problems
    assert {line["input"] for line in rejected} == {f"sha256:{hashlib.sha256(batch.source.read_bytes()).hexdigest()}"}
    assert tally.rejected == 4
    assert tally.outcomes == {"not_approved": 150, "needs_information": 150, "invalid_request": 1}
    assert tally.open_facts["CC-0126 lineage"] == 150
    assert reached == [(0, 305), (64, 305), (128, 305), (192, 305), (256, 305), (305, 305)]
    assert {file.name for file in batch.target.parent.iterdir()} == {"in.parquet", "out.parquet", "out.parquet.rejects"}
    assert {file.stat().st_mode & 0o777 for file in (batch.target, batch.rejects)} == {0o600}


@pytest.mark.parametrize(("in_flight", "threads"), [(1, 1), (None, 2)])
def test_one_part_at_a_time_takes_one_core_when_that_is_asked_for(
    batch: ParquetBatch, in_flight: int | None, threads: int
) -> None:
    """As each of several processes does, which would else share the cores twice over."""
    seen: set[int] = set()

    class Counting(EmbeddedPolicy):
        def decide_many(self, requests: Any, **options: Any) -> Any:  # noqa: ANN401
            for answer in super().decide_many(requests, **options):
                seen.add(options["in_flight"])
                yield answer

    with Counting() as batch.policy:
        batch.in_flight = in_flight
        batch.run()
        assert seen == {threads}
        seen.clear()
        sides = Side(batch.policy), Side(batch.policy)
        assert parquet.impact_parquet("CC-0126", *sides, batch.source, in_flight=in_flight).total
        assert seen == {threads}


def test_a_folder_as_spark_writes_it_is_one_table(batch: ParquetBatch, policy: EmbeddedPolicy) -> None:
    whole = table()
    batch.source.unlink()
    (batch.source / "_temporary").mkdir(parents=True)
    for number, (start, length) in enumerate(((0, 70), (70, 0), (70, 235))):
        pq.write_table(whole.slice(start, length), batch.source / f"part-{number}.parquet")
    (batch.source / "_SUCCESS").touch()
    pq.write_table(whole, batch.source / "_temporary" / "part-3.parquet")
    tally = batch.run()
    assert pq.read_table(batch.target).equals(decide_table(policy, whole))
    assert [line["line"] for line in lines(batch.rejects)] == [101, 102, 103, 104]
    assert again(policy, batch.source.parent).run(resume=True) == tally
    pq.write_table(whole.drop_columns("paid"), batch.source / "part-4.parquet")
    with pytest.raises(BatchError, match=r"part-4.parquet has other columns than .*part-0.parquet: Spark makes one"):
        again(policy, batch.source.parent).run(resume=True)
    for part in batch.source.glob("*.parquet"):
        part.unlink()
    with pytest.raises(BatchError, match="is a folder without a file of Parquet"):
        again(policy, batch.source.parent).run(resume=True)


def test_without_rejects_there_is_no_file_of_them(batch: ParquetBatch) -> None:
    pq.write_table(table(bad=False), batch.source)
    assert batch.run().outcomes.total() == 300
    assert not batch.rejects.exists()


def test_an_empty_table_is_decided_too(batch: ParquetBatch) -> None:
    pq.write_table(table().slice(0, 0), batch.source)
    assert batch.run().outcomes == {}
    assert pq.read_table(batch.target).schema.names == [*table().schema.names, *DECIDED.names]


def test_a_whole_output_is_counted_again(batch: ParquetBatch, policy: EmbeddedPolicy) -> None:
    tally = batch.run()
    files = batch.target.read_bytes(), batch.rejects.read_bytes()
    batch.target.chmod(0o644)
    assert again(policy, batch.source.parent).run(resume=True) == tally
    assert batch.target.stat().st_mode & 0o777 == 0o600
    assert (batch.target.read_bytes(), batch.rejects.read_bytes()) == files
    with pytest.raises(BatchError, match="exists: go on with it by --resume"):
        again(policy, batch.source.parent).run()


PROGRAM = """
import sys
from payer_policy.command import main
from payer_policy import parquet

parquet._ROWS = 64
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def running(batch: ParquetBatch) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], list[int]]]]:
    """A run of two processes that has some parts, and these processes."""
    pq.write_table(table(6_000, bad=False), batch.source)
    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[subprocess.Popen[bytes], list[int]]:
        command = [sys.executable, "-c", PROGRAM, "batch", str(batch.source), str(batch.target), "--in-flight=2"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        started.append(process)
        parts = Path(f"{batch.target}.parts")
        while len(list(parts.glob("*.parquet"))) < 4:
            assert process.poll() is None
            time.sleep(0.02)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return process, [int(child) for child in children]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


def gone(pid: int) -> bool:
    """A process that ended may wait for its parent to see it."""
    try:
        return "(zombie)" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_killed_and_resumed_gives_the_same_bytes(
    batch: ParquetBatch,
    policy: EmbeddedPolicy,
    tmp_path: Path,
    running: Callable[[], tuple[subprocess.Popen[bytes], list[int]]],
) -> None:
    process, children = running()
    assert process.stderr
    with pytest.raises(BatchError, match="is being written by another run"):
        again(policy, tmp_path).run(resume=True)
    process.kill()
    process.wait()
    until = time.monotonic() + 60
    while not all(map(gone, children)):  # nobody is left who waits for work
        assert time.monotonic() < until
        time.sleep(0.05)
    parts = Path(f"{batch.target}.parts")
    held = {part.name: part.stat().st_mtime_ns for part in parts.glob("*.parquet")}
    with pytest.raises(BatchError, match="exists: go on with it by --resume"):
        again(policy, tmp_path).run()
    # A process that decides is killed in the second run.
    command = [sys.executable, "-c", PROGRAM, "batch", str(batch.source), str(batch.target), "--in-flight=2"]
    second = subprocess.Popen([*command, "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert second.stderr
    while len(list(parts.glob("*.parquet"))) < len(held) + 2:
        assert second.poll() is None
        time.sleep(0.02)
    workers = Path(f"/proc/{second.pid}/task/{second.pid}/children").read_text().split()
    os.kill(int(workers[-1]), signal.SIGKILL)
    assert b"ended from outside" in second.stderr.read()
    assert second.wait() == 3
    second.stderr.close()
    assert {name: (parts / name).stat().st_mtime_ns for name in held} == held
    tally = again(policy, tmp_path, in_flight=2).run(resume=True)
    assert tally.outcomes.total() == 6_000
    resumed = batch.target.read_bytes()
    batch.target.unlink()
    assert again(policy, tmp_path).run() == tally
    assert batch.target.read_bytes() == resumed
    assert not parts.exists()


class Stopping(EmbeddedPolicy):
    """Nobody decides any more after so many parts."""

    left = 4  # no row is the first: what is wrong with the columns

    def decide_many(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        self.left -= 1
        if self.left < 0:
            self.close()
        return super().decide_many(*arguments, **options)


def test_a_run_stops_when_nobody_decides_any_more_and_is_resumed(
    batch: ParquetBatch, policy: EmbeddedPolicy, tmp_path: Path
) -> None:
    with pytest.raises(PolicyUnreachable):
        again(Stopping(), tmp_path).run()
    parts = Path(f"{batch.target}.parts")
    assert len(list(parts.glob("*.parquet"))) == 3
    tally = again(policy, tmp_path).run(resume=True)
    files = batch.target.read_bytes(), batch.rejects.read_bytes()
    assert (tally.outcomes.total(), tally.rejected) == (301, 4)
    for file in (batch.target, batch.rejects):
        file.unlink()
    assert again(policy, tmp_path).run() == tally
    assert (batch.target.read_bytes(), batch.rejects.read_bytes()) == files


class Other(EmbeddedPolicy):
    """Another policy: nothing is decided as the one shipped would."""

    def decide_many(self, requests: Any, **options: Any) -> Any:  # noqa: ANN401
        return super().decide_many(({**request, "facts": {}} for request in requests), **options)


@pytest.mark.parametrize("whole_run", [False, True])
@pytest.mark.parametrize(
    ("options", "spoil", "says"),
    [
        ({}, lambda batch: pq.write_table(table(301), batch.source), "is not of this input"),
        ({"whole": True}, lambda batch: None, "is not of this input, or its facts were named otherwise"),
        ({"policy": Other()}, lambda batch: None, "was decided by another policy"),
    ],
)
def test_what_is_of_another_run_is_not_gone_on_with(
    batch: ParquetBatch,
    policy: EmbeddedPolicy,
    tmp_path: Path,
    whole_run: bool,
    options: dict[str, Any],
    spoil: Callable[[ParquetBatch], None],
    says: str,
) -> None:
    if whole_run:
        batch.run()
    else:
        with pytest.raises(PolicyUnreachable):
            again(Stopping(), tmp_path).run()
    spoil(batch)
    held = batch.target.read_bytes()
    asked = {"policy": policy, **options}
    with pytest.raises(BatchError, match=says):
        again(asked.pop("policy"), tmp_path, **asked).run(resume=True)
    assert batch.target.read_bytes() == held


@pytest.mark.parametrize("name", ["target", "rejects"])
def test_what_no_batch_wrote_is_not_overwritten(batch: ParquetBatch, name: str) -> None:
    batch.target.touch()
    precious = getattr(batch, name)
    precious.write_text("precious")
    with pytest.raises(BatchError, match=r"out\.parquet"):
        batch.run(resume=True)
    assert precious.read_text() == "precious"
    pq.write_table(table(3), batch.target)
    if name == "target":
        with pytest.raises(BatchError, match="is not of this input"):
            batch.run(resume=True)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is no Parquet file"), (b'{"document":"CC-0126"}\n' * 9, "is no Parquet file"), (None, "No such file")],
)
def test_what_is_no_parquet_is_named(batch: ParquetBatch, content: bytes | None, says: str) -> None:
    batch.source.unlink()
    if content is not None:
        batch.source.write_bytes(content)
    with pytest.raises(BatchError, match=says):
        batch.run()
    assert not batch.target.exists()


def test_a_file_that_breaks_off_in_the_middle_is_named_by_the_row(batch: ParquetBatch) -> None:
    content = bytearray(batch.source.read_bytes())
    at = pq.ParquetFile(batch.source).metadata.row_group(3).column(4).data_page_offset
    content[at : at + 40] = b"\xff" * 40
    batch.source.write_bytes(content)
    with pytest.raises(BatchError, match=r"in.parquet: cannot be read behind row 1\d\d"):
        batch.run()


def test_columns_that_cannot_be_read_are_named_before_a_row_is_decided(batch: ParquetBatch) -> None:
    for columns, says in (
        (table().drop_columns("facts"), "the table has no column facts"),
        (table().append_column("outcome", table().column("claim")), "has a column outcome already"),
        (table().set_column(4, "facts", table().column("claim").cast("float")), "the column facts is float"),
    ):
        pq.write_table(columns, batch.source)
        with pytest.raises(InvalidValue, match=says):
            batch.run()
        assert not batch.target.exists()


def test_the_command_reports_rows_outcomes_and_what_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    typed = pa.table(
        {
            "document": ["CC-0126"] * 3,
            "date_of_service": [DAY] * 3,
            "disease": ["all", "dlbcl", None],
            "claim": [1, 2, 3],
        }
    ).append_column("mrd_percent", pa.array([0.5, None, 200.0]))
    pq.write_table(typed, source)
    command = ["batch", str(source), str(target), "--facts", "disease,mrd_percent"]
    assert main([*command, "--json"]) == 2
    counted = json.loads(capsys.readouterr().out)
    assert counted["outcomes"] == {"needs_information": 1, "not_approved": 1, "invalid_request": 1}
    pq.write_table(table(2), source)
    target.unlink()
    assert main(["batch", str(source), str(target)]) == 2
    captured = capsys.readouterr()
    assert f"row 3: {BAD['{']}" in " ".join(captured.err.split())
    assert "4 lines could not be decided" in captured.out
    jsonl = tmp_path / "in.jsonl"
    jsonl.write_text("{}\n")
    for arguments, says in (
        ([source, tmp_path / "out.jsonl"], "must be Parquet too, by the suffix .parquet"),
        ([jsonl, tmp_path / "out.parquet"], "would hold JSON lines: Parquet is made of Parquet alone"),
        ([jsonl, tmp_path / "out", "--facts=x"], "--facts is of Parquet"),
        ([jsonl, tmp_path / "out", "--whole"], "--whole is of Parquet"),
        ([source, tmp_path / "new.parquet", "--in-flight=0"], "in_flight must be positive"),
    ):
        assert main(["batch", *map(str, arguments)]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize("in_flight", [1, 2])
def test_impact_is_that_of_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    monkeypatch.setattr(parquet, "_ROWS", 64)
    monkeypatch.setattr(os, "cpu_count", lambda: in_flight)
    base: dict[str, Any] = {"diagnosis": "osa", "age": 57, "ordered_by_treating_physician": True, "sleep_test": "psg"}
    requests = [
        {
            "document": ("NCD-240.4", "CC-0126", "NCD-240.4", "elsewhere")[row % 4],
            "date_of_service": "2006-01-01",
            "facts": {**base, ("ahi", "events_per_hour")[row % 2]: row % 40, "recorded_sleep_hours": row % 5},
        }
        for row in range(600)
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(request) + "\n" for request in requests))
    columns = {name: [request[name] for request in requests] for name in ("document", "date_of_service")}
    pq.write_table(
        pa.table(columns | {"facts": [json.dumps(each["facts"]) for each in requests]}), tmp_path / "in.parquet"
    )
    found = []
    for name in ("in.jsonl", "in.parquet"):
        page = tmp_path / f"{name}.html"
        command = [
            "impact",
            "NCD-240.4",
            "2005-04-04",
            "2008-03-13",
            str(tmp_path / name),
            "--json",
            "--html",
            str(page),
        ]
        assert main(command) == 1
        found.append((json.loads(capsys.readouterr().out), page.read_text()))
    lines, rows = found
    for each in (lines[0], rows[0]):
        assert each["changed"] > 0
        each["clauses"].sort(key=json.dumps)
        each["left_out"].sort(key=json.dumps)
    assert rows[0] == lines[0]
    assert rows[0]["apart"] == {"CC-0126": 150, "no document held": 150}
    assert rows[0]["requests"] == 300


def test_impact_counts_a_row_that_is_no_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under its document alone."""
    pq.write_table(table(4), tmp_path / "in.parquet")
    for document, wanted in (("CC-0126", (9, {})), ("NCD-240.4", (0, {"CC-0126": 9}))):
        version = {"CC-0126": "2025-04-01", "NCD-240.4": "2008-03-13"}[document]
        main(["impact", document, version, version, str(tmp_path / "in.parquet"), "--json"])
        found = json.loads(capsys.readouterr().out)
        assert (found["requests"], found["apart"]) == wanted
    side = Side(EmbeddedPolicy(), "2001-01-01")
    with pytest.raises(PolicyError, match="has no version"):
        parquet.impact_parquet("CC-0126", side, side, tmp_path / "in.parquet")


CANARY = "canary-7c1"
NUMBER = (
    "write a number as 0.5, 12 or 1e-4, converted to the unit of the fact; a bound as {0}; {1} when neither is known"
)
CAST = "cast its column to numbers; a bound has its place in facts of JSON"
# A file of one wrong value a row, by name: its lines or the type of its facts, the fact of a row, and what is said.
KINDS: dict[str, tuple[Any, Callable[[str], Any], str]] = {
    "in.jsonl": (None, lambda text: {"mrd_percent": text}, NUMBER.format('{"less_than": 0.01}', "null")),
    "in.csv": (None, lambda text: text, NUMBER.format("<0.01", "an empty cell")),
    "in.parquet": (
        pa.string(),
        lambda text: json.dumps({"mrd_percent": text}),
        NUMBER.format('{"less_than": 0.01}', "null"),
    ),
    "map.parquet": (
        pa.map_(pa.string(), pa.string()),
        lambda text: [("mrd_percent", text)],
        NUMBER.format("<0.01", "an empty cell"),
    ),
    "struct.parquet": (pa.struct([("mrd_percent", pa.string())]), lambda text: {"mrd_percent": text}, CAST),
}


@pytest.mark.parametrize(("name", "cores"), [*((name, 1) for name in KINDS), ("in.parquet", 2)])
def test_what_to_write_instead_is_said_of_the_first_rows(
    name: str, cores: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the value, by batch and by impact, of values that neither version takes."""
    monkeypatch.setattr(parquet, "_ROWS", 8)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    source, (type_, fact, hint) = tmp_path / name, KINDS[name]
    values = [fact(f"{CANARY} {row}") for row in range(34)]
    if type_:
        start = {"document": ["CC-0126"] * 34, "date_of_service": [DAY] * 34}
        pq.write_table(pa.table(start | {"facts": pa.array(values, type_)}), source)
    elif name == "in.csv":
        rows = "".join(f"CC-0126,{DAY},{value}\n" for value in values)
        source.write_text(f"document,date_of_service,mrd_percent\n{rows}")
    else:
        requests = [{"document": "CC-0126", "date_of_service": DAY, "facts": value} for value in values]
        source.write_text("".join(json.dumps(request) + "\n" for request in requests))
    what, first = ("row" if type_ else "line"), (2 if name == "in.csv" else 1)
    told = [
        f"{what} {row}: facts.mrd_percent must be a number from 0 to 100: {hint}" for row in range(first, first + 20)
    ]
    target = tmp_path / f"out{source.suffix if type_ else ''}"
    for command, status in (
        (["batch", str(source), str(target)], 2),
        (["impact", "CC-0126", "2025-04-01", "2025-04-01", str(source)], 0),
    ):
        assert main(command) == status
        assert " ".join(capsys.readouterr().err.split()) == " ".join([*told, f"and so on in 14 more {what}s"])
