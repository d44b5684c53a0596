"""Questions about credentials."""

from cove.auth.providers.netrc import netrc_path
from cove.config.folders import home
from cove.errors import CredentialsMissing, UsageError
from cove.model.dataclasses import replace
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url
from cove.wiring import Session


def credential_for(session: Session, where: str, *, username: str | None = None) -> Credential:
    """The credential that would be sent to ``where``, an index by its name or a URL; with ``username``, that user's.

    Raises ``CredentialsMissing`` naming the places that were looked at, ``UnknownIndex``, ``UsageError``.
    """
    if "://" in where:
        return _for_url(session, _parsed(where), username)
    index = session.indexes.named(where)
    asked = index if username in (None, index.url.username) else replace(index, url=Url(index.url.public, username))
    found = session.credentials.for_index(asked)
    if found is None or username not in (None, found.username):
        raise _missing(session, index.label, username, index)
    return found


def _parsed(text: str) -> Url:
    try:
        return Url.parse(text)
    except ValueError as error:
        raise UsageError(f"the address cannot be used: {error}") from None


def _for_url(session: Session, url: Url, username: str | None) -> Credential:
    asked = url if username in (None, url.username) else Url(url.public, username)
    found = session.credentials.for_url(asked)
    if found is None or username not in (None, found.username):
        raise _missing(session, str(url.without_credentials()), username, session.credentials.index_for(url))
    return found


def _missing(session: Session, label: str, username: str | None, index: Index | None) -> CredentialsMissing:
    variables = index.credential_variables if index is not None else None
    places = [f"${variables[0]} and ${variables[1]}"] if variables is not None else []
    places += ["the URL itself", str(netrc_path(session.environ, home(session.environ)))]
    if session.settings.keyring_provider != "disabled":
        places.append("the keyring program")
        more: tuple[str, ...] = ()
    else:
        more = ("the keyring program is asked with `--keyring-provider subprocess`",)
    whose = f" for the user `{username}`" if username is not None else ""
    return CredentialsMissing(
        f"no password is known for {label}{whose}", causes=(f"looked in {', '.join(places)}",), hints=more
    )
