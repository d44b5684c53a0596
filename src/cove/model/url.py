"""URLs that cannot print a password."""

import re
from typing import Self
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from cove.model.secret import MASK, Secret

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SSH = ("ssh", "git+ssh")
"""Who one is there is part of the address (``git@``), and no secret."""
_PARTS = ("_host", "_path", "_port", "_query", "_scheme", "password", "public", "username")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s'\"]+(?=@)")
"""Up to the last ``@`` before the path: what a password has of them belongs to it."""

_PLAIN_LINK = re.compile(
    r"(?:https?://[A-Za-z0-9.-]*[A-Za-z0-9](?::[1-5]?[0-9]{1,4})?/|/(?!/)|(?:\.\./)*)[A-Za-z0-9._~!+%/-]*"
)


def is_plain_link(text: str) -> bool:
    """Whether a link is of the usual form: ``https://host/path``, ``/path`` or ``../path`` of ordinary characters, without
    user info, query or fragment. Such a link joins any ``http`` or ``https`` URL without fail."""
    return _PLAIN_LINK.fullmatch(text) is not None


class Url:
    """An absolute URL (``http``, ``https`` or ``file``), split from its user info when it is made.

    ``str(url)`` and every f-string show it with the user info masked; ``url.public`` is the text without user info, the
    only form that is written to files; user name and password are reached as ``url.username`` and ``url.password``.
    Equality and hash ignore nothing: two URLs are equal when their public text and user info are.
    """

    __slots__ = ("_host", "_path", "_pending", "_port", "_query", "_scheme", "password", "public", "username")
    _pending: "tuple[Url, str]"
    """The base and the link of a URL that nobody has looked at yet."""

    def __init__(self, public: str, username: str | None = None, password: Secret | None = None) -> None:
        """Made by ``parse`` and ``join``; ``public`` holds no user info."""
        parts = urlsplit(public)
        self.public = public
        self.username = username
        self.password = password
        self._scheme = parts.scheme.lower()
        self._host = (parts.hostname or "").lower()
        self._port = parts.port
        self._path = parts.path
        self._query = parts.query

    @classmethod
    def parse(cls, text: str) -> Self:
        """``text`` as a URL.

        Raises ``ValueError`` (never quoting the text, which may hold a secret) when it is not absolute, has no host, an
        impossible port, or user info that cannot be told from the path (``http://user:p/ss@host/``).
        """
        try:
            parts = urlsplit(text.strip())
            port_is_sound = parts.port is None or 0 <= parts.port <= 65535
        except ValueError as error:
            raise ValueError("not a URL") from error
        if not parts.scheme or not port_is_sound:
            raise ValueError("not an absolute URL")
        scheme = parts.scheme.lower()
        if not scheme.endswith("file") and not parts.hostname:
            raise ValueError("the URL names no host")
        userinfo, at, hostport = parts.netloc.rpartition("@")
        username = password = None
        if at:
            user, colon, secret = userinfo.partition(":")
            username = unquote(user)
            password = Secret(unquote(secret)) if colon else None
        if scheme in _SSH and username and password is None:
            hostport, username = parts.netloc, None
        public = urlunsplit((scheme, hostport, parts.path, parts.query, parts.fragment))
        if scheme == "git+file":  # the standard library writes no `//` without a host
            public = public.replace("git+file:/", "git+file:///", 1)
        return cls(public, username, password)

    def join(self, reference: str) -> "Url":
        """``reference`` resolved against this URL (RFC 3986); user info is kept only on the same realm."""
        joined = Url.parse(urljoin(self.public, reference))
        if joined.username is None and joined.realm == self.realm:
            return Url(joined.public, self.username, self.password)
        return joined

    def link(self, reference: str) -> "Url":
        """``join``, put off until somebody looks at the result: of the thousands of links of a page a few are followed.

        ``reference`` must be a link that ``join`` surely accepts, see ``is_plain_link``.
        """
        url = Url.__new__(Url)
        url._pending = (self, reference)
        return url

    def __getattr__(self, name: str) -> object:
        """A part that is not known yet: the first look at a link resolves it."""
        if name not in _PARTS:
            raise AttributeError(name)
        base, reference = self._pending
        joined = base.join(reference)
        for part in _PARTS:
            setattr(self, part, getattr(joined, part))
        return getattr(self, name)

    def child(self, segment: str) -> "Url":
        """This URL as a folder with ``segment/`` below it: the address of a project's page (PEP 503: URLs end in ``/``)."""
        below = "/" + quote(segment, safe="") + "/"
        if "?" not in self.public and "#" not in self.public:
            return self._sibling(self.public.removesuffix("/") + below, self._path.removesuffix("/") + below)
        parts = urlsplit(self.public)
        path = parts.path.removesuffix("/") + below
        return Url(urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")), self.username, self.password)

    def _sibling(self, public: str, path: str) -> "Url":
        """Another path of the same server with the same user info, without query: nothing need be parsed."""
        url = Url.__new__(Url)
        url.public, url.username, url.password = public, self.username, self.password
        url._scheme, url._host, url._port, url._path, url._query = self._scheme, self._host, self._port, path, ""
        return url

    def without_credentials(self) -> "Url":
        """The same URL without user info."""
        return self if self.username is None and self.password is None else Url(self.public)

    def with_suffix(self, suffix: str) -> "Url":
        """The path with ``suffix`` appended, query kept, fragment dropped (PEP 658: the metadata file is ``….metadata``)."""
        if "?" not in self.public and "#" not in self.public:
            return self._sibling(self.public + suffix, self._path + suffix)
        parts = urlsplit(self.public)
        public = urlunsplit((parts.scheme, parts.netloc, parts.path + suffix, parts.query, ""))
        return Url(public, self.username, self.password)

    def without_fragment(self) -> "Url":
        """The same URL without ``#…``."""
        bare, mark, _ = self.public.partition("#")
        return Url(bare, self.username, self.password) if mark else self

    @property
    def scheme(self) -> str:
        """Lower case."""
        return self._scheme

    @property
    def host(self) -> str:
        """Lower case, without port."""
        return self._host

    @property
    def path(self) -> str:
        """As written, percent-encoded."""
        return self._path

    @property
    def query(self) -> str:
        """As written, without ``?``."""
        return self._query

    @property
    def filename(self) -> str:
        """The last path segment, percent-decoded."""
        return unquote(self._path.rpartition("/")[2])

    @property
    def realm(self) -> tuple[str, str, int | None]:
        """Scheme, host and effective port: what a credential is valid for (RFC 7235, section 2.2)."""
        return (self._scheme, self._host, self._port or _DEFAULT_PORTS.get(self._scheme))

    def covers(self, other: "Url") -> bool:
        """Whether ``other`` is this URL or lies below it, by whole path segments: ``/simple`` does not cover ``/simpler``."""
        if self.realm != other.realm:
            return False
        own, path = self._path.removesuffix("/"), other._path
        return path == own or path.startswith(own + "/")

    def __str__(self) -> str:
        if self.username is None and self.password is None:
            return self.public
        scheme, separator, rest = self.public.partition("://")
        return f"{scheme}{separator}{MASK}@{rest}"

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Url):
            return NotImplemented
        return (self.public, self.username, self.password) == (other.public, other.username, other.password)

    def __hash__(self) -> int:
        return hash(self.public)


def with_masked_users(text: str) -> str:
    """A text of whatever origin, with the user info of the URLs in it masked."""
    return _USER_INFO.sub(MASK, text)


def has_user_info(text: str) -> bool:
    """Whether there is a URL with user info in a text."""
    return _USER_INFO.search(text) is not None
