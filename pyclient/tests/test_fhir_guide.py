"""What docs/fhir.md shows is what comes out, and the service of examples/fhir answers a real client."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from payer_policy.command import main
from payer_policy.fhir import read_bundle
from payer_policy.fhir.mapping import fhirpath

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "fhir.md"


def run(block: str, held: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, GUIDE.name, "exec"), held)
    return printed.getvalue()


def test_the_guide_shows_what_comes_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    text = GUIDE.read_text(encoding="utf-8")
    held: dict[str, Any] = {}
    shown = re.findall(r"^```python\n(.*?)^```\n(?:\n```(?:json)?\n(.*?)^```$)?", text, re.DOTALL | re.MULTILINE)
    assert len(shown) >= 5
    for block, expected in shown:
        assert run(block, held) == expected
    [(command, expected)] = re.findall(r"^```\n\$ payer-policy (.*?)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert main(command.split()) == 0
    assert capsys.readouterr().out == expected


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    spec = importlib.util.spec_from_file_location("order_sign", ROOT / "examples" / "fhir" / "order_sign.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.server(0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def call() -> Json:
    """Of order-sign, with the record of examples/fhir in the prefetch."""
    held = [
        entry["resource"] for entry in read_bundle((ROOT / "examples/fhir/relapsed-b-all.json").read_bytes())["entry"]
    ]
    order = {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "draft",
        "intent": "order",
        "code": held[0]["item"][0]["productOrService"],
        "subject": {"reference": "Patient/child"},
        "occurrenceDateTime": "2025-06-01",
    }

    def found(kind: str) -> Json:
        entries = [{"resource": each} for each in held if each["resourceType"] == kind]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "child",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
        },
        "prefetch": {
            "patient": found("Patient")["entry"][0]["resource"],
            "coverage": found("Coverage"),
            "conditions": found("Condition"),
            "observations": found("Observation"),
            "medications": None,
        },
    }


def test_the_service_says_what_it_needs_and_answers(service: str, call: Json) -> None:
    [offered] = requests.get(f"{service}/cds-services", timeout=30).json()["services"]
    assert (offered["hook"], set(offered["prefetch"])) == ("order-sign", set(call["prefetch"]))
    reply = requests.post(f"{service}/cds-services/{offered['id']}", json=call, timeout=60)
    assert reply.status_code == 200
    [action] = reply.json()["systemActions"]
    [extension] = action["resource"].pop("extension")
    assert action["resource"] == call["context"]["draftOrders"]["entry"][0]["resource"]
    needed = "extension.where(url = 'pa-needed' or url = 'covered' or url = 'doc-needed').value"
    assert fhirpath(needed)(extension) == ["conditional", "auth-needed", "clinical"]
    [shown] = reply.json()["cards"]
    assert "- Are the malignant cells CD19-positive?" in shown["detail"]


def test_the_service_says_nothing_of_other_orders(service: str, call: Json) -> None:
    orders = call["context"]["draftOrders"]["entry"]
    other = {
        **orders[0]["resource"],
        "id": "other",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
    }
    url = f"{service}/cds-services/payer-policy-order-sign"
    call["context"]["draftOrders"]["entry"] = [{"resource": other}, *orders]
    reply = requests.post(url, json=call, timeout=60).json()
    assert [action["resource"]["id"] for action in reply["systemActions"]] == ["order"]
    assert len(reply["cards"]) == 1
    call["context"]["draftOrders"]["entry"] = [{"resource": other}]
    assert requests.post(url, json=call, timeout=60).json() == {"cards": [], "systemActions": []}


def test_an_order_of_a_drug_is_for_the_day_on_which_it_is_signed(service: str, call: Json) -> None:
    [entry] = call["context"]["draftOrders"]["entry"]
    order = entry["resource"]
    entry["resource"] = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": order["code"],
        "subject": order["subject"],
    }
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": []}, "search": {"mode": "outcome"}}
    call["prefetch"]["coverage"]["entry"].insert(0, outcome)
    reply = requests.post(f"{service}/cds-services/payer-policy-order-sign", json=call, timeout=60)
    [action] = reply.json()["systemActions"]
    [extension] = action["resource"]["extension"]
    said = "extension.where(url = 'coverage').value.reference | extension.where(url = 'pa-needed').value"
    assert fhirpath(said)(extension) == ["Coverage/plan", "auth-needed"]


def test_the_service_refuses_what_is_no_call(service: str, call: Json) -> None:
    url = f"{service}/cds-services/payer-policy-order-sign"
    assert requests.post(url, data="{", timeout=30).status_code == 400
    assert requests.post(url, data="[" * 100_000, timeout=30).status_code == 400
    assert requests.post(url, json={}, timeout=30).status_code == 400
    assert requests.post(f"{service}/cds-services/other", json=call, timeout=30).status_code == 404
    assert requests.get(f"{service}/other", timeout=30).status_code == 404


def test_an_order_that_cannot_be_read_keeps_no_other_waiting(service: str, call: Json) -> None:
    [entry] = call["context"]["draftOrders"]["entry"]
    bad = {**entry["resource"], "id": "bad", "occurrenceDateTime": "2025-06"}
    call["context"]["draftOrders"]["entry"].append({"resource": bad})
    reply = requests.post(f"{service}/cds-services/payer-policy-order-sign", json=call, timeout=60)
    assert reply.status_code == 200
    assert [action["resource"]["id"] for action in reply.json()["systemActions"]] == ["order"]
    answered, unread = reply.json()["cards"]
    assert answered["summary"].startswith("CC-0126")
    del unread["uuid"]
    assert unread == {
        "summary": "Order 2 could not be looked at",
        "detail": "context.draftOrders.entry[1].resource.occurrenceDateTime must be a whole day, YYYY-MM-DD",
        "indicator": "warning",
        "source": {"label": "Example Payer"},
    }
