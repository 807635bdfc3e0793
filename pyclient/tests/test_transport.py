"""The client against servers that drop, delay, truncate and refuse: a typed error or another attempt, within the
deadline."""

from __future__ import annotations

import gzip
import json
import logging
import os
import pickle
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from payer_policy import (
    AsyncPolicyClient,
    CallRecord,
    Decision,
    EmbeddedPolicy,
    InvalidValue,
    PolicyClient,
    PolicyError,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
    Request,
    RevisionRefused,
)
from payer_policy.runtime.transport import _back_off
from tenacity import RetryCallState, Retrying

REQUEST = Request("CC-0126", "2025-06-01", {"disease": "all"}, request_id="r-1")

Script = Callable[[socket.socket, bytes], None]


class Server:
    """Speaks HTTP by hand: each question is answered by the next of `scripts`, then by the last for ever."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = list(scripts)
        self.tls = tls
        self.seen: list[bytes] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                while question := _read(connection):
                    with self._lock:
                        self.seen.append(question)
                        script = self.scripts[0] if len(self.scripts) == 1 else self.scripts.pop(0)
                    script(connection, question)
            except (OSError, EOFError):
                return

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _read(connection: socket.socket) -> bytes:
    question = b""
    while b"\r\n\r\n" not in question:
        if not (more := connection.recv(65536)):
            return b""
        question += more
    head, body = question.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(status: int, body: bytes, *headers: str) -> Script:
    head = "\r\n".join([f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers])
    return lambda connection, _: connection.sendall(head.encode() + b"\r\n\r\n" + body)


def drop(connection: socket.socket, _: bytes) -> None:
    raise EOFError


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise EOFError


def hang(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


def truncated(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"result": ')
    raise EOFError


def drip(text: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return script


def decide(connection: socket.socket, question: bytes) -> None:
    """Answers as OPA does, from the embedded policy."""
    path = question.split(b" ")[1].split(b"?")[0].decode().split("/v1/data/")[1]
    asked = json.loads(question.split(b"\r\n\r\n", 1)[1] or b"{}").get("input")
    answer = {"result": EMBEDDED._policy.evaluate(json.dumps(asked), path), "provenance": {"version": "9"}}
    reply(200, json.dumps(answer).encode())(connection, question)


EMBEDDED = EmbeddedPolicy()


@contextmanager
def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(*scripts, tls=tls)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize(
    "trouble",
    [drop, reset, truncated, reply(429, b""), reply(502, b"<html>"), reply(503, b""), reply(504, b"")],
    ids=["drop", "reset", "truncated", "429", "502", "503", "504"],
)
def test_what_passes_is_asked_again(trouble: Script) -> None:
    records: list[CallRecord] = []
    with serving(trouble, trouble, decide) as server, PolicyClient(server.url, on_call=records.append) as client:
        assert client.decide(REQUEST) == EMBEDDED.decide(REQUEST)
    assert len(server.seen) == 3
    [record] = records
    assert (record.entry_point, record.outcomes, record.error) == ("payer/decision", {"needs_information": 1}, None)
    assert record.retries == 2
    assert record.seconds > 0


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (reply(400, b"{}"), ProtocolError),
        (reply(401, b"{}"), PolicyRefused),
        (reply(403, b"{}"), PolicyRefused),
        (reply(404, b"404 page not found"), PolicyNotLoaded),
        (reply(413, b""), ProtocolError),
        (reply(500, b"{}"), PolicyUnreachable),
        (reply(200, b"<html>"), ProtocolError),
        (reply(200, b"{}"), PolicyNotLoaded),
        (reply(200, b'{"result": {"outcome": "appro'), ProtocolError),
        (reply(200, b'{"result": {}, "provenance": []}'), ProtocolError),
        (reply(200, b"x", "Content-Encoding: gzip"), ProtocolError),
    ],
    ids=["400", "401", "403", "404", "413", "500", "html", "{}", "half a body", "provenance", "no gzip"],
)
def test_what_does_not_pass_is_not_asked_again(
    trouble: Script, error: type[PolicyError], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(trouble) as server, PolicyClient(server.url) as client, pytest.raises(error) as raised:
        client.decide(REQUEST)
    assert type(raised.value) is error
    assert len(server.seen) == 1
    with serving(trouble) as server, serving(decide) as other, PolicyClient([server.url, other.url]) as client:
        assert client.decide(REQUEST) == EMBEDDED.decide(REQUEST)
        assert [type(answer) for answer in client.decide_many([REQUEST] * 2)] == [Decision] * 2
        assert (len(server.seen), len(other.seen)) == (1, 2)
        assert [server.url in record.getMessage() for record in caplog.records] == [True]  # the log names it
    with serving(trouble) as server, PolicyClient([server.url] * 3) as client, pytest.raises(error):
        client.decide(REQUEST)
    assert len(server.seen) == 3


def test_a_server_that_was_left_is_not_asked_again_while_another_may_recover() -> None:
    with (
        serving(reply(404, b"")) as wrong,
        serving(reply(503, b""), reply(503, b""), decide) as down,
        PolicyClient([wrong.url, down.url]) as client,
    ):
        assert isinstance(client.decide(REQUEST), Decision)
    assert (len(wrong.seen), len(down.seen)) == (1, 3)


def test_a_server_whose_certificate_is_not_trusted_is_left_for_the_next(tls: ssl.SSLContext) -> None:
    with serving(decide, tls=tls) as server, serving(decide) as other, PolicyClient([server.url, other.url]) as client:
        assert isinstance(client.decide(REQUEST), Decision)


def test_a_connection_that_is_dropped_while_tls_begins_is_asked_again(authority: trustme.CA, tmp_path: Path) -> None:
    """As a proxy does whose server restarts."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            for _ in range(2):
                dropped, _ = proxy.accept()
                dropped.recv(65536)
                dropped.close()
            with context.wrap_socket(proxy.accept()[0], server_side=True) as connection:
                decide(connection, _read(connection))

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{proxy.getsockname()[1]}"
        with PolicyClient(url, ca_file=tmp_path / "ca.pem") as client:
            assert isinstance(client.decide(REQUEST), Decision)


