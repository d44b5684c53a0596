"""One index that speaks the Simple API (PEP 503, PEP 691)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock

from cove.errors import (
    ConfigurationError,
    CoveError,
    CredentialsRefused,
    InvalidResponse,
    OfflineError,
    UnexpectedStatus,
)
from cove.formats import negotiate
from cove.http.cache import ANEW, STORED
from cove.http.client import Client
from cove.http.messages import Response
from cove.http.offline import lacking
from cove.http.once import Once
from cove.http.redirects import STATUSES as REDIRECTS
from cove.http.status import error_for, status_text
from cove.index.mirrors import at_home
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.page import Page
from cove.model.url import Url
from cove.registries import Registry, recognise

ABSENT_STATUSES = frozenset({404, 410})
"""With these a server says that it does not have a project. Everything else that is not a page says nothing about it."""

LARGEST_PAGE = 128 * 1024 * 1024
"""Bytes of a page, unpacked; the largest that are known have a quarter of it."""


class SimpleIndex:
    """A source: each project's page is asked for once per run, however many threads want it."""

    def __init__(self, index: Index, client: Client) -> None:
        self.index = index
        self._client = client
        self._registry = recognise(index.url)
        self._outcomes: Once[Name, Outcome] = Once()
        self._answers: Once[Name, Response] = Once()
        self._marks: dict[Name, str] = {}
        self._lock = Lock()
        self._unasked: set[Name] = set()
        self._anew: frozenset[Name] = frozenset()

    def project(self, name: Name) -> Outcome:
        """What the index says of ``name``."""
        return self._outcomes.get(name, lambda: self._ask(name, ANEW if name in self._anew else {}))

    def stored(self, name: Name) -> Outcome:
        """What the page in the cache says, however old; ``Unavailable`` without one."""
        return self._ask(name, STORED)

    def mark(self, name: Name) -> str:
        """What tells the answer for ``name`` from any other, asked for now and not read: a digest, or the status of absence.

        Empty for an answer that has none. ``project`` makes use of the same answer.
        """
        if name not in self._marks:
            try:
                self._mark(name, self._answer(name))
            except (CoveError, OSError):
                return ""  # whoever asks for the project is told
        return self._marks[name]

    def marks(self) -> dict[Name, str]:
        """The marks of all answers that were given, by project."""
        return dict(self._marks)

    def doubt(self) -> bool:
        """Forget the pages that came from the cache without the server having been asked: it is asked from now on.

        Whether there was any. Not to be called while ``project`` is.
        """
        with self._lock:
            doubted, self._unasked = frozenset(self._unasked), set()
        self._anew |= doubted
        for name in doubted:
            self._outcomes.forget(name)
            self._answers.forget(name)
            self._marks.pop(name, None)
        return bool(doubted)

    def _ask(self, name: Name, how: Mapping[str, str]) -> Outcome:
        try:
            if self.index.url.scheme == "file":
                from cove.index.directory import read_project  # noqa: PLC0415 - most indexes are elsewhere

                return read_project(self.index, name)
            if how:
                return self._judge(name, self._request(name, how))
            response = self._answer(name)
            self._answers.forget(name)  # its body need not be kept beside the page
            self._mark(name, response)
            return self._judge(name, response)
        except InvalidResponse as error:
            return Unavailable(self.index, unreadable(name, self.index, error))
        except OfflineError:
            return Unavailable(self.index, lacking(f"the page of `{name}` on {self.index.label}"))
        except CoveError as error:
            return Unavailable(self.index, error)
        except OSError as error:
            reason = f"cannot read the page of `{name}` on {self.index.label}: {error.strerror or error}"
            return Unavailable(self.index, ConfigurationError(reason))

    def _answer(self, name: Name) -> Response:
        return self._answers.get(name, lambda: self._request(name, {}))

    def _request(self, name: Name, how: Mapping[str, str]) -> Response:
        headers = {"Accept": negotiate.ACCEPT, **how}
        url = self.index.url.child(name)
        response = self._client.get(url, index=self.index, headers=headers, is_page=True, most=LARGEST_PAGE)
        if response.is_unasked:
            with self._lock:
                self._unasked.add(name)
        return response

    def _mark(self, name: Name, response: Response) -> None:
        self._marks[name] = response.digest
        if response.status in ABSENT_STATUSES:
            response.body.close()
            self._marks[name] = str(response.status)

    def _judge(self, name: Name, response: Response) -> Outcome:
        if response.status == 200:
            return Found(self.index, at_home(read_page(name, response), self.index))
        response.body.close()
        tolerated = self.index.ignore_error_codes | self._registry.absent_statuses
        if response.status in ABSENT_STATUSES or response.status in tolerated:
            check_expiry(name, self.index, response)
            return Absent(self.index, status_text(response.status))
        return Unavailable(self.index, refusal(name, self.index, response, self._registry))


