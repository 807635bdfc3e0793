"""`PolicyBase`: what `PolicyClient` and `EmbeddedPolicy` have in common."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeVar

from payer_policy.runtime.answers import decision_of
from payer_policy.runtime.catalogue import catalogue_of
from payer_policy.runtime.errors import (
    NOBODY_DECIDES,
    InvalidRequest,
    InvalidValue,
    PolicyError,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
    RevisionRefused,
)
from payer_policy.runtime.request import AnyRequest, Written, written
from payer_policy.runtime.values import Decision, Outcome, Provenance

_log = logging.getLogger("payer_policy")

T = TypeVar("T", bound="PolicyBase")
Item = TypeVar("Item")
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class CallRecord:
    """What one call came to, for metrics: no value of a request or of a fact is in it."""

    entry_point: str
    """`payer/decision`, `payer/decisions` or `payer/catalogue`."""

    outcomes: Mapping[str, int]
    """How many decisions had which outcome; empty for the catalogue and after a failure."""

    error: str | None
    """The name of the class of the error, None when there is none."""

    seconds: float
    """Of the whole call, retries included."""

    retries: int
    """How often the question was asked again."""


class PolicyBase(ABC):
    """Decides requests. Use as a context manager, or `close()`."""

    _patience = float("inf")
    """Seconds for which a batch that fails is halved."""

    def __init__(self, on_call: Callable[[CallRecord], None] | None = None) -> None:
        self._on_call = on_call

    def decide(self, request: AnyRequest, *, headers: Mapping[str, str] | None = None) -> Decision:
        """Decide one request, a `Request` or its plain dict. `headers`, `traceparent` say, go to the server.

        Raises `InvalidRequest` when the policy finds it invalid, `InvalidValue` when it is not JSON,
        `PolicyUnreachable`, `PolicyRefused`, `PolicyNotLoaded`, `RevisionRefused` or `ProtocolError` when there is no
        proper answer.
        """
        asked = written(request)
        with Recorded("payer/decision", self._on_call) as call:
            decision = call.decision(asked, *self._evaluate(call, asked.text, headers))
        if decision.outcome is Outcome.INVALID_REQUEST:
            raise InvalidRequest(decision)
        return decision

    def decide_many(
        self,
        requests: Iterable[AnyRequest],
        *,
        version: str | None = None,
        detail: Literal["full", "brief"] = "full",
        headers: Mapping[str, str] | None = None,
        batch_size: int = 50,
        in_flight: int = 2,
    ) -> Iterator[Decision | PolicyError]:
        """Decide many requests: for each, in their order, one decision or the error that stands in its place.

        An invalid request is a decision here, not an error. `requests` may be endless: it is read as it is needed, in
        batches of `batch_size`, of which `in_flight` are decided at a time on threads. A batch that fails is halved
        until the request that spoils it is alone, for ten deadlines at most. With `version`, the first day in force of
        one, all are decided under it, whatever their date of service: to replay a decision, or to compare versions.
        With `detail` brief, decisions come without their criteria: a fraction of the bytes, all else is the same.
        Raises only what `requests` itself raises, after the decisions on what it gave before, and `InvalidValue` at
        once for an argument that cannot be used: one request is one of a list.
        """
        if isinstance(requests, (Mapping, str)) or not isinstance(requests, Iterable):  # a dict would give its names
            raise InvalidValue("requests must be an iterable of requests; one alone stands in a list")
        if batch_size < 1 or in_flight < 1:
            raise InvalidValue("batch_size and in_flight must be positive")
        if detail not in ("full", "brief"):
            raise InvalidValue("detail must be full or brief")
        return self._stream(iter(requests), _Envelope(version, detail, headers), batch_size, in_flight)

    def catalogue(self, document: str | None = None) -> dict[str, Any]:
        """Every document and version held: dates, codes, facts, criteria in words; with `document` that one alone, or
        none when it is not held. Raises as `decide` does."""
        input = None if document is None else written({"document": document}).text
        with Recorded("payer/catalogue", self._on_call) as call:
            catalogue, _ = self._evaluate(call, input, None)
            held = catalogue_of(catalogue)
        if document is not None:  # a policy from before 2026-11 gives all of them
            held["documents"] = [entry for entry in held["documents"] if entry["document"] == document]
        return held

    def health(self) -> Provenance:
        """Who would decide now: asks for no decision at all, once and without retries. Raises as `decide` does."""
        with Recorded("payer/decisions", self._on_call, once=True) as call:
            results, provenance = self._evaluate(call, '{"requests":[]}', None)
            if results != []:
                raise ProtocolError("there is a decision for no request")
        return provenance

    @abstractmethod
    def close(self) -> None:
        """Release what is held. Safe to call twice."""

    @abstractmethod
    def _evaluate(self, call: Recorded, input: str | None, headers: Mapping[str, str] | None) -> tuple[Any, Provenance]:
        """The result of an entry point and who gave it. `input` is JSON text, None when it takes none."""

    def _stream(
        self, requests: Iterator[AnyRequest], envelope: _Envelope, batch_size: int, in_flight: int
    ) -> Iterator[Decision | PolicyError]:
        waiting: deque[Future[list[Decision | PolicyError]]] = deque()
        threads = Threads(in_flight)
        try:
            batch, error = _taken(requests, batch_size)
            while batch:
                waiting.append(threads.submit(self._decide_batch, batch, envelope))
                if len(waiting) > in_flight:
                    yield from waiting.popleft().result()
                batch, error = _taken(requests, batch_size) if error is None else ([], error)
            while waiting:
                yield from waiting.popleft().result()
        finally:  # the consumer may stop early, and does not wait then
            envelope.abandoned.set()
            for future in waiting:
                future.cancel()
            threads.stop()
        if error is not None:
            raise error

    def _decide_batch(self, requests: list[AnyRequest], envelope: _Envelope) -> list[Decision | PolicyError]:
        answers: list[Decision | PolicyError | None] = []
        asked = []
        for request in requests:
            try:
                asked.append(written(request))
                answers.append(None)
            except InvalidValue as error:
                answers.append(error)
        decided = iter(self._decide_written(asked, envelope, time.monotonic() + self._patience))
        return [next(decided) if answer is None else answer for answer in answers]

    def _decide_written(self, asked: list[Written], envelope: _Envelope, until: float) -> list[Decision | PolicyError]:
        if not asked:
            return []
        try:
            return self._ask_for(asked, envelope)
        except PolicyError as error:
            failed: list[Decision | PolicyError] = [error] * len(asked)
        hopeless = isinstance(failed[0], (PolicyRefused, PolicyNotLoaded, RevisionRefused, InvalidValue))
        if len(asked) == 1 or hopeless or time.monotonic() > until or envelope.abandoned.is_set():
            return failed
        try:
            self.health()  # is it the content of the batch, or the server?
        except PolicyError:
            return failed
        half = len(asked) // 2
        return self._decide_written(asked[:half], envelope, until) + self._decide_written(asked[half:], envelope, until)

    def _ask_for(self, asked: list[Written], envelope: _Envelope) -> list[Decision | PolicyError]:
        with Recorded("payer/decisions", self._on_call, size=len(asked)) as call:
            results, provenance = self._evaluate(call, envelope.around(asked), envelope.headers)
            if not isinstance(results, list) or len(results) != len(asked):
                raise ProtocolError("there is not one decision for each request of the batch")
            decisions: list[Decision | PolicyError] = []
            for each, result in zip(asked, results, strict=True):
                try:
                    decisions.append(call.decision(each, result, provenance, envelope.version, envelope.brief))
                except ProtocolError as error:
                    decisions.append(error)
        return decisions

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Threads:
    """A pool of threads that nobody waits for: those of an executor keep a process that was interrupted from ending.
    They begin with the first task, and anew in a child that is forked, which has none of them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._stopped = False
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        self._changing = threading.Lock()
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._begun = False

    def submit(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> Future[R]:
        """Raises `PolicyUnreachable` once they are stopped."""
        future: Future[R] = Future()

        def task() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*arguments, **named))
                except BaseException as error:
                    future.set_exception(error)

        with self._changing:
            if self._stopped:
                raise PolicyUnreachable("the policy is closed")
            if not self._begun:
                self._begun = True
                for number in range(self._count):
                    threading.Thread(target=self._run, name=f"payer-policy-{number}", daemon=True).start()
            self._tasks.put(task)
        return future

    def stop(self) -> None:
        """Once what is submitted is done. Safe to call twice."""
        with self._changing:
            self._stopped = True
            for _ in range(self._count):
                self._tasks.put(None)

    def _run(self) -> None:
        while task := self._tasks.get():
            task()