def sent(text: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 x\r\n" + text)
        raise EOFError

    return script


def endless(head: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 x\r\n" + head)
        while True:
            connection.sendall(b" " * 65536)

    return script


_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_SPACES = gzip.compress(b" " * 200_000_000)


@pytest.mark.parametrize(
    "trouble",
    [
        sent(_CHUNKED + b"f" * 40 + b"\r\n[]"),
        sent(_CHUNKED + b"7fffffffffffffff\r\n[]"),
        sent(_CHUNKED + b"-1\r\n[]"),
        sent(b"Content-Length: " + b"9" * 40 + b"\r\n\r\n[]"),
        sent(b"Content-Length: 9223372036854775807\r\n\r\n[]"),
        sent(b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n[]"),
        endless(b"\r\n"),
        endless(b"Content-Length: 9223372036854775806\r\n\r\n"),
        endless(_CHUNKED + b"-1\r\n"),
        endless(_CHUNKED + b"f" * 40 + b"\r\n"),
        reply(200, _SPACES, "Content-Encoding: gzip"),
        reply(200, gzip.compress(_SPACES), "Content-Encoding: gzip, gzip"),
        reply(500, _SPACES, "Content-Encoding: gzip"),
    ],
    ids=[
        "chunk of 40 digits",
        "chunk of 2^63",
        "chunk of -1",
        "length of 40 digits",
        "length of 2^63",
        "two lengths",
        "endless",
        "endless length",
        "endless chunk of -1",
        "endless chunk",
        "gzip",
        "gzip twice",
        "500",
    ],
)
def test_no_reply_is_read_beyond_reason(trouble: Script) -> None:
    with serving(trouble) as server, PolicyClient(server.url, attempts=1, timeout=(3, 5)) as client:
        tracemalloc.start()
        try:
            start = time.monotonic()
            with pytest.raises((ProtocolError, PolicyUnreachable)):
                client.decide(REQUEST)
            answers = list(client.decide_many([REQUEST]))
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()
    assert [type(answer) for answer in answers] in ([ProtocolError], [PolicyUnreachable])
    assert time.monotonic() - start < 5  # it is not waited for the end
    with serving(trouble) as server, serving(decide) as other, PolicyClient([server.url, other.url]) as client:
        assert [type(answer) for answer in client.decide_many([REQUEST])] == [Decision]


def test_a_reply_may_be_as_long_as_the_batch_asks_for() -> None:
    def padded(connection: socket.socket, question: bytes) -> None:
        asked = json.loads(question.split(b"\r\n\r\n", 1)[1])["input"]["requests"]
        results = [EMBEDDED.decide(request).to_dict() | {"more": "x" * 250_000} for request in asked]
        text = gzip.compress(json.dumps({"result": results}).encode(), 1)
        reply(200, text, "Content-Encoding: gzip")(connection, question)

    with serving(padded) as server, PolicyClient(server.url) as client:
        assert [type(answer) for answer in client.decide_many([REQUEST] * 20)] == [Decision] * 20


def test_whatever_a_server_sends_is_a_decision_or_an_error_of_this_package() -> None:
    draw = random.Random(0)
    whole = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
    )
    body = gzip.compress(json.dumps({"result": EMBEDDED.decide(REQUEST).to_dict()}).encode())
    whole += b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    odd = [b"\r\n", b"\0", b":", b"-", b"\xff", b"9" * 30, b"Content-Length: 7\r\n", b", br", b"HTTP/1.1 100 x\r\n"]

    def spoil(connection: socket.socket, _: bytes) -> None:
        text = bytearray(whole)
        for _number in range(draw.randint(0, 3)):
            place = draw.choice([draw.randrange(200), draw.randrange(len(text))])
            text[place : place + draw.randint(0, 3)] = draw.choice([*odd, bytes([draw.randrange(256)])])
        connection.sendall(text[: draw.choice([len(text), draw.randrange(len(text))])])
        raise EOFError

    answers: list[type] = []
    with serving(spoil) as server, PolicyClient(server.url, attempts=1, timeout=(1, 1)) as client:
        for _ in range(1500):
            try:
                answers.append(type(client.decide(REQUEST)))
            except PolicyError as error:
                answers.append(type(error))
    assert {Decision, ProtocolError, PolicyUnreachable} <= set(answers)


@pytest.fixture
def dead() -> Iterator[int]:
    """The port of a server that takes no more connections, at any address of this machine: they hang."""
    with socket.create_server(("0.0.0.0", 0), backlog=0) as listener, ExitStack() as waiting:
        port = listener.getsockname()[1]
        for _ in range(4):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        yield port


def test_all_addresses_of_a_name_share_one_limit(dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    addresses = [f"127.0.0.{number}" for number in range(1, 13)]

    def resolved(host: str, port: int, *arguments: Any) -> list[Any]:  # noqa: ANN401
        names = addresses if host == "opa.test" else [host]
        return [item for name in names for item in resolve(name, port, *arguments)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    for limits in ({"deadline": 0.6}, {"timeout": (0.6, 9.0), "attempts": 1}):
        with PolicyClient(f"http://opa.test:{dead}", **limits) as client:
            start = time.monotonic()
            with pytest.raises(PolicyUnreachable, match="ConnectTimeoutError"):
                client.decide(REQUEST)
            assert 0.5 < time.monotonic() - start < 2  # not 12 times as long
    with serving(decide) as server:
        port = int(server.url.rpartition(":")[2])
        addresses[:] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]  # nobody listens at the first two
        with PolicyClient(f"http://opa.test:{port}", attempts=1) as client:
            assert isinstance(client.decide(REQUEST), Decision)


@pytest.mark.parametrize("slow", [drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000), hang])
def test_the_answer_of_a_proxy_is_within_the_deadline_too(slow: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(slow) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with PolicyClient("https://opa.invalid:8181", deadline=0.6) as client:
            start = time.monotonic()
            with pytest.raises(PolicyUnreachable):
                client.decide(REQUEST)
            assert time.monotonic() - start < 2
    assert proxy.seen[0].startswith(b"CONNECT opa.invalid:8181 HTTP/1.")


def test_a_client_keeps_its_secrets() -> None:
    with PolicyClient("http://me:canary@127.0.0.1:9", token="canary", attempts=1) as client:
        with pytest.raises(TypeError, match="cannot be pickled, since it holds its token"):
            pickle.dumps(client)
        with pytest.raises(PolicyUnreachable) as raised:
            client.decide(REQUEST)
        held = [client, client._transport, *client._transport._routes.values()]
        assert len(held) == 3
        assert "canary" not in f"{held!r} {reachable(raised.value)}"


@pytest.mark.parametrize(
    "trouble",
    [
        hang,
        drop,
        reply(503, b""),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000),
        drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000),
        drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 1000),
        reply(429, b"", "Retry-After: 3600"),
    ],
    ids=["hang", "drop", "503", "drip body", "drip head", "drip without length", "retry after an hour"],
)
def test_the_deadline_holds_for_the_whole_call(trouble: Script) -> None:
    with serving(trouble) as server, PolicyClient(server.url, deadline=0.6, timeout=(0.5, 0.25), attempts=99) as client:
        start = time.monotonic()
        with pytest.raises(PolicyUnreachable):
            client.decide(REQUEST)
        assert time.monotonic() - start < 2  # with room for a busy machine; without a deadline 20 s and more


