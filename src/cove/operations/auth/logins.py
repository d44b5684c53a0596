"""Logging in and out: what is stored for a service, after asking an index whether it takes it."""

from pathlib import Path

from cove.auth.layer import header
from cove.errors import CredentialsMissing, UsageError
from cove.formats import negotiate
from cove.formats.credentials_toml import TOKEN_USER, StoredCredential, matching, same_service, service_of
from cove.http.messages import Request, Response
from cove.http.status import error_for, status_text
from cove.index.simple import ABSENT_STATUSES
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.name import Name
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from cove.operations.auth.inspection import stored_credentials, url_of
from cove.registries import recognise
from cove.wiring import Session

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that a password reaches without a network."""

_ASKED = Name("pip")
"""What an index is asked for: a name that tells nobody anything."""


@dataclass(frozen=True, slots=True)
class Service:
    """What somebody logs in to. ``url`` is what is stored; ``username`` and ``password`` are those typed in its URL, or known
    of the index; ``index`` is the one that was named, or what would be asked at the URL."""

    url: Url
    index: Index
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What was stored, and what it is good for.

    ``used_for`` are the indexes for which it is in force now, ``hidden`` those for which something else comes before it, with
    its origin. ``others`` are stored for the same service. ``checked`` says what the index answered, empty if it was not asked.
    """

    stored: StoredCredential
    path: Path
    used_for: tuple[Index, ...]
    hidden: tuple[tuple[Index, Origin], ...]
    others: tuple[StoredCredential, ...]
    checked: str = ""


def service_named(session: Session, where: str) -> Service:
    """The service that ``where`` means: the name of an index, a URL, or a host.

    Raises ``UsageError`` for what a password must not be sent to (other than HTTPS, except on this machine), ``UnknownIndex``.
    """
    url = url_of(session, where)
    if url is not None:
        place = url.public.rstrip("/")
        same = (index for index in session.indexes.all if index.url.public.rstrip("/") == place)
        index = next(same, Index(url.without_credentials()))
    else:
        index = session.indexes.named(where)
        url = Url(index.url.public, index.url.username)
    if url.scheme not in ("https", "http"):
        raise UsageError(f"nobody logs in to {url.without_credentials()}: it is no HTTP address")
    if not is_safe(url):
        raise UsageError(
            f"{url.without_credentials()} is not HTTPS: everybody on the way could read the password",
            hints=("use the index's https address; for one run there are $UV_INDEX_<NAME>_USERNAME and …_PASSWORD",),
        )
    return Service(service_of(url), index, url.username, url.password)


def is_safe(url: Url) -> bool:
    """Whether a password that is sent to ``url`` cannot be read on the way."""
    return url.scheme == "https" or (url.scheme == "http" and url.host in _LOCAL)


def login(
    session: Session,
    service: Service,
    secret: Secret,
    *,
    username: str | None = None,
    is_token: bool = False,
    is_bearer: bool = False,
    checks: bool = False,
) -> LoggedIn:
    """Store ``secret`` for ``service``; with ``checks``, only if the index does not refuse it.

    A token needs no ``username``: the registry's own for tokens is taken, else ``__token__``. Raises ``UsageError``,
    ``ConfigurationError``, ``CredentialsRefused``, ``AccessForbidden`` and ``NetworkError``.
    """
    if service.username and username is not None and username != service.username:
        raise UsageError(f"two users are given: `{username}`, and another in the URL")
    if not secret:
        raise UsageError("the password is empty", hints=("an empty one can be given as `UV_INDEX_<NAME>_PASSWORD=`",))
    if username is None:
        username = service.username
    if username is None and (is_token or is_bearer):
        username = recognise(service.index.url).username or TOKEN_USER
    if username is None:
        raise UsageError("no user name is given", hints=("give it with `--username`, or a token with `--token`",))
    stored = StoredCredential(service.url, None if is_bearer else username, secret, "bearer" if is_bearer else "basic")
    header(_as_sent(stored))  # what cannot be sent is not stored
    _ = session.credentials  # what is wrong with the configuration is told before anything is stored
    checked = _check(session, service.index, stored) if checks else ""
    store = stored_credentials(session)
    store.put(stored)
    there = store.read()
    others = tuple(each for each in same_service(there, service.url) if each.username != stored.username)
    used_for, hidden = [], []
    after = session.with_settings(session.settings).credentials
    for index in (*session.indexes.all, *session.indexes.find_links):
        fitting = [(each.service, each.username) for each in matching(there, index.url, index.url.username or None)]
        if index.authenticate == "never" or fitting != [(stored.service, stored.username)]:
            continue
        active = after.for_index(index)
        if active is None or active.origin.name == str(store.path):
            used_for.append(index)
        else:
            hidden.append((index, active.origin))
    return LoggedIn(stored, store.path, tuple(used_for), tuple(hidden), others, checked)


def _as_sent(stored: StoredCredential) -> Credential:
    return Credential(stored.username or "", stored.secret, Origin("provider", "what you gave"), stored.scheme)


def _check(session: Session, index: Index, stored: StoredCredential) -> str:
    """What the index says to the credential; raises if it refuses it, or says nothing."""
    answer = _ask(session, index, _as_sent(stored))
    absent = ABSENT_STATUSES | recognise(index.url).absent_statuses
    if answer.status >= 400 and answer.status not in absent:
        error = error_for(answer, subject=_ASKED, index=index)
        error.hints = (*error.hints, *recognise(index.url).hints(answer.status), "nothing was stored")
        raise error
    without = _ask(session, index, None)
    if without.status in (401, 403):
        return f"{index.label} accepts it"
    said = status_text(without.status)
    return f"{index.label} does not refuse it, but would not ask for one either ({said} without)"


def _ask(session: Session, index: Index, credential: Credential | None) -> Response:
    """A page, as it is answered to this credential and no other."""
    url = index.url.without_credentials()
    headers = {"Accept": negotiate.ACCEPT}
    if credential is not None:
        name, value = header(credential)
        headers[name] = value
    request = Request("GET", url if index.format == "flat" else url.child(_ASKED), headers, index)
    answer = session.bare_client.send(request)
    answer.body.close()
    answer.credential = credential
    return answer


def logout(session: Session, where: str, *, username: str | None = None) -> StoredCredential:
    """Remove what is stored for ``where`` and ``username``: without one the token, or whatever is the only one.

    Raises ``CredentialsMissing`` when there is none, ``UsageError`` when it is not said which is meant.
    """
    service = service_named(session, where)
    username = username if username is not None else service.username
    store = stored_credentials(session)
    there = store.read()
    mine = same_service(there, service.url)
    found = [each for each in mine if username in (None, each.username)]
    if len(found) > 1:
        found = [each for each in found if each.username in (TOKEN_USER, None)]
    if not found and mine and username is None:
        raise UsageError(
            f"for {service.url}, several are stored: {', '.join(each.whose for each in mine)}",
            hints=("say which with `--username`",),
        )
    if not found or not store.remove(found[0].service, found[0].username):
        whose = f" of the user `{username}`" if username is not None else ""
        near = [each.service for each in matching(there, service.url)]
        hint = f"there is one for {near[0]}" if near and not mine else "`cove auth status` lists what is in force"
        raise CredentialsMissing(
            f"nothing{whose} is stored for {service.url}", causes=(f"looked in {store.path}",), hints=(hint,)
        )
    return found[0]
