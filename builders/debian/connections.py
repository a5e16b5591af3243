"""Requests by HTTP over connections that are kept: each thread asks a server again on its last one.

Fetching a hundred packages then takes one look-up of the server's name and, by HTTPS, a handshake
for each thread, not for each file: resolvers drop the questions of who asks hundreds a second, and
an answer that got lost costs five seconds.
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from email.message import Message
from typing import Final, Protocol

_REDIRECTIONS: Final = 10
_SMALL: Final = 1 << 16
"""Bytes that are read rather than giving a connection up."""
_STALE: Final = (ConnectionError, http.client.RemoteDisconnected)
"""How a kept connection turns out to have been closed by the server."""


class Answer(Protocol):
    """What a server answers: a status, headers, and a body to read."""

    status: int

    @property
    def headers(self) -> Message:
        """What goes before the body."""

    def read(self, amount: int, /) -> bytes:
        """At most `amount` bytes of the body; none at its end."""


@contextmanager
def opened(uri: str, headers: Mapping[str, str], timeout: float) -> Iterator[Answer]:
    """The answer to a GET of `uri`; `timeout` is seconds without a sign of the server.

    Raises urllib.error.HTTPError for a status that is no success, urllib.error.URLError for a
    server that cannot be reached, OSError or http.client.HTTPException for what breaks off later.
    """
    parts = _split(uri)
    if parts.scheme not in ("http", "https") or _by_proxy(parts):
        request = urllib.request.Request(uri, headers=dict(headers))
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            yield answer
        return
    for _ in range(_REDIRECTIONS):
        connection, answer = _asked(parts, headers, timeout)
        try:
            if answer.status not in (301, 302, 303, 307, 308):
                _check_status(uri, answer)
                yield answer
                return
            parts = _redirected(uri, parts, answer)
        finally:
            if not answer.isclosed():
                answer.read(_SMALL)
            if not answer.isclosed():  # what was not read would be taken for the next answer
                answer.close()
                connection.close()
    raise urllib.error.URLError(f"it leads to more than {_REDIRECTIONS} other places")


def _split(uri: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(uri)
        parts.port  # noqa: B018  (raises for what is no number)
    except ValueError as error:
        raise urllib.error.URLError(str(error)) from error
    return parts


def _by_proxy(parts: urllib.parse.SplitResult) -> bool:
    proxies = urllib.request.getproxies()
    return parts.scheme in proxies and not urllib.request.proxy_bypass(parts.hostname or "")


def _check_status(uri: str, answer: http.client.HTTPResponse) -> None:
    if not 200 <= answer.status < 300:
        raise urllib.error.HTTPError(uri, answer.status, answer.reason, answer.headers, None)


def _redirected(
    uri: str, parts: urllib.parse.SplitResult, answer: http.client.HTTPResponse
) -> urllib.parse.SplitResult:
    target = answer.headers.get("Location", "")
    other = _split(urllib.parse.urljoin(parts.geturl(), target))
    if other.scheme not in ("http", "https") or not other.hostname:
        raise urllib.error.HTTPError(
            uri, answer.status, f"leads to {target!r}", answer.headers, None
        )
    return other


# ---------------------------------------------------------------- connections


_kept = threading.local()
"""`connections`: those of the thread, by scheme and server."""

_Server = tuple[str, str]


def _asked(
    parts: urllib.parse.SplitResult, headers: Mapping[str, str], timeout: float
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """The head of the answer, by the connection that is kept or, if that is no more, a new one."""
    connections: dict[_Server, http.client.HTTPConnection]
    connections = _kept.__dict__.setdefault("connections", {})
    server = (parts.scheme, parts.netloc)
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    connection = connections.get(server)
    if connection is not None and connection.sock is not None:
        connection.sock.settimeout(timeout)
        try:
            connection.request("GET", target, headers=dict(headers))
            return connection, connection.getresponse()
        except _STALE:
            connection.close()
        except BaseException:
            connection.close()
            raise
    kind = _Secure if parts.scheme == "https" else _Plain
    connection = connections[server] = kind(
        parts.hostname or "", parts.port or kind.default_port, timeout=timeout
    )
    try:
        try:
            connection.connect()
        except OSError as error:
            raise urllib.error.URLError(error) from error
        connection.request("GET", target, headers=dict(headers))
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        """Connect to an address of the server."""
        self.sock = _connected(self.host, self.port, self.timeout)


class _Secure(http.client.HTTPSConnection):
    def connect(self) -> None:
        """Connect to an address of the server, and check that it is the one."""
        plain = _connected(self.host, self.port, self.timeout)
        try:
            self.sock = _trust().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


@functools.cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _connected(host: str, port: int, timeout: float | None) -> socket.socket:
    refused: OSError | None = None
    for address in _addresses(host, port):
        try:
            connection = socket.create_connection((address, port), timeout)
        except OSError as error:
            refused = error
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    _forget(host)
    raise refused or OSError(f"{host} has no address")


# ---------------------------------------------------------------- names of servers


_looked_up: dict[str, Future[list[str]]] = {}
_lock = threading.Lock()


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of `host`. Threads that want them at the same time ask once, together."""
    with _lock:
        found = _looked_up.get(host)
        ours = found is None
        if found is None:
            found = _looked_up[host] = Future()
    if ours:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in entries)))
        except BaseException as error:
            _forget(host)
            found.set_exception(error)
    return found.result()


def _forget(host: str) -> None:
    """Look `host` up anew next time."""
    with _lock:
        _looked_up.pop(host, None)
