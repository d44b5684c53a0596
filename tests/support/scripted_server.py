"""A server that answers what a test tells it to: for the answers that a well-behaved index never gives."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """A request as the server saw it; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """What to answer. ``announced`` overrides ``Content-Length`` (to truncate); ``delay`` is in seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    delay: float = 0.0


Script = Callable[[Received], Reply]


class ScriptedServer:
    """``url`` is the base URL without a trailing slash; ``log`` every request in order of arrival."""

    def __init__(self, script: Script, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.log: list[Received] = []
        outer = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                received = Received(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                with lock:
                    outer.log.append(received)
                reply = outer.script(received)
                if reply.delay:
                    threading.Event().wait(reply.delay)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                announced = len(reply.body) if reply.announced is None else reply.announced
                self.send_header("Content-Length", str(announced))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)
                if announced != len(reply.body):
                    self.close_connection = True

            do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815 - the names are http.server's

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Say nothing: clients that leave are what some tests are about."""

        self._server = Server((host, 0), Handler)
        if tls is not None:  # the handshake is done where the first byte is read, on the thread of the connection
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """A scripted server for the length of a ``with`` block."""
    server = ScriptedServer(script, tls=tls)
    try:
        yield server
    finally:
        server.close()
