"""HTTP to OPA: one pooled session, a deadline for all attempts, retries, failover, replies of bounded length. It knows
nothing of decisions."""

from __future__ import annotations

import logging
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import NoReturn, TypeVar, cast

import requests
from payer_policy.runtime.connection import Adapter, Route, TooLong, body_of
from payer_policy.runtime.errors import (
    InvalidValue,
    PolicyError,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
    RevisionRefused,
)
from requests.structures import CaseInsensitiveDict
from requests.utils import urldefragauth
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_none,
    wait_random_exponential,
)
from urllib3 import BaseHTTPResponse, Retry, Timeout
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    MaxRetryError,
    SSLError,
)

_log = logging.getLogger("payer_policy")

T = TypeVar("T")

# These pass; and a decision is idempotent, so asking again is harmless.
_PASSING_STATUS = frozenset({429, 502, 503, 504})

_DROPPED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

# On a thread whose caller may go away: set when it has, and no further attempt is made then.
abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)

_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")  # as OpenSSL looks for a certificate in a folder: a0b1c2d3.0

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_CONNECTIONS = 32  # kept alive, for each server

# Seconds. Half of it is fixed, so that ten attempts outlast ten seconds without a server, however the dice fall.
_back_off = wait_exponential(multiplier=0.05, max=2.5) + wait_random_exponential(multiplier=0.05, max=2.5)


@dataclass(repr=False)  # it would show health data
class Question:
    """One question. `body` is JSON, or None for a GET; `longest` is the length of a reply in bytes, decoded; `once`
    forbids to ask again; `retries` counts how often that was done."""

    path: str
    body: bytes | None
    longest: int
    headers: Mapping[str, str] | None = None
    once: bool = False
    retries: int = 0
    left: set[int] = field(default_factory=set)
    """The servers that are not asked again: what they said does not pass."""

    passing: int = 0
    """How many attempts failed for a reason that may pass."""