def test_the_first_attempt_counts_towards_the_deadline() -> None:
    def late(connection: socket.socket, question: bytes) -> None:
        time.sleep(0.5)
        reply(503, b"", "Retry-After: 1")(connection, question)

    with serving(late) as server, PolicyClient(server.url, deadline=1.4) as client:
        with pytest.raises(PolicyUnreachable, match="503"):
            client.decide(REQUEST)
        assert len(server.seen) == 1  # after the pause there would be no time left


@pytest.mark.parametrize("dice", [min, max])
def test_ten_attempts_last_ten_seconds_and_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch, dice: Callable[[float, float], float]
) -> None:
    monkeypatch.setattr(random, "uniform", dice)
    pauses = []
    for attempt in range(1, 10):
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt
        pauses.append(_back_off(state))
    assert pauses == sorted(pauses)
    assert 10 < sum(pauses) < 30


def test_attempts_are_bounded() -> None:
    with serving(drop) as server, PolicyClient(server.url, attempts=3) as client, pytest.raises(PolicyUnreachable):
        client.decide(REQUEST)
    assert len(server.seen) == 3


def test_the_server_names_the_pause() -> None:
    with serving(reply(503, b"", "Retry-After: 1"), decide) as server, PolicyClient(server.url) as client:
        start = time.monotonic()
        client.decide(REQUEST)
        assert time.monotonic() - start >= 1


def test_a_dead_server_is_passed_over_at_once_and_then_avoided() -> None:
    with serving(drop) as dead, serving(decide) as alive, PolicyClient([dead.url, alive.url]) as client:
        for _ in range(3):
            client.decide(REQUEST)
    assert (len(dead.seen), len(alive.seen)) == (1, 3)


def by(**revisions: str) -> Script:
    """Decides by bundles of these revisions."""
    bundles = {name.replace("_", "-"): {"revision": revision} for name, revision in revisions.items()}
    decision = EMBEDDED.decide(REQUEST).to_dict()

    def script(connection: socket.socket, question: bytes) -> None:
        several = b"/payer/decisions" in question.split(b"\r\n", 1)[0]
        answer = {"result": [decision] if several else decision, "provenance": {"version": "9", "bundles": bundles}}
        reply(200, json.dumps(answer).encode())(connection, question)

    return script


ACCEPTED = {"payer-policy": {"2", "3"}}


