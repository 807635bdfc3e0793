"""What a decision costs beside what is comparable: `make bench`.

Every figure is a ratio of two things measured in turns in one run, since a time alone says more about the machine than
about the policy. Prints the table with each goal, writes it to bench/results.md and the plots beside it.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import matplotlib
import requests
import urllib3
import yaml
from opa_client.opa import OpaClient
from payer_policy import EmbeddedPolicy, PolicyClient
from payer_policy.fhir import Records, read_bundle
from payer_policy.runtime.request import written
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

matplotlib.use("agg")
from matplotlib import pyplot

from bench import synthetic
from tests import ROOT
from tests.readings import cc0126, decision
from tests.stage.opa import free_port

OPA = ROOT / ".tools" / "bin" / "opa"
INPUTS = {file.stem: json.loads(file.read_text()) for file in sorted((ROOT / "bench" / "inputs").glob("*.json"))}
REQUEST = INPUTS["approved"]
JSON = {"Content-Type": "application/json"}

DOCUMENTS, VERSIONS = 300, 5

# As deployed. Without its limit of memory, which 300 documents would not fit into.
GOGC = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["opa"]["environment"]["GOGC"]

progress = Console(stderr=True)


@dataclass
class Row:
    what: str
    against: str
    ratio: float
    goal: float | None  # None: reported only
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else (self.ratio >= self.goal if self.at_least else self.ratio <= self.goal)


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, against: str, ratio: float, goal: float | None, *, at_least: bool = False) -> None:
        self.rows.append(Row(what, against, ratio, goal, at_least))
        progress.print(f"{what}, against {against}: {ratio:.2f}")


def p50(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds, of calls made in turns; in another order each time, since each finds the caches as the last one left
    them, and OPA as busy with what it threw away."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    order, shuffle = list(calls.items()), Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name, call in order:
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]
    seconds: float  # until it decided

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mebibytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cost(self) -> str:
        return f"{self.seconds:.1f} s, {self.mebibytes():,.0f} MiB"

    def ask(self, path: str, request: object) -> Callable[[], Any]:
        """By http.client over one connection, the floor of any client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        body = json.dumps({"input": request})

        def call() -> Any:  # noqa: ANN401
            connection.request("POST", f"/v1/data/{path}", body, JSON)
            return json.loads(connection.getresponse().read())

        return call

    def get(self, path: str) -> Callable[[], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)

        def call() -> bytes:
            connection.request("GET", path)
            return connection.getresponse().read()

        return call


