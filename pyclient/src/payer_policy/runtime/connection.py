"""Connections to a server, made and answered within their time limits, and replies no longer than they may be."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import requests
from payer_policy.runtime.errors import InvalidValue, ProtocolError
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family


@dataclass(frozen=True, repr=False)  # it would show a password
class Route:
    """Where a path is asked for, and with which headers: proxies, CA and netrc settings resolved."""

    pool: HTTPConnectionPool
    target: str
    headers: dict[str, str]


class Adapter(HTTPAdapter):
    """Resolves the settings of a session once for a route; on every question that costs more than the rest."""

    def route(self, session: requests.Session, url: str) -> Route:
        prepared = session.prepare_request(requests.Request("POST", url))
        assert prepared.url is not None
        settings = session.merge_environment_settings(prepared.url, {}, False, session.verify, session.cert)
        pool = cast(
            HTTPConnectionPool,
            self.get_connection_with_tls_context(
                prepared, settings["verify"], proxies=settings["proxies"], cert=settings["cert"]
            ),
        )
        if pool.ConnectionCls not in (_HTTP, _HTTPS, HTTPConnection, HTTPSConnection):
            raise InvalidValue("a proxy that is not HTTP is not supported")
        pool.ConnectionCls = _HTTPS if pool.scheme == "https" else _HTTP
        headers = {name: value for name, value in prepared.headers.items() if name != "Content-Length"}
        return Route(pool, self.request_url(prepared, settings["proxies"]), headers)


class _Watchdog:
    """Ends a reply that takes too long as a whole, since the time-out of a socket starts anew with every byte.

    One daemon thread for the process, asleep while there is nothing to watch.
    """

    _TICK = 0.05  # seconds

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._watched: dict[object, tuple[float, socket.socket]] = {}
        self._busy = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, connection: socket.socket, end: float) -> Iterator[None]:
        """Raises `TimeoutError` when the block takes longer; whatever waits for the socket then sees its end."""
        key = object()
        self._watched[key] = (end, connection)
        if self._thread is None:
            self._start()
        if not self._busy.is_set():
            self._busy.set()
        try:
            yield
        finally:
            if self._watched.pop(key, None) is None:
                raise TimeoutError

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="payer-policy-watchdog", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._busy.wait():
            self._busy.clear()
            while self._watched:
                now = time.monotonic()
                for key, (end, connection) in self._watched.copy().items():
                    if end <= now and self._watched.pop(key, None) is not None:
                        with suppress(OSError, TypeError):  # closed meanwhile; TLS within TLS is no socket
                            # Not SSLSocket.shutdown, which drops the TLS state under the thread that reads.
                            socket.socket.shutdown(connection, socket.SHUT_RDWR)
                time.sleep(self._TICK)


_watchdog = _Watchdog()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_watchdog.reset)  # a child inherits no thread


class _Limited(HTTPConnection):
    """A connection that is made, and a reply that is given, within one time-out each."""

    making: ExitStack
    """What limits the making of the connection."""

    end: float
    """When the reply must be there."""

    answering: socket.socket
    """Whence it comes: a connection that is to be closed lets go of its socket before the body is read."""

    def connect(self) -> None:
        """With the answer of a proxy, which may come byte by byte."""
        with ExitStack() as self.making:
            super().connect()

    def _new_conn(self) -> socket.socket:
        """urllib3 grants the whole time-out to each address of a name; here they share one, equally."""
        name, timeout = self._dns_host, cast(float, self.timeout)
        end = time.monotonic() + timeout
        addresses = [name]
        with suppress(OSError, UnicodeError):  # which urllib3 meets again, and tells
            found = socket.getaddrinfo(name.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM)
            addresses = [socket.getnameinfo(each[4], _AS_NUMBERS)[0] for each in found] or addresses
        try:
            for left in range(len(addresses), 1, -1):
                self._dns_host, self.timeout = addresses[-left], max((end - time.monotonic()) / left, 0.001)
                with suppress(ConnectTimeoutError, NewConnectionError):
                    return self._watched(super()._new_conn(), timeout, end)
            self._dns_host, self.timeout = addresses[-1], max(end - time.monotonic(), 0.001)
            return self._watched(super()._new_conn(), timeout, end)
        finally:
            self._dns_host, self.timeout = name, timeout

    def _watched(self, connection: socket.socket, timeout: float, end: float) -> socket.socket:
        connection.settimeout(timeout)
        twin = self.making.enter_context(connection.dup())  # TLS takes the socket itself over
        self.making.enter_context(_watchdog.limit(twin, end))
        return connection

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        self.end = time.monotonic() + (self.timeout or 0)  # by now its time-out is that for reading
        self.answering = self.sock
        with _watchdog.limit(self.answering, self.end):
            return super().getresponse()


_AS_NUMBERS = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class _HTTP(_Limited, HTTPConnection): ...


class _HTTPS(_Limited, HTTPSConnection): ...


class TooLong(ProtocolError): ...


_PIECE = 1 << 16  # bytes


def body_of(response: BaseHTTPResponse, longest: int) -> bytes:
    """The body of a reply, decoded. Raises `TooLong` as soon as it is, whatever the head and the chunks announce."""
    connection = cast(_Limited, response.connection)
    body = bytearray()
    try:
        with _watchdog.limit(connection.answering, connection.end):
            # At most a piece at a time: http.client reads without a bound, in one go, a chunk of length -1.
            while piece := cast(HTTPResponse, response).read1(_PIECE, decode_content=True):
                body += piece
                if len(body) > longest:
                    raise TooLong
    except BaseException:
        response.close()
        raise
    finally:
        response.release_conn()
    return bytes(body)