_pools: weakref.WeakSet[Threads] = weakref.WeakSet()


def _forked() -> None:
    for threads in _pools:
        threads._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forked)


def decide_each(
    policy: PolicyBase,
    items: Iterable[tuple[Item, AnyRequest]],
    *,
    version: str | None = None,
    detail: Literal["full", "brief"] = "full",
    in_flight: int = 2,
) -> Iterator[tuple[Item, Decision | PolicyError]]:
    """Each item with the answer to its request, in order and in constant memory. Raises `NOBODY_DECIDES`."""
    ahead: deque[Item] = deque()  # as many as decide_many has read

    def requests() -> Iterator[AnyRequest]:
        for item, request in items:
            ahead.append(item)
            yield request

    for answer in policy.decide_many(requests(), version=version, detail=detail, in_flight=in_flight):
        if isinstance(answer, NOBODY_DECIDES):
            raise answer
        yield ahead.popleft(), answer


def _taken(requests: Iterator[AnyRequest], most: int) -> tuple[list[AnyRequest], Exception | None]:
    """The next requests, and what was raised instead of more of them."""
    batch: list[AnyRequest] = []
    try:
        for request in islice(requests, most):
            batch.append(request)  # extend would lose what came before an error
    except Exception as error:
        return batch, error
    return batch, None