class Transport:
    """Asks the first of several OPA servers that answers, and stays with it. Thread-safe. Arguments as of
    `PolicyClient`."""

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        token: str | Callable[[], str] | None,
        ca_file: str | os.PathLike[str] | None,
        client_cert: str | tuple[str, str] | None,
        timeout: tuple[float, float],
        deadline: float,
        attempts: int,
    ) -> None:
        if not base_urls or not all(url.startswith(("http://", "https://")) for url in base_urls):
            raise InvalidValue("base_url must name one server or more, each starting with http:// or https://")
        try:
            connecting, whole = timeout
            positive = min(connecting, whole, deadline, attempts) > 0
        except (TypeError, ValueError):  # 5, say, as requests takes it
            positive = False
        if not positive:
            raise InvalidValue("timeout must be two positive numbers, deadline and attempts one each")
        if not (token is None or callable(token) or (isinstance(token, str) and token)):
            raise InvalidValue("token must be text that is not empty, or a callable that returns it; None asks without")
        _check_files(ca_file, client_cert)
        self._servers = [url.rstrip("/") for url in base_urls]
        self._names = [urldefragauth(url) for url in self._servers]  # for messages: without a password
        self._preferred = 0
        self._token = token
        self._timeout = timeout
        self._deadline = deadline
        self._attempts = attempts
        self._closed = False
        self._session = requests.Session()
        self._session.headers = CaseInsensitiveDict(
            {
                "User-Agent": f"payer-policy-client/{version('payer-policy-client')}",
                "Accept": "application/json",
                "Content-Type": "application/json",
            }
        )
        if ca_file is not None:
            self._session.verify = os.fspath(ca_file)
        # Named twice, urllib3 looks whether the key is encrypted; else OpenSSL asks the terminal for its password.
        self._session.cert = (client_cert, client_cert) if isinstance(client_cert, str) else client_cert
        self._adapter = Adapter(pool_connections=len(base_urls), pool_maxsize=_CONNECTIONS)
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._routes: dict[tuple[int, str], Route] = {}
        self._process = os.getpid()
        self._retrying = Retrying(
            retry=retry_if_exception(self._may_be_answered),
            wait=self._pause,
            sleep=_sleep,
            before_sleep=self._before_sleep,
            reraise=True,
        )
        self._asking_once = self._retrying.copy(wait=wait_none())

    def send(self, question: Question, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the body of a reply with status 200. A `PolicyNotLoaded`, `ProtocolError` or
        `RevisionRefused` of it leaves the question to the next server, as any failure does.

        Raises these, `PolicyUnreachable`, `PolicyRefused`, and `InvalidValue` for a header that HTTP cannot carry.
        """
        end = time.monotonic() + self._deadline
        try:  # nearly always this is all there is, and tenacity takes a sixth of what this client does
            return self._attempt(question, read, end)
        except _Failed as first:
            failed = first
        retrying = self._asking_once if question.once else self._retrying
        most = len(self._servers) if question.once else self._attempts
        stop = stop_after_attempt(most) | stop_before_delay(end - time.monotonic())
        try:
            return cast(T, retrying.copy(stop=stop)(self._after, [failed], question, read, end))
        except _Failed as last:
            error = last.error
        raise error  # out here, lest the question, which is health data, hang on to it as its context

    def _after(self, failed: list[_Failed], question: Question, read: Callable[[bytes], T], end: float) -> T:
        """The next attempt, the first of which was made already and failed."""
        if failed:
            raise failed.pop()
        return self._attempt(question, read, end)

    def close(self) -> None:
        self._closed = True
        self._session.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled, since it holds its token: make one in each process")

    def _attempt(self, question: Question, read: Callable[[bytes], T], end: float) -> T:
        if self._closed:
            raise PolicyUnreachable("the client is closed")
        if (nobody_waits := abandoned.get()) and nobody_waits.is_set():
            raise PolicyUnreachable("nobody waits for the answer any more")
        if self._process != os.getpid():
            self._leave_to_the_parent()
        number = self._server(question)
        name = self._names[number]
        try:
            route = self._routes.get((number, question.path)) or self._route(number, question.path)
            headers = self._headers(route, question)
            connect, reply = self._timeout
            response = route.pool.urlopen(
                "GET" if question.body is None else "POST",
                route.target,
                body=question.body,
                headers=headers,
                retries=False,
                assert_same_host=False,  # behind a proxy it is another
                redirect=False,  # OPA never redirects, and health data must not follow whoever does
                timeout=Timeout(total=max(end - time.monotonic(), 0.001), connect=connect, read=reply),
                preload_content=False,  # it would read whatever comes, however long
            )
            body = body_of(response, question.longest)
        except (requests.RequestException, SSLError, LocationValueError) as caught:
            # An address, a certificate: asking again mends neither. A connection that is dropped while TLS begins, by
            # what stands before a server that restarts, is one that is dropped.
            passes = bool(caught.args) and isinstance(caught.args[0], _DROPPED)
            what = f"{'does not answer' if passes else 'cannot be asked'} ({_reason(caught)}{self._hint(caught)})"
            failure = _Failed(PolicyUnreachable(f"{name} {what}"), question, number, passes=passes)
        except (TooLong, DecodeError, InvalidHeader, ValueError, ArithmeticError, MemoryError) as caught:
            kind = "too long" if isinstance(caught, TooLong) else f"no HTTP ({type(caught).__name__})"
            failure = _Failed(ProtocolError(f"the reply of {name} is {kind}"), question, number)
        except (HTTPError, TimeoutError) as caught:
            reason = caught.reason if isinstance(caught, MaxRetryError) and caught.reason else caught
            unreachable = PolicyUnreachable(f"{name} does not answer ({type(reason).__name__})")
            failure = _Failed(unreachable, question, number, passes=True)
        except OSError as caught:  # a file with certificates, say
            failure = _Failed(PolicyUnreachable(f"{name} cannot be asked ({_reason(caught)})"), question, number)
        else:
            if response.status != 200:
                raise self._refusal(response, question, number)
            try:
                return read(body)
            except (PolicyNotLoaded, ProtocolError, RevisionRefused) as caught:
                failure = _Failed(type(caught)(f"{name}: {caught}"), question, number)
        raise failure  # out here, since what the library says may hold the request

    def _hint(self, error: Exception) -> str:
        """A server that asks for a certificate and gets none says so in many ways: by TLS 1.3 it may just hang up."""
        cause = error.args[0] if error.args else None
        asks = isinstance(cause, _DROPPED) or (
            isinstance(cause, ssl.SSLError) and re.search("ALERT_.*(CERTIFICATE|HANDSHAKE_FAILURE)", cause.reason or "")
        )
        return "; does it ask for a client_cert?" if asks and self._session.cert is None else ""

    def _server(self, question: Question) -> int:
        """The one that answered last, unless it failed this question for good."""
        number = self._preferred
        while number in question.left:
            number = (number + 1) % len(self._servers)
        return number

    def _refusal(self, response: BaseHTTPResponse, question: Question, number: int) -> _Failed:
        status, name = response.status, self._names[number]
        error: PolicyError
        if status in _PASSING_STATUS:
            error = PolicyUnreachable(f"{name} fails with status {status}")
            return _Failed(error, question, number, passes=True, retry_after=_retry_after(response))
        if status in (401, 403):
            error = PolicyRefused(f"{name} refuses the caller with status {status}")
        elif status == 404:
            error = PolicyNotLoaded(f"{name} has no such route; is it OPA's base address?")
        elif status >= 500:
            error = PolicyUnreachable(f"{name} fails with status {status}")
        else:
            error = ProtocolError(f"{name} answers with status {status}")
        return _Failed(error, question, number)

    def _leave_to_the_parent(self) -> None:
        """After a fork: whoever reads from a connection that two processes hold may get the other's decision."""
        self._adapter.init_poolmanager(len(self._servers), _CONNECTIONS)
        self._adapter.proxy_manager.clear()
        self._routes = {}
        self._process = os.getpid()

    def _route(self, number: int, path: str) -> Route:
        return self._routes.setdefault(
            (number, path), self._adapter.route(self._session, f"{self._servers[number]}/{path}")
        )

    def _headers(self, route: Route, question: Question) -> Mapping[str, str]:
        if self._token is None and not question.headers:
            return route.headers
        headers = CaseInsensitiveDict(route.headers)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._bearer(self._token)}"
        headers.update(question.headers or {})
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise InvalidValue("the name of a header is none that HTTP can carry")
            if not (isinstance(value, str) and value.isascii() and value.isprintable()):
                raise InvalidValue(f"the header {name} must be printable ASCII text")
        return dict(headers)  # a plain one is much faster to send

    def _bearer(self, token: str | Callable[[], str]) -> str:
        if not isinstance(token, str):
            try:
                token = token()
            except Exception as caught:  # of the caller, who is to have an error in its place
                kind = type(caught).__name__
            else:
                kind = ""
            if kind:
                raise PolicyRefused(f"there is no token: its callable raised {kind}")
        if not isinstance(token, str) or not token:
            raise PolicyRefused("there is no token: its callable returned none")
        if not (token.isascii() and token.isprintable()):
            raise InvalidValue("the token must be printable ASCII text, without the line break that ends its file")
        return token

    def _pause(self, state: RetryCallState) -> float:
        """What the server asks for; nothing while another server is left to try; else exponential with jitter."""
        failed = _failed(state)
        servers = len(self._servers) - len(failed.question.left)
        if failed.retry_after is not None and servers == 1:
            return failed.retry_after
        return 0.0 if not failed.passes or failed.question.passing % servers else _back_off(state)

    def _may_be_answered(self, error: BaseException) -> bool:
        return isinstance(error, _Failed) and len(error.question.left) < len(self._servers)

    def _before_sleep(self, state: RetryCallState) -> None:
        failed = _failed(state)
        failed.question.retries += 1
        if self._preferred == failed.server:  # unless another thread has moved on already
            self._preferred = (failed.server + 1) % len(self._servers)
        _log.warning("%s; attempt %d follows in %.1f s", failed.error, state.attempt_number + 1, state.upcoming_sleep)


