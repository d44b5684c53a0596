"""Every request on the wire becomes an event."""

from collections.abc import Iterator
from time import perf_counter

from cove.errors import CoveError
from cove.http.bodies import Watched
from cove.http.messages import Request, Response, Send
from cove.model.event import Listener, Noted, RequestDone
from cove.model.secret import MASK, Credential, Secret
from cove.model.url import Url

_TOLD = frozenset({
    "accept", "accept-encoding", "accept-ranges", "age", "cache-control", "content-encoding", "content-length", "content-range",
    "content-type", "date", "etag", "expires", "if-modified-since", "if-none-match", "if-range", "last-modified", "location",
    "range", "retry-after", "server", "vary", "via", "www-authenticate",
})  # fmt: skip
"""Headers whose values are told; of all others it is told that they are there."""


class Trace:
    """The innermost layer: tells the listener of each request once its body was read or closed, or once it failed.

    With ``headers``, those of request and answer are told too, without what may be secret.
    """

    def __init__(self, listener: Listener, *, headers: bool = False) -> None:
        self._listener = listener
        self._headers = headers

    def __call__(self, request: Request, send: Send) -> Response:
        """Send, and report when it is over."""
        began = perf_counter()

        def report(status: int, received: int) -> None:
            self._listener(
                RequestDone(
                    method=request.method,
                    url=request.url.public,
                    index=request.index.label if request.index is not None else "",
                    status=status,
                    seconds=perf_counter() - began,
                    received=received,
                    credential=str(request.credential.origin) if request.credential is not None else "",
                )
            )
            if self._headers:
                for line in _lines(request, response if status else None):
                    self._listener(Noted(line, level=2))

        try:
            response = send(request)
        except CoveError:
            report(0, 0)
            raise
        response.body = Watched(response.body, lambda received: report(response.status, received))
        return response


def _lines(request: Request, response: Response | None) -> Iterator[str]:
    secrets = tuple(_secrets(request))
    for name, value in request.headers.items():
        yield f"  > {name.lower()}: {value if name.lower() in _TOLD else MASK}"
    for name in sorted(response.headers) if response is not None else ():
        assert response is not None
        value = _place(response.url, response.headers[name]) if name == "location" else response.headers[name]
        for secret in secrets:
            value = value.replace(secret, MASK)
        yield f"  < {name}: {value if name in _TOLD else MASK}"


def _place(base: Url, location: str) -> str:
    """Where a redirect leads: its user info and its query may be keys."""
    try:
        target = str(base.without_credentials().join(location))
    except ValueError:
        return MASK
    head, question_mark, _ = target.partition("?")
    return head + question_mark + (MASK if question_mark else "")


def _secrets(request: Request) -> Iterator[str]:
    """Everything by which an answer would repeat a secret that was sent, longest first."""
    found: set[str] = set(request.credential.spellings()) if request.credential is not None else set()
    for name, value in request.headers.items():
        if name.lower() in _TOLD:
            continue
        scheme, _, rest = value.rpartition(" ")
        found |= {value, rest, *(_of_pair(rest) if scheme.lower() == "basic" else ())}
    return iter(sorted(filter(None, found), key=len, reverse=True))


def _of_pair(encoded: str) -> tuple[str, ...]:
    """The secret in a value of Basic authentication (RFC 7617), which those who ask on their own write themselves."""
    from base64 import b64decode  # noqa: PLC0415 - for those who want to see headers
    from binascii import Error  # noqa: PLC0415

    from cove.model.origin import DEFAULT  # noqa: PLC0415

    try:
        username, _, password = b64decode(encoded).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return ()
    return Credential(username, Secret(password), DEFAULT).spellings()
