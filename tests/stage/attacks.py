"""Requests that must not succeed, byte for byte, each with its answer. `make attack` prints them as a table."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters, digits

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.stage.production import Answer, Guarded, pod, production

DECISION = "/v1/data/payer/decision"
DECISIONS = "/v1/data/payer/decisions"
REQUEST = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "all"}}
JSON = ("Content-Type", "application/json")
TOKEN = "a valid token is needed"
ROLE = "this token does not allow that"
FORM = "asked for here is application/json"
MAX = 524288  # server.decoding.max_length of deploy/production.yaml


def wrapped(value: object) -> bytes:
    return json.dumps({"input": value}).encode()


def batch(text: str, number: int) -> bytes:
    return b'{"input":{"requests":[' + b",".join([text.encode()] * number) + b"]}}"


GOOD = wrapped(REQUEST)


@dataclass(frozen=True)
class Attack:
    name: str
    method: str = "POST"
    target: str = DECISION
    body: bytes = GOOD
    role: str | None = "service"
    """Whose token is sent."""
    headers: tuple[tuple[str, str], ...] = (JSON,)
    status: int = 401
    says: str = ROLE
    """What the answer must hold. Without a result it is refused; with one, the policy has found it invalid."""
    head: bytes | None = None
    """All that goes before the body instead of what the other fields make, with {token} for the token."""
    may_be_closed: bool = False
    """Without an answer."""
    may_be_decided: bool = False
    patience: float = 20
    """Seconds to wait for an answer."""

    def bytes(self, tokens: dict[str, str]) -> bytes:
        if self.head is not None:
            return self.head.replace(b"{token}", tokens["service"].encode()) + self.body
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.role:
            lines.append(f"Authorization: Bearer {tokens[self.role]}")
        if "Transfer-Encoding" not in dict(self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def get(name: str, target: str, role: str | None = "service", **more: object) -> Attack:
    return Attack(name, "GET", target, b"", role, **more)  # type: ignore[arg-type]


def authorization(name: str, *values: str) -> Attack:
    return Attack(name, role=None, headers=(JSON, *(("Authorization", value) for value in values)), says=TOKEN)


def body(name: str, content: bytes, *headers: tuple[str, str], status: int = 401, says: str = FORM) -> Attack:
    return Attack(name, body=content, headers=headers or (JSON,), status=status, says=says)


def chunked(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n\r\n"


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n".encode() for n in range(9)
)
NO_RESULT = '"code": "invalid_parameter"'

ATTACKS = [
    # Without a token that is known.
    Attack("no token", role=None, says=TOKEN),
    authorization("empty token", "Bearer "),
    authorization("unknown token", "Bearer " + "0" * 64),
    authorization("scheme Basic", "Basic c2VydmljZTpzZXJ2aWNl"),
    authorization("endless token", "Bearer " + "a" * 100_000),
    authorization("token and another header beside it", "Bearer x", "Bearer y"),
    Attack("token and a second one", headers=(JSON, ("Authorization", "Bearer x")), says=TOKEN),
    Attack("token in the query", target=f"{DECISION}?access_token=x", role=None, says=TOKEN),
    get("metrics without a token", "/metrics", None, says=TOKEN),
    get("status without a token", "/v1/status", None, says=TOKEN),
    get("health without a token", "/health", None, says=TOKEN),
    get("a parameter on readiness", "/health/ready?explain=full", None, says=TOKEN),
    # The other role's.
    Attack("the operator decides", role="operator"),
    get("the operator reads the catalogue", "/v1/data/payer/catalogue", "operator"),
    get("the service reads metrics", "/metrics"),
    get("the service reads status", "/v1/status"),
    get("the service reads health", "/health"),
    # Reading what is not the service's.
    get("all policies", "/v1/policies"),
    get("a policy", "/v1/policies/policy/payer.rego"),
    get("all policies, by the operator", "/v1/policies", "operator"),
    get("all data", "/v1/data"),
    get("all data, with a slash", "/v1/data/", status=301, says="/v1/data"),
    get("all data, by the operator", "/v1/data", "operator"),
    Attack("all data by POST", target="/v1/data"),
    Attack("all of payer", target="/v1/data/payer"),
    Attack("internals of payer", target="/v1/data/payer/request/errors"),
    Attack("a private rule", target="/v1/data/payer/_refused"),
    Attack("a field of the decision", target=f"{DECISION}/outcome"),
    Attack("the authorization itself", target="/v1/data/system/authz/allow"),
    Attack("the mask itself", target="/v1/data/system/log/mask"),
    get("the input in the query", DECISION + '?input={"document":"CC-0126"}'),
    get("the configuration", "/v1/config"),
    get("the configuration, by the operator", "/v1/config", "operator"),
    get("the profiler", "/debug/pprof/heap", "operator"),
    get("the front page", "/", "operator"),
    Attack("the default decision", target="/"),
    Attack("the old API", target="/v0/data/payer/decision"),
    # Asking one's own questions.
    get("an ad-hoc query", "/v1/query?q=data"),
    Attack("an ad-hoc query by POST", target="/v1/query", body=b'{"query":"x := data"}'),
    Attack("an ad-hoc query by the operator", target="/v1/query", body=b'{"query":"x := data"}', role="operator"),
    Attack("compilation", target="/v1/compile", body=b'{"query":"data.payer.decision == x"}'),
    Attack("compilation to filters", target="/v1/compile/payer/decision"),
    # Writing.
    Attack("PUT a policy", "PUT", "/v1/policies/x", b"package x"),
    Attack("PUT the authorization", "PUT", "/v1/policies/authz", b"package system.authz\nallow := true"),
    Attack("PUT a policy by the operator", "PUT", "/v1/policies/x", b"package x", "operator"),
    Attack("DELETE a policy", "DELETE", "/v1/policies/policy/payer.rego", b""),
    Attack("PUT data", "PUT", "/v1/data/x", b"1"),
    Attack("PUT all data", "PUT", "/v1/data", b"{}"),
    Attack("PATCH data", "PATCH", "/v1/data/x", b'[{"op":"add","path":"-","value":1}]'),
    Attack("PATCH all data", "PATCH", "/v1/data", b'[{"op":"add","path":"x","value":1}]'),
    Attack("PATCH a decision", "PATCH"),
    Attack("DELETE a decision", "DELETE"),
    Attack("PUT a decision", "PUT"),
    Attack(
        "PUT by override",
        target="/v1/policies/x",
        body=b"package x",
        headers=(("X-HTTP-Method-Override", "PUT"), ("X-HTTP-Method", "PUT"), ("X-Method-Override", "PUT")),
    ),
    Attack("PUT by parameter", target="/v1/data/x?_method=PUT"),
    # Methods.
    Attack("HEAD", "HEAD", "/v1/data/payer/catalogue", b"", status=405, says=""),
    Attack("OPTIONS", "OPTIONS"),
    Attack("OPTIONS of everything", "OPTIONS", "*", b"", status=200, says=""),
    Attack("TRACE", "TRACE", body=b""),
    Attack("CONNECT", "CONNECT", "127.0.0.1:8181", b""),
    Attack("an invented method", "DECIDE"),
    Attack("a method in lower case", "post", says=FORM),
    # Paths.
    Attack("two slashes in front", target="//v1/data/payer/decision"),
    Attack("two slashes within", target="/v1/data//payer/decision"),
    Attack("a slash at the end", target=f"{DECISION}/", status=301, says=""),
    Attack("two slashes at the end", target=f"{DECISION}//", status=301, says=""),
    Attack("a dot", target="/v1/data/payer/./decision"),
    Attack("up and down again", target="/v1/data/payer/../payer/decision"),
    Attack("up to the policies", target="/v1/data/payer/../../policies"),
    Attack("up beyond the root", target="/../../v1/data/payer/decision"),
    Attack("from an entry point to all data", target=f"{DECISION}/../../../data"),
    Attack("encoded dots", target="/v1/data/payer/%2e%2e/system"),
    Attack("encoded slash", target="/v1/data/payer%2Fdecision"),
    Attack("encoded slashes and dots", target=f"{DECISION}%2f..%2f..%2fsystem"),
    Attack("twice encoded slash", target="/v1/data/payer%252Fdecision"),
    Attack("backslash", target="/v1/data/payer\\decision"),
    Attack("a null at the end", target=f"{DECISION}%00"),
    Attack("a semicolon at the end", target=f"{DECISION};x=1"),
    Attack("other case", target="/V1/Data/Payer/Decision"),
    Attack("an encoding that is none", target="/v1/data/payer/%zz", status=400, says="Bad Request"),
    Attack("absolute form", target="http://127.0.0.1/v1/policies"),
    get("from health to the policies", "/health/../v1/policies", "operator"),
    get("from readiness to data", "/health/ready/../../v1/data", None, says=TOKEN),
    get("a health rule of one's own", "/health/..%2f..%2fpayer", "operator"),
    # Parameters.
    *(
        Attack(f"?{query}", target=f"{DECISION}?{query}", says=FORM)
        for query in (
            "explain=full",
            "explain=debug&pretty",
            "metrics",
            "instrument=true",
            "pretty=true",
            "strict-builtin-errors",
            "rule-labels=true",
            "provenance=false",
            "provenance=true&provenance=true",
            "provenance=true&explain=notes",
            "%65xplain=full",
            "input={}",
        )
    ),
    # Bodies that OPA would log, or take for something else.
    body("no body", b""),
    body("no input", b"{}"),
    body("the request without its wrapper", json.dumps(REQUEST).encode()),
    body("something beside the input", b'{"input":{},"request_id":"x"}'),
    body("input in capitals", b'{"INPUT":{}}'),
    body("null", b"null"),
    body("an array", b'[{"input":{}}]'),
    body("text", b'"input"'),
    body("unknowns", b'{"input":{},"unknowns":["data"]}'),
    body("no content type", GOOD, ("X-Nothing", "x")),
    body("a form", b"input=x", ("Content-Type", "application/x-www-form-urlencoded"), status=400, says=NO_RESULT),
    body("YAML", b"input: {}", ("Content-Type", "application/yaml")),
    body("JSON called YAML", GOOD, ("Content-Type", "application/yaml")),
    body("YAML of a billion laughs", BOMB, ("Content-Type", "application/yaml"), status=400, says=NO_RESULT),
    body("not JSON", b'{"input":', status=400, says=NO_RESULT),
    body("two documents", GOOD + GOOD, status=400, says=NO_RESULT),
    body("UTF-16", GOOD.decode().encode("utf-16"), status=400, says=NO_RESULT),
    # Size.
    body("a body of 1 MiB", wrapped("x" * 2 * MAX), status=400, says="request body too large: 1 MiB exceeds limit of"),
    Attack(
        "a body of 1 MiB in chunks",
        body=chunked(wrapped("x" * 2 * MAX)),
        headers=(JSON, ("Transfer-Encoding", "chunked")),
        status=400,
        says="request body too large",
    ),
    body(
        "50 MiB packed small",
        gzip.compress(wrapped("x" * 100 * MAX)),
        JSON,
        ("Content-Encoding", "gzip"),
        status=400,
        says="decompressed size exceeds limit of 524288 bytes",
    ),
    Attack(
        "packed, but not",
        headers=(JSON, ("Content-Encoding", "gzip")),
        status=400,
        says="",
        may_be_closed=True,  # a panic in OPA, which it survives
    ),
    Attack("1 MiB without a token", body=wrapped("x" * 2 * MAX), role=None, status=400, says="request body too large"),
    body("nested 400,000 deep", b'{"input":' + b"[" * 400_000, status=400, says=NO_RESULT),
    body(
        "nested 9,000 deep",
        b'{"input":' + b"[" * 9000 + b"]" * 9000 + b"}",
        status=200,
        says='"outcome":"invalid_request"',
    ),
    Attack(
        "a batch of 1,001",
        target=DECISIONS,
        body=batch("{}", 1001),
        status=200,
        says='"message":"must hold at most 1000 requests"',
    ),
    Attack(
        "a batch of 250,000",
        target=DECISIONS,
        body=batch("0", 250_000),
        status=200,
        says='"message":"must hold at most 1000 requests"',
    ),
    Attack("a batch of 10^6", target=DECISIONS, body=batch("0", 10**6), status=400, says="request body too large"),
    body(
        "40,000 facts",
        wrapped({**REQUEST, "facts": {str(n): 0 for n in range(40_000)}}),
        status=200,
        says='"outcome":"invalid_request"',
    ),
    body(
        "a number of 500,000 digits",
        b'{"input":{"facts":{"mrd_percent":' + b"9" * 500_000 + b"}}}",
        status=200,
        says='"outcome":"invalid_request"',
    ),
    Attack(
        "a number of 500,000 zeros",
        body=GOOD.replace(b'"all"', b'"all","mrd_percent":1.' + b"0" * 500_000),
        status=200,
        says='"outcome":"invalid_request"',
        patience=3,  # it was 8 seconds when it was compared with the limits
    ),
    body(
        "a number with a huge exponent",
        GOOD.replace(b'"all"', b'"all","mrd_percent":1e999999999,"complete_response":1e-999999999'),
        status=500,
        says="invalid number",
    ),
    Attack("a header of 2 MiB", headers=(JSON, ("X", "x" * 4 * MAX)), status=431, says=""),
    Attack("10,000 parameters", target=DECISION + "?" + "&".join(f"a{n}" for n in range(10_000)), says=FORM),
    # HTTP itself.
    Attack(
        "two lengths",
        head=b"POST /v1/data/payer/decision HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        b"Content-Type: application/json\r\nContent-Length: 3\r\nContent-Length: 99\r\nConnection: close\r\n\r\n",
        status=400,
        says="",
    ),
    Attack(
        "a length and chunks: another request inside",
        head=b"POST /v1/data/payer/decision HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        body=b"0\r\n\r\nGET /v1/policies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        says=TOKEN,  # to the inner one; the outer one is refused too
    ),
    Attack(
        "no host",
        head=b"POST /v1/data/payer/decision HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n",
        status=400,
        says="",
    ),
    Attack("no HTTP", head=b"\x00\x01\x02 {token}\r\n\r\n", body=b"", status=400, says=""),
    Attack("a request that never begins", head=b"", body=b"", status=0, says="", patience=1),
    Attack(
        "a body that never ends",
        head=b"POST /v1/data/payer/decision HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        status=0,
        says="",
        patience=1,
    ),
]


def joined(number: int, item: Callable[[int], str]) -> str:
    return ",".join(map(item, range(1, number + 1)))


def named(number: int, value: Callable[[int], str]) -> str:
    """Fields with the shortest names that differ."""
    letters = itertools.chain.from_iterable(
        itertools.product(ascii_letters + digits, repeat=n) for n in itertools.count(1)
    )
    return ",".join(f'"{"".join(name)}":{value(n)}' for n, name in zip(range(1, number + 1), letters, strict=False))


def request(facts: str = "", more: str = "") -> str:
    facts = ",".join(filter(None, ['"disease":"all"', facts]))
    own = '"document":"CC-0126","date_of_service":"2025-06-01"'
    return "{" + ",".join(filter(None, [own, f'"facts":{{{facts}}}', more])) + "}"


def one(facts: str = "", more: str = "") -> bytes:
    return f'{{"input":{request(facts, more)}}}'.encode()


def worst(
    name: str,
    body: bytes,
    target: str = DECISION,
    *,
    status: int = 200,
    says: str = '"result"',
    patience: float = 5,  # no goal: it tells seconds from minutes
) -> Attack:
    """Any answer will do, if it comes soon."""
    assert len(body) <= MAX, f"{name}: {len(body)} bytes are refused for their length"
    return Attack(name, target=target, body=body, status=status, says=says, patience=patience, may_be_decided=True)


def drugs(items: str) -> str:
    return f'"combined_with":[{items}]'


FULL = (
    '"lineage":"b_cell_precursor","cd19_positive":true,"infant":false,"kmt2a_rearranged":false,"disease_status":"remission",'
    '"complete_response":1,"mrd_percent":0.05,"treatment_phase":"induction","combined_with":["other"],'
    '"alternating_with":["other"]'
)

TINY = joined(5, lambda n: f"{n}e-30000")


def codes(items: str) -> str:
    return f'"codes":{{"icd10":[{items}]}}'


def nested(depth: int, inner: object = "") -> str:
    return "[" * depth + str(inner) + "]" * depth


# What takes longest of its kind within the limit of size: the table has the times, docs/security.md what they were.
WORST = [
    worst("100 numbers as 1e-30000", one(drugs(joined(100, lambda n: f"{n}e-30000")))),
    worst("200 numbers as 1e-30000", one(drugs(joined(200, lambda n: f"{n}e-30000")))),
    worst("40,000 numbers as 1e-30000", one(drugs(joined(40_000, lambda n: f"{n}e-30000")))),
    worst("8,000 decimals", one(drugs(joined(8_000, lambda n: f"{n / 10_000}")))),
    worst("8,000 decimals as codes", one("", codes(joined(8_000, lambda n: f"{n / 10_000}")))),
    worst("10,000 unknown facts", one(joined(10_000, lambda n: f'"unknown{n}":{n}'))),
    worst("60,000 unknown facts", one(named(60_000, lambda _: "0"))),
    worst("100 unknown facts as 1e-30000", one(named(100, lambda n: f"{n}e-30000"))),
    worst("60,000 fields", one("", named(60_000, lambda _: "0"))),
    worst("60,000 fields of codes", one("", f'"codes":{{{named(60_000, lambda _: "0")}}}')),
    worst("130,000 codes", one("", codes(joined(130_000, lambda _: '"x"')))),
    worst("100 codes of 5,000 dots", one("", codes(joined(100, lambda _: json.dumps("." * 5_000))))),
    worst("a number of 524,000 digits", one(f'"mrd_percent":{"9" * 524_000}')),
    worst("a fraction of 524,000 digits", one(f'"mrd_percent":0.{"9" * 524_000}')),
    worst("a whole number with 524,000 zeros behind it", one(f'"complete_response":1.{"0" * 524_000}')),
    worst("7 numbers of 74,000 digits", one(drugs(joined(7, lambda n: f"{n}.{'9' * 74_000}")))),
    worst("1e999999999", one('"mrd_percent":1e999999999'), status=500, says="invalid number"),
    worst("1e-999999999", one('"mrd_percent":1e-999999999,"complete_response":1e-999999999')),
    worst("nested 9,900 deep", one(drugs(nested(9_900)))),
    worst("7 times nested 9,900 deep", one(drugs(joined(7, lambda n: nested(9_900, n))))),
    worst("26 times nested 9,900 deep", one(drugs(joined(26, lambda n: nested(9_900, n))))),
    worst("a text of 524,000 characters", one("", f'"request_id":"{"x" * 524_000}"')),
    worst("a fact of 524,000 characters", one(f'"{"x" * 524_000}":0')),
    worst("a date of 523,000 hyphens", one().replace(b"2025-06-01", b"-" * 523_000)),
    worst("30,000 times the same fact", one(",".join(['"mrd_percent":0'] * 30_000))),
    # A batch takes as long as its requests do one by one.
    worst(
        "1,000 requests, each with 10 numbers as 1e-30000",
        batch(request(",".join((drugs(TINY), f'"alternating_with":[{TINY}]'))), 1000),
        DECISIONS,
        patience=60,
    ),
    worst("1,000 requests, each with 1e-30000", batch(request('"mrd_percent":1e-30000'), 1000), DECISIONS, patience=60),
    worst("1,000 requests, each with 1e30000", batch(request('"mrd_percent":1e30000'), 1000), DECISIONS, patience=60),
    worst("1,000 full requests", batch(request(FULL), 1000), DECISIONS, patience=60),
    worst("1,000 requests with nothing known", batch(request(), 1000), DECISIONS, patience=60),
    worst(
        "1,000 requests, each with 100 faults",
        batch(request("", codes(joined(100, str))), 1000),
        DECISIONS,
        patience=60,
    ),
]


ATTACKS += WORST


@dataclass(frozen=True)
class Tried:
    problem: str | None
    """Why the attack was not refused as it should be, or what it did to OPA; None when all is well."""
    seconds: float


def tried(attack: Attack, opa: Guarded) -> Tried:
    started = time.monotonic()
    answer = opa.send(attack.bytes(opa.tokens), attack.patience)
    seconds = time.monotonic() - started
    return Tried(_problem(attack, answer, opa), seconds)


def _problem(attack: Attack, answer: Answer, opa: Guarded) -> str | None:
    closed = attack.may_be_closed and answer.status == 0
    if not closed and (answer.status != attack.status or attack.says.encode() not in answer.body):
        return f"{answer.status} {answer.body[:300]!r}"
    if b'"result"' in answer.body and b'"outcome":"invalid_request"' not in answer.body and not attack.may_be_decided:
        return "it was decided"
    after = opa.send(Attack("after").bytes(opa.tokens))
    if after.status != 200 or b'"outcome":"needs_information"' not in after.body:
        return f"OPA afterwards: {after.status} {after.body[:100]!r}"
    return None


def all_tried(where: str, opa: Guarded) -> bool:
    """Whether all went well."""
    table = Table("attack", "answered", "seconds", "OPA afterwards", title=f"{len(ATTACKS)} attacks, {where}")
    failed = 0
    for attack in ATTACKS:
        outcome = tried(attack, opa)
        failed += outcome.problem is not None
        said = f"{attack.status or 'no answer'} {attack.says}"
        told = (said, "answers") if outcome.problem is None else (f"wanted: {said}", f"[red]{escape(outcome.problem)}")
        table.add_row(attack.name, told[0], f"{outcome.seconds:.2f}", told[1])
    restarts = opa.restarts()
    Console().print(table, f"{failed} not refused, {restarts} restarts of OPA")
    return failed == restarts == 0


def main() -> int:
    image = os.environ["OPA_IMAGE"]
    with production(image) as opa:
        well = all_tried("docker compose", opa)
    with pod(image) as running:
        running.publish("1")
        running.store.start()
        running.until("readinessProbe")
        return int(not (all_tried("Kubernetes", running) and well))


if __name__ == "__main__":
    raise SystemExit(main())
