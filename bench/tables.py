"""Rows of tables a second: the core of Arrow, files of Parquet, Spark, on one core and two, beside `decide_many`; the
memory of a worker, and how long one takes to its first rows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from payer_policy import EmbeddedPolicy
from payer_policy.parquet import ParquetBatch
from payer_policy.spark import decide
from payer_policy.tables import decide_table
from pyspark.sql import DataFrame

from bench.report import Report, p50
from tests.oracle.prove import SPACES
from tests.stage.cluster import cluster

DISTINCT, ROWS, LONG = 1_000, 20_000, 140_000
OF_PARQUET = 10 * 8192
"""Ten parts: five are three rounds of two processes."""
OF_SPARK = 20_000, 200_000
"""Distinct requests and rows: of fewer, what Spark does beside deciding is all that two workers would share."""
LOOP = 100_000_000


def table(distinct: int, rows: int) -> pa.Table:
    draw = random.Random(0)
    requests: dict[str, dict[str, Any]] = {}
    while len(requests) < distinct:
        asked = (space := draw.choice(SPACES)).request(space.drawn(draw))
        requests[json.dumps({name: asked[name] for name in ("document", "date_of_service", "facts")})] = asked
    once = pa.table(
        {name: [each[name] for each in requests.values()] for name in ("document", "date_of_service")}
        | {"facts": [json.dumps(each["facts"]) for each in requests.values()]}
    )
    return once.take(pa.array(number % distinct for number in range(rows)))


def requests_of(rows: pa.Table) -> list[dict[str, Any]]:
    return [{**row, "facts": json.loads(row["facts"])} for row in rows.to_pylist()]


def rows(report: Report) -> None:
    alike, apart = table(DISTINCT, ROWS), table(DISTINCT, DISTINCT)
    asked = requests_of(apart)
    with EmbeddedPolicy() as policy:
        seconds = p50(
            {
                "decide_many": lambda: list(policy.decide_many(asked, detail="brief")),
                "full": lambda: list(policy.decide_many(asked)),
                "apart": lambda: decide_table(policy, apart),
                "whole": lambda: decide_table(policy, apart, whole=True),
                "alike": lambda: decide_table(policy, alike),
            },
            rounds=5,
            clock=time.process_time,
        )
        base = seconds["decide_many"] / DISTINCT
        report.add("decide_table, a row, no two alike", "decide_many, brief", seconds["apart"] / DISTINCT / base, None)
        report.add("decide_table, a row, whole", "decide_many", seconds["whole"] / seconds["full"], None)
        what = f"decide_table, a row, {ROWS // DISTINCT} alike of each"
        report.add(what, "decide_many, brief", seconds["alike"] / ROWS / base, None)
        report.note(
            f"Rows a second of processor time: decide_many {1 / base:,.0f} brief and {DISTINCT / seconds['full']:,.0f}"
            f" full; decide_table {DISTINCT / seconds['apart']:,.0f}, whole {DISTINCT / seconds['whole']:,.0f},"
            f" {ROWS // DISTINCT} alike of each {ROWS / seconds['alike']:,.0f}."
        )
        files(report, policy)
    spark(report)
    worker(report)


def files(report: Report, policy: EmbeddedPolicy) -> None:
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "in.parquet"), Path(name, "out.parquet")
        pq.write_table(table(OF_PARQUET, OF_PARQUET), source)

        def run(processes: int) -> None:
            target.unlink(missing_ok=True)
            ParquetBatch(policy, source, target, Path(name, "rejects"), in_flight=processes).run()

        turns: dict[str, Callable[[], object]] = {
            "one": partial(run, 1),
            "two": partial(run, 2),
            "loop": partial(looped, 1),
            "loops": partial(looped, 2),
        }
        seconds = p50(turns, rounds=2)
    ratio = seconds["loop"] / seconds["loops"]
    report.add("a plain loop of Python on two processes", "on one, times as fast", ratio, None, at_least=True)
    ratio = seconds["one"] / seconds["two"]
    report.add("Parquet on two processes, no two rows alike", "on one, times as fast", ratio, None, at_least=True)
    one, two = (OF_PARQUET / seconds[name] for name in ("one", "two"))
    report.note(f"Rows of Parquet a second, no two alike: {one:,.0f} and {two:,.0f}.")


def looped(processes: int) -> None:
    """What two cores of this machine have to give, if they are two."""
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(sum, [range(LOOP // processes)] * processes))


def spark(report: Report) -> None:
    """One worker and two, each with an executor of one core; what is decided is thrown away."""
    distinct, count = OF_SPARK
    seconds: dict[tuple[int, bool], float] = {}
    with tempfile.TemporaryDirectory() as name:
        pq.write_table(table(distinct, count), Path(name, "rows.parquet"), row_group_size=count // 8)
        for workers in (1, 2):
            folder = Path(name, str(workers))
            folder.mkdir()
            with cluster(folder, workers) as running:
                df = running.session.read.parquet(f"{name}/rows.parquet").repartition(4).cache()
                df.count()
                found = p50({how: partial(_thrown_away, df, how == "once") for how in ("once", "each")}, rounds=3)
            seconds |= {(workers, how == "once"): value for how, value in found.items()}
    for once, how in ((True, "equal ones once"), (False, "distinct=False")):
        ratio = seconds[1, once] / seconds[2, once]
        report.add(f"Spark on two workers, {how}", "on one, times as fast", ratio, None, at_least=True)
    report.note(
        f"Rows a second on Spark, {count:,} of {distinct:,} requests: "
        + "; ".join(
            f"{'equal ones once' if once else 'distinct=False'}, {workers} {'core' if workers == 1 else 'cores'}"
            f" {count / value:,.0f}"
            for (workers, once), value in seconds.items()
        )
        + "."
    )


def _thrown_away(df: DataFrame, distinct: bool) -> None:
    decide(df, distinct=distinct).write.format("noop").mode("append").save()


# As a worker of Spark has it, without Spark: its first rows, and its memory after many.
_WORKER = """
import json, sys, time
from bench.resident import mebibytes
start = time.monotonic()
import pyarrow.parquet as pq
from payer_policy import EmbeddedPolicy
from payer_policy.tables import decide_batches

batches = decide_batches(EmbeddedPolicy(), pq.ParquetFile(sys.argv[1]).iter_batches(1000), in_flight=1)
found = []
for number, _ in enumerate(batches):
    if number in (0, int(sys.argv[2]) // 2, int(sys.argv[2])):
        found += [time.monotonic() - start, mebibytes(what="VmHWM")]
print(json.dumps(found))
"""


def worker(report: Report) -> None:
    """The answers to the last 30,000 to 65,000 requests are held: no more memory is taken after them."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        pq.write_table(table(LONG, LONG), file.name)
        command = [sys.executable, "-c", _WORKER, file.name, str(LONG // 1000 - 1)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, few, _, half, _, all_of_them = json.loads(done.stdout)
    what, against = f"memory of a worker after {LONG:,} requests that differ", f"after {LONG // 2:,}"
    report.add(what, against, all_of_them / half, None)
    report.note(
        f"A worker: {first:.1f} s from its start to its first 1,000 rows; {few:,.0f} MiB then, {half:,.0f} after"
        f" {LONG // 2:,}, {all_of_them:,.0f} after {LONG:,}."
    )
