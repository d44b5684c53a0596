"""Credentials for other programs, in the protocols by which they ask for them."""

import json
from collections.abc import Mapping

from cove.auth.layer import header
from cove.errors import UsageError
from cove.formats.credentials_toml import StoredCredential, matching, service_of
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from cove.operations.auth.inspection import stored_credentials
from cove.operations.auth.logins import is_safe
from cove.wiring import Session


def bazel_get(session: Session, text: str) -> str:
    """The answer to ``{"uri": …}`` of Bazel's credential helper protocol: the headers that would be sent, and their end.

    Raises ``UsageError`` when ``text`` is not of that form.
    """
    try:
        asked = json.loads(text)
        url = Url.parse(asked["uri"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageError('a request has the form {"uri": "https://…"}') from None
    credential = session.credentials.for_url(url)
    answer: dict[str, object] = {"headers": {}}
    if credential is not None:
        name, value = header(credential)
        answer["headers"] = {name: [value]}
        if credential.expires is not None:
            answer["expires"] = credential.expires.isoformat(timespec="seconds")
    return json.dumps(answer)


def git_get(session: Session, text: str) -> str:
    """The answer to ``git credential fill``: lines with user and password; nothing where none are known."""
    url = _url_of(_attributes(text))
    credential = session.credentials.for_url(url) if url is not None else None
    if credential is None or credential.scheme != "basic" or not _fits_lines(credential):
        return ""
    return f"username={credential.username}\npassword={credential.password.reveal()}\n"


def git_store(session: Session, text: str) -> None:
    """Store what git found to work, unless that is what it was given."""
    attributes = _attributes(text)
    url, password = _url_of(attributes), attributes.get("password")
    if url is None or url.username is None or not password or not is_safe(url):
        return
    known = session.credentials.for_url(url)
    if known is not None and (known.username, known.password) == (url.username, Secret(password)):
        return
    stored_credentials(session).put(StoredCredential(service_of(url), url.username, Secret(password)))


def git_erase(session: Session, text: str) -> None:
    """Remove what git found not to work, if it is what is stored."""
    attributes = _attributes(text)
    url, password = _url_of(attributes), attributes.get("password")
    if url is None:
        return
    store = stored_credentials(session)
    for each in matching(store.read(), url, url.username):
        if password is None or each.secret == Secret(password):
            store.remove(each.service, each.username)


def _attributes(text: str) -> Mapping[str, str]:
    """``key=value`` lines up to an empty one (git-credential(1), "Input/output format")."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not line:
            break
        if equals:
            found[key] = value
    return found


def _url_of(attributes: Mapping[str, str]) -> Url | None:
    """What credentials are wanted for; ``None`` for what is not reached by HTTP."""
    if attributes.get("protocol") not in ("http", "https"):
        return None
    try:
        url = Url.parse(f"{attributes['protocol']}://{attributes.get('host', '')}/{attributes.get('path', '')}")
    except ValueError:
        return None
    return Url(url.public, attributes.get("username"))


def _fits_lines(credential: Credential) -> bool:
    return not any(end in credential.username + credential.password.reveal() for end in "\n\r\0")
