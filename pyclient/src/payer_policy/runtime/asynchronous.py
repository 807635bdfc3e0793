"""`AsyncPolicyClient` and `AsyncEmbeddedPolicy`: the same methods, awaited, on threads of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Container, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeVar

from payer_policy.runtime.client import PolicyClient
from payer_policy.runtime.embedded import EmbeddedPolicy
from payer_policy.runtime.errors import InvalidValue, PolicyError, PolicyUnreachable
from payer_policy.runtime.policy import CallRecord, PolicyBase, Threads
from payer_policy.runtime.request import AnyRequest
from payer_policy.runtime.transport import abandoned
from payer_policy.runtime.values import Decision, Provenance

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound="AsyncPolicy")


class AsyncPolicy:
    """What `AsyncPolicyClient` and `AsyncEmbeddedPolicy` have in common. Use as an asynchronous context manager, or
    `close()`. On one event loop or on several, also in a child that is forked.

    A call that is cancelled ends at once for its caller. One that no thread has begun is never made, one that waits for
    a server is not made again; its thread is free when the attempt under way ends.
    """

    def __init__(self, policy: PolicyBase, threads: int, deadline: float | None) -> None:
        if threads < 1:
            raise InvalidValue("threads must be positive")
        self._policy = policy
        self._threads = Threads(threads)
        self._deadline = deadline

    async def decide(self, request: AnyRequest, *, headers: Mapping[str, str] | None = None) -> Decision:
        """As `PolicyBase.decide`."""
        return await self._run(self._deadline, self._policy.decide, request, headers=headers)

    async def decide_many(
        self,
        requests: Iterable[AnyRequest],
        *,
        version: str | None = None,
        detail: Literal["full", "brief"] = "full",
        headers: Mapping[str, str] | None = None,
        batch_size: int = 50,
        in_flight: int = 2,
    ) -> AsyncGenerator[Decision | PolicyError, None]:
        """As `PolicyBase.decide_many`; `requests` are read on a thread."""
        answers = self._policy.decide_many(
            requests, version=version, detail=detail, headers=headers, batch_size=batch_size, in_flight=in_flight
        )
        turn = threading.Lock()  # a generator that runs cannot be closed

        def following() -> Decision | PolicyError | None:
            with turn:
                return next(answers, None)

        def end() -> None:
            with turn:
                answers.close()  # type: ignore[attr-defined]  # it is a generator

        try:
            while (answer := await self._run(None, following)) is not None:
                yield answer
        finally:
            threading.Thread(target=end, daemon=True).start()  # those of the policy may be busy, or stopped

    async def catalogue(self, document: str | None = None) -> dict[str, Any]:
        """As `PolicyBase.catalogue`."""
        return await self._run(self._deadline, self._policy.catalogue, document)

    async def health(self) -> Provenance:
        """As `PolicyBase.health`."""
        return await self._run(self._deadline, self._policy.health)

    async def close(self) -> None:
        """Release what is held. Safe to call twice."""
        self._policy.close()
        self._threads.stop()

    async def _run(self, deadline: float | None, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        nobody_waits = threading.Event()

        def call() -> R:
            abandoned.set(nobody_waits)
            return function(*arguments, **named)

        answer = asyncio.wrap_future(self._threads.submit(call))
        try:
            await asyncio.wait([answer], timeout=deadline)  # for a thread too
            if not answer.done():
                raise PolicyUnreachable("there is no answer within the deadline")
            return answer.result()
        finally:
            nobody_waits.set()
            answer.cancel()

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class AsyncPolicyClient(AsyncPolicy):
    """`PolicyClient` for asynchronous programs: its arguments, and `threads`, how many calls are made at a time."""

    def __init__(
        self,
        base_url: str | Sequence[str],
        *,
        token: str | Callable[[], str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        timeout: tuple[float, float] = (3.0, 10.0),
        deadline: float = 30.0,
        attempts: int = 10,
        revisions: Mapping[str, Container[str]] | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        threads: int = 32,
    ) -> None:
        client = PolicyClient(
            base_url,
            token=token,
            ca_file=ca_file,
            client_cert=client_cert,
            timeout=timeout,
            deadline=deadline,
            attempts=attempts,
            revisions=revisions,
            on_call=on_call,
        )
        super().__init__(client, threads, deadline)


class AsyncEmbeddedPolicy(AsyncPolicy):
    """`EmbeddedPolicy` for asynchronous programs, on as many threads as there are processors."""

    def __init__(
        self, bundle: str | os.PathLike[str] | None = None, *, on_call: Callable[[CallRecord], None] | None = None
    ) -> None:
        super().__init__(EmbeddedPolicy(bundle, on_call=on_call), os.cpu_count() or 1, None)
