"""The policy on a real cluster of Spark: every row is decided as in process, and none is lost when a worker dies.

`make test` draws some hundred requests, `make spark` 200,000, and 2,000,000 rows of 1,000 distinct ones."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from payer_policy import Decision, EmbeddedPolicy, InvalidValue
from payer_policy.runtime.reading import read_json
from payer_policy.spark import decide, impact, summary
from payer_policy.tables import DECIDED, facts_type
from payer_policy.workshop.impact import Side
from payer_policy.workshop.impact import impact as impact_in_process
from payer_policy.workshop.page import page
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tests.oracle.prove import SPACES
from tests.oracle.vectors import VECTORS
from tests.stage.cluster import Cluster, cluster
from tests.stage.study import ten_lines

CLAIMS = "claim long, document string, date_of_service string, codes string, unavailable string, facts string"
PLAIN, TEXTS = ("document", "date_of_service"), ("codes", "unavailable", "facts")
ROWS = int(os.environ.get("SPARK_ROWS", "500"))
DISTINCT = min(ROWS, 1000)

# What stands in a partition of its own: none of it is a request, and the last nobody can decide.
BAD = ["{", '{"disease":"all","disease":"dlbcl"}', '{"mrd_percent":NaN}', "3", '{"disease":"\udcff"}', "[" * 5000]
LARGE = json.dumps({"disease": "x" * (1 << 19)})

Request = dict[str, Any]
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


def drawn(seed: int, count: int, document: str = "") -> Iterator[Request]:
    """Requests near an approval and far from any, of all documents and versions or of one document."""
    draw = random.Random(seed)
    spaces = [space for space in SPACES if document in ("", space.reading.document)]
    for _ in range(count):
        space = draw.choice(spaces)
        yield space.request(space.drawn(draw))


def rows(requests: Iterable[Request]) -> list[Row]:
    return [
        (number, *map(request.get, PLAIN), *(json.dumps(request[name]) if name in request else None for name in TEXTS))
        for number, request in enumerate(requests)
    ]


def request_of(row: Row) -> Request:
    """A null of the table is a field that is absent, and no null of JSON."""
    given = zip((*PLAIN, *TEXTS), row[1:], strict=True)
    return {name: read_json(cell) if name in TEXTS else cell for name, cell in given if cell is not None}


def decided(policy: EmbeddedPolicy, claims: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """What the policy in process decides, asked request by request."""
    [revision] = policy.health().revisions.values()
    for answer in policy.decide_many(map(request_of, claims), detail="brief"):
        assert isinstance(answer, Decision)
        received = answer.to_dict()
        yield {name: received[name] for name in DECIDED.names if name in received} | {
            "missing": [item["fact"] for item in received["missing"]],
            "version": (received["policy"] or {}).get("version"),
            "revision": revision,
        }


@pytest.fixture(scope="module")
def claims() -> list[Row]:
    """Every vector that a row can hold, and as many as wanted drawn."""
    requests = [
        vector["input"]
        for vector in VECTORS.values()
        if isinstance(vector["input"], dict)
        and vector["input"].keys() <= {*PLAIN, *TEXTS, "request_id"}
        and all(isinstance(vector["input"].get(name, ""), str) for name in PLAIN)
    ]
    assert len(requests) > 0.97 * len(VECTORS)
    return rows(itertools.chain(requests, drawn(0, ROWS)))


@pytest.fixture(scope="module")
def wanted(policy: EmbeddedPolicy, claims: list[Row]) -> list[dict[str, Any]]:
    return list(decided(policy, claims))


def compare(df: DataFrame, wanted: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """No row is lost or doubled, and the first are as wanted; the rest is returned, by claim."""
    rows = df.select("claim", *DECIDED.names).collect()
    assert sorted(row.claim for row in rows) == [*range(len(rows))]
    found = {row.claim: row.asDict(recursive=True) for row in sorted(rows, key=lambda row: int(row.claim))}
    for claim, row in enumerate(wanted):
        assert found.pop(claim) == {"claim": claim, **row}
    return found


@pytest.mark.parametrize("distinct", [True, False])
def test_every_row_is_decided_as_in_process(
    running: Cluster, claims: list[Row], wanted: list[dict[str, Any]], distinct: bool
) -> None:
    """Beside a partition in which nothing is a request."""
    assert {row["outcome"] for row in wanted} >= {"approved", "not_approved", "needs_information", "no_policy_in_force"}
    good = running.session.createDataFrame(claims, CLAIMS)
    texts = [text.encode(errors="surrogateescape") for text in (*BAD, LARGE)]
    bad = running.session.createDataFrame(
        [(len(claims) + number, "CC-0126", "2025-06-01", None, None, text) for number, text in enumerate(texts)],
        CLAIMS.replace("facts string", "facts binary"),
    ).withColumn("facts", F.col("facts").cast("string"))  # which Spark does not look into: it is not all UTF-8
    both = good.union(bad.coalesce(1))
    result = decide(both, distinct=distinct)
    assert result.columns == [*both.columns, *DECIDED.names]
    *refused, large = compare(result, wanted).values()
    for row in refused:
        assert (row["outcome"], row["next_step"]) == ("invalid_request", "correct_request")
        assert row["errors"][0]["path"].startswith("facts")
    assert (large["outcome"], large["errors"][0]["message"][:16]) == (None, "RequestTooLarge:")


def test_columns_that_cannot_be_read_are_named_before_a_job_begins(running: Cluster, claims: list[Row]) -> None:
    df = running.session.createDataFrame(claims[:1], CLAIMS)
    for bad, problem in (
        (df.drop("facts"), "no column facts"),
        (df.withColumn("facts", df.claim.cast("float")), "facts is float"),
        (df.withColumn("Outcome", df.facts), "has a column Outcome already"),
        (
            df.withColumn("date_of_service", F.to_timestamp("date_of_service")),
            "date_of_service is timestamp.* to a date",
        ),
        (df.select("*", df.claim.alias("facts")), "more than one column facts"),
        (claims, "must be a DataFrame of Spark"),
    ):
        with pytest.raises(InvalidValue, match=problem):
            decide(bad)
    with pytest.raises(InvalidValue, match="has no version 2001-01-01"):
        impact(df, "NCD-240.4", "2001-01-01", "2008-03-13")


def test_a_table_of_spark_connect_is_refused_by_name() -> None:
    """By its type alone, in the place where Spark has it; the packages for a session of Connect are not here."""
    table: Any = object.__new__(type("DataFrame", (DataFrame,), {"__module__": "pyspark.sql.connect.dataframe"}))
    with pytest.raises(InvalidValue, match="df is of Spark Connect, "):
        decide(table)
    with pytest.raises(InvalidValue, match="df is of Spark Connect, "):
        impact(table, "NCD-240.4", "2005-04-04", "2008-03-13")


@pytest.mark.parametrize("distinct", [True, False])
def test_columns_have_any_names_and_texts_any_bytes(running: Cluster, distinct: bool) -> None:
    """Where JSON says the same of two texts, they are two requests."""
    codes = [b'{"hcpcs":"J\xff"}', '{"hcpcs":"J\N{REPLACEMENT CHARACTER}"}'.encode()]
    schema = "claim long, document string, date_of_service string, codes binary, `f.x` string, `a.b``c` int"
    rows = [(number, "CC-0126", "2025-06-01", code, "{}", 7) for number, code in enumerate(codes)]
    df = running.session.createDataFrame(rows, schema).withColumn("codes", F.col("codes").cast("string"))
    df = df.select("*", F.lit(8).alias("claim"))
    result = decide(df, facts="f.x", distinct=distinct)
    assert result.columns == [*df.columns, *DECIDED.names]
    found = {
        row[0]: (row["a.b`c"], row["outcome"], [error.path for error in row["errors"]]) for row in result.collect()
    }
    assert found == {0: (7, "invalid_request", ["codes"]), 1: (7, "needs_information", [])}


def test_a_table_that_is_another_when_it_is_read_again_is_decided_no_further(running: Cluster) -> None:
    drawn = F.udf(lambda: json.dumps({"mrd_percent": round(random.random(), 9)})).asNondeterministic()
    df = running.session.createDataFrame(
        [(1, "CC-0126", "2025-06-01")], "claim long, document string, date_of_service string"
    )
    with pytest.raises(Exception, match="another when it was read again"):
        decide(df.withColumn("facts", drawn())).collect()


def test_impact_is_that_in_process(running: Cluster, policy: EmbeddedPolicy) -> None:
    """Each version has facts that the other has not: a table of both is decided by both."""
    asked = rows(itertools.chain(drawn(1, ROWS, "NCD-240.4"), drawn(2, 20, "CC-0126")))
    compared = impact(running.session.createDataFrame(asked, CLAIMS), "NCD-240.4", "2005-04-04", "2008-03-13")
    requests = ((claim[0], request_of(claim)) for claim in asked)
    wanted = impact_in_process("NCD-240.4", Side(policy, "2005-04-04"), Side(policy, "2008-03-13"), requests)
    got = summary(compared, "NCD-240.4")
    assert (got.flows, got.clauses, got.left_out) == (wanted.flows, wanted.clauses, wanted.left_out)
    assert got.apart.total() == wanted.apart.total() == 20
    assert got.changed == len(wanted.turned) > 0
    assert f"{got.changed:,} of {got.total:,} requests" in page(got, "2005-04-04", "2008-03-13")


def test_files_of_two_versions_are_one_table(running: Cluster, policy: EmbeddedPolicy, tmp_path: Path) -> None:
    """Each version wrote its own facts into a file of its own: merged, what a version does not have is null."""
    exact = [  # a bound has no place in a column of numbers
        {**request, "facts": {name: value for name, value in request["facts"].items() if not isinstance(value, dict)}}
        for request in drawn(3, ROWS, "NCD-240.4")
    ]
    claims = [(*claim[:3], None, None, claim[5]) for claim in rows(exact)]
    merged, files = facts_type(policy, "NCD-240.4"), []
    for held in policy.catalogue("NCD-240.4")["documents"][0]["versions"]:
        last = held["effective_to"] or "9999"
        chosen = [claim for claim in claims if held["version"] <= claim[2] <= last]
        own = pa.struct([merged.field(fact["name"]) for fact in held["facts"]])
        table = pa.table(
            [*zip(*(claim[:3] for claim in chosen), strict=True)], ["claim", "document", "date_of_service"]
        )
        facts = pa.array((read_json(claim[5]) for claim in chosen), own, size=len(chosen))
        files.append(f"{tmp_path}/{held['version']}.parquet")
        pq.write_table(table.append_column("facts", facts), files[-1])
    both = running.session.read.option("mergeSchema", "true").parquet(*files)
    assert {field.name for field in both.schema["facts"].dataType} == {field.name for field in merged}
    assert compare(decide(both), list(decided(policy, claims))) == {}


def test_many_rows_of_few_requests(running: Cluster, policy: EmbeddedPolicy) -> None:
    """All rows of a request are one group, with what it is decided in process; one request has half of all rows."""
    asked = rows(drawn(4, DISTINCT))
    few = running.session.createDataFrame(asked, CLAIMS)
    skewed = F.when(F.col("id") % 2 == 0, 0).otherwise(F.col("id") % DISTINCT)
    df = running.session.range(10 * ROWS).select("id", skewed.alias("claim")).join(F.broadcast(few), "claim")
    groups = decide(df).groupBy("claim", *DECIDED.names).count().collect()
    counted = {row.claim: (row["count"], row.asDict(recursive=True)) for row in groups}
    assert len(counted) == len(groups)
    sizes = {claim: 0 for claim, *_ in asked}
    for number in range(10 * ROWS):
        sizes[0 if number % 2 == 0 else number % DISTINCT] += 1
    for (claim, *_), row in zip(asked, decided(policy, asked), strict=True):
        if sizes[claim]:
            assert counted[claim] == (sizes[claim], {"claim": claim, **row, "count": sizes[claim]})


def test_the_ten_lines(running: Cluster, policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/scale.md has them."""
    monkeypatch.chdir(running.folder)
    claims = rows(drawn(5, 100, "NCD-240.4"))
    running.session.createDataFrame(claims, CLAIMS).write.parquet("claims")
    assert len(ten_lines().strip().splitlines()) == 10
    exec(ten_lines(), {})
    assert compare(running.session.read.parquet("decided"), list(decided(policy, claims))) == {}
    assert "of 100 requests</strong> of NCD-240.4 change outcome" in Path("study.html").read_text()
    assert {"claims", "decided", "study.html"} <= {file.name for file in running.folder.iterdir()}


