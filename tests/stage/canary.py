"""Values that occur nowhere else in every field of requests, good and bad; then all that is logged is searched.

`make canary` prints where they were looked for.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from payer_policy import CallRecord, EmbeddedPolicy, PolicyClient, PolicyError
from payer_policy.cc0126 import Facts
from rich.console import Console
from rich.table import Table

from tests.stage.attacks import DECISION, JSON, Attack
from tests.stage.production import Production, production

GOOD: dict[str, Any] = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}


class Canaries:
    def __init__(self) -> None:
        self.values: list[str] = []
        """Of fields: nobody may tell them."""
        self.names = ["b_cell_precursor", "relapsed", "bosutinib"]
        """Of fields that there are not, and words of facts: an error names them to its caller, nothing else does."""

    def value(self) -> str:
        self.values.append(f"v{secrets.token_hex(7)}")
        return self.values[-1]

    def name(self) -> str:
        self.names.append(f"n{secrets.token_hex(7)}")
        return self.names[-1]

    def number(self, whole: int = 0) -> float:
        number = whole + float(f"0.{secrets.randbelow(9 * 10**8) + 10**8}7")
        self.values.append(repr(number))
        return number

    def date(self) -> str:
        self.values.append(f"21{secrets.randbelow(90) + 10}-07-{secrets.randbelow(19) + 10}")
        return self.values[-1]


def requests(canaries: Canaries) -> list[dict[str, Any]]:
    new = canaries.value
    words = {"disease": "all", "lineage": "b_cell_precursor", "disease_status": "relapsed", "cd19_positive": True}
    good = {
        "document": "CC-0126",
        "date_of_service": canaries.date(),
        "request_id": new(),
        "codes": {"hcpcs": new(), "icd10": [new(), f"C83.3{new()}"]},
        "facts": {**words, "mrd_percent": canaries.number(), "combined_with": ["bosutinib"]},
    }
    return [
        good,
        {**good, "date_of_service": "1999-12-31"},
        *({**good, name: value} for name in good for value in (new(), [new()], {canaries.name(): new()})),
        *(
            {**GOOD, "facts": {f.name: value}}
            for f in fields(Facts)
            for value in (new(), [new()], canaries.number(100))
        ),
        {**GOOD, "facts": {canaries.name(): new()}},
        {**good, canaries.name(): new()},
    ]


def raw(canaries: Canaries) -> list[Attack]:
    """What the client would not send."""
    new, name = canaries.value, canaries.name
    bare = json.dumps({**GOOD, "request_id": new()}).encode()
    wrapped = json.dumps({"input": GOOD, name(): new()}).encode()
    yaml = ("Content-Type", "application/yaml")
    headers = ("traceparent", "X-Request-Id", "User-Agent", "Cookie", "Referer", "Origin", "Content-Encoding")
    return [
        Attack("the request without its wrapper", body=bare),
        Attack("something beside the input", body=wrapped),
        Attack("not JSON", body=f'{{"input":{{"request_id":"{new()}",{new()}'.encode()),
        Attack("YAML", headers=(yaml,), body=f"input: {{request_id: {new()}}}".encode()),
        Attack("not YAML", headers=(yaml,), body=f"input: [{new()}: {{".encode()),
        Attack("in the query", target=f"{DECISION}?request_id={new()}&{name()}={new()}"),
        Attack("in the input of the query", "GET", f'{DECISION}?input={{"request_id":"{new()}"}}', b""),
        Attack("in the path", target=f"/v1/data/payer/{new()}"),
        Attack("in a policy's path", "PUT", f"/v1/policies/{new()}", f"package {new()}".encode()),
        Attack("in data", "PUT", f"/v1/data/{new()}", json.dumps({new(): new()}).encode()),
        Attack("in a query of one's own", target="/v1/query", body=json.dumps({"query": f'x = "{new()}"'}).encode()),
        Attack("in the method", new().upper()),
        Attack("in the token", role=None, headers=(JSON, ("Authorization", f"Bearer {new()}"))),
        Attack("in the length", head=f"POST / HTTP/1.1\r\nContent-Length: {new()}\r\n\r\n".encode()),
        Attack("instead of HTTP", head=f"{new()}\r\n\r\n".encode()),
        Attack("in headers", headers=(JSON, *((header, new()) for header in headers))),
    ]


@dataclass
class Channel:
    name: str
    text: str
    may_name: bool = False
    """Fields, but never values."""

    def leaks(self, canaries: Canaries) -> list[str]:
        sought = canaries.values if self.may_name else [*canaries.values, *canaries.names]
        return [canary for canary in sought if canary.lower() in self.text.lower()]


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def ask(url: str, canaries: Canaries, **client: Any) -> list[Channel]:  # noqa: ANN401
    """All requests, one by one and as a batch, by clients that succeed and clients that fail. What the client tells."""
    listener, raised, records = Listener(), list[str](), list[CallRecord]()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(listener)

    def attempt(call: Callable[[], object]) -> None:
        try:
            call()
        except PolicyError as error:
            raised.append(repr(error) + "".join(traceback.format_exception(error)))

    asked = requests(canaries)
    try:
        clients = [
            PolicyClient(url, on_call=records.append, **client),
            PolicyClient(url, on_call=records.append, **{**client, "token": canaries.value()}),  # refused where asked
            PolicyClient("http://127.0.0.1:1", on_call=records.append, attempts=2, deadline=1),
        ]
        for policy in [*clients[:1], EmbeddedPolicy()]:
            with policy:
                for request in asked:
                    attempt(lambda: policy.decide(request))  # noqa: B023
                raised += [repr(answer) for answer in policy.decide_many(asked) if isinstance(answer, PolicyError)]
                attempt(lambda: policy.decide({**GOOD, "facts": {canaries.name(): float("nan")}}))  # noqa: B023
        for policy in clients[1:]:
            with policy:
                attempt(lambda: policy.decide(asked[0]))  # noqa: B023
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
    return [
        Channel("log of the client, at DEBUG", "\n".join(listener.lines)),
        Channel("exceptions, with tracebacks", "\n".join(raised), may_name=True),
        Channel("records for metrics", "\n".join(map(repr, records))),
    ]


def everywhere(opa: Production, canaries: Canaries) -> list[Channel]:
    """Everything that was told of requests with canaries."""
    channels = ask(opa.url, canaries, token=opa.tokens["service"], ca_file=opa.ca)
    for attack in raw(canaries):
        opa.send(attack.bytes(opa.tokens))
    for path in ("/metrics", "/v1/status", "/health"):
        answer = opa.send(Attack(path, "GET", path, b"", "operator", ()).bytes(opa.tokens))
        channels.append(Channel(f"OPA's {path}", f"{answer.status} {answer.body.decode()}"))
    return [Channel("log of the container, decisions included", opa.project.logs()), *channels]


def decision_log(text: str) -> list[Mapping[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("msg") == "Decision Log"]


def main() -> int:
    canaries = Canaries()
    with production(os.environ["OPA_IMAGE"]) as opa:
        channels = everywhere(opa, canaries)
    table = Table("where", "characters", "found", title=f"{len(canaries.values) + len(canaries.names)} canaries")
    for channel in channels:
        found = channel.leaks(canaries)
        table.add_row(channel.name, f"{len(channel.text):,}", f"[red]{' '.join(found)}" if found else "none")
    Console().print(table)
    return int(any(channel.leaks(canaries) for channel in channels))


if __name__ == "__main__":
    raise SystemExit(main())
