"""One question to an index, asked as it stands: for those who want to see what a server says, and to whom."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from cove.auth.answers import Answers
from cove.auth.layer import header
from cove.config.load import find_project
from cove.errors import InvalidResponse, UsageError
from cove.formats import negotiate, uv_lock
from cove.http.client import Client
from cove.http.messages import Request, Response, Send
from cove.http.redirects import STATUSES
from cove.index.simple import LARGEST_PAGE
from cove.model.dataclasses import dataclass, replace
from cove.model.index import Index
from cove.model.name import Name
from cove.model.secret import Credential
from cove.model.url import Url
from cove.operations.project.project import LOCK_NAME, address, location_of, read
from cove.wiring import Session

USUAL = Name("pip")
"""What is asked for where nothing says what an index has: a name that tells nobody anything."""

_HOPS = 5


@dataclass(slots=True)
class Hop:
    """An answer, whose body nobody has read; ``elsewhere`` is another origin, to which the index redirects."""

    response: Response
    seconds: float
    elsewhere: Url | None = None


def meant(session: Session, where: str) -> Index:
    """The index called ``where``, or at that URL, with the user info that is typed there.

    Raises ``UnknownIndex`` and ``UsageError``.
    """
    if "://" not in where:
        return session.indexes.named(where)
    try:
        url = Url.parse(where)
    except ValueError as error:
        raise UsageError(f"the address cannot be used: {error}") from None
    same = (each for each in session.indexes.all if each.url.public.rstrip("/") == url.public.rstrip("/"))
    index = next(same, Index(url))
    return index if url.username is None else replace(index, url=url)


def known_package(session: Session, index: Index) -> Name | None:
    """The first name that the lock or the sources of the project around have from ``index``."""
    folder = find_project(Path(session.settings.project or session.cwd))
    if folder is None:
        return None
    place = read(folder)
    if place.lock_path.is_file():
        where = address(location_of(index, place), place)
        for package in uv_lock.parse(place.lock_path.read_text("utf-8"), LOCK_NAME).packages:
            if package.source.kind == "registry" and address(package.source.location, place) == where:
                return package.name
    for name, sources in place.project.sources.items():
        if index.name and any(each.target == "index" and each.location == index.name for each in sources):
            return name
    return None


def page_as_somebody(session: Session, index: Index, name: Name) -> tuple[Hop, Credential | None]:
    """The page of ``name`` with the first credential that is not refused, and that one. Raises ``NetworkError``."""
    chain = session.credentials
    credential = chain.for_url(index.url, index)
    return as_somebody(chain.answers(index.url, index), credential, lambda who: ask(session, index, name, who))


def as_somebody(
    answers: Answers | None, credential: Credential | None, send: Callable[[Credential | None], Hop]
) -> tuple[Hop, Credential | None]:
    """What ``send`` gets with ``credential``, or with the first of those that come after it in ``answers`` that is not
    refused, and that one."""
    hop = send(credential)
    while answers is not None and credential is not None:
        if hop.response.status not in (401, 403):
            answers.answered(credential)
            break
        other = answers.refused(credential, hop.response.status)
        if other is None:
            break
        hop.response.body.close()
        credential = other
        hop = send(other)
    if answers is not None:
        hop.response.refusals, hop.response.places = answers.refusals, answers.places
    return hop, credential


def ask(session: Session, index: Index, name: Name, credential: Credential | None) -> Hop:
    """The page of ``name``, along redirects that stay on the index's realm; raises ``NetworkError``.

    The credential goes with what belongs to the index, and nowhere else.
    """
    url = address_of(index, name)
    began = perf_counter()
    for _ in range(_HOPS):
        headers = {"Accept": negotiate.ACCEPT}
        if credential is not None and session.credentials.index_for(url, index) == index:
            name_of_header, value = header(credential)
            headers[name_of_header] = value
        request = Request("GET", url, headers, index, is_page=True, most=LARGEST_PAGE)
        response = session.bare_client.send(request)
        response.credential = credential
        target = _target(url, response)
        if target is None or target.realm != index.url.realm:
            return Hop(response, perf_counter() - began, target)
        response.body.close()
        url = target
    raise InvalidResponse(f"{index.label} redirected more than {_HOPS - 1} times", causes=(f"last URL: {url}",))


def address_of(index: Index, name: Name) -> Url:
    """Where ``index`` says what it has of ``name``; a page of links says it of everything."""
    place = index.url.without_credentials()
    return place if index.format == "flat" else place.child(name)


def client(session: Session) -> Client:
    """For what is not a page: redirects and credentials are as they are when packages are installed."""
    return session.uncached_client(_straight)


def origin_of(url: Url) -> str:
    """Scheme, host and port, as written."""
    scheme, separator, rest = url.public.partition("://")
    return scheme + separator + rest.partition("/")[0].partition("?")[0]


def _straight(request: Request, send: Send) -> Response:
    """In the place of the cache: what is looked at is what the server says."""
    return send(request)


def _target(url: Url, response: Response) -> Url | None:
    location = response.headers.get("location", "")
    if response.status not in STATUSES or not location:
        return None
    try:
        target = url.join(location).without_credentials()
    except ValueError:
        return None
    return target if target.scheme in ("http", "https") else None
