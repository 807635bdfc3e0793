"""What the client adds to a call, beside its peers: interleaved in one run on one OPA, so that ratios hold though
times do not."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests
import urllib3
from opa_client.opa import OpaClient
from payer_policy import EmbeddedPolicy, PolicyClient
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parents[1]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 400
BATCH = 1000  # items for decide_many
REQUEST = json.loads((ROOT / "bench" / "approved.json").read_text())
BODY = json.dumps({"input": REQUEST})
PATH = "/v1/data/payer/decision"
JSON = {"Content-Type": "application/json"}


def contestants(port: int) -> dict[str, Callable[[], object]]:
    raw = http.client.HTTPConnection("127.0.0.1", port)
    pool = urllib3.PoolManager()
    session = requests.Session()
    peer = OpaClient("127.0.0.1", port)
    client = PolicyClient(f"http://127.0.0.1:{port}")
    embedded = EmbeddedPolicy()
    url = f"http://127.0.0.1:{port}{PATH}"

    def by_http_client() -> object:
        raw.request("POST", PATH, BODY, JSON)
        return json.loads(raw.getresponse().read())

    return {
        "http.client": by_http_client,
        "urllib3": lambda: json.loads(pool.request("POST", url, body=BODY, headers=JSON).data),
        "requests.Session": lambda: session.post(url, json={"input": REQUEST}).json(),
        "opa-python-client": lambda: peer.query_rule(REQUEST, "payer", "decision"),
        "PolicyClient.decide": lambda: client.decide(REQUEST),
        "EmbeddedPolicy.decide": lambda: embedded.decide(REQUEST),
    }


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    opa = subprocess.Popen(
        [ROOT / ".tools/bin/opa", "run", "--server", f"--addr=127.0.0.1:{port}", "--log-level=error", ROOT / "policy"]
    )
    try:
        with PolicyClient(f"http://127.0.0.1:{port}") as client:
            client.catalogue()  # asks until OPA is up
        measure(port)
    finally:
        opa.terminate()
        opa.wait()


def measure(port: int) -> None:
    times: dict[str, list[float]] = {}
    calls = contestants(port)
    with PolicyClient(f"http://127.0.0.1:{port}") as client:
        calls["decide_many, an item"] = lambda: list(client.decide_many([REQUEST] * BATCH))
        for number in track(range(ROUNDS), "bench", transient=True, console=Console(stderr=True)):
            for name, call in calls.items():
                if name.startswith("decide_many") and number % 40:
                    continue
                start = time.perf_counter()
                call()
                seconds = time.perf_counter() - start
                times.setdefault(name, []).append(seconds / (BATCH if name.startswith("decide_many") else 1))
    p50 = {name: 1000 * statistics.median(values) for name, values in times.items()}
    raw, session = p50["http.client"], p50["requests.Session"]
    table = Table(
        "one decision", "p50 ms", "to requests.Session", "added to http.client, to what requests.Session adds"
    )
    for name, value in p50.items():
        added = "" if "mbedded" in name or "item" in name else f"{(value - raw) / (session - raw):.2f}"
        table.add_row(name, f"{value:.2f}", f"{value / session:.2f}", added)
    Console().print(table)


if __name__ == "__main__":
    main()