@dataclass(frozen=True)
class _Envelope:
    """What a batch says besides its requests."""

    version: str | None
    detail: str
    headers: Mapping[str, str] | None
    abandoned: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits for the answers any more."""

    @property
    def brief(self) -> bool:
        return self.detail == "brief"

    def around(self, asked: list[Written]) -> str:
        version = "" if self.version is None else f'"version":{json.dumps(self.version)},'
        detail = '"detail":"brief",' if self.brief else ""
        return f'{{{version}{detail}"requests":[{",".join(each.text for each in asked)}]}}'


class Recorded:
    """A call that is timed, logged and handed to the metrics hook. `size` is how many decisions it asks for; `once`
    forbids to ask again."""

    def __init__(
        self, entry_point: str, on_call: Callable[[CallRecord], None] | None, *, size: int = 1, once: bool = False
    ) -> None:
        self.entry_point = entry_point
        self.size = size
        self.once = once
        self.retries = 0
        self._on_call = on_call
        self._outcomes: dict[str, int] = {}

    def decision(
        self,
        asked: Written,
        result: object,
        provenance: Provenance,
        version: str | None = None,
        brief: bool = False,
    ) -> Decision:
        decision = decision_of(result, provenance, asked, version, brief=brief)
        outcome = decision.outcome.value
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        return decision

    def __enter__(self) -> Recorded:
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._start
        failure = None if kind is None else kind.__name__
        _log.debug(
            "%s: %s in %.1f ms, %d retries", self.entry_point, failure or "answered", 1000 * seconds, self.retries
        )
        if self._on_call:
            try:
                self._on_call(CallRecord(self.entry_point, self._outcomes, failure, seconds, self.retries))
            except Exception as hook:  # metrics must not cost a decision
                _log.error("the metrics hook raised %s", type(hook).__name__)
