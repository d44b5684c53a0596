"""Secrets as a type: they print masked and refuse to be written."""

from datetime import UTC, datetime
from typing import Literal, Never

from cove.model.dataclasses import dataclass
from cove.model.origin import Origin

MASK = "****"

_PLACEHOLDERS = frozenset({"", "x-oauth-basic", "nopass"})

Scheme = Literal["basic", "bearer", "header"]
"""How a credential is sent: RFC 7617, RFC 6750, or as a header of the registry's own."""


_HEADER = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_TAKEN = frozenset({
    "accept", "accept-encoding", "cache-control", "connection", "content-encoding", "content-length", "content-type", "cookie",
    "expect", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "keep-alive", "location",
    "proxy-authorization", "range", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
})  # fmt: skip


def can_carry_secret(header: str) -> bool:
    """Whether ``header`` is the name of a header (RFC 9110, 5.1: a token) that means nothing else: a secret in one of those
    would change the request, or be understood by others on the way."""
    name = header.lower()
    return bool(name) and _HEADER.issuperset(name) and name not in _TAKEN


class Secret:
    """A password or token.

    ``str``, ``repr`` and ``format`` give ``****``; pickling and copying into other forms fail. The one way to the text is
    ``reveal()``, called where a header is built or ``cove auth token`` prints it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Never:
        raise TypeError("a secret cannot be serialised")


def is_placeholder(password: Secret) -> bool:
    """Whether ``password`` only stands where one is expected, beside a user name that is a token: as forges, Gemfury and
    others have it."""
    return password.reveal().lower() in _PLACEHOLDERS


@dataclass(frozen=True, slots=True)
class Credential:
    """What is sent to prove who we are, and where it came from.

    An empty username is legal in Basic authentication and some registries need it. ``password`` is the token for the
    ``bearer`` scheme, and the whole value of the header named ``header`` for the scheme of that name.
    """

    username: str
    password: Secret
    origin: Origin
    scheme: Scheme = "basic"
    expires: datetime | None = None
    """When it ends, where its provider says so."""
    header: str = ""
    """The name of a header of the registry's own (``X-JFrog-Art-Api``), for the scheme ``header``."""

    def has_expired(self, now: datetime) -> bool:
        """Whether it is known to have ended: its provider says so, or the token itself."""
        end = self.expires or end_of_token(self.password.reveal())
        return end is not None and end <= now

    @property
    def is_token(self) -> bool:
        """Whether it has no user name that may be told: beside a mere placeholder for a password, that is the token."""
        return self.scheme != "basic" or (bool(self.username) and is_placeholder(self.password))

    @property
    def whose(self) -> str:
        """How a person is told of it."""
        if self.is_token:
            return "a token"
        return f"user `{self.username}`" if self.username else "a user without a name"

    def spellings(self) -> tuple[str, ...]:
        """The texts by which a server that echoes what it was sent would give the secret away; none for an empty one."""
        in_username = self.scheme == "basic" and self.is_token
        if not self.password and not in_username:
            return ()
        from base64 import b64encode  # noqa: PLC0415 - only echoes need it, and this module is loaded by every command
        from urllib.parse import quote  # noqa: PLC0415

        password = self.password.reveal()
        secret = self.username if in_username else password
        pair = b64encode(f"{self.username}:{password}".encode()).decode()
        return tuple(dict.fromkeys((secret, quote(secret, safe=""), quote(secret), pair)))


def end_of_token(text: str) -> datetime | None:
    """``exp`` of a JSON web token (RFC 7519, 4.1.4), or of the header of an encrypted one (5.3 allows it to stand there)."""
    parts = text.split(".")
    if len(parts) not in (3, 5):
        return None
    from base64 import urlsafe_b64decode  # noqa: PLC0415 - needed where an index says that something is absent
    from json import loads  # noqa: PLC0415

    for part in parts[:2]:
        try:
            claims = loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            return datetime.fromtimestamp(claims["exp"], UTC)
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            continue
    return None
