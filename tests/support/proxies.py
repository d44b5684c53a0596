"""Small proxies: HTTP with ``CONNECT``, and SOCKS 5. Every host is reached on the loopback interface."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """``asked`` has ``CONNECT host:port``, ``GET url`` or ``SOCKS host:port`` in order; ``credentials`` what came along."""

    kind: str
    port: int = 0
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    behind: int = 0
    """Where every ``CONNECT`` leads; 0: to the port that was asked for."""

    def url(self, userinfo: str = "") -> str:
        at = f"{userinfo}@" if userinfo else ""
        return f"{self.kind}://{at}127.0.0.1:{self.port}"


@contextmanager
def proxying(kind: str = "http", *, behind: int = 0) -> Iterator[Proxy]:
    """An ``http`` or ``socks5`` proxy for the length of a ``with`` block."""
    proxy = Proxy(kind, behind=behind)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=_serve, args=(proxy, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield proxy
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _serve(proxy: Proxy, client: socket.socket) -> None:
    with client, suppress(OSError, ValueError):
        server, first = (_socks if proxy.kind.startswith("socks") else _http)(proxy, client)
        with server:
            if first:
                server.sendall(first)
            _pass_on(client, server)


def _http(proxy: Proxy, client: socket.socket) -> tuple[socket.socket, bytes]:
    head = b""
    while b"\r\n\r\n" not in head:
        received = client.recv(65536)
        if not received:
            raise OSError("no request")
        head += received
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    proxy.asked.append(f"{method} {target}")
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "proxy-authorization":
            proxy.credentials.append(base64.b64decode(value.partition(" ")[2]).decode())
    if method == "CONNECT":
        server = socket.create_connection(("127.0.0.1", proxy.behind or int(target.rpartition(":")[2])))
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return server, b""
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    rest = "\r\n".join([f"{method} {path} HTTP/1.1", "Connection: close", *lines[1:]])
    return socket.create_connection(("127.0.0.1", parts.port or 80)), rest.encode("latin-1")


def _socks(proxy: Proxy, client: socket.socket) -> tuple[socket.socket, bytes]:
    """RFC 1928, and RFC 1929 where the client offers user name and password."""
    _, count = _exactly(client, 2)
    if 2 in _exactly(client, count):
        client.sendall(b"\x05\x02")
        _, length = _exactly(client, 2)
        user = _exactly(client, length)
        password = _exactly(client, _exactly(client, 1)[0])
        proxy.credentials.append(f"{user.decode()}:{password.decode()}")
        client.sendall(b"\x01\x00")
    else:
        client.sendall(b"\x05\x00")
    kind = _exactly(client, 4)[3]
    host = socket.inet_ntoa(_exactly(client, 4)) if kind == 1 else _exactly(client, _exactly(client, 1)[0]).decode()
    port = int.from_bytes(_exactly(client, 2), "big")
    proxy.asked.append(f"SOCKS {host}:{port}")
    server = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
    return server, b""


def _exactly(client: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        piece = client.recv(count - len(received))
        if not piece:
            raise OSError("the client has gone")
        received += piece
    return received


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                target.sendall(received)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join(5)
