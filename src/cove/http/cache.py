"""A private cache (RFC 9111) for the pages of indexes."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cove.config.atomic import write_beside
from cove.errors import OfflineError
from cove.http.bodies import Whole
from cove.http.dates import http_date
from cove.http.messages import Headers, Request, Response, Send
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Listener, Noted, ignore
from cove.model.url import Url

_MAGIC = "cove-page 2"
_TYPES = frozenset({"application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html"})
_KEPT = ("content-type", "etag", "last-modified", "cache-control", "expires", "date", "age", "x-pypi-last-serial")


class Cache:
    """Answers GETs of Simple API pages made on behalf of an index; files pass by (the store keeps those, by hash).

    An entry belongs to an index, a URL, what was asked for (``Accept``) and an owner: ``owner(request)`` is a fingerprint
    of whoever asks, so that a page seen with one credential is never shown to another. The password is no part of it, and
    nothing derived from it is written. ``refresh`` revalidates whatever is older than this object. Without the network (an
    ``Offline`` layer below) entries are served however old they are.

    Entries are one file each: a line of JSON, then the body; written beside and renamed, in a folder only the user can read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        owner: Callable[[Request], str],
        refresh: bool = False,
        listener: Listener = ignore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._owner = owner
        self._listener = listener
        self._clock = clock
        self._trusted_since = clock() if refresh else 0.0

    def __call__(self, request: Request, send: Send) -> Response:
        """From the cache if fresh; else revalidated; else fetched, and kept if it may be."""
        if (
            request.method != "GET"
            or request.index is None
            or not _PASSING_BY.isdisjoint(map(str.lower, request.headers))
        ):
            return send(request)
        path = self._path(request)
        entry = _load(path)
        if _asks_stored(request):
            if entry is None:
                raise OfflineError(f"the page {request.url} is not in the cache")
            return entry.response()
        if entry is not None and self._is_fresh(entry, request):
            return replace(entry.response(), is_unasked=True)
        try:
            response = send(request if entry is None else self._conditional(request, entry))
        except OfflineError:
            if entry is not None:
                return entry.response()
            raise
        if response.status == 304 and entry is not None:
            response.body.close()
            known, place = entry, self._path(request)
            entry = replace(entry, headers={**entry.headers, **_kept(response.headers)}, stored=self._clock())
            if place != path or _is_worth_keeping(entry, known, request):
                self._keep(place, entry)
            return replace(entry.response(), credential=response.credential)
        if not _may_store(response, request):
            return response
        body = response.body.read()
        digest = hashlib.sha256(body).hexdigest()
        entry = _Entry(response.url.public, _kept(response.headers), Whole(body), self._clock(), digest)
        if not _echoes(response, entry):
            self._keep(self._path(request), entry)  # the owner may be another by now: see ``cove.auth.answers``
        return replace(response, body=entry.body, digest=digest)

    def _path(self, request: Request) -> str:
        assert request.index is not None
        accept = next((value for name, value in request.headers.items() if name.lower() == "accept"), "")
        key = json.dumps([request.index.url.public, request.url.public, accept, self._owner(request)])
        digest = hashlib.sha256(key.encode()).hexdigest()
        return os.path.join(self._folder, digest[:2], digest[2:])

    def _is_fresh(self, entry: "_Entry", request: Request) -> bool:
        now = self._clock()
        if not self._trusted_since <= entry.stored <= now:  # an entry from the future tells of a clock that was changed
            return False
        if asks_anew(request):
            return False
        return now - entry.stored < lifetime(Headers(entry.headers), _override(request))

    def _conditional(self, request: Request, entry: "_Entry") -> Request:
        headers = dict(request.headers)
        if self._trusted_since:
            headers |= ANEW
        if "etag" in entry.headers:
            headers["If-None-Match"] = entry.headers[
                "etag"
            ]  # RFC 9110, 13.1.2: weak comparison, so weak ones serve too
        if "last-modified" in entry.headers:
            headers["If-Modified-Since"] = entry.headers["last-modified"]
        return replace(request, headers=headers)

    def _keep(self, path: str, entry: "_Entry") -> None:
        try:
            try:
                write_beside(path, entry.encoded())
            except FileNotFoundError:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                write_beside(path, entry.encoded())
        except OSError as error:
            self._listener(Noted(f"the page {entry.url} could not be kept in the cache: {error.strerror}"))


def ask_anew(request: Request, send: Send) -> Response:
    """A layer in the place of a ``Cache``: nothing is kept, and caches on the way are to ask too (RFC 9111, 5.2.1.4)."""
    return send(replace(request, headers={**request.headers, **ANEW}))


ANEW = {"Cache-Control": "no-cache"}
"""What a request says to have every cache, ours too, ask the server (RFC 9111, 5.2.1.4)."""


