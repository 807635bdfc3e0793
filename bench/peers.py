"""Other engines beside one raw call of the policy: OPA's own package for Node with the same WebAssembly, CQL's engine
with the same criteria; regopy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from payer_policy import EmbeddedPolicy

from bench import REQUEST
from bench.embedded import opa_eval
from bench.report import Report, in_turns, p50
from tests import ROOT
from tests.oracle.vectors import VECTORS, in_process
from tests.stage.opa import java

CQL = ROOT / "bench" / "cql"
ROUNDS = 200


class Engine:
    """A process that decides, and measures itself."""

    def __init__(self, program: str | Path) -> None:
        command: list[str | Path] = ["node", CQL / "engine.mjs", program]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def outcomes(self, requests: list[Any]) -> list[str]:
        return list(self._ask(requests, 1)[0])

    def seconds(self) -> float:
        return float(self._ask([REQUEST], ROUNDS)[1])

    def _ask(self, requests: list[Any], rounds: int) -> tuple[list[str], float]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([requests, rounds]), file=self._process.stdin, flush=True)
        outcomes, seconds = json.loads(self._process.stdout.readline())
        return outcomes, seconds

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def rows(report: Report) -> None:
    with EmbeddedPolicy() as embedded:
        decided = {
            json.dumps(vector["input"]): decision["outcome"]
            for vector in VECTORS.values()
            if (decision := in_process(embedded, "decision", vector["input"]))["policy"]
            and decision["policy"]["document"] == "CC-0126"
            and not any(isinstance(value, dict) for value in vector["input"]["facts"].values())  # CQL has no bounds
        }
        call = opa_eval(embedded)
        engines = {"opa-wasm": Engine("policy"), "cql-execution": Engine(translated())}
        for name, each in engines.items():
            if each.outcomes([json.loads(request) for request in decided]) != [*decided.values()]:
                raise SystemExit(f"{name} decides otherwise than the policy")

        def raw() -> float:
            return p50({"": call}, ROUNDS)[""]

        measured = in_turns({"raw": raw} | {name: each.seconds for name, each in engines.items()}, rounds=15)
        for each in engines.values():
            each.close()
    opa, cql = measured["opa-wasm"], measured["cql-execution"]
    report.add("opa-wasm in Node, the decision, p50", "raw opa_eval", opa / measured["raw"], None)
    report.add("cql-execution in Node, the outcome, p50", "raw opa_eval", cql / measured["raw"], None)
    report.add("cql-execution in Node, the outcome, p50", "opa-wasm in Node, the decision", cql / opa, None)
    report.note(
        f"opa-wasm (OPA's package for Node) and cql-execution (CQL's engine, ELM by cql-to-elm) give the outcome of"
        f" all {len(decided)} requests of the vectors of CC-0126 that are valid and name no bound. opa-wasm gives"
        " the whole decision, an object that nobody has checked. bench/cql/CC0126.cql has the clauses and the outcome"
        " alone: it checks no request, chooses no version, and gives no texts or values, nothing of what is missing, no"
        " reasons, advisories or terms, and nothing to ask first."
    )
    report.note(regopy())


def translated() -> Path:
    """The criteria in ELM, JSON, for CQL's engine."""
    target = ROOT / "build" / "CC0126.json"
    command: list[str | Path] = [
        java(),
        "-cp",
        f"{ROOT / '.tools' / 'cql'}/*",
        CQL / "Translate.java",
        CQL / "CC0126.cql",
    ]
    target.write_bytes(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    return target


def regopy() -> str:
    """rego-cpp, in a process of its own, since it has been seen to end it."""
    code = (
        "import json, pathlib, sys; from regopy import Interpreter; rego = Interpreter()\n"
        "for file in sorted(pathlib.Path(sys.argv[1]).rglob('*.rego')): rego.add_module(file.name, file.read_text())\n"
        "rego.set_input(json.loads(sys.argv[2])); print(rego.query('x := data.payer.decision'))"
    )
    command: list[str | Path] = [sys.executable, "-c", code, ROOT / "policy", json.dumps(REQUEST)]
    done = subprocess.run(command, capture_output=True, text=True)
    words = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
    runs = done.returncode == 0 and '"outcome"' in done.stdout
    return "regopy runs the policy." if runs else f"regopy does not run the policy: {words[-1][:120]}"
