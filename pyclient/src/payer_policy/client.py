"""Two ways to the same policy: `PolicyClient` asks an OPA server, `EmbeddedPolicy` runs it in process."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import islice
from types import TracebackType
from typing import Any, TypeVar

import requests
from payer_policy.errors import (
    InvalidRequest,
    InvalidValue,
    MissingExtra,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
)
from payer_policy.model import AnyRequest, Decision, Outcome, Request, to_json
from requests.utils import urldefragauth

# One of 50 costs a fraction of 50 single calls and stays far below any limit on a body.
_BATCH = 50

# Of 64 KiB. Room for the constants of some hundred documents.
_MEMORY_PAGES = 256

T = TypeVar("T", bound="PolicyBase")


class PolicyBase(ABC):
    """What both have in common. Use as a context manager, or `close()`."""

    def decide(self, request: AnyRequest) -> Decision:
        """Decide one request, a `Request` or its plain dict.

        Raises `InvalidRequest` when the policy finds it invalid, `InvalidValue` when it is not JSON,
        `PolicyUnreachable`, `PolicyRefused`, `PolicyNotLoaded` or `ProtocolError` when there is no proper answer.
        """
        decision = Decision.from_dict(self._evaluate("payer/decision", _written(request)))
        if decision.outcome is Outcome.INVALID_REQUEST:
            raise InvalidRequest(decision)
        return decision

    def decide_many(self, requests: Iterable[AnyRequest]) -> Iterator[Decision]:
        """Decide many requests, in their order and lazily. An invalid one is yielded as a decision, not raised.

        Raises as `decide` does otherwise.
        """
        remaining = iter(requests)
        while batch := [_written(request) for request in islice(remaining, _BATCH)]:
            decisions = self._evaluate("payer/decisions", {"requests": batch})
            if not isinstance(decisions, list) or len(decisions) != len(batch):
                raise ProtocolError("there is not one decision for each request of the batch")
            yield from map(Decision.from_dict, decisions)

    def catalogue(self) -> dict[str, Any]:
        """Every document and version held: dates, codes, facts, criteria in words. Raises as `decide` does."""
        catalogue = self._evaluate("payer/catalogue", None)
        if not isinstance(catalogue, dict) or not isinstance(catalogue.get("documents"), list):
            raise ProtocolError("catalogue.documents is not an array")
        return catalogue

    @abstractmethod
    def _evaluate(self, path: str, input: object) -> Any:  # noqa: ANN401
        """The result of the entry point at `path`; `input` is None when it takes none."""

    @abstractmethod
    def close(self) -> None:
        """Release what is held. Safe to call twice."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class PolicyClient(PolicyBase):
    """Asks the OPA at `base_url`, over one pooled session.

    `timeout` is the seconds to wait for a connection and for each read, as one number or two. A `session` of your own
    may carry authentication, TLS settings or proxies; it is then yours to close.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float | tuple[float, float] = (3.05, 10.0),
        session: requests.Session | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._name = urldefragauth(self._base_url)  # for messages: without a password
        self._timeout = timeout
        self._own_session = session is None
        self._session = session or requests.Session()

    def _evaluate(self, path: str, input: object) -> Any:  # noqa: ANN401
        url = f"{self._base_url}/v1/data/{path}"
        try:
            # OPA never redirects, and health data must not follow whoever does.
            if input is None:
                response = self._session.get(url, timeout=self._timeout, allow_redirects=False)
            else:
                response = self._session.post(
                    url,
                    data=json.dumps({"input": input}, allow_nan=False),
                    headers={"Content-Type": "application/json"},
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            # The error of the library may hold the body of the request; its kind is enough.
            raise PolicyUnreachable(f"{self._name} does not answer ({type(error).__name__})") from None
        return self._result(response)

    def _result(self, response: requests.Response) -> Any:  # noqa: ANN401
        status = response.status_code
        if status in (401, 403):
            raise PolicyRefused(f"{self._name} refuses the caller with status {status}")
        if status == 404:
            raise PolicyNotLoaded(f"{self._name} has no such route; is it OPA's base address?")
        if status >= 500:
            raise PolicyUnreachable(f"{self._name} fails with status {status}")
        if status != 200:
            raise ProtocolError(f"{self._name} answers with status {status}")
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            raise ProtocolError(f"{self._name} answers with something else than JSON") from None
        if not isinstance(answer, dict):
            raise ProtocolError(f"{self._name} does not answer as OPA does")
        if "warning" in answer:
            raise ProtocolError(f"{self._name} answers with a warning: it saw no input")
        if "result" not in answer:
            raise PolicyNotLoaded(f"{self._name} holds no policy for this entry point")
        return answer["result"]

    def close(self) -> None:
        if self._own_session:
            self._session.close()


class EmbeddedPolicy(PolicyBase):
    """Runs the policy that this package ships, compiled to WebAssembly: no server, no OPA, no network. Thread-safe.

    Raises `MissingExtra` when opa-py-wasm is not installed, `PolicyNotLoaded` when the policy cannot be loaded.
    """

    def __init__(self) -> None:
        try:
            from opapywasm import OpaWasmError, OpaWasmPolicy, PolicyConfig, runtime
        except ImportError:
            raise MissingExtra(
                "the embedded policy needs opa-py-wasm: pip install 'payer-policy-client[embedded]'"
            ) from None
        # opa-py-wasm offers a module two pages of memory to begin with and fails on one that demands more, as this one
        # does for its constants; there is no public setting for it.
        runtime._DEFAULT_MEMORY_PAGES = max(runtime._DEFAULT_MEMORY_PAGES, _MEMORY_PAGES)
        try:
            self._policy = OpaWasmPolicy.from_wasm_bytes(
                (files("payer_policy") / "policy.wasm").read_bytes(),
                PolicyConfig(borrow_timeout_seconds=None),  # threads beyond the pool wait for their turn
            )
        except (OSError, OpaWasmError) as error:
            raise PolicyNotLoaded(f"the embedded policy cannot be loaded ({type(error).__name__})") from None

    def _evaluate(self, path: str, input: object) -> Any:  # noqa: ANN401
        from opapywasm import UNDEFINED
        from opapywasm.errors import OpaPolicyClosedError, OpaWasmError

        try:
            # Text, so that every number reaches the policy as it would over HTTP.
            result = self._policy.evaluate(json.dumps(input, allow_nan=False), path)
        except OpaPolicyClosedError:
            raise PolicyUnreachable("the embedded policy is closed") from None
        except OpaWasmError as error:
            raise ProtocolError(f"the embedded policy failed ({type(error).__name__})") from None
        if result is UNDEFINED:
            raise PolicyNotLoaded(f"the embedded policy does not define {path}")
        return result

    def close(self) -> None:
        self._policy.close()


def _written(request: AnyRequest) -> Any:  # noqa: ANN401
    try:
        written = request.to_dict() if isinstance(request, Request) else to_json(request, "")
        json.dumps(written)
    except (ValueError, RecursionError):  # by now only a circle, or nesting without end
        raise InvalidValue("the request is nested too deeply") from None
    return written
