"""A decision over HTTP: raw, by the client and by others; batches; where the time goes."""

import json
import statistics
from functools import partial
from typing import Any

import requests
import urllib3
from opa_client.opa import OpaClient
from payer_policy import PolicyClient

from bench import REQUEST
from bench.report import Report, p50
from bench.server import JSON, Server, serving
from tests import ROOT
from tests.readings import cc0126, decision

ROUNDS = 300
SIZES = [1, 5, 20, 50, 200, 1000]  # the policy takes no more


def rows(report: Report) -> None:
    with serving(ROOT / "policy") as server:
        added = single(report, server)
        by_size = batches(report, server)
        stages = where(server, added)
    total = sum(stages.values())
    shares = ", ".join(f"{name} {value / total:.0%}" for name, value in stages.items())
    report.note(f"Of PolicyClient.decide: {shares}.")
    plot(stages, by_size)


def single(report: Report, server: Server) -> dict[str, float]:
    url = f"{server.url}/v1/data/payer/decision"
    with PolicyClient(server.url) as client, requests.Session() as session:
        pool, peer = urllib3.PoolManager(), OpaClient("127.0.0.1", server.port)
        decide = partial(client.decide, REQUEST)
        # Only what is compared is measured together, as a service runs it: a client among four others finds the caches
        # of the processor full of theirs.
        base = p50(
            {
                "floor": lambda: decision.decide(cc0126.READINGS[0], REQUEST),
                "/health": server.get("/health"),
                "constant": server.ask("bench/constant", REQUEST),
                "http.client": server.ask("payer/decision", REQUEST),
            },
            ROUNDS,
        )
        added = p50(
            {
                "http.client": server.ask("payer/decision", REQUEST),
                "urllib3": lambda: pool.request("POST", url, body=json.dumps({"input": REQUEST}), headers=JSON).json(),
                "requests.Session": lambda: session.post(url, json={"input": REQUEST}).json(),
                "decide": decide,
            },
            ROUNDS,
        )
        against = p50({"decide": decide, "peer": lambda: peer.query_rule(REQUEST, "payer", "decision")}, ROUNDS)
    raw, session_adds = base["http.client"], added["requests.Session"] - added["http.client"]
    report.add("raw HTTP decision, p50", "raw HTTP constant rule", raw / base["constant"], 3.2)
    report.add("raw HTTP decision, p50", "GET /health", raw / base["/health"], None)
    report.add("raw HTTP decision, p50", "the second reading in Python", raw / base["floor"], None)
    report.add("PolicyClient.decide, p50", "opa-python-client", against["decide"] / against["peer"], 0.7)
    for name, title, goal in (("decide", "PolicyClient.decide", 0.4), ("urllib3", "urllib3", None)):
        ratio = (added[name] - added["http.client"]) / session_adds
        report.add(f"time {title} adds to http.client, p50", "what requests.Session adds", ratio, goal)
    return added


def batches(report: Report, server: Server) -> dict[int, float]:
    """Seconds an item by size of batch, on one thread."""
    url = f"{server.url}/v1/data/payer/decision"
    items = [REQUEST] * 1000
    # A deadline that a busy machine keeps, since a batch that was asked for twice says nothing.
    with PolicyClient(server.url, deadline=60) as client, requests.Session() as session:
        measured = p50(
            {
                "loop": lambda: [session.post(url, json={"input": item}).json() for item in items[:50]],
                "one thread": lambda: list(client.decide_many(items, in_flight=1)),
                "two threads": lambda: list(client.decide_many(items, in_flight=2)),
            },
            rounds=7,
        )
        by_size = p50({str(size): partial(one_thread, client, [REQUEST] * max(size, 200), size) for size in SIZES}, 3)
    item = measured["two threads"] / 1000
    report.add(
        "decide_many over HTTP, an item", "a plain requests.Session in a loop", item / (measured["loop"] / 50), 0.3
    )
    faster = measured["one thread"] / measured["two threads"]
    report.add("batches of 50 on two threads", "on one thread, times as fast", faster, 1.7, at_least=True)
    each = {size: by_size[str(size)] / max(size, 200) for size in SIZES}
    past = [seconds for size, seconds in each.items() if size >= 50]
    report.add("an item in batches of 50 to 1,000, the worst", "the best", max(past) / min(past), 1.2)
    report.note(f"Decisions a second by decide_many, two threads, sharing the machine with OPA: {1 / item:,.0f}.")
    return each


def one_thread(client: PolicyClient, batch: list[Any], size: int) -> object:
    return list(client.decide_many(batch, batch_size=size, in_flight=1))


def where(server: Server, measured: dict[str, float]) -> dict[str, float]:
    """Where the seconds of `PolicyClient.decide` go."""
    ask = server.ask("payer/decision?metrics=true", REQUEST)
    metrics = [ask()["metrics"] for _ in range(ROUNDS)]

    def took(name: str) -> float:
        return float(statistics.median(each[f"timer_{name}_ns"] for each in metrics)) / 1e9

    evaluate, parse, handler = took("rego_query_eval"), took("rego_input_parse"), took("server_handler")
    return {
        "parse the input": parse,
        "evaluate": evaluate,
        "the rest of OPA's handler": max(handler - evaluate - parse, 0),
        "answer, network, http.client": max(measured["http.client"] - handler, 0),
        "PolicyClient": measured["decide"] - measured["http.client"],
    }


def plot(stages: dict[str, float], by_size: dict[int, float]) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    bottom = 0.0
    for name, value in stages.items():
        left.bar(["decide"], [1000 * value], bottom=bottom, label=name, width=0.4)
        bottom += 1000 * value
    left.set_xlim(-0.5, 1.5)
    left.set_ylabel("ms, p50")
    left.set_title("where a decision's time goes")
    left.legend(loc="upper right", reverse=True, fontsize=8)
    best = min(by_size.values())
    right.plot(list(by_size), [value / best for value in by_size.values()], marker="o")
    right.set_xscale("log")
    right.set_ylim(bottom=0)
    right.set_xlabel("requests in a batch")
    right.set_title("an item in a batch, to the best size")
    figure.tight_layout()
    figure.savefig(ROOT / "bench" / "results.svg", metadata={"Date": None})