def _check_files(ca_file: str | os.PathLike[str] | None, client_cert: str | tuple[str, str] | None) -> None:
    """Raises `InvalidValue` for what no connection could use: who starts a service sees it, and which file it is."""

    def locked() -> str:  # else OpenSSL asks the terminal
        raise ValueError("the key is encrypted, and there is no password")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificate, key = (client_cert, None) if isinstance(client_cert, str) else client_cert or (None, None)
    named = f"ca_file {ca_file}"
    try:
        if ca_file is not None and os.path.isdir(ca_file):
            if not any(_HASHED.fullmatch(file) for file in os.listdir(ca_file)):
                raise ValueError("no certificate in the folder is named by its hash: openssl rehash names them")
        elif ca_file is not None:
            context.load_verify_locations(os.fspath(ca_file))
        named = " and ".join(f"client_cert {file}" for file in (certificate, key) if file is not None)
        if certificate is not None:
            context.load_cert_chain(certificate, key, locked)
        return
    except ssl.SSLError as error:
        why = _words(error) if error.reason else "it holds no certificate with its key"
    except OSError as error:
        why = error.strerror or "no reason given"
    except ValueError as error:
        why = str(error)
    raise InvalidValue(f"{named} cannot be used: {why}")


def _words(error: ssl.SSLError) -> str:
    return (error.reason or "the connection was dropped").replace("_", " ").lower()


def _reason(error: Exception) -> str:
    """What was raised, and of TLS and of files also why: OpenSSL's words name host and certificate, those of a file its
    path, and nothing of the request. Of all else the words may hold it."""
    kind, cause = type(error).__name__, error.args[0] if error.args else error
    if isinstance(error, SSLError):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{kind}: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return f"{kind}: {_words(cause)}"
        return f"{kind}: {cause}"
    return kind if isinstance(error, (requests.RequestException, LocationValueError)) else f"{kind}: {error}"


def _sleep(seconds: float) -> None:
    nobody_waits = abandoned.get() or threading.Event()
    nobody_waits.wait(seconds)


class _Failed(Exception):
    """An attempt that failed: for a reason that `passes`, or the server is not asked again."""

    def __init__(
        self,
        error: PolicyError,
        question: Question,
        server: int,
        *,
        passes: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__()
        self.error = error
        self.question = question
        self.server = server
        self.passes = passes
        self.retry_after = retry_after
        if passes:
            question.passing += 1
        else:
            question.left.add(server)


def _failed(state: RetryCallState) -> _Failed:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Failed)  # nothing else is asked again
    return error


def _retry_after(response: BaseHTTPResponse) -> float | None:
    try:
        return Retry().get_retry_after(response)
    except (InvalidHeader, ValueError, OverflowError):  # a number or a year too long
        return None
