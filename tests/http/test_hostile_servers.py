"""Servers that mean harm, or are broken as if they did: every answer ends, in bounded memory, with a clear error."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from cove.errors import CoveError, IndexUnreachable, InvalidResponse
from cove.formats.page_entry import MOST_FILES
from cove.http.client import standard_client
from cove.http.transport import Transport, TransportOptions
from cove.index import simple
from cove.index.simple import SimpleIndex
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Unavailable
from cove.model.url import Url
from support.scripted_server import Reply, serving

Script = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@contextmanager
def raw(script: Script) -> Iterator[str]:
    """A server that writes what it likes to each connection; its URL."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            script(connection)
            ended.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def error_of(url: str, *, timeout: float = 0.3) -> CoveError:
    """What comes of asking an index there, within five seconds."""
    began = time.monotonic()
    with standard_client(Transport(TransportOptions(read_timeout=timeout)), retries=0) as client:
        outcome = SimpleIndex(Index(Url.parse(f"{url}/simple/"), name="corp"), client).project(Name("foo"))
    assert time.monotonic() - began < 5
    assert isinstance(outcome, Unavailable)
    return outcome.error


def forever(piece: bytes, pause: float = 0) -> Script:
    def send(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)
            if pause:
                time.sleep(pause)

    return send


def after(start: bytes, then: Script) -> Script:
    def send(connection: socket.socket) -> None:
        connection.sendall(start)
        then(connection)

    return send


def test_a_body_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple, "LARGEST_PAGE", 4 * 1024 * 1024)
    with raw(after(HEAD + b"\r\n", forever(b"<br>\n" * 20000))) as url:
        error = error_of(url)
    assert isinstance(error, InvalidResponse)
    assert "corp sent more than 4 MB" in error.message


def test_a_page_that_unpacks_to_more_than_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple, "LARGEST_PAGE", 4 * 1024 * 1024)
    bomb = gzip.compress(b"<br>" * 2 * 1024 * 1024)
    assert len(bomb) < 100_000
    with serving(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip", "Content-Type": "text/html"})) as server:
        assert "more than 4 MB" in error_of(server.url).message


@pytest.mark.parametrize(
    "start",
    [HEAD + b"Content-Length: 1000000\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n100000\r\n", HEAD + b"\r\n"],
)
def test_a_body_that_trickles(start: bytes) -> None:
    with raw(after(start, forever(b"x", 0.05))) as url:
        error = error_of(url)
    assert isinstance(error, IndexUnreachable)
    assert "too slowly" in error.message
    assert "UV_HTTP_TIMEOUT" in error.hints[0]


def test_headers_that_trickle() -> None:
    with raw(after(HEAD, forever(b"X", 0.05))) as url:
        error = error_of(url)
    assert isinstance(error, IndexUnreachable)
    assert "did not answer in time" in error.message


def test_silence() -> None:
    with raw(lambda _: None) as url:
        assert "did not answer in time" in error_of(url).message
    with raw(lambda connection: connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n<a")) as url:
        assert "stopped sending" in error_of(url).message


@pytest.mark.parametrize(
    "script",
    [
        after(HEAD, forever(b"X-A: " + b"y" * 60 + b"\r\n")),
        after(HEAD + b"X-A: ", forever(b"y" * 65536)),
        after(b"SSH-2.0-OpenSSH_9.6\r\n", lambda _: None),
        after(b"HTTP/1.1 abc\r\n\r\n", lambda _: None),
        after(HEAD + b"Content-Length: -1\r\n\r\n", lambda _: None),
    ],
    ids=["many headers", "a long header", "another protocol", "no status", "a negative length"],
)
def test_what_is_not_sound_http(script: Script) -> None:
    with raw(script) as url:
        error = error_of(url)
    assert isinstance(error, InvalidResponse)
    assert "not sound HTTP" in error.message
    assert "corp" in error.message


def test_a_connection_that_is_closed_at_once() -> None:
    with raw(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as url:
        assert isinstance(error_of(url), IndexUnreachable)


def test_redirects_without_end() -> None:
    with serving(lambda seen: Reply(302, b"", {"Location": seen.path + "x/"})) as server:
        assert "more than 10 times" in error_of(server.url).message
        assert len(server.log) == 11


@pytest.mark.parametrize(
    "content_type, body",
    [
        (
            "application/json",
            b'{"files": [' + b",".join([b'{"filename":"f","url":"f"}'] * (MOST_FILES + 1)) + b"]}",
        ),
        ("text/html", b"<a href=f></a>" * (MOST_FILES + 1)),
    ],
    ids=["json", "html"],
)
def test_more_files_than_are_believed(content_type: str, body: bytes) -> None:
    with serving(lambda _: Reply(200, body, {"Content-Type": content_type})) as server:
        error = error_of(server.url, timeout=5)
    assert isinstance(error, InvalidResponse)
    assert f"lists {MOST_FILES + 1} files" in error.message
