"""A decision in process, beside one raw call of the policy and beside the client; its memory; a patient's record."""

import ctypes
import json
import subprocess
import sys
import time
from collections.abc import Callable

from payer_policy import EmbeddedPolicy, PolicyClient
from payer_policy.fhir import Records, read_bundle
from payer_policy.runtime import wasm
from payer_policy.runtime.request import written

from bench import REQUEST
from bench.report import Report, p50
from bench.server import serving
from tests import ROOT


def rows(report: Report) -> None:
    with EmbeddedPolicy() as embedded:
        raw = opa_eval(embedded)
        alone = p50({"raw": raw, "embedded": lambda: embedded.decide(REQUEST)}, rounds=300, clock=time.process_time)
        with serving(ROOT / "policy") as server, PolicyClient(server.url) as client:
            beside = p50(
                {"embedded": lambda: embedded.decide(REQUEST), "client": lambda: client.decide(REQUEST)}, rounds=300
            )
        items = [REQUEST] * 500
        many = p50(
            {
                "raw": lambda: [raw() for _ in items],
                "full": lambda: list(embedded.decide_many(items)),
                "brief": lambda: list(embedded.decide_many(items, detail="brief")),
            },
            rounds=15,
        )
        bundle = record(50)
        records = Records(embedded)
        asked = records.read(bundle).request
        read = p50(
            {"read": lambda: records.read(bundle), "decide": lambda: embedded.decide(asked)}, 30, time.process_time
        )
    report.add("EmbeddedPolicy.decide, p50", "raw opa_eval", alone["embedded"] / alone["raw"], 1.6)
    report.add("EmbeddedPolicy.decide, p50", "PolicyClient.decide", beside["embedded"] / beside["client"], 0.25)
    report.add("decide_many embedded, an item", "raw opa_eval", many["full"] / many["raw"], 0.9)
    report.add("decide_many embedded, an item, brief", "raw opa_eval", many["brief"] / many["raw"], None)
    report.add("a FHIR record of 50 resources read, p50", "EmbeddedPolicy.decide", read["read"] / read["decide"], 50)
    memory(report)


def opa_eval(embedded: EmbeddedPolicy) -> Callable[[], bytes]:
    """What decides the request with nothing else: `opa_eval` called by wasmtime's package, its seven arguments handed
    over one by one, which `EmbeddedPolicy` goes round; the input copied in and the result set out."""
    engine, entry_point = embedded._policy._made(), embedded._policy._entry_points["payer/decision"]
    functions, memory, store, place = engine._functions, engine._memory, engine._store, engine._place
    heap = functions["opa_heap_ptr_get"]()
    text = written(REQUEST).text.encode()

    def call() -> bytes:
        ctypes.memmove(ctypes.addressof(memory.data_ptr(store).contents) + place, text, len(text))
        return wasm._text(memory, store, functions["opa_eval"](0, entry_point, 0, place, len(text), heap, 0))

    if call() != engine.evaluate(entry_point, text):
        raise SystemExit("the policy decides otherwise when it is called without EmbeddedPolicy")
    return call


def record(resources: int) -> dict[str, object]:
    """A patient's record: of those added every other one is a diagnosis that the mapping reads, the rest are results
    that it does not."""
    bundle = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    kept = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["id"] in ("relapse", "immunophenotype")]
    for number in range(resources - len(bundle["entry"])):
        resource = {**kept[number % len(kept)], "id": f"n{number}"}
        bundle["entry"].append({"fullUrl": f"http://hospital.example/fhir/{number}", "resource": resource})
    return bundle


# In a process of its own, so that nothing else is in its memory: after a thousand decisions, after 200,000, and after a
# hundred requests as large as may be or larger.
_MEMORY = """
import json, sys
from bench.resident import mebibytes
from payer_policy import EmbeddedPolicy, InvalidRequest, RequestTooLarge

request, sizes = json.loads(sys.argv[1]), []
with EmbeddedPolicy() as policy:
    for count in (1_000, 199_000):
        for _ in range(count):
            policy.decide(request)
        sizes.append(mebibytes())
    for number in range(100):
        codes = ["C91.0"] * ((20_000, 50_000, 200_000)[number % 3])
        try:
            policy.decide({**request, "codes": {"icd10": codes}})
        except (InvalidRequest, RequestTooLarge):
            pass
    assert policy.decide(request).outcome.value == "approved"
    sizes.append(mebibytes())
print(json.dumps(sizes))
"""


def memory(report: Report) -> None:
    command = [sys.executable, "-c", _MEMORY, json.dumps(REQUEST)]
    first, many, large = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    report.add("memory after 200,000 decisions in process", "after 1,000", many / first, 1.05)
    report.add("memory after 100 requests of 150 kB to 2 MB besides", "before them", large / many, 1.5)
    report.note(f"Resident, in MiB: {first:.0f}, {many:.0f} and {large:.0f}.")
