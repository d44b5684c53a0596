"""Mirrors of an index: the same content at other addresses, for when its own cannot be reached."""

from threading import Lock
from urllib.parse import urlsplit, urlunsplit

from cove.errors import IndexUnreachable, OfflineError, TruncatedDownload
from cove.http.failures import CertificateRefused
from cove.http.messages import Request, Response, Send
from cove.http.retry import is_passing
from cove.http.status import status_text
from cove.model.dataclasses import replace
from cove.model.dist import File
from cove.model.event import Listener, Warned, ignore
from cove.model.index import Index
from cove.model.page import Page
from cove.model.url import Url

_READING = frozenset({"GET", "HEAD"})


class Mirrors:
    """The outermost layer: what an index's own address cannot answer is asked of its mirrors, in their order.

    An address cannot answer when its connection fails, or when it tells of trouble of its own (5xx, 429), after all retries;
    it is not asked again in this run. Any other answer, 404 too, is the index's answer. Requests elsewhere than below the
    index pass by. The credential of an index is no mirror's: those have the user info of their URL, or what is known of
    their host.
    """

    def __init__(self, listener: Listener = ignore) -> None:
        self._listener = listener
        self._lock = Lock()
        self._down: set[tuple[str, str]] = set()

    def __call__(self, request: Request, send: Send) -> Response:
        """The answer of the first address that gives one; raises what the last one raises."""
        index = request.index
        if index is None or not index.mirrors or request.method not in _READING:
            return send(request)
        places = self._places(request, index)
        for position, (place, url) in enumerate(places):
            is_last = position == len(places) - 1
            try:
                response = send(replace(request, url=url, headers=dict(request.headers)))
            except (IndexUnreachable, TruncatedDownload, OfflineError) as error:
                if is_last or isinstance(error, CertificateRefused):
                    raise
                if not isinstance(error, OfflineError):
                    self._leave(index, place, error.message)
                continue
            if is_last or not is_passing(response.status) or response.status in index.ignore_error_codes:
                return response
            response.body.close()
            self._leave(index, place, f"{index.label} answered {status_text(response.status)}")
        raise AssertionError("there is always a last place")

    def _places(self, request: Request, index: Index) -> list[tuple[Url, Url]]:
        """The addresses that are not known to be down, each with what is asked for there; at least one."""
        every = [(index.url, request.url)]
        for mirror in index.mirrors:
            url = moved(request.url, index, index.url, mirror)
            if url is not None:
                every.append((mirror, Url(url.public, mirror.username, mirror.password)))
        return [pair for pair in every if (index.url.public, pair[0].public) not in self._down] or every[-1:]

    def _leave(self, index: Index, place: Url, trouble: str) -> None:
        key = (index.url.public, place.public)
        with self._lock:
            is_news = key not in self._down
            self._down.add(key)
        if is_news:
            self._listener(Warned(f"{trouble} (at {place.without_credentials()}); its mirror is asked instead"))


def at_home(page: Page, index: Index) -> Page:
    """The page of a mirror as the index's own: every file at the address that it has on the index, which a lock records."""
    if not index.mirrors:
        return page

    def make(number: int) -> File | None:
        file = page.file(number)
        return file if file is None else replace(file, url=home(file.url, index))

    return Page.of_entries(
        page.name,
        page.names,
        make,
        versions=page.versions,
        status=page.status,
        status_reason=page.status_reason,
    )


def home(url: Url, index: Index) -> Url:
    """``url``, if it lies on one of the mirrors, moved to the index."""
    if url.realm == index.url.realm and index.root.covers(url):
        return url
    found = (moved(url, index, mirror, index.url) for mirror in index.mirrors)
    return next((each for each in found if each is not None), url)


def moved(url: Url, index: Index, old: Url, new: Url) -> Url | None:
    """``url`` with the address ``old`` of an index in its beginning replaced by ``new``, without user info.

    What does not lie below the address itself may lie below its root (files beside ``/simple``), beside it (files beside a
    list of links), or elsewhere on its host.
    ``None`` for another host: what is there does not move with the index.
    """
    old_root, new_root = replace(index, url=old).root, replace(index, url=new).root
    beside, host = (old.join("."), new.join(".")), (old.join("/"), new.join("/"))
    for before, after in ((old, new), (old_root, new_root), beside, host):
        if before.covers(url):
            parts, base = urlsplit(url.public), urlsplit(after.public)
            rest = parts.path[len(before.path.removesuffix("/")) :]
            path = base.path.removesuffix("/") + rest
            return Url(urlunsplit((base.scheme, base.netloc, path, parts.query, parts.fragment)))
    return None