def test_nothing_of_a_row_is_in_a_log(running: Cluster) -> None:
    secret = "Aurelia-Vantongeren-4711"
    rows = [(0, secret, secret, secret, secret, json.dumps({"disease": secret})), (1, secret, None, None, None, "{")]
    decided = decide(running.session.createDataFrame(rows, CLAIMS)).collect()
    assert [row.outcome for row in decided] == ["invalid_request"] * 2
    logs = [file for file in running.folder.rglob("*") if file.is_file() and file.name in ("stdout", "stderr")]
    logs += running.folder.glob("*.log")
    assert len(logs) > 3
    assert not [file for file in logs if secret in file.read_text(errors="replace")]


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    running: Cluster, claims: list[Row], wanted: list[dict[str, Any]]
) -> None:
    """The last test, since it leaves one worker of two. What the other had shuffled is made anew."""
    session = running.session
    session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    session.conf.set("spark.sql.shuffle.partitions", "16")
    df = decide(session.createDataFrame(claims, CLAIMS).repartition(16))
    killed: list[tuple[int, int]] = []
    tracker, over = session.sparkContext.statusTracker(), threading.Event()

    def kill() -> None:
        while not over.is_set() and not killed:
            for stage in tracker.getActiveStageIds():
                info = tracker.getStageInfo(stage)
                if info is not None and info.numTasks == 16 and 2 <= info.numCompletedTasks < 12:
                    os.killpg(running.workers[0].pid, signal.SIGKILL)  # and its executor with it
                    killed.append((info.numCompletedTasks, info.numTasks))
                    break
            time.sleep(0.005)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert compare(df, wanted) == {}
    finally:
        over.set()
        killer.join()
    assert killed, "the job was over before a worker could be killed"
    assert running.workers[0].wait(10) == -signal.SIGKILL
