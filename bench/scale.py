"""300 documents of 5 versions: what they cost OPA at its start, an engine in process, and a decision on one of them."""

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench import REQUEST, WASM, before, synthetic
from bench.decisions import microseconds
from bench.report import Report, in_turns
from bench.server import serving
from tests import ROOT
from tests.stage.opa import OPA
from tools import publish

DOCUMENTS, VERSIONS = 300, 5
MANY = f"{DOCUMENTS} documents of {VERSIONS} versions"


def rows(report: Report) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic.write(ROOT / "policy", folder / "now", DOCUMENTS, VERSIONS)
        publish.resolve(folder / "now")  # as production has them
        synthetic.write(before.policy(folder), folder / "before", DOCUMENTS, VERSIONS)
        with serving(folder / "before") as server:
            old = server.processor_seconds(), server.mebibytes()
        with serving(folder / "now") as server, serving(ROOT / "policy") as one:
            new = server.processor_seconds(), server.mebibytes()
            few = one.processor_seconds(), one.mebibytes()
            asked = {"one": one, "many": server}
            measured = in_turns(
                {
                    name: partial(microseconds, each, each.ask("payer/decision", REQUEST))
                    for name, each in asked.items()
                },
                9,
            )
        report.add(f"OPA's start with {MANY}, processor time", before.BEFORE, new[0] / old[0], 0.5)
        report.add(f"OPA's memory with {MANY}", before.BEFORE, new[1] / old[1], 0.5)
        report.add(
            f"a decision among {MANY}, processor time in OPA",
            "this policy alone",
            measured["many"] / measured["one"],
            1.1,
        )
        costs = "; ".join(
            f"{what} {seconds:.1f} s, {size:,.0f} MiB"
            for what, (seconds, size) in {"this policy": few, f"{before.BEFORE}, {MANY}": old, MANY: new}.items()
        )
        report.note(f"OPA's processor time from its start to its first decision, and its memory then: {costs}.")
        in_process(report, folder)


def in_process(report: Report, folder: Path) -> None:
    sizes = {}
    for name in ("before", "now"):
        entry_points = [f"--entrypoint=payer/{each}" for each in ("decision", "decisions", "catalogue")]
        built: list[str | Path] = [
            OPA,
            "build",
            "--target=wasm",
            *entry_points,
            "-o",
            folder / f"{name}.tar.gz",
            folder / name,
        ]
        subprocess.run(built, check=True)
        unpacked: list[str | Path] = ["tar", "-xzf", folder / f"{name}.tar.gz", "-C", folder, "/policy.wasm"]
        subprocess.run(unpacked, check=True, capture_output=True)
        sizes[name] = (folder / "policy.wasm").rename(folder / f"{name}.wasm").stat().st_size
    report.add(f"wasm of {MANY}, bytes", before.BEFORE, sizes["now"] / sizes["before"], None)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    one, many = (first_decisions(file, environment) for file in (WASM, folder / "now.wasm"))
    cached = [min(seconds for seconds, _ in runs[1:]) for runs in (one, many)]
    report.add(f"first decision in process, {MANY} in the cache", "this policy in the cache", cached[1] / cached[0], 10)
    for what, runs, seconds, size in (
        ("this policy", one, cached[0], WASM.stat().st_size),
        (MANY, many, cached[1], sizes["now"]),
    ):
        report.note(
            f"From the import to the first decision in process, {what}: {size:,} bytes; compiled {runs[0][0]:.1f} s,"
            f" {runs[0][1]:,.0f} MiB; from the cache {seconds:.2f} s, {runs[-1][1]:,.0f} MiB."
        )


_FIRST = """
import json, sys, time
from bench.resident import mebibytes
start = time.monotonic()
from payer_policy import EmbeddedPolicy
EmbeddedPolicy(sys.argv[1]).decide(json.loads(sys.argv[2]))
print(json.dumps([time.monotonic() - start, mebibytes(what="VmHWM")]))
"""


def first_decisions(wasm: Path, environment: dict[str, str]) -> list[tuple[float, float]]:
    """Seconds and MiB; the first of them compiles."""
    command: list[str | Path] = [sys.executable, "-c", _FIRST, wasm, json.dumps(REQUEST)]
    return [
        json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
        for _ in range(8)
    ]