@contextmanager
def serving(policy: Path) -> Iterator[Server]:
    port = free_port()
    start = time.monotonic()
    options = [f"--addr=127.0.0.1:{port}", "--log-level=error", "--skip-version-check"]
    process = subprocess.Popen(
        [OPA, "run", "--server", *options, policy, ROOT / "bench" / "constant.rego"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GOGC": GOGC},
    )
    try:
        with PolicyClient(f"http://127.0.0.1:{port}", deadline=300, attempts=10_000) as client:
            client.decide(REQUEST)
        yield Server(port, process, time.monotonic() - start)
    finally:
        process.terminate()
        process.wait()


def evaluation(report: Report) -> None:
    def nanoseconds(query: str, file: Path) -> float:
        command: list[str | Path] = [
            OPA,
            "bench",
            "-d",
            ROOT / "policy",
            "-d",
            ROOT / "bench" / "constant.rego",
            "-i",
            file,
        ]
        options = ["--count", "5", "--format", "gobench", "--metrics=false", query]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
        return min(float(line.split("ns/op")[0].split()[-1]) for line in done.stdout.splitlines() if "ns/op" in line)

    for name in INPUTS:
        file = ROOT / "bench" / "inputs" / f"{name}.json"
        constant = nanoseconds("data.bench.constant", file)
        ratio = nanoseconds("data.payer.decision", file) / constant
        report.add(f"full decision, {name.replace('_', ' ')}, opa bench", "a constant rule", ratio, 10)
    # Nobody can ask for it; it shows what all the rest costs. It reads a request that was made ready.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as ready:
        inputs: list[str | Path] = ["-d", ROOT / "policy", "-i", ROOT / "bench" / "inputs" / "approved.json"]
        case = [OPA, "eval", "--format", "raw", *inputs, "data.payer.request.case"]
        ready.write(subprocess.run(case, capture_output=True, text=True, check=True).stdout)
        ready.flush()
        file = Path(ready.name)
        ratio = nanoseconds("data.payer.outcome._outcome", file) / nanoseconds("data.bench.constant", file)
    report.add("outcome alone, approved, opa bench", "a constant rule", ratio, 6)


def calls(report: Report, server: Server, rounds: int) -> dict[str, float]:
    url = f"{server.url}/v1/data/payer/decision"
    with PolicyClient(server.url) as client, EmbeddedPolicy() as embedded, requests.Session() as session:
        pool, peer = urllib3.PoolManager(), OpaClient("127.0.0.1", server.port)
        decide = partial(client.decide, REQUEST)
        # Only what is compared is measured together, as a service runs it: a client among four others, or beside a
        # WebAssembly engine, finds the caches of the processor full of theirs.
        base = p50(
            {
                "floor": lambda: decision.decide(cc0126.READINGS[0], REQUEST),
                "/health": server.get("/health"),
                "constant": server.ask("bench/constant", REQUEST),
                "http.client": server.ask("payer/decision", REQUEST),
            },
            rounds,
        )
        added = p50(
            {
                "http.client": server.ask("payer/decision", REQUEST),
                "urllib3": lambda: pool.request("POST", url, body=json.dumps({"input": REQUEST}), headers=JSON).json(),
                "requests.Session": lambda: session.post(url, json={"input": REQUEST}).json(),
                "decide": decide,
            },
            rounds,
        )
        against = p50({"decide": decide, "peer": lambda: peer.query_rule(REQUEST, "payer", "decision")}, rounds)
        engine, entry_points = embedded._policy._made(), embedded._policy._entry_points
        text = written(REQUEST).text.encode()
        in_process = p50(
            {
                "raw": lambda: engine.evaluate(entry_points["payer/decision"], text),
                "embedded": lambda: embedded.decide(REQUEST),
                "decide": decide,
            },
            rounds,
        )
        items = [REQUEST] * 500
        many = p50(
            {
                "raw": lambda: engine.evaluate(entry_points["payer/decision"], text),
                "embedded": lambda: list(embedded.decide_many(items)),
            },
            max(rounds // 20, 5),
        )
    raw, session_adds = base["http.client"], added["requests.Session"] - added["http.client"]
    report.add("raw HTTP decision, p50", "raw HTTP constant rule", raw / base["constant"], 1.7)
    for name, title, goal in (("decide", "PolicyClient.decide", 0.4), ("urllib3", "urllib3", None)):
        ratio = (added[name] - added["http.client"]) / session_adds
        report.add(f"time {title} adds to http.client, p50", "what requests.Session adds", ratio, goal)
    report.add("PolicyClient.decide, p50", "opa-python-client", against["decide"] / against["peer"], 0.65)
    for name, title, goal in (("raw", "raw opa_eval", 1.6), ("decide", "PolicyClient.decide", 0.25)):
        report.add("EmbeddedPolicy.decide, p50", title, in_process["embedded"] / in_process[name], goal)
    ratio = many["embedded"] / len(items) / many["raw"]
    report.add("decide_many embedded, an item", "raw opa_eval", ratio, 0.9)
    if (seconds := in_node()) is not None:
        report.add("opa-wasm in Node, p50", "raw opa_eval", seconds / in_process["raw"], None)
        report.notes.append(
            "Node ran after Python, not in turns with it; its decision is an object that nobody has checked."
        )
    report.add("raw HTTP decision, p50", "GET /health", raw / base["/health"], None)
    report.add("full decision by HTTP, p50", "the second reading in Python", raw / base["floor"], None)
    return added


def in_node() -> float | None:
    """Seconds of a decision by OPA's own package for Node; None where there is no Node."""
    if not shutil.which("npm"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--prefix", folder, "@open-policy-agent/opa-wasm@1.10.0"]
        subprocess.run(install, check=True)
        policy = ROOT / "pyclient" / "src" / "payer_policy" / "policy.wasm"
        done = subprocess.run(
            ["node", ROOT / "bench" / "opa_wasm.js", policy, json.dumps(REQUEST)],
            env={**os.environ, "NODE_PATH": str(Path(folder, "node_modules"))},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def batches(report: Report, server: Server, rounds: int) -> dict[int, float]:
    """Seconds an item by size of batch, on one thread."""
    url = f"{server.url}/v1/data/payer/decision"
    items = [REQUEST] * 1000
    with PolicyClient(server.url) as client, requests.Session() as session:
        measured = p50(
            {
                "loop": lambda: [session.post(url, json={"input": item}).json() for item in items[:50]],
                "one thread": lambda: list(client.decide_many(items, in_flight=1)),
                "two threads": lambda: list(client.decide_many(items, in_flight=2)),
            },
            rounds,
        )
        sizes = [1, 5, 20, 50, 200, 1000]  # the policy takes no more
        by_size: dict[int, float] = {}
        for size in sizes:
            batch = [REQUEST] * max(size, 200)
            call = partial(one_thread, client, batch, size)
            by_size[size] = p50({"": call}, 3)[""] / len(batch)
    item = measured["two threads"] / 1000
    report.add("decide_many, an item", "a plain requests.Session in a loop", item / (measured["loop"] / 50), 0.1)
    faster = measured["one thread"] / measured["two threads"]
    report.add("batches of 50 on two threads", "on one thread, times as fast", faster, 1.8, at_least=True)
    past = [seconds for size, seconds in by_size.items() if size >= 50]
    report.add("an item in batches of 50 to 1,000, the worst", "the best", max(past) / min(past), 1.2)
    report.notes.append(
        f"Decisions a second by decide_many, two threads, OPA and client sharing {cores()}: {1 / item:,.0f}."
    )
    return by_size


def one_thread(client: PolicyClient, batch: list[Any], size: int) -> object:
    return list(client.decide_many(batch, batch_size=size, in_flight=1))


@contextmanager
def holding(documents: int) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        synthetic.write(Path(folder), documents, VERSIONS)
        with serving(Path(folder)) as server:
            yield server


def scale(report: Report, one: Server, rounds: int) -> None:
    with holding(DOCUMENTS // 4) as some:
        quarter = some.cost()
    with holding(DOCUMENTS) as many:
        whole = many.cost()
        measured = p50({"one": one.ask("payer/decision", REQUEST), "many": many.ask("payer/decision", REQUEST)}, rounds)
    name = f"a decision among {DOCUMENTS} documents of {VERSIONS} versions, p50"
    report.add(name, "one document of one version", measured["many"] / measured["one"], 1.1)
    report.notes.append(
        f"From the start of OPA to its first decision, and its memory then. 1 document: {one.cost()};"
        f" {DOCUMENTS // 4} of {VERSIONS} versions: {quarter}; {DOCUMENTS} of {VERSIONS} versions: {whole}."
    )


def starts(report: Report) -> None:
    """How long it takes from nothing to the first decision in process, and what memory."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        code = (
            "import json, resource, sys, time; start = time.monotonic(); from payer_policy import EmbeddedPolicy;"
            " EmbeddedPolicy(sys.argv[1]).decide(json.loads(sys.argv[2]));"
            " print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        bundles = {"1 document": ROOT / "pyclient" / "src" / "payer_policy" / "policy.wasm"}
        name = f"{DOCUMENTS} of {VERSIONS} versions"
        bundles[name] = Path(folder, "many.tar.gz")
        synthetic.write(Path(folder, "policy"), DOCUMENTS, VERSIONS)
        entry_points = [f"--entrypoint=payer/{each}" for each in ("decision", "decisions", "catalogue")]
        command: list[str | Path] = [OPA, "build", "--target=wasm", *entry_points, "-o", bundles[name]]
        subprocess.run([*command, Path(folder, "policy")], check=True)
        cached: dict[str, float] = {}
        costs = []
        for documents, bundle in bundles.items():
            runs = []
            for _ in range(6):  # the first of them compiles
                done = subprocess.run(
                    [sys.executable, "-c", code, bundle, json.dumps(REQUEST)],
                    env=environment, capture_output=True, text=True, check=True,
                )  # fmt: skip
                runs.append([float(word) for word in done.stdout.split()])
            cached[documents] = statistics.median(seconds for seconds, _ in runs[1:])
            costs.append(
                f"{documents}: {runs[0][0]:.1f} s, {runs[0][1]:,.0f} MiB, from the cache {cached[documents]:.2f} s,"
                f" {runs[-1][1]:,.0f} MiB"
            )
    what = f"first decision in process, {DOCUMENTS} documents in the cache"
    report.add(what, "one document in the cache", cached[name] / cached["1 document"], 10)
    report.notes.append(f"From the import to the first decision in process, and its memory. {'; '.join(costs)}.")


def record(report: Report, rounds: int) -> None:
    """A patient's record of 50 resources: of those added every other one is a diagnosis that the mapping reads, the
    rest are results that it does not."""
    bundle = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    kept = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["id"] in ("relapse", "immunophenotype")]
    for number in range(50 - len(bundle["entry"])):
        resource = {**kept[number % len(kept)], "id": f"n{number}"}
        bundle["entry"].append({"fullUrl": f"http://hospital.example/fhir/{number}", "resource": resource})
    with EmbeddedPolicy() as embedded:
        records = Records(embedded)
        request = records.read(bundle).request
        measured = p50({"read": lambda: records.read(bundle), "decide": lambda: embedded.decide(request)}, rounds)
    report.add(
        "a FHIR record of 50 resources read, p50", "EmbeddedPolicy.decide", measured["read"] / measured["decide"], 50
    )


def stages(server: Server, measured: dict[str, float], rounds: int) -> dict[str, float]:
    """Where the seconds of `PolicyClient.decide` go."""
    ask = server.ask("payer/decision?metrics=true", REQUEST)
    metrics = [ask()["metrics"] for _ in range(rounds)]
    evaluate = statistics.median(m["timer_rego_query_eval_ns"] for m in metrics) / 1e9
    parse = statistics.median(m["timer_rego_input_parse_ns"] for m in metrics) / 1e9
    handler = statistics.median(m["timer_server_handler_ns"] for m in metrics) / 1e9
    return {
        "parse the input": parse,
        "evaluate": evaluate,
        "the rest of OPA's handler": max(handler - evaluate - parse, 0),
        "answer, network, http.client": max(measured["http.client"] - handler, 0),
        "PolicyClient": measured["decide"] - measured["http.client"],
    }


def page(report: Report, rounds: int) -> None:
    """The page of `make page`: its bytes, and an answer decided and drawn in Chromium beside the decision in Node."""
    file = ROOT / "build" / "criteria.html"
    done = subprocess.run(
        ["node", "page/bench.mjs"], cwd=ROOT, input=json.dumps(REQUEST), capture_output=True, text=True
    )
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program)
        tab = browser.new_page()
        start = time.perf_counter()
        tab.goto(file.as_uri())
        tab.wait_for_selector(".outcome")
        first = time.perf_counter() - start
        tab.locator("#request").fill(json.dumps(REQUEST))
        seconds = tab.evaluate(
            """rounds => {
              const text = document.getElementById("request").value, times = [];
              for (let n = 0; n < rounds; n += 1) {
                document.getElementById("request").value = text;
                const start = performance.now();
                document.getElementById("decide").click();
                times.push(performance.now() - start);
              }
              return times.sort((a, b) => a - b)[rounds >> 1] / 1000;
            }""",
            rounds,
        )
        browser.close()
    report.add("the page in Chromium, decided and drawn, p50", "a decision in Node", seconds / float(done.stdout), None)
    report.notes.append(
        f"The page: {file.stat().st_size:,} bytes, {first:.1f} s from opening it to its first decision;"
        f" a decision takes {float(done.stdout) * 1000:.1f} ms in Node,"
        f" decided and drawn in Chromium {seconds * 1000:.1f} ms."
    )


def regopy() -> str:
    """rego-cpp, in a process of its own, since it has been seen to end it."""
    with tempfile.TemporaryDirectory() as folder:
        code = (
            "import json, pathlib, sys; from regopy import Interpreter; rego = Interpreter()\n"
            f"for file in sorted(pathlib.Path({str(ROOT / 'policy')!r}).glob('*.rego')):"
            " rego.add_module(file.name, file.read_text())\n"
            f"rego.set_input(json.loads({json.dumps(REQUEST)!r})); print(rego.query('x := data.payer.decision'))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    words = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
    runs = done.returncode == 0 and '"outcome"' in done.stdout
    return "regopy runs the policy." if runs else f"regopy does not run the policy: {words[-1][:120]}"


def cores() -> str:
    return f"{os.cpu_count()} cores"


def plots(seconds: dict[str, float], by_size: dict[int, float]) -> None:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    bottom = 0.0
    for name, value in seconds.items():
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


def write(report: Report) -> None:
    table = Table("what", "against", "ratio", "goal", "met")
    lines = ["| what | against | ratio | goal | met |", "| --- | --- | ---: | ---: | --- |"]
    for row in report.rows:
        goal = "" if row.goal is None else f"{'at least ' if row.at_least else ''}{row.goal:g}"
        met = {None: "", True: "yes", False: "no"}[row.met]
        cells = [row.what, row.against, f"{row.ratio:.2f}", goal, met]
        table.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    Console().print(table)
    version = subprocess.run([OPA, "version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    machine = (
        f"{cores()}, {platform.machine()}, {platform.system()}, Python {platform.python_version()}, OPA {version[9:]}"
    )
    text = f"""<!-- Made by `make bench`; not to be edited. -->
# Measured on {datetime.now(timezone.utc):%Y-%m-%d}

On {machine}. OPA's server with GOGC={GOGC}, as deployed. Client and OPA share the machine.
Ratios of things measured in turns, in one run.

{chr(10).join(lines)}

{chr(10).join(f"- {note}" for note in report.notes)}

![where a decision's time goes; an item in a batch](results.svg)
"""
    (ROOT / "bench" / "results.md").write_text(text, encoding="utf-8")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    report = Report()
    evaluation(report)
    starts(report)
    with serving(ROOT / "policy") as server:
        scale(report, server, rounds)  # the first, while this OPA has nothing but the policy in its memory
        measured = calls(report, server, rounds)
        by_size = batches(report, server, max(rounds // 60, 3))
        record(report, max(rounds // 10, 3))
        seconds = stages(server, measured, rounds)
    total = sum(seconds.values())
    report.notes.append(
        "Of PolicyClient.decide: " + ", ".join(f"{name} {value / total:.0%}" for name, value in seconds.items()) + "."
    )
    page(report, rounds)
    report.notes.append(regopy())
    write(report)
    plots(seconds, by_size)


if __name__ == "__main__":
    main()
