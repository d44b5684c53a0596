"""``credentials.toml``: the credentials that were stored by logging in (uv's format).

A list of ``[[credential]]`` tables with ``service`` (a URL), ``scheme`` (``basic`` or ``bearer``), and either ``username`` and
``password`` or ``token``. A credential is for the URLs below its service, by whole path segments.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import unquote, urlunsplit

from cove.model.dataclasses import dataclass
from cove.model.secret import Secret, is_placeholder
from cove.model.url import Url

TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with tokens
"""The user name of a token, where no other is given."""

LIST = "credential"
_SIMPLE = ("simple", "+simple")
_PLACE = re.compile(r"\(at (line \d+, column \d+|end of document)\)")


class CredentialsTomlError(ValueError):
    """The file cannot be read. Never quotes it, for it holds passwords. ``entry`` is the place of the table at fault, from 0;
    ``None`` where it is the whole file."""

    def __init__(self, reason: str, entry: int | None = None) -> None:
        super().__init__(reason)
        self.entry = entry


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """One table. ``service`` has no user info; ``username`` is ``None`` for ``bearer`` (whose token ``secret`` is).

    ``entry`` is the place of the table in the file, from 0.
    """

    service: Url
    username: str | None
    secret: Secret
    scheme: Literal["basic", "bearer"] = "basic"
    entry: int = 0

    @property
    def whose(self) -> str:
        """How messages tell the credentials of one service apart."""
        if self.username is None:
            return "a bearer token"
        return "a token as user name" if is_placeholder(self.secret) else f"user `{self.username}`"


def service_of(url: Url) -> Url:
    """The service under which a credential for ``url`` is stored: without user info, query, default port, last slash, and
    without a last segment ``simple`` or ``+simple``, so that it is also for what lies beside the pages."""
    path = url.path.rstrip("/")
    head, _, last = path.rpartition("/")
    if last.lower() in _SIMPLE:
        path = head.rstrip("/")
    scheme, host, port = url.realm
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(scheme)
    return Url(urlunsplit((scheme, host if port in (None, usual) else f"{host}:{port}", path or "/", "", "")))


def parse(text: str) -> tuple[StoredCredential, ...]:
    """The credentials of the file, in its order; of two for the same user and service, the later one.

    Raises ``CredentialsTomlError``.
    """
    found: dict[tuple[object, ...], StoredCredential] = {}
    for place, table in enumerate(tables_of(text)):
        credential = credential_of(place, table)
        found[identity(credential.service, credential.username)] = credential
    return tuple(found.values())


def same_service(credentials: Iterable[StoredCredential], service: Url) -> tuple[StoredCredential, ...]:
    """Those that are stored for exactly ``service``; a slash at the end makes no difference."""
    return tuple(each for each in credentials if identity(each.service, None) == identity(service, None))


def matching(
    credentials: Iterable[StoredCredential], url: Url, username: str | None = None
) -> tuple[StoredCredential, ...]:
    """Those for ``url`` (and ``username``, if it is known) with the longest service: none, one, or one for each user."""
    segments = unquote(url.path).replace("\\", "/").split("/")
    if ".." in segments or "." in segments:  # they may lead out of the service on the way to the server
        return ()
    fitting = [
        each for each in credentials if each.service.covers(url) and (username is None or each.username == username)
    ]
    longest = max((_length(each) for each in fitting), default=0)
    return tuple(each for each in fitting if _length(each) == longest)


def tables_of(text: str) -> list[Mapping[str, object]]:
    """The tables as they are. Raises ``CredentialsTomlError``."""
    try:
        tables = tomllib.loads(text).get(LIST, [])
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        raise CredentialsTomlError(f"it is not TOML (at {place[1]})" if place else "it is not TOML") from None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise CredentialsTomlError(f"`{LIST}` is not a list of tables")
    return tables


def credential_of(place: int, table: Mapping[str, object]) -> StoredCredential:
    """What the table at ``place`` says. Raises ``CredentialsTomlError``."""
    scheme = table.get("scheme", "basic")
    if scheme == "bearer":
        return StoredCredential(_service(place, table), None, Secret(_text(place, table, "token")), "bearer", place)
    if scheme != "basic":
        raise CredentialsTomlError('its `scheme` is neither "basic" nor "bearer"', place)
    username, password = _text(place, table, "username"), Secret(_text(place, table, "password"))
    return StoredCredential(_service(place, table), username, password, "basic", place)


def _text(place: int, table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise CredentialsTomlError(f"it has no text `{key}`", place)
    return value


def _service(place: int, table: Mapping[str, object]) -> Url:
    try:
        url = Url.parse(_text(place, table, "service"))
    except CredentialsTomlError:
        raise
    except ValueError as error:
        raise CredentialsTomlError(f"its `service` cannot be used: {error}", place) from None
    return url.without_credentials()


def identity(service: Url, username: str | None) -> tuple[object, ...]:
    """What two credentials must not have in common; a slash at the end of a service makes no difference."""
    return (service.realm, service.path.rstrip("/"), username)


def _length(credential: StoredCredential) -> int:
    return len(credential.service.path.rstrip("/"))
