"""A server before which one must say who one is."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from support.scripted_server import Received, Reply, Script


def basic(username: str, password: str) -> str:
    """The value of ``Authorization`` (RFC 7617)."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


@dataclass
class Gate:
    """Lets through to ``inner`` whoever sends one of ``keys`` in ``header``; ``statuses`` are for other values, by value (the
    empty one: nothing was sent), else it is 401. ``seen`` has what was sent, in order; ``is_open`` are paths without a gate."""

    inner: Script
    keys: set[str]
    header: str = "authorization"
    statuses: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    is_open: Callable[[str], bool] = lambda _: False

    def __call__(self, request: Received) -> Reply:
        sent = request.headers.get(self.header, "")
        self.seen.append(sent)
        if sent in self.keys or self.is_open(request.path):
            return self.inner(request)
        return Reply(self.statuses.get(sent, 401), b"", {"WWW-Authenticate": 'Basic realm="test"'})
