"""The asynchronous client and the embedded policy's, and the service in examples/ that uses them."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from payer_policy import (
    AsyncEmbeddedPolicy,
    AsyncPolicyClient,
    Decision,
    EmbeddedPolicy,
    InvalidRequest,
    InvalidValue,
    PolicyUnreachable,
)

SERVICE = Path(__file__).parents[2] / "examples" / "service.py"
REQUESTS: list[dict[str, Any]] = [
    {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": disease}}
    for disease in ("all", "dlbcl", "other")
]


@contextmanager
def silence() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that takes connections and never answers, and the connections it took."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
        for connection in taken:
            connection.close()


def test_the_embedded_policy_gives_the_same_answers() -> None:
    async def ask() -> None:
        with EmbeddedPolicy() as plain:
            async with AsyncEmbeddedPolicy() as policy:
                expected = [plain.decide(each) for each in REQUESTS]
                assert await asyncio.gather(*map(policy.decide, REQUESTS * 5)) == expected * 5
                assert [answer async for answer in policy.decide_many(REQUESTS * 70)] == expected * 70
                assert await policy.catalogue("CC-0126") == plain.catalogue("CC-0126")
                assert await policy.health() == plain.health()
                with pytest.raises(InvalidRequest, match="facts"):
                    await policy.decide({"document": "CC-0126", "date_of_service": "2025-06-01"})
            await policy.close()
            with pytest.raises(PolicyUnreachable, match="closed"):
                await policy.decide(REQUESTS[0])

    asyncio.run(ask())


def test_the_loop_goes_on_while_it_decides() -> None:
    async def ask() -> None:
        async with AsyncEmbeddedPolicy() as policy:
            beats = 0

            async def beat() -> None:
                nonlocal beats
                while True:
                    beats += 1
                    await asyncio.sleep(0.001)

            beating = asyncio.create_task(beat())
            await asyncio.gather(*[policy.catalogue() for _ in range(10)])
            beating.cancel()
            assert beats > 3

    asyncio.run(ask())


def test_requests_without_end_are_read_as_they_are_needed() -> None:
    read = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal read
        while True:
            read += 1
            yield REQUESTS[0]

    async def ask() -> None:
        async with AsyncEmbeddedPolicy() as policy:
            async with aclosing(policy.decide_many(endless(), batch_size=5)) as answers:
                async for answer in answers:
                    assert isinstance(answer, Decision)
                    break
            assert read <= 20

    asyncio.run(ask())


def test_what_requests_raise_is_raised() -> None:
    def failing() -> Iterator[dict[str, Any]]:
        yield REQUESTS[0]
        raise TimeoutError("of the requests")

    async def ask() -> None:
        async with AsyncEmbeddedPolicy() as policy:
            answers = policy.decide_many(failing())
            assert isinstance(await anext(answers), Decision)
            with pytest.raises(TimeoutError, match="of the requests"):
                await anext(answers)

    asyncio.run(ask())


def test_no_thread_is_left_of_a_policy_that_is_closed() -> None:
    async def ask() -> None:
        before = set(threading.enumerate())
        policy = AsyncEmbeddedPolicy()
        answers = policy.decide_many(REQUESTS * 100)
        await anext(answers)
        await policy.close()
        with pytest.raises(PolicyUnreachable, match="closed"):
            await anext(answers)
        until = time.monotonic() + 10
        while set(threading.enumerate()) - before:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)

    asyncio.run(ask())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    """As a server that loads its application before it forks."""
    policy = AsyncEmbeddedPolicy()
    decision = asyncio.run(policy.decide(REQUESTS[0]))
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(30)  # which ends it if it hangs
            os._exit(0 if asyncio.run(policy.decide(REQUESTS[0])) == decision else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert asyncio.run(policy.decide(REQUESTS[0])) == decision
    asyncio.run(policy.close())


def test_the_deadline_counts_the_wait_for_a_thread() -> None:
    async def ask(url: str) -> float:
        async with AsyncPolicyClient(url, deadline=0.5, timeout=(5, 5), threads=1) as policy:
            start = time.monotonic()
            failures = await asyncio.gather(*[policy.decide(REQUESTS[0]) for _ in range(5)], return_exceptions=True)
            assert {type(failure) for failure in failures} == {PolicyUnreachable}
            return time.monotonic() - start

    with silence() as (url, _):
        assert asyncio.run(ask(url)) < 2  # one after the other would be 2.5


def test_what_is_cancelled_ends_at_once_and_is_not_asked_again() -> None:
    async def ask(url: str) -> None:
        async with AsyncPolicyClient(url, deadline=60, timeout=(1, 1), threads=1) as policy:
            first = asyncio.create_task(policy.decide(REQUESTS[0]))
            second = asyncio.create_task(policy.decide(REQUESTS[1]))  # waits for the thread
            await asyncio.sleep(0.3)
            start = time.monotonic()
            for task in (first, second):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert time.monotonic() - start < 0.3
            await asyncio.sleep(3)

    with silence() as (url, taken):
        asyncio.run(ask(url))
        assert len(taken) == 1


def test_arguments_are_checked() -> None:
    for arguments in ({"threads": 0}, {"deadline": -1.0}):
        with pytest.raises(InvalidValue):
            AsyncPolicyClient("http://127.0.0.1:9", **arguments)


@pytest.fixture
def service() -> Any:  # noqa: ANN401
    specification = importlib.util.spec_from_file_location("service", SERVICE)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_service_decides(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.delenv("POLICY_URL", raising=False)
    with TestClient(service.app) as client:
        answer = client.post("/decisions", json=REQUESTS[0])
        assert answer.status_code == 200
        assert answer.json()["outcome"] == "needs_information"
        assert answer.json()["missing"]
        answer = client.post("/decisions", json={**REQUESTS[0], "facts": {"disease": "canary-7c1"}})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["path"] == "facts.disease"
        assert "canary" not in answer.text
        for status, body, says in (
            (422, '["canary-7c1"]', "must be an object"),
            (422, '{"canary-7c1"', "not JSON"),
            (422, '{"facts":{},"facts":{}}', "a name stands twice"),
            (422, json.dumps(REQUESTS[0]).replace('"all"', '"all","mrd_percent":0.1000000000000000055'), "15"),
            (413, json.dumps("x" * (1 << 19)), "the request is too large"),
        ):
            answer = client.post("/decisions", content=body)
            assert (answer.status_code, says in answer.text, "canary" in answer.text) == (status, True, False)
    monkeypatch.setenv("POLICY_URL", "http://127.0.0.1:9")
    with TestClient(service.app) as client:
        answer = client.post("/decisions", json=REQUESTS[0])
        assert (answer.status_code, answer.json()) == (503, {"detail": "PolicyUnreachable"})