STORED = {"Cache-Control": "only-if-cached"}
"""What a request says to have the cache answer, however old that is, and nobody else (RFC 9111, 5.2.1.7)."""


def _asks_stored(request: Request) -> bool:
    return request.headers.get("Cache-Control") == STORED["Cache-Control"]


def asks_anew(request: Request) -> bool:
    """Whether a request says so."""
    return any(
        name.lower() == "cache-control" and "no-cache" in _directives(value) for name, value in request.headers.items()
    )


_PASSING_BY = frozenset({"range", "if-none-match", "if-modified-since", "authorization"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """``stored`` is in seconds since the epoch."""

    url: str
    headers: Mapping[str, str]
    body: "Whole | _Stored"
    stored: float
    digest: str

    def response(self) -> Response:
        return Response(200, Headers(self.headers), Url(self.url), self.body, from_cache=True, digest=self.digest)

    def encoded(self) -> bytes:
        body = self.body.read()
        head = {
            "magic": _MAGIC,
            "url": self.url,
            "headers": dict(self.headers),
            "stored": self.stored,
            "digest": self.digest,
            "length": len(body),
        }
        return json.dumps(head).encode() + b"\n" + body


class _Stored:
    """The body of an entry, read when somebody wants it: of a page that has not changed, the digest is often enough.

    What another process has put there meanwhile is a later answer to the same question, and is as good.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> bytes:
        with open(self._path, "rb") as file:
            file.readline()
            return file.read()

    def chunks(self) -> Iterator[bytes]:
        yield self.read()

    def close(self) -> None:
        """Nothing is open."""


def _is_worth_keeping(entry: _Entry, known: _Entry, request: Request) -> bool:
    """Whether what a 304 says of an entry makes a difference next time: how long it stays fresh, or by what it is known."""
    if lifetime(Headers(entry.headers), _override(request)):
        return True
    return any(
        entry.headers.get(name) != known.headers.get(name) for name in ("etag", "last-modified", "cache-control")
    )


def lifetime(headers: Headers, override: str | None = None) -> float:
    """For how many seconds after it was received an answer is fresh (RFC 9111, 4.2); 0 when it must be revalidated.

    ``override`` replaces the answer's ``Cache-Control`` (the ``cache-control`` setting of an index). There is no guessing
    from ``Last-Modified``: a page that was published to a moment ago must not look old.
    """
    directives = _directives(override if override is not None else headers.get("cache-control", ""))
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    age = _number(headers.get("age", ""), 0.0) if override is None else 0.0
    if "max-age" in directives:
        return max(0.0, _number(directives["max-age"], 0.0) - age)
    if "immutable" in directives:
        return 365 * 86400.0
    expires, date = http_date(headers.get("expires", "")), http_date(headers.get("date", ""))
    if override is None and expires is not None and date is not None:
        return max(0.0, (expires - date).total_seconds() - age)
    return 0.0


def _directives(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}


def _number(text: str, otherwise: float) -> float:
    """RFC 9111, 1.2.2: seconds as digits; more than fit count as a very long time."""
    text = text.strip()
    return float(text[:12]) if text.isascii() and text.isdigit() else otherwise


def _override(request: Request) -> str | None:
    return request.index.cache_control.get("api") if request.index is not None else None


def _may_store(response: Response, request: Request) -> bool:
    if response.status != 200:
        return False
    override = _override(request)
    if "no-store" in _directives(override if override is not None else response.headers.get("cache-control", "")):
        return False
    if response.headers.get("vary", "").strip() == "*":
        return False
    if response.url.query and response.url.public != request.url.public:
        return False  # a redirect to a signed URL: its query is a credential, which is not written anywhere
    return response.headers.get("content-type", "").partition(";")[0].strip().lower() in _TYPES


def _echoes(response: Response, entry: _Entry) -> bool:
    """Whether the page holds the password it was asked for with, as those do that put it into their links."""
    if response.credential is None:
        return False
    text = "\n".join((entry.url, *entry.headers.values())).encode() + entry.body.read()
    return any(spelling.encode() in text for spelling in response.credential.spellings())


def _kept(headers: Headers) -> dict[str, str]:
    return {name: headers[name] for name in _KEPT if name in headers}


def _load(path: str) -> _Entry | None:
    """The entry, or ``None`` for a missing or damaged one, which is simply fetched again."""
    try:
        with open(path, "rb") as file:
            head = file.readline()
            length = os.fstat(file.fileno()).st_size - len(head)
        values = json.loads(head)
        if values["magic"] != _MAGIC or values["length"] != length:
            return None
        headers = {str(name): str(value) for name, value in values["headers"].items()}
        return _Entry(str(values["url"]), headers, _Stored(path), float(values["stored"]), str(values["digest"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
