"""How HTTP/2 is spoken: what a client states of itself when it connects (RFC 9113)."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cove.errors import NetworkError
from cove.http.messages import Request
from cove.http.transport import Transport, TransportOptions
from cove.model.url import Url
from support.certificates import Authority

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _WINDOW_UPDATE, _INITIAL_WINDOW_SIZE = 4, 8, 4


@contextmanager
def listening(authority: Authority, said: list[bytes]) -> Iterator[str]:
    """A server that hears what the client says first, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = authority.server_context()
        context.set_alpn_protocols(["h2"])

        def hear() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.settimeout(5)
                while len(b"".join(said)) < len(_PREFACE) + 60:
                    said.append(secured.recv(4096))

        thread = threading.Thread(target=hear)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


def frames(said: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of each whole frame (RFC 9113, 4.1)."""
    rest = said.removeprefix(_PREFACE)
    while len(rest) >= 9:
        length = int.from_bytes(rest[:3])
        yield rest[3], rest[9 : 9 + length]
        rest = rest[9 + length :]


def test_long_pages_are_sent_without_waiting_for_leave(tmp_path: Path) -> None:
    authority, said = Authority(tmp_path), list[bytes]()
    with listening(authority, said) as url:
        transport = Transport(TransportOptions(cert_file=str(authority.ca), read_timeout=2))
        try:
            transport.send(Request("GET", Url.parse(url)))
        except NetworkError:
            pass  # the server never answers
        finally:
            transport.close()
    found = dict(frames(b"".join(said)))
    settings = dict(struct.iter_unpack(">HL", found[_SETTINGS]))
    assert settings[_INITIAL_WINDOW_SIZE] >= 2 * 1024 * 1024
    assert int.from_bytes(found[_WINDOW_UPDATE]) >= 16 * 1024 * 1024
