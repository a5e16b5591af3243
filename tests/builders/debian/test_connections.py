"""Connections are kept, names are looked up once, and what servers do on the way is borne."""

from __future__ import annotations

import socket
import threading
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from builders.debian import connections


class Quiet(ThreadingHTTPServer):
    """Says nothing about clients that go away."""

    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        pass


class Server:
    """Speaks HTTP/1.1; `peers` are the connections that requests came by."""

    def __init__(self) -> None:
        self.peers: list[tuple[str, int]] = []
        self.hang_up = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                server.answer(self)

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.base = f"http://localhost:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.peers.append(request.client_address)
        path = request.path
        status = 302 if path in ("/moved", "/circle") else 404 if path == "/none" else 200
        body = path.encode() * (1 << 15 if path == "/big" else 1)
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if status == 302:
            request.send_header("Location", "a" if path == "/moved" else "/circle")
        request.end_headers()
        request.wfile.write(body)
        request.close_connection = self.hang_up


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    connections._kept.__dict__.clear()
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def get(uri: str, amount: int = 1 << 20) -> bytes:
    with connections.opened(uri, {}, 10) as answer:
        return answer.read(amount)


def test_a_connection_serves_many_requests(server: Server) -> None:
    assert [get(f"{server.base}/{name}") for name in "abc"] == [b"/a", b"/b", b"/c"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{server.base}/none")
    assert get(f"{server.base}/moved") == b"/a"
    assert len(server.peers) == 6
    assert len(set(server.peers)) == 1


def test_a_connection_that_the_server_gave_up_is_made_anew(server: Server) -> None:
    server.hang_up = True
    assert get(f"{server.base}/a") == get(f"{server.base}/a") == b"/a"
    assert len(set(server.peers)) == 2


def test_an_answer_that_is_not_read_is_not_taken_for_the_next(server: Server) -> None:
    assert get(f"{server.base}/big", 10) == b"/big/big/b"
    assert get(f"{server.base}/a") == b"/a"


def test_a_name_is_looked_up_once_for_all_threads(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, *arguments: int, **options: int) -> object:
        if host == "localhost":
            asked.append(host)
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    connections._forget("localhost")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(get, [f"{server.base}/a"] * 40)) == {b"/a"}
    assert len(asked) == 1
    assert len(set(server.peers)) <= 4


def test_a_name_that_nobody_knows_is_unreachable_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_arguments: object, **_options: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for _ in range(2):
        with pytest.raises(urllib.error.URLError, match="not known"):
            get("http://nowhere.invalid/a")
    assert "nowhere.invalid" not in connections._looked_up


@pytest.mark.parametrize("uri", ["http://localhost:port/a", "http://[::1/a"])
def test_what_is_no_address_is_unreachable(uri: str) -> None:
    with pytest.raises(urllib.error.URLError):
        get(uri)


def test_going_round_in_circles_ends(server: Server) -> None:
    with pytest.raises(urllib.error.URLError, match="10 other places"):
        get(f"{server.base}/circle")
