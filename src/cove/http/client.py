"""The one client: layers around a transport, in an order that is written down here."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from cove.http.concurrency import Concurrency
from cove.http.messages import Layer, Request, Response, Send
from cove.http.offline import Offline
from cove.http.range_memory import RangeMemory
from cove.http.redirects import Redirects
from cove.http.retry import Retry
from cove.http.trace import Trace
from cove.model.event import Listener, ignore
from cove.model.index import Index
from cove.model.url import Url


class Sender(Protocol):
    """What is innermost: it sends one request as it is."""

    def send(self, request: Request) -> Response:
        """One request over the wire. Thread-safe."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


class Client:
    """Sends requests through ``layers``, outermost first, to ``transport``; every request on the wire becomes an event.

    With ``headers`` the listener is told of headers too. Thread-safe. ``ranges`` remembers per realm which servers
    understand range requests.
    """

    def __init__(
        self, transport: Sender, layers: Sequence[Layer] = (), listener: Listener = ignore, *, headers: bool = False
    ) -> None:
        self.ranges = RangeMemory()
        self._transport = transport
        self._send = _composed((*layers, Trace(listener, headers=headers)), transport.send)

    def send(self, request: Request) -> Response:
        """The answer, whatever its status; raises ``NetworkError`` and ``CredentialsError`` kinds when there is none."""
        return self._send(request)

    def get(
        self,
        url: Url,
        *,
        index: Index | None = None,
        headers: Mapping[str, str] | None = None,
        is_page: bool = False,
        most: int | None = None,
    ) -> Response:
        """``send`` for a plain GET; ``is_page`` and ``most`` as in ``Request``."""
        return self._send(Request("GET", url, dict(headers or {}), index, is_page=is_page, most=most))

    def close(self) -> None:
        """Let go of all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def standard_client(
    transport: Sender,
    *,
    auth: Layer | None = None,
    cache: Layer | None = None,
    offline: bool = False,
    retries: int = 3,
    mirrors: Layer | None = None,
    listener: Listener = ignore,
    headers: bool = False,
) -> Client:
    """The client of every command.

    Mirrors are outermost, because they come after all retries; retry is next, because a page that breaks off half-way is
    noticed where the cache reads it; the cache stands above offline, because it may answer without the network; redirects
    stand above auth, which thereby judges every hop anew; concurrency is innermost, because only a request on the wire takes
    a place.
    """
    layers: list[Layer] = [mirrors] if mirrors is not None else []
    layers.append(Retry(retries))
    if cache is not None:
        layers.append(cache)
    if offline:
        layers.append(Offline())
    layers.append(Redirects())
    if auth is not None:
        layers.append(auth)
    layers.append(Concurrency())
    return Client(transport, layers, listener, headers=headers)


def _composed(layers: Sequence[Layer], send: Send) -> Send:
    for layer in reversed(layers):
        send = _around(layer, send)
    return send


def _around(layer: Layer, send: Send) -> Send:
    def through(request: Request) -> Response:
        return layer(request, send)

    return through
