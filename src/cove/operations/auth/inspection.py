"""Questions about credentials: what would be sent, where it is from, what it hides."""

import re

from cove.auth.chain import CredentialStatus
from cove.auth.providers.netrc import netrc_path
from cove.auth.store import CredentialStore
from cove.config.folders import credentials_file, home
from cove.errors import CoveError, CredentialsMissing, UsageError
from cove.formats.credentials_toml import TOKEN_USER, matching
from cove.model.dataclasses import dataclass, replace
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url
from cove.wiring import Session

_HOST = re.compile(r"(?:localhost|[^/]*[.:@][^/]*|[^/]+/.*)")

QUICK = frozenset({"environment", "URL", "huggingface", "netrc", "store"})
"""The providers that start no program and ask no service."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known for an index; ``error`` where it cannot be found out. ``unasked`` are providers that may have more."""

    index: Index
    active: Credential | None = None
    shadowed: tuple[Credential, ...] = ()
    unasked: tuple[str, ...] = ()
    error: CoveError | None = None


def stored_credentials(session: Session) -> CredentialStore:
    """What was stored by logging in."""
    return CredentialStore(credentials_file(session.settings, session.environ))


def url_of(session: Session, where: str) -> Url | None:
    """The URL that ``where`` is; ``None`` if it is the name of an index. A host without a scheme is meant with ``https``.

    Raises ``UsageError``, and ``UnknownIndex`` for what is neither.
    """
    if "://" not in where:
        if any(index.name == where for index in session.indexes.all) or _HOST.fullmatch(where) is None:
            session.indexes.named(where)
            return None
        where = f"https://{where}"
    try:
        return Url.parse(where)
    except ValueError as error:
        raise UsageError(f"the address cannot be used: {error}") from None


def credential_for(session: Session, where: str, *, username: str | None = None) -> Credential:
    """The credential that would be sent to ``where``, an index by its name, a host or a URL; with ``username``, that user's.

    Where several users are stored and none is known, the token is meant if there is one, as it is by uv. Raises
    ``CredentialsMissing`` naming the places that were looked at, ``UnknownIndex``, ``UsageError``.
    """
    url = url_of(session, where)
    if url is not None:
        asked = url if username in (None, url.username) else Url(url.public, username)
        found = session.credentials.for_url(asked)
        index, label = session.credentials.index_for(url), str(url.without_credentials())
    else:
        index = session.indexes.named(where)
        asked, label = index.url, index.label
        same = username in (None, index.url.username)
        meant = index if same else replace(index, url=Url(index.url.public, username))
        found = session.credentials.for_index(meant)
    if found is None and username is None and asked.username is None:
        found = _stored_token(session, asked, index)
    if found is None or username not in (None, found.username):
        raise _missing(session, label, username, index)
    return found


def _stored_token(session: Session, url: Url, index: Index | None) -> Credential | None:
    """The token among several that are stored, where nothing says that another is meant, or none."""
    variables = index.credential_variables if index is not None else None
    if (variables is not None and variables[0] in session.environ) or (index and index.authenticate == "never"):
        return None
    store = stored_credentials(session)
    found = matching(store.read(), url, TOKEN_USER)
    return store.credential(found[0]) if found else None


def _missing(session: Session, label: str, username: str | None, index: Index | None) -> CredentialsMissing:
    variables = index.credential_variables if index is not None else None
    places = [f"${variables[0]} and ${variables[1]}"] if variables is not None else []
    places += ["the URL itself", str(netrc_path(session.environ, home(session.environ)))]
    places.append(str(credentials_file(session.settings, session.environ)))
    hints = [f"`cove auth login {label}` stores one"]
    if session.settings.keyring_provider == "disabled":
        hints.append("the keyring program is asked with `--keyring-provider subprocess`")
    else:
        places.append("the keyring program")
    whose = f" for the user `{username}`" if username is not None else ""
    return CredentialsMissing(
        f"no password is known for {label}{whose}", causes=(f"looked in {', '.join(places)}",), hints=tuple(hints)
    )


def status(session: Session, where: str | None = None, *, asks_all: bool = False) -> tuple[Status, ...]:
    """For each index, or the one named ``where``: the credential in force, and those that it hides.

    No index is asked. Providers are asked in order until one has a credential; those behind it only where that costs
    nothing, unless ``asks_all``.
    """
    indexes = (*session.indexes.all, *session.indexes.find_links) if where is None else (session.indexes.named(where),)
    return tuple(_status_of(session, index, asks_all=asks_all) for index in indexes if index.url.scheme != "file")


def _status_of(session: Session, index: Index, *, asks_all: bool) -> Status:
    try:
        found: CredentialStatus = session.credentials.status_of(index, among=None if asks_all else QUICK)
    except CoveError as error:
        return Status(index, error=error)
    return Status(index, found.active, found.shadowed, found.unasked)
