"""Requests, responses, and the one shape every layer of the client has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from cove.model.dataclasses import dataclass, field
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url


class Headers(Mapping[str, str]):
    """Response headers; names compare without regard to case, repeated ones are joined with ``, ``."""

    __slots__ = ("_values",)

    def __init__(self, pairs: list[tuple[str, str]] | Mapping[str, str] = ()) -> None:  # type: ignore[assignment]
        self._values: dict[str, str] = {}
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Body(Protocol):
    """A response body that is read once, either whole or in pieces."""

    def read(self) -> bytes:
        """Everything; raises ``TruncatedDownload`` when less arrives than was announced, ``IndexUnreachable`` on a break."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The pieces as they arrive; raises as ``read`` does."""
        ...

    def close(self) -> None:
        """Give the connection back; harmless when everything was read."""
        ...


@dataclass(slots=True)
class Request:
    """One HTTP request.

    ``url`` may carry user info, which the auth layer turns into a header; the transport never sees it. ``index`` is the index
    on whose behalf the request is made (it decides the credential and labels events), ``None`` for anything else.
    ``body`` is bytes, or a function that opens a fresh iterator of pieces each time the request is (re)sent, with
    ``content_length`` then given.
    """

    method: str
    url: Url
    headers: dict[str, str] = field(default_factory=dict, repr=False)  # they may hold Authorization
    index: Index | None = None
    body: bytes | Callable[[], Iterator[bytes]] | None = None
    content_length: int | None = None
    credential: Credential | None = None
    """Set by the caller to use exactly this credential, or by the auth layer to record which one was sent."""
    is_page: bool = False
    """Whether it asks ``index`` what it has. Only the index itself may say that: see ``http.redirects``."""
    most: int | None = None
    """A body of more bytes than this (decoded, where it is decoded) is an ``InvalidResponse``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A credential that was no use, and why: ``status`` is 401 or 403; 0 if it had expired and was not even sent."""

    credential: Credential
    status: int


@dataclass(slots=True)
class Response:
    """One HTTP response. ``url`` is the final URL after redirects (without user info): the base of relative links."""

    status: int
    headers: Headers
    url: Url
    body: Body
    credential: Credential | None = None
    """The credential that was sent with the request that got this answer, if any."""
    refusals: tuple[Refusal, ...] = ()
    """Those that were refused in this run where this answer comes from, in order."""
    places: tuple[str, ...] = ()
    """Where credentials were looked for, by the names of the providers."""
    from_cache: bool = False
    is_unasked: bool = False
    """From the cache, and the server was not asked whether it is still so."""
    digest: str = ""
    """SHA-256 of the body in hexadecimal, where the cache has it; else empty."""


Send = Callable[[Request], Response]


class Layer(Protocol):
    """One concern around the transport: it may change the request, answer itself, call ``send`` again, or change the answer."""

    def __call__(self, request: Request, send: Send) -> Response:
        """Answer ``request``, normally by calling ``send``. Thread-safe."""
        ...