@pytest.mark.parametrize("script", [by(payer_policy="1"), by(payer_policy=""), by(another="2"), decide])
def test_no_other_revision_than_those_accepted_decides(script: Script) -> None:
    with serving(script) as server, PolicyClient(server.url, revisions=ACCEPTED) as client:
        for ask in (partial(client.decide, REQUEST), client.health, client.catalogue):
            with pytest.raises(RevisionRefused, match="the bundle payer-policy has no revision that is accepted"):
                ask()
        before = len(server.seen)
        assert [type(answer) for answer in client.decide_many([REQUEST] * 8)] == [RevisionRefused] * 8
        assert len(server.seen) == before + 1  # not halved: no request is to blame


def test_the_client_of_the_readme(authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path) -> None:
    """With the addresses and files that there are."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    [code] = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if ".internal" in block]
    own = authority.issue_cert("client")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "client.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    authority.cert_pem.write_to_path(str(tmp_path / "payer-ca.pem"))
    (tmp_path / "opa-token").write_text("t0ken\n", encoding="utf-8")
    with serving(by(payer_policy="0.1.0+1a2b3c4d5e6f"), tls=tls) as server:
        code = re.sub(r"https://opa-\d\.internal:8181", server.url, code)
        code = re.sub(r'"(?:/\S+/)?([\w-]+\.(?:pem|key)|opa-token)"', rf'"{tmp_path}/\1"', code)
        names: dict[str, Any] = {"PolicyClient": PolicyClient, "request": REQUEST}
        exec(compile(code, "README.md", "exec"), names)
        names["client"].close()
    assert names["decision"].request_id == "r-1"
    assert b"authorization: bearer t0ken" in server.seen[0].lower()
    assert b"traceparent: 00-0af76519" in server.seen[0].lower()


def test_a_server_of_another_revision_is_left_for_the_next() -> None:
    with (
        serving(by(payer_policy="1")) as old,
        serving(by(payer_policy="2", guard="1")) as new,
        PolicyClient([old.url, new.url], revisions=ACCEPTED) as client,
    ):
        assert client.decide(REQUEST).provenance.revisions["payer-policy"] == "2"
        assert [type(answer) for answer in client.decide_many([REQUEST])] == [Decision]
        assert (len(old.seen), len(new.seen)) == (1, 2)


def test_the_revisions_accepted_may_change_while_it_runs() -> None:
    accepted = {"payer-policy": {"1"}}
    with serving(by(payer_policy="1")) as server, PolicyClient(server.url, revisions=accepted) as client:
        client.decide(REQUEST)
        accepted["payer-policy"] = {"2"}
        with pytest.raises(RevisionRefused):
            client.decide(REQUEST)


@pytest.mark.parametrize("revisions", [{}, {"payer-policy": "0.1.0+1"}])
def test_revisions_are_sets_by_bundle(revisions: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="revisions must"):
        PolicyClient("http://127.0.0.1:9", revisions=revisions)


def test_tokens_rotate_and_headers_pass_through() -> None:
    tokens = iter(["one", "two"])
    with serving(decide) as server, PolicyClient(server.url, token=lambda: next(tokens)) as client:
        client.decide(REQUEST, headers={"traceparent": "00-ab-cd-01", "X-Request-Id": "q-1"})
        list(client.decide_many([REQUEST], headers={"X-Request-Id": "q-2"}))
    first, second = server.seen
    assert b"\r\nAuthorization: Bearer one\r\n" in first
    assert b"\r\nAuthorization: Bearer two\r\n" in second
    assert b"\r\ntraceparent: 00-ab-cd-01\r\n" in first
    assert b"\r\nX-Request-Id: q-1\r\n" in first
    assert b"\r\nX-Request-Id: q-2\r\n" in second
    assert b"\r\nUser-Agent: payer-policy-client/" in first


@pytest.mark.parametrize("value", ["a\r\nX: b", "é", 1])
def test_a_header_that_http_cannot_carry_is_refused_by_name(value: Any) -> None:  # noqa: ANN401
    with serving(decide) as server, PolicyClient(server.url) as client:
        with pytest.raises(InvalidValue, match="traceparent"):
            client.decide(REQUEST, headers={"traceparent": value})
        assert server.seen == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"base_url": "127.0.0.1:8181"},
        {"base_url": []},
        {"base_url": "http://x", "attempts": 0},
        {"base_url": "http://x", "deadline": 0},
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        PolicyClient(**arguments)


def test_a_closed_client_says_so() -> None:
    with serving(decide) as server:
        client = PolicyClient(server.url)
        client.decide(REQUEST)
        client.close()
        client.close()
        with pytest.raises(PolicyUnreachable, match="closed"):
            client.decide(REQUEST)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(decide) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:secret@"))
        with PolicyClient("http://opa.invalid:8181") as client:
            client.decide(REQUEST)
    [question] = proxy.seen
    assert question.startswith(b"POST http://opa.invalid:8181/v1/data/payer/decision?provenance=true HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in question


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def authority_without_usage(host: str) -> tuple[trustme.CA, trustme.LeafCert]:
    """An authority whose own certificate does not say what its key is for, and a certificate by it."""
    authority = trustme.CA()
    made = authority._certificate
    bare = (
        x509.CertificateBuilder()
        .subject_name(made.subject)
        .issuer_name(made.issuer)
        .public_key(made.public_key())
        .serial_number(made.serial_number)
        .not_valid_before(made.not_valid_before_utc)
        .not_valid_after(made.not_valid_after_utc)
    )
    unlimited = x509.BasicConstraints(ca=True, path_length=None)  # some OpenSSL name a limit without usage first
    for extension in made.extensions:
        if not isinstance(extension.value, x509.KeyUsage):
            value = unlimited if isinstance(extension.value, x509.BasicConstraints) else extension.value
            bare = bare.add_extension(value, extension.critical)
    authority._certificate = bare.sign(authority._private_key, hashes.SHA256())
    return authority, authority.issue_cert(host)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Of a server that knows its clients by their certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_mutual_tls(authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path) -> None:
    ca_file, client_cert = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(client_cert))
    with serving(decide, drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000), tls=tls) as server:
        with PolicyClient(server.url, ca_file=ca_file, client_cert=str(client_cert)) as client:
            assert client.decide(REQUEST).request_id == "r-1"
        with PolicyClient(server.url, ca_file=ca_file, client_cert=str(client_cert), timeout=(1, 0.3), attempts=1) as c:
            start = time.monotonic()
            with pytest.raises(PolicyUnreachable, match="ReadTimeoutError"):
                c.decide(REQUEST)
            assert time.monotonic() - start < 3
        with PolicyClient(server.url) as client, pytest.raises(PolicyUnreachable, match="SSLError"):
            client.decide(REQUEST)


@pytest.mark.parametrize("spoken", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_asks_for_a_certificate(
    spoken: ssl.TLSVersion, authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    """In TLS 1.3 it says so, or just hangs up, as it comes; who has sent a certificate is not asked for one."""
    ca_file, client_cert = tmp_path / "ca.pem", str(tmp_path / "client.pem")
    authority.cert_pem.write_to_path(str(ca_file))
    trustme.CA().issue_cert("client").private_key_and_cert_chain_pem.write_to_path(client_cert)
    tls.maximum_version = spoken
    with serving(decide, tls=tls) as server:
        for sent, says in ((None, r".*; does it ask for a client_cert\?"), (client_cert, "[^;]*")):
            client = PolicyClient(server.url, ca_file=ca_file, client_cert=sent, attempts=1)
            with client, pytest.raises(PolicyUnreachable, match=rf"\(SSLError: {says}\)$"):
                client.decide(REQUEST)


@pytest.mark.parametrize(
    ("host", "issued", "says"),
    [
        ("127.0.0.1", "another", "unable to get local issuer certificate"),
        ("elsewhere.invalid", "here", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", "long ago", "certificate has expired"),
        ("127.0.0.1", "without usage", "CA cert does not include key usage extension"),
    ],
)
def test_why_a_certificate_is_not_accepted(host: str, issued: str, says: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expiry = datetime(2020, 1, 1, tzinfo=timezone.utc) if issued == "long ago" else None
    certificate = authority.issue_cert(host, not_after=expiry)
    if issued == "without usage":  # as authorities made by hand are; Python 3.13 and newer refuse them
        authority, certificate = authority_without_usage(host)
    certificate.configure_cert(context)
    (trustme.CA() if issued == "another" else authority).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(decide, tls=context) as server, PolicyClient(server.url, ca_file=tmp_path / "ca.pem") as client:
        if issued == "without usage" and sys.version_info < (3, 13):
            assert isinstance(client.decide(REQUEST), Decision)
            return
        with pytest.raises(PolicyUnreachable) as raised:
            client.decide(REQUEST)
    assert str(raised.value) == f"{server.url} cannot be asked (SSLError: {says})"


def test_why_a_file_of_certificates_is_not_taken(authority: trustme.CA, tmp_path: Path) -> None:
    """With its path, before anything is asked."""
    key = serialization.load_pem_private_key(authority.issue_cert("client").private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary"),
    )
    certificate = authority.issue_cert("client")
    pem, alone, none, empty, locked = (str(tmp_path / name) for name in ("pem", "alone", "none", "empty", "locked"))
    folder = tmp_path / "folder"
    folder.mkdir()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(pem)
    certificate.cert_chain_pems[0].write_to_path(alone)
    Path(empty).touch()
    Path(locked).write_bytes(certificate.cert_chain_pems[0].bytes() + encrypted)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"ca_file": Path(none)}, f"ca_file {none} cannot be used: No such file or directory"),
        ({"ca_file": empty}, f"ca_file {empty} cannot be used: no certificate or crl found"),
        ({"ca_file": folder}, f"ca_file {folder} cannot be used: no certificate in the folder is named by its hash"),
        ({"client_cert": none}, f"client_cert {none} cannot be used: No such file or directory"),
        ({"client_cert": (alone, none)}, f"client_cert {alone} and client_cert {none} cannot be used: No such file"),
        ({"client_cert": alone}, f"client_cert {alone} cannot be used: it holds no certificate with its key"),
        ({"client_cert": empty}, f"client_cert {empty} cannot be used: it holds no certificate with its key"),
        (
            {"client_cert": locked},
            f"client_cert {locked} cannot be used: the key is encrypted, and there is no password",
        ),
    ]
    for options, says in refused:
        for kind in (PolicyClient, AsyncPolicyClient):
            with pytest.raises(InvalidValue, match=f"^{re.escape(says)}"):
                kind("https://127.0.0.1:9", **options)
    PolicyClient("https://127.0.0.1:9", ca_file=alone, client_cert=pem).close()
    PolicyClient("https://127.0.0.1:9", ca_file=alone, client_cert=(alone, pem)).close()


def test_a_folder_of_certificates(authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path) -> None:
    tls.verify_mode = ssl.CERT_NONE
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    with serving(decide, tls=tls) as server, PolicyClient(server.url, ca_file=tmp_path) as client:
        assert client.decide(REQUEST).request_id == "r-1"


def test_a_file_of_certificates_that_is_gone_later(authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(decide, tls=tls) as server, PolicyClient(server.url, ca_file=tmp_path / "ca.pem") as client:
        (tmp_path / "ca.pem").unlink()
        with pytest.raises(PolicyUnreachable, match=r"cannot be asked .*No such file"):
            client.decide(REQUEST)


def test_a_ca_of_the_environment_is_trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with serving(decide, tls=context) as server, PolicyClient(server.url) as client:
        assert client.decide(REQUEST).request_id == "r-1"


def test_one_connection_serves_many_calls() -> None:
    with serving(decide) as server, PolicyClient(server.url) as client:
        for _ in range(5):
            client.decide(REQUEST)
        assert [thread.name for thread in threading.enumerate()].count("payer-policy-watchdog") == 1
        assert sum(pool.num_connections for pool in {route.pool for route in client._transport._routes.values()}) == 1


def test_a_child_process_has_a_watchdog_of_its_own() -> None:
    with serving(decide, hang) as server, PolicyClient(server.url, deadline=0.5, attempts=1) as client:
        client.decide(REQUEST)
        child = os.fork()
        if not child:
            try:
                with PolicyClient(server.url, timeout=(0.2, 0.2), attempts=1) as other:
                    other.decide(REQUEST)
            except PolicyUnreachable:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_fork_never_reads_the_decision_of_another_process() -> None:
    def slow(connection: socket.socket, question: bytes) -> None:
        time.sleep(0.01)
        decide(connection, question)

    with serving(slow) as server, PolicyClient(server.url) as client:
        client.decide(REQUEST)  # now the pool holds a connection, which the children inherit
        children = []
        for child in range(2):
            if pid := os.fork():
                children.append(pid)
                continue
            wrong = 1
            with suppress(BaseException):
                names = [f"{child}-{number}" for number in range(40)]
                made = [client.decide(Request("CC-0126", "2025-06-01", {}, request_id=name)) for name in names]
                wrong = int([decision.request_id for decision in made] != names)
            os._exit(wrong)
        for number in range(40):
            client.decide(Request("CC-0126", "2025-06-01", {}, request_id=str(number)))
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]


def test_a_decision_on_another_request_is_a_protocol_error() -> None:
    def turned(connection: socket.socket, question: bytes) -> None:
        asked = json.loads(question.split(b"\r\n\r\n", 1)[1])["input"]["requests"]
        results = [EMBEDDED.decide(request).to_dict() for request in reversed(asked)]
        reply(200, json.dumps({"result": results}).encode())(connection, question)

    requests = [Request("CC-0126", "2025-06-01", {}, request_id=name) for name in "ab"]
    with serving(turned) as server, PolicyClient(server.url) as client:
        answers = list(client.decide_many(requests))
    assert [type(answer) for answer in answers] == [ProtocolError, ProtocolError]


def test_health_asks_each_server_once() -> None:
    with serving(drop) as dead, serving(decide) as alive, PolicyClient([dead.url, alive.url]) as client:
        assert client.health().opa_version == "9"
        assert len(dead.seen) == 1
    with serving(drop) as dead, PolicyClient([dead.url, dead.url]) as client, pytest.raises(PolicyUnreachable):
        client.health()
    assert len(dead.seen) == 2


def test_sending_is_within_the_deadline_too() -> None:
    big = {**REQUEST.to_dict(), "x": "x" * 20_000_000}
    listener = socket.create_server(("127.0.0.1", 0))  # takes connections, and reads nothing
    with PolicyClient(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=0.8, attempts=1) as client:
        start = time.monotonic()
        with pytest.raises(PolicyUnreachable):
            client.decide(big)
        assert time.monotonic() - start < 2.5
    listener.close()


@pytest.mark.parametrize(
    ("token", "kind"), [(lambda: dict[str, str]()["x"], "KeyError"), (lambda: None, "none"), (lambda: "", "none")]
)
def test_without_a_token_nothing_is_sent(token: Any, kind: str) -> None:  # noqa: ANN401
    with serving(decide) as server, PolicyClient(server.url, token=token) as client:
        with pytest.raises(PolicyRefused, match=kind):
            client.decide(REQUEST)
        assert [type(answer) for answer in client.decide_many([REQUEST])] == [PolicyRefused]
        assert server.seen == []


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ({"token": ""}, "token must be text that is not empty"),
        ({"token": b"abc"}, "token must be text"),
        ({"timeout": 5}, "timeout must be two positive numbers"),
        ({"timeout": ("3", 5)}, "timeout must be two positive numbers"),
        ({"timeout": (1, 2, 3)}, "timeout must be two positive numbers"),
        ({"deadline": 0}, "deadline and attempts one each"),
        ({"attempts": None}, "deadline and attempts one each"),
    ],
)
def test_an_argument_of_no_use_is_refused_before_anything_is_asked(argument: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidValue, match=named):
        PolicyClient("http://127.0.0.1:9", **argument)


def test_a_token_with_the_line_break_of_its_file_is_named_and_not_sent() -> None:
    with serving(decide) as server, PolicyClient(server.url, token=lambda: "secret\n") as client:
        with pytest.raises(InvalidValue, match=r"^the token must be .*, without the line break that ends its file$"):
            client.decide(REQUEST)
        assert server.seen == []


def test_headers_are_told_apart_without_case_and_by_valid_names() -> None:
    with serving(decide) as server, PolicyClient(server.url, token="a") as client:
        client.decide(REQUEST, headers={"authorization": "Bearer b"})
        for name in ("x:y", "x\n", "é", ""):
            with pytest.raises(InvalidValue, match="name of a header"):
                client.decide(REQUEST, headers={name: "1"})
    [question] = server.seen
    assert question.lower().count(b"\r\nauthorization:") == 1
    assert b"Bearer b" in question


@pytest.mark.parametrize("pause", ["Thu, 01 Jan 99999 00:00:00 GMT", "9" * 5000, "soon"])
def test_a_pause_of_no_sense_is_none(pause: str) -> None:
    with serving(reply(503, b"", f"Retry-After: {pause}"), decide) as server, PolicyClient(server.url) as client:
        assert isinstance(client.decide(REQUEST), Decision)


def test_what_came_before_an_error_is_decided() -> None:
    def broken() -> Iterator[Request]:
        for _ in range(120):
            yield REQUEST
        raise KeyError("of the caller")

    answers = []
    with suppress(KeyError):
        for answer in EMBEDDED.decide_many(broken()):
            answers.append(answer)
    assert len(answers) == 120


def test_halving_ends_after_ten_deadlines() -> None:
    def hangs(connection: socket.socket, question: bytes) -> None:
        (decide if b'"requests":[]' in question else hang)(connection, question)

    with serving(hangs) as server, PolicyClient(server.url, timeout=(1, 0.1), deadline=0.1, attempts=1) as client:
        start = time.monotonic()
        answers = list(client.decide_many([REQUEST] * 50))
        assert time.monotonic() - start < 4  # not 99 times 0.1 s and more
    assert [type(answer) for answer in answers] == [PolicyUnreachable] * 50


def test_who_stops_early_does_not_wait() -> None:
    with serving(decide, hang) as server, PolicyClient(server.url, timeout=(1, 4), attempts=1) as client:
        answers = client.decide_many([REQUEST] * 200)
        next(answers)
        start = time.monotonic()
        answers.close()  # type: ignore[attr-defined]
        assert time.monotonic() - start < 2


_MANY = """
import signal, sys
from payer_policy import PolicyClient
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where a shell began this in the background
answers = PolicyClient(sys.argv[1]).decide_many({"request_id": f"r-{n}"} for n in range(500))
print(next(answers), flush=True)
list(answers)
"""


@pytest.mark.parametrize("trouble", [hang, reply(503, b"", "Retry-After: 20")], ids=["hang", "pause"])
def test_who_is_interrupted_does_not_wait_either(trouble: Script) -> None:
    busy = threading.Event()

    def script(connection: socket.socket, question: bytes) -> None:
        if b'"r-0"' in question:
            return decide(connection, question)
        busy.set()
        return trouble(connection, question)

    with (
        serving(script) as server,
        subprocess.Popen(
            [sys.executable, "-c", _MANY, server.url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            assert process.stdout
            assert process.stdout.readline().startswith(b"Decision(")
            assert busy.wait(10)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) != 0  # not as long as the call
        finally:
            process.kill()


def reachable(error: BaseException) -> str:
    """All that hangs on to an exception, as an error reporter would find it."""
    texts: list[str] = []
    seen: set[int] = set()
    todo: list[Any] = [error]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        texts.append(f"{item!r} {item!s}")
        if isinstance(item, BaseException):
            todo += [*item.args, item.__cause__, item.__context__, *vars(item).values()]
    return "".join(texts)


@pytest.mark.parametrize(
    "trouble",
    [
        lambda canary: reply(200, canary.encode()),
        lambda canary: reply(500, canary.encode()),
        lambda canary: reply(200, json.dumps({"result": {"outcome": canary}}).encode()),
        lambda canary: drop,
        lambda canary: truncated,
    ],
)
def test_no_exception_hangs_on_to_health_data(trouble: Callable[[str], Script]) -> None:
    canary = "canary-7c1"
    request = Request("CC-0126", "2025-06-01", {"disease": canary}, request_id=canary)
    with serving(trouble(canary)) as server, PolicyClient(server.url, attempts=1) as client:
        with pytest.raises(PolicyError) as raised:
            client.decide(request)
        [answer] = client.decide_many([request])
    assert isinstance(answer, PolicyError)
    assert canary not in reachable(raised.value) + reachable(answer)


def test_logs_hold_names_and_timings_only(caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary-7c1"
    request = Request(
        "CC-0126", "2025-06-01", {"disease": canary, "mrd_percent": canary}, request_id=canary, codes={"hcpcs": canary}
    )

    def hook(record: CallRecord) -> None:
        raise ValueError(canary)

    caplog.set_level(logging.DEBUG)
    scripts = (drop, reply(503, canary.encode()), truncated, decide)
    with serving(*scripts) as server, PolicyClient(server.url, on_call=hook) as client:
        with pytest.raises(PolicyError):
            client.decide(request)
        list(client.decide_many([request, {"facts": {canary: canary}}]))
    messages = caplog.text
    assert "payer/decision: answered in" in messages
    assert "the metrics hook raised ValueError" in messages
    assert "attempt 2 follows" in messages
    assert canary not in messages


def spoiled_by(text: str, trouble: Script) -> Script:
    def script(connection: socket.socket, question: bytes) -> None:
        (trouble if text.encode() in question else decide)(connection, question)

    return script


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (drop, PolicyUnreachable),
        (reply(500, b"{}"), PolicyUnreachable),
        (reply(413, b""), ProtocolError),
        (reply(200, b"<html>"), ProtocolError),
        (reply(200, b'{"result": []}'), ProtocolError),
        (hang, PolicyUnreachable),
    ],
    ids=["drop", "500", "413", "html", "too few", "hang"],
)
def test_a_bad_item_of_a_batch_is_alone_in_the_end(trouble: Script, error: type[PolicyError]) -> None:
    names = [f"r-{number}" for number in range(120)]
    names[77] = "bad"
    requests = [Request("CC-0126", "2025-06-01", {}, request_id=name) for name in names]
    patience = 0.5 if trouble is hang else 10  # a busy machine takes longer to decide 50, and who hangs is waited for
    with (
        serving(spoiled_by('"bad"', trouble)) as server,
        PolicyClient(server.url, timeout=(1, patience), deadline=patience + 0.1, attempts=2) as client,
    ):
        answers = list(client.decide_many(iter(requests)))
    assert isinstance(answers[77], error)
    rest = [answer for answer in answers if isinstance(answer, Decision)]
    assert [decision.request_id for decision in rest] == names[:77] + names[78:]


def test_an_item_that_is_no_json_has_its_error_in_its_place() -> None:
    with serving(decide) as server, PolicyClient(server.url) as client:
        first, second, third = client.decide_many([REQUEST, {"facts": object()}, {}])
    assert isinstance(first, Decision)
    assert isinstance(second, InvalidValue)
    assert isinstance(third, Decision)
    assert third.outcome == "invalid_request"


@pytest.mark.parametrize(
    ("trouble", "error", "questions"),
    [(reply(401, b""), PolicyRefused, 1), (reply(200, b"{}"), PolicyNotLoaded, 1), (drop, PolicyUnreachable, 2)],
)
def test_no_batch_is_split_for_a_server_that_is_down(trouble: Script, error: type[PolicyError], questions: int) -> None:
    with serving(trouble) as server, PolicyClient(server.url, attempts=1) as client:
        answers = list(client.decide_many([REQUEST] * 50))
    assert [type(answer) for answer in answers] == [error] * 50
    assert len(server.seen) == questions


def test_many_are_read_as_they_are_needed() -> None:
    read = 0

    def endless() -> Iterator[Request]:
        nonlocal read
        while True:
            read += 1
            yield REQUEST

    for policy in (EMBEDDED,):
        answers = policy.decide_many(endless(), batch_size=10, in_flight=2)
        for _ in range(25):
            assert isinstance(next(answers), Decision)
        answers.close()  # type: ignore[attr-defined]
    assert read <= 25 + 4 * 10


def test_what_the_iterable_raises_is_raised() -> None:
    def broken() -> Iterator[Request]:
        yield REQUEST
        raise KeyError("of the caller")

    with pytest.raises(KeyError, match="of the caller"):
        list(EMBEDDED.decide_many(broken()))
    with pytest.raises(InvalidValue):
        EMBEDDED.decide_many([], batch_size=0)


def test_batches_are_in_flight_together() -> None:
    both = threading.Barrier(2, timeout=5)

    def script(connection: socket.socket, question: bytes) -> None:
        both.wait()
        decide(connection, question)

    with serving(script) as server, PolicyClient(server.url) as client:
        assert len(list(client.decide_many([REQUEST] * 100, in_flight=2))) == 100


def test_provenance_and_health() -> None:
    answer = {
        "result": EMBEDDED.decide(REQUEST).to_dict(),
        "decision_id": "d-1",
        "provenance": {"version": "1.22.2", "bundles": {"payer": {"revision": "1.0.0+abc"}}},
    }
    with serving(reply(200, json.dumps(answer).encode())) as server, PolicyClient(server.url) as client:
        provenance = client.decide(REQUEST).provenance
        assert provenance.opa_version == "1.22.2"
        assert provenance.revisions == {"payer": "1.0.0+abc"}
        assert provenance.decision_id == "d-1"
        with pytest.raises(ProtocolError):
            client.health()
    with serving(decide) as server, PolicyClient(server.url) as client:
        assert client.health().opa_version == "9"
    with serving(reply(200, b"{}")) as server, PolicyClient(server.url) as client, pytest.raises(PolicyNotLoaded):
        client.health()
    assert EMBEDDED.health().revisions["policy.wasm"].startswith("sha256:")


@pytest.mark.parametrize("provenance", [{"version": 1}, {"bundles": {"x": {}}}, {"bundles": None}, {"bundles": []}, []])
def test_provenance_of_another_shape_is_a_protocol_error(provenance: object) -> None:
    answer = {"result": EMBEDDED.decide(REQUEST).to_dict(), "provenance": provenance}
    with (
        serving(reply(200, json.dumps(answer).encode())) as server,
        PolicyClient(server.url) as client,
        pytest.raises(ProtocolError, match="provenance"),
    ):
        client.decide(REQUEST)
