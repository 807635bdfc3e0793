"""A service of CDS Hooks that answers order-sign with what CRD asks for: python examples/fhir/order_sign.py 8000

The smallest that holds to the hook: discovery, prefetch, the extension on the order as a system action, and a card. A
real one checks the token of who asks, and stores what it has asserted.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from payer_policy import EmbeddedPolicy, InvalidResource, PolicyBase, PolicyError
from payer_policy.fhir import Records, card, coverage_information, questionnaire

Json = dict[str, Any]

BASE = "https://payer.example/fhir"
PAYER = "Example Payer"
SERVICE = {
    "id": "payer-policy-order-sign",
    "hook": "order-sign",
    "title": "Coverage of an order",
    "description": "Whether an order meets the payer's clinical criteria, and what to send in if that is not known.",
    "prefetch": {
        "patient": "Patient/{{context.patientId}}",
        "coverage": "Coverage?patient={{context.patientId}}&status=active",
        "conditions": "Condition?patient={{context.patientId}}",
        "observations": "Observation?patient={{context.patientId}}&category=laboratory",
        "medications": "MedicationRequest?patient={{context.patientId}}",
    },
}
LARGEST = 10_000_000


def answer(policy: PolicyBase, asked: Json, day: date, new_id: Callable[[], str]) -> Json:
    """The reply to a call of the hook. Raises `PolicyError`, or what a call that is none raises."""
    prefetch = asked["prefetch"]
    orders = [entry["resource"] for entry in asked["context"]["draftOrders"]["entry"]]
    [coverage, *_] = (each for each in resources(prefetch["coverage"]) if each["resourceType"] == "Coverage")
    known = [each for name in SERVICE["prefetch"] if name != "coverage" for each in resources(prefetch.get(name))]
    cards, actions = [], []
    for place, order in enumerate(orders):
        bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in (order, *known)]}
        says_when = "occurrenceDateTime" in order or "occurrencePeriod" in order  # of a drug, none does
        try:
            reading = Records(policy).read(bundle, date_of_service=None if says_when else day)
        except InvalidResource as error:
            if error.path != "Bundle.entry":  # which is of no document held here, as most orders are
                cards.append(unread(error, place, new_id()))  # what is wrong with one order keeps no other waiting
            continue
        decision = policy.decide(reading.request)
        form = (
            questionnaire(policy, decision.policy.document, decision.policy.version, base=BASE)
            if decision.policy
            else None
        )
        extension = coverage_information(
            decision,
            f"Coverage/{coverage['id']}",
            day=day,
            assertion_id=new_id(),
            number=new_id(),
            questionnaire=form,
        )
        updated = {**order, "extension": [*order.get("extension", []), extension]}
        actions.append({"type": "update", "description": "Coverage information was added.", "resource": updated})
        cards.append(card(decision, uuid=new_id(), source=PAYER))
    return {"cards": cards, "systemActions": actions}


def unread(error: InvalidResource, place: int, new_id: str) -> Json:
    """The card of an order that cannot be read; what is wrong is named without its value."""
    path = error.path.replace("Bundle.entry[0]", f"context.draftOrders.entry[{place}]")
    return {
        "uuid": new_id,
        "summary": f"Order {place + 1} could not be looked at",
        "detail": f"{path} {error.problem}",
        "indicator": "warning",
        "source": {"label": PAYER},
    }


def resources(held: Json | None) -> list[Json]:
    """Of a prefetch: a resource, a search set, or nothing."""
    if held is None:
        return []
    return [entry["resource"] for entry in held.get("entry", [])] if held["resourceType"] == "Bundle" else [held]


def server(port: int) -> ThreadingHTTPServer:
    policy = EmbeddedPolicy()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/cds-services"
            self.reply(200 if known else 404, {"services": [SERVICE]} if known else {"error": "no such page"})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if self.path != f"/cds-services/{SERVICE['id']}" or length > LARGEST:
                self.reply(404 if length <= LARGEST else 413, {"error": "no such service, or too much of it"})
                return
            try:
                asked = json.loads(self.rfile.read(length))
                self.reply(200, answer(policy, asked, date.today(), lambda: str(uuid.uuid4())))
            except PolicyError as error:  # its message holds no value
                self.reply(412, {"error": str(error)})
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self.reply(400, {"error": "is no call of order-sign with the prefetch of this service"})

        def reply(self, status: int, body: Json) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: ANN401
            """Nothing: a path may hold health data."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server(int(sys.argv[1])).serve_forever()
