"""The policy on a real cluster of Spark: every row is decided as in process, and none is lost when a worker dies."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from payer_policy import Decision, EmbeddedPolicy, InvalidValue
from payer_policy.runtime.reading import read_json
from payer_policy.spark import decide, impact, summary
from payer_policy.tables import DECIDED
from payer_policy.workshop.impact import Side
from payer_policy.workshop.impact import impact as impact_in_process
from payer_policy.workshop.page import page
from pyspark.sql import DataFrame

from tests.oracle.vectors import VECTORS
from tests.stage.cluster import Cluster, cluster

CLAIMS = "claim long, document string, date_of_service string, codes string, unavailable string, facts string"
BAD = ["{", '{"disease":"all","disease":"dlbcl"}', '{"mrd_percent":NaN}']
SAME = ("outcome", "next_step", "pathways_met", "ask_first", "terms", "advisories", "errors")
PLAIN, TEXTS = ("document", "date_of_service"), ("codes", "unavailable", "facts")

Row = tuple[Any, ...]
# Many more take minutes; docs/scale.md says what was compared once.
DRAWN = int(os.environ.get("SPARK_ROWS", "2000"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture(scope="module")
def claims() -> list[Row]:
    """Every vector that a row can hold, as many as wanted drawn from them, and what is no request."""
    requests = [
        vector["input"]
        for vector in VECTORS.values()
        if isinstance(vector["input"], dict)
        and vector["input"].keys() <= {*PLAIN, *TEXTS, "request_id"}
        and all(isinstance(vector["input"].get(name, ""), str) for name in PLAIN)
    ]
    assert len(requests) > len(VECTORS) / 2
    draw = random.Random(0)
    for _ in range(DRAWN):
        request = dict(draw.choice(requests))
        if isinstance(request.get("facts"), dict):
            request["facts"] = {name: value for name, value in request["facts"].items() if draw.random() < 0.9}
        requests.append(request)
    found: list[Row] = [
        (
            number,
            *(request.get(name) for name in PLAIN),
            *(json.dumps(request[name]) if name in request else None for name in TEXTS),
        )
        for number, request in enumerate(requests)
    ]
    return found + [(len(found) + number, "CC-0126", "2025-06-01", None, None, text) for number, text in enumerate(BAD)]


def request_of(claim: Row) -> dict[str, Any]:
    """A null of the table is a field that is absent, and no null of JSON."""
    given = zip((*PLAIN, *TEXTS), claim[1:], strict=True)
    return {name: read_json(cell) if name in TEXTS else cell for name, cell in given if cell is not None}


@pytest.fixture(scope="module")
def wanted(policy: EmbeddedPolicy, claims: list[Row]) -> dict[int, dict[str, Any]]:
    """What the policy in process decides, asked request by request."""
    asked = claims[: -len(BAD)]

    found = {}
    for (claim, *_), answer in zip(asked, policy.decide_many(map(request_of, asked), detail="brief"), strict=True):
        assert isinstance(answer, Decision)
        received = answer.to_dict()
        found[claim] = {name: received[name] for name in SAME}
        found[claim]["missing"] = [item["fact"] for item in received["missing"]]
        found[claim]["version"] = (received["policy"] or {}).get("version")
    return found


def compare(df: DataFrame, claims: list[Row], wanted: dict[int, dict[str, Any]]) -> None:
    rows = [row.asDict(recursive=True) for row in df.collect()]
    assert sorted(row["claim"] for row in rows) == [claim for claim, *_ in claims]  # none is lost or doubled
    for row in rows:
        if row["claim"] in wanted:
            assert {name: row[name] for name in wanted[row["claim"]]} == wanted[row["claim"]]
            assert row["revision"].startswith("sha256:")
        else:
            assert (row["outcome"], row["next_step"]) == ("invalid_request", "correct_request")
            assert row["errors"][0]["path"].startswith("facts")
    assert {row["outcome"] for row in rows} >= {"approved", "not_approved", "needs_information", "no_policy_in_force"}


@pytest.mark.parametrize("distinct", [True, False])
def test_every_row_is_decided_as_in_process(
    running: Cluster, claims: list[Row], wanted: dict[int, dict[str, Any]], distinct: bool
) -> None:
    df = running.session.createDataFrame(claims, CLAIMS)
    decided = decide(df, distinct=distinct)
    assert decided.columns == [*df.columns, *DECIDED.names]
    compare(decided, claims, wanted)


def test_columns_that_cannot_be_read_are_named_before_a_job_begins(running: Cluster, claims: list[Row]) -> None:
    df = running.session.createDataFrame(claims[:1], CLAIMS)
    for bad, problem in (
        (df.drop("facts"), "no column facts"),
        (df.withColumn("facts", df.claim.cast("float")), "facts is float"),
        (df.withColumn("outcome", df.facts), "has a column outcome already"),
    ):
        with pytest.raises(InvalidValue, match=problem):
            decide(bad)
    with pytest.raises(InvalidValue, match="has no version 2001-01-01"):
        impact(df, "NCD-240.4", "2001-01-01", "2008-03-13")


def test_impact_is_that_in_process(running: Cluster, policy: EmbeddedPolicy, claims: list[Row]) -> None:
    """Each version has facts that the other has not: a table of both is decided by both."""
    asked = [claim for claim in claims[: -len(BAD)] if claim[-1] is not None][:: max(1, len(claims) // 2000)]
    compared = impact(running.session.createDataFrame(asked, CLAIMS), "NCD-240.4", "2005-04-04", "2008-03-13")
    requests = ((claim[0], request_of(claim)) for claim in asked)
    wanted = impact_in_process("NCD-240.4", Side(policy, "2005-04-04"), Side(policy, "2008-03-13"), requests)
    got = summary(compared, "NCD-240.4")
    assert (got.flows, got.clauses, got.left_out) == (wanted.flows, wanted.clauses, wanted.left_out)
    assert got.apart.total() == wanted.apart.total()
    assert got.changed == len(wanted.turned) > 0
    assert f"{got.changed:,} of {got.total:,} requests" in page(got, "2005-04-04", "2008-03-13")


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
    running: Cluster, claims: list[Row], wanted: dict[int, dict[str, Any]]
) -> None:
    """The last test, since it leaves one worker of two. What the other had shuffled is made anew."""
    session = running.session
    session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    session.conf.set("spark.sql.shuffle.partitions", "16")
    decided = decide(session.createDataFrame(claims, CLAIMS).repartition(16))
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
        compare(decided, claims, wanted)
    finally:
        over.set()
        killer.join()
    assert killed, "the job was over before a worker could be killed"
    assert running.workers[0].wait(10) == -signal.SIGKILL