def read_page(name: Name, response: Response) -> Page:
    """The page in a successful answer; links are relative to where it finally came from. Raises ``InvalidResponse``.

    What reads the format is loaded when the first page of that format is there: not before the first question is asked.
    """
    body = response.body.read()
    content_type = response.headers.get("content-type")
    match negotiate.kind_of(content_type, body[:64]):
        case "json":
            from cove.formats import simple_json  # noqa: PLC0415

            return simple_json.read(body, response.url, name)
        case "html":
            from cove.formats import simple_html  # noqa: PLC0415

            return simple_html.read(body, response.url, name)
        case None:
            said = f"its Content-Type is {content_type!r}" if content_type else "it has no Content-Type"
            raise InvalidResponse(f"the answer is neither JSON nor HTML: {said}")


def check_expiry(subject: str, index: Index, response: Response) -> None:
    """Raise ``CredentialsRefused`` if absence is what an index says to a credential that is known to have expired."""
    credential = response.credential
    if credential is not None and credential.has_expired(datetime.now(UTC)):
        raise CredentialsRefused(
            f"{index.label} answered {status_text(response.status)} for `{subject}`, and the credential from "
            f"{credential.origin} has expired",
            causes=("to an expired credential, some indexes say that what they have does not exist",),
            hints=(f"get a new one and put it into {credential.origin}",),
        )


def refusal(subject: str, index: Index, response: Response, registry: Registry) -> CoveError:
    """The error for an answer that is neither a page nor absence, with what is known of the registry."""
    if response.status in REDIRECTS:
        return _sent_elsewhere(subject, index, response, registry)
    error = error_for(response, subject=subject, index=index)
    error.hints = (*error.hints, *registry.hints(response.status))
    return error


def _sent_elsewhere(subject: str, index: Index, response: Response, registry: Registry) -> UnexpectedStatus:
    """A redirect that was not followed. Its target is told without user info and query, which may be secret."""
    try:
        target = response.url.join(response.headers.get("location", ""))
        scheme, host, port = target.realm
        origin = f"{scheme}://{host}" + ("" if Url(f"{scheme}://{host}").realm == target.realm else f":{port}")
    except ValueError:
        origin = "another place"
    name = index.name or "<name>"
    return UnexpectedStatus(
        f"{index.label} does not say what it has of `{subject}`, but redirects to {origin} ({status_text(response.status)})",
        causes=("what another server says is not taken for the answer of a private index",),
        hints=(
            *registry.hints(response.status),
            f'if that server may answer for it: `allow-redirect-to = ["{origin}"]` in [tool.cove.index.{name}]',
            f"if the index means that it does not have it: `ignore-error-codes = [{response.status}]`",
        ),
    )


def unreadable(subject: str, index: Index, error: InvalidResponse) -> InvalidResponse:
    """``error`` (a bare reason) with the project and the index it is about."""
    return InvalidResponse(
        f"the answer of {index.label} for `{subject}` cannot be read: {error.message}",
        causes=error.causes,
        hints=(
            *error.hints,
            f"open {index.url.without_credentials()} in a browser: is it the address of a simple index?",
        ),
    )
