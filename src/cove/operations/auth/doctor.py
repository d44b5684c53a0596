"""What is wrong with the credentials for an index, found out by asking all sources and the index: ``cove auth doctor``."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from cove.auth.answers import Answers
from cove.auth.layer import header
from cove.errors import (
    CoveError,
    CredentialsRefused,
    InvalidResponse,
    UsageError,
)
from cove.formats import negotiate
from cove.http.bodies import Whole
from cove.http.messages import Request, Response
from cove.http.redirects import allows, is_public
from cove.http.status import error_for, missing_hints, status_text
from cove.index.simple import ABSENT_STATUSES, LARGEST_PAGE, check_expiry, read_page, refusal, unreadable
from cove.model.dataclasses import dataclass, field, replace
from cove.model.event import Event, Listener, Warned
from cove.model.index import Index
from cove.model.name import Name, is_valid_name, normalize
from cove.model.page import Page
from cove.model.secret import Credential
from cove.model.url import Url
from cove.operations.auth.question import Question, Verdict, of_error, words_of
from cove.operations.auth.sources import Source, State, judged, sources
from cove.operations.index import question
from cove.operations.index.question import USUAL, Hop, as_somebody, known_package, meant, origin_of
from cove.operations.publish import credential_for_upload
from cove.registries import Registry, recognise
from cove.wiring import Session

T = TypeVar("T")

_SIGN_IN = re.compile(r"log-?_?in|sign-?_?in|sso|saml|oauth|authorize|/auth", re.IGNORECASE)
_PASSWORD_FIELD = re.compile(rb"<input[^>]*\btype\s*=\s*[\"']?password|<form[^>]*(?:log|sign)[-_]?in", re.IGNORECASE)
_OPEN = frozenset({"pypi", "pytorch"})
_EMPTY_FORM = b"--cove--\r\n"
"""An upload without a single field: nothing can be published with it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything there is to know about the credentials of one index."""

    index: Index
    registry: Registry
    package: Name
    sources: tuple[Source, ...]
    questions: tuple[Question, ...]
    error: CoveError | None = None
    """What made it pointless to ask."""

    @property
    def verdict(self) -> Verdict:
        """That of the first question that was not answered well."""
        if self.error is not None:
            return "other"
        bad = (each.verdict for each in self.questions if each.counts)
        return next((verdict for verdict in bad if verdict not in ("fine", "unclear", "not asked")), "fine")

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, the nearest first."""
        of_error = self.error.hints if self.error is not None else ()
        mends = (each.mend for each in self.sources if each.mend)
        return tuple(dict.fromkeys((*of_error, *mends, *(hint for each in self.questions for hint in each.hints))))


def diagnose(
    session: Session, where: str | None = None, *, package: str | None = None, to_publish: bool = False
) -> tuple[Diagnosis, ...]:
    """Ask the index called ``where``, or at that URL; without it, every index in force.

    ``package`` is what is asked for, else a name that the project around has from the index, else ``pip``. With ``to_publish``
    what was given for publishing is used for the upload URL, and what that answers counts. Raises ``UsageError``,
    ``UnknownIndex`` and ``ConfigurationError``; what sources and servers do is in the answer.
    """
    if package is not None and not is_valid_name(package):
        raise UsageError("`--package` takes the name of a package")
    if to_publish and where is None:
        raise UsageError("`--publish` needs an index: what is given for publishing is not for all of them")
    ear = _Ear(session.listener)
    quiet = session.undisturbing(ear)
    indexes = (*quiet.indexes.all, *quiet.indexes.find_links) if where is None else (meant(quiet, where),)
    _ = quiet.credentials  # what is wrong with all of them is told before anybody is asked
    name = normalize(package) if package else None
    asked = [each for each in indexes if each.url.scheme in ("http", "https")]
    return tuple(_Doctor(quiet, each, name, ear, to_publish=to_publish).diagnosis() for each in asked)


class _Ear:
    """Passes on what is told, except for the warnings of a source while it is ``heard`` out."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._warnings: list[Warned] | None = None

    def __call__(self, event: Event) -> None:
        if self._warnings is not None and isinstance(event, Warned):
            self._warnings.append(event)
        else:
            self._listener(event)

    def heard(self, work: Callable[[], T]) -> tuple[T, tuple[Warned, ...]]:
        """What ``work`` gives, and the warnings meanwhile."""
        warnings: list[Warned] = []
        self._warnings = warnings
        try:
            return work(), tuple(warnings)
        finally:
            self._warnings = None


@dataclass(slots=True)
class _Doctor:
    """One index under examination."""

    session: Session
    index: Index
    wanted: Name | None
    ear: _Ear
    to_publish: bool = False
    worked: Credential | None = None
    turned_away: State = "found"
    found: list[Source] = field(default_factory=list)

    def diagnosis(self) -> Diagnosis:
        registry = recognise(self.index.url)
        name = self.wanted or USUAL
        asked: list[Question] = []
        try:
            self.wanted = self.wanted or known_package(self.session, self.index)
            name = self.wanted or USUAL
            answers = self.session.credentials.of_index(self.index)
            self.found.extend(sources(self.session, self.index, answers, self.ear.heard))
            asked.extend(self._questions(name, registry, answers))
        except CoveError as error:
            return Diagnosis(self.index, registry, name, tuple(self.found), tuple(asked), error)
        listed = (
            judged(self.found, answers, self.worked, self.turned_away) if answers is not None else tuple(self.found)
        )
        return Diagnosis(self.index, registry, name, listed, tuple(asked))

    def _questions(self, name: Name, registry: Registry, answers: Answers | None) -> Iterator[Question]:
        about_index, page = self._ask_index(name, registry, answers)
        yield about_index
        yield self._ask_file(page, about_index)
        if about_index.verdict in ("unreachable", "tls"):
            yield Question("upload", "not asked", "the index gave no answer")
        else:
            yield self._ask_upload(registry, answers)

    # -- the index

    def _ask_index(self, name: Name, registry: Registry, answers: Answers | None) -> tuple[Question, Page | None]:
        url = question.address_of(self.index, name)
        if self.index.authenticate == "always" and (answers is None or answers.in_force() is None):
            text = 'no credential is known, and `authenticate = "always"` asks nothing without one'
            return Question("index", "missing", text, url, hints=missing_hints(self.index)), None
        try:
            hop, credential = question.page_as_somebody(self.session, self.index, name)
            if hop.elsewhere is not None and self._may_follow(hop.response, hop.elsewhere):
                hop.response.body.close()
                headers = {"Accept": negotiate.ACCEPT}
                client = question.client(self.session)
                hop = Hop(client.get(url, index=self.index, headers=headers, is_page=True, most=LARGEST_PAGE), 0.0)
            return self._judge_index(name, registry, url, hop, credential)
        except CoveError as error:
            return self._failed("index", error, url), None

    def _may_follow(self, response: Response, target: Url) -> bool:
        return allows(self.index, target) or is_public(self.index, response)

    def _judge_index(
        self, name: Name, registry: Registry, url: Url, hop: Hop, credential: Credential | None
    ) -> tuple[Question, Page | None]:
        response = hop.response
        status = response.status
        is_absent = status in ABSENT_STATUSES | registry.absent_statuses | self.index.ignore_error_codes
        if status in (200, 203):
            return self._read(name, url, response, credential)
        if not is_absent:
            error = refusal(name, self.index, response, registry)
            asked = self._refused("index", error, url, response, credential)
            if hop.elsewhere is not None and _SIGN_IN.search(hop.elsewhere.public):
                return self._sent_to_sign_in(asked, origin_of(hop.elsewhere)), None
            return asked, None
        try:
            check_expiry(name, self.index, response)
        except CredentialsRefused as error:
            return self._refused("index", error, url, response, credential), None
        return self._absent(name, registry, url, response, credential), None

    def _read(
        self, name: Name, url: Url, response: Response, credential: Credential | None
    ) -> tuple[Question, Page | None]:
        content = response.body.read()
        response.body = Whole(content)
        is_list = self.index.format == "flat"
        try:
            page, problem = None if is_list else read_page(name, response), None
        except InvalidResponse as error:
            page, problem = None, unreadable(name, self.index, error)
        if (page is None or not page.files) and (response.status == 203 or _PASSWORD_FIELD.search(content)):
            response.body = Whole(b"")
            asked = Question("index", "other", "", url, response.status, sent=credential)
            return self._sent_to_sign_in(asked, "here, in the place of a page"), None
        if problem is not None:
            return self._failed("index", problem, url, response, credential), None
        self.worked = credential
        count = len(page.files) if page is not None else 0
        has = f"has `{name}`, {count} {'file' if count == 1 else 'files'}" if page is not None else "gives out its list"
        text = f"{has}; {self._without(name, credential)}"
        return Question("index", "fine", text, url, response.status, sent=credential), page

    def _without(self, name: Name, credential: Credential | None) -> str:
        """The same question without a credential: only that tells whether one that is not refused is worth anything."""
        if credential is None:
            return "no credential is needed, and none is known"
        anonymous = question.ask(self.session, self.index, name, None)
        anonymous.response.body.close()
        status = anonymous.response.status
        return f"{status_text(status)} without a credential" + (", so none is needed" if status == 200 else "")

    def _sent_to_sign_in(self, asked: Question, where: str) -> Question:
        """Browsers are asked to sign in where others are told 401."""
        self.turned_away = "refused"
        verdict: Verdict = "refused" if asked.sent is not None else "missing"
        whose = f"the credential from {asked.sent.origin} was not taken" if asked.sent is not None else "none is known"
        hints = missing_hints(self.index) if asked.sent is None else ()
        text = f"answers with a page to sign in ({where}): {whose}"
        return replace(asked, verdict=verdict, text=text, hints=(*hints, *recognise(self.index.url).hints(401)))

    def _absent(
        self, name: Name, registry: Registry, url: Url, response: Response, credential: Credential | None
    ) -> Question:
        """A page that is not there, or is not shown."""
        said = status_text(response.status)
        server = self._server(response)
        if self.wanted is None:
            self.worked = credential
            text = f"answers ({said} for `{name}`); name a package that it has with `--package`, to be sure"
            return Question("index", "fine", text, url, response.status, server, credential)
        text = f"says {said} for `{name}`: it is not there"
        if registry.name in _OPEN:
            return Question("index", "other", text, url, response.status, server, credential)
        if credential is None:
            text += ", or is not shown to those who do not say who they are; no credential is known"
            hints = (*missing_hints(self.index), *registry.hints(response.status), *registry.login)
            return Question("index", "missing", text, url, response.status, server, None, hints)
        self.turned_away = "forbidden"
        text += f", or is not shown to {credential.whose} (from {credential.origin})"
        hints = ("ask whoever manages the index for the right to read it", *registry.hints(response.status))
        return Question("index", "forbidden", text, url, response.status, server, credential, hints)

    # -- a file

    def _ask_file(self, page: Page | None, about_index: Question) -> Question:
        """One byte of the first file, asked for as an installation would."""
        if page is None or not page.files:
            return Question("file", "not asked", "no page of the index names one")
        file = page.files[0]
        url = file.url.without_credentials().without_fragment()
        if url.scheme not in ("http", "https"):
            return Question("file", "not asked", f"it is at a {url.scheme} URL")
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
        try:
            response = question.client(self.session).send(Request("GET", file.url, headers, index=self.index))
        except CoveError as error:
            return self._failed("file", error, url)
        sent = response.credential
        if response.status in (200, 206, 416):
            response.body.close()
            return Question("file", "fine", self._way_of(file.filename, url, response), url, response.status, sent=sent)
        if response.status in (401, 403) and sent is None and about_index.sent is not None:
            return self._out_of_reach(file.filename, url, response)
        denied = error_for(response, subject=file.filename, index=self.index)
        denied.hints = (*denied.hints, *recognise(self.index.url).hints(response.status))
        return self._refused("file", denied, url, response, sent)

    def _way_of(self, filename: str, url: Url, response: Response) -> str:
        end = f", from {origin_of(response.url)}" if response.url.realm != url.realm else ""
        how = "with the credential" if response.credential is not None else "without a credential"
        return f"{filename} is given out{end}, {how}"

    def _out_of_reach(self, filename: str, url: Url, response: Response) -> Question:
        place = origin_of(response.url)
        status = status_text(response.status)
        text = f"{filename} is at {place}, where the index's credential is not sent; {status} without one"
        if response.url.realm == self.index.url.realm:
            root = self.index.root.without_credentials()
            text = f"{filename} is not below {root}, so the index's credential is not sent; {status} without one"
        hints = (f"`cove auth login {place}`, or a netrc entry for {response.url.host}, says what to send there",)
        return Question("file", "missing", text, url, response.status, self._server(response), None, hints)

    # -- uploads

    def _ask_upload(self, registry: Registry, answers: Answers | None) -> Question:
        """Whether the upload URL lets us in, asked with a form that has nothing in it."""
        known = registry.publish_url(self.index.url)
        index = self.index
        if index.publish_url is None:
            if known is None or known.realm != index.url.realm:
                return self._no_upload_url(known)
            index = replace(index, publish_url=known)
        assert index.publish_url is not None
        url = index.publish_url.without_credentials()
        try:
            credential = credential_for_upload(self.session, index, as_given=self.to_publish)
            own = self.session.credentials.origin_of(credential) if credential is not None else None
            hop, credential = as_somebody(own, credential, lambda who: self._post(url, who))
        except CoveError as error:
            return replace(self._failed("upload", error, url), counts=self.to_publish)
        response = hop.response
        if response.status not in (401, 403):
            return self._judge_upload(url, response, credential)
        if answers is not None and credential is None:
            response.places = answers.places
        denied = error_for(response, subject="uploads", index=index)
        denied.hints = (*denied.hints, *registry.hints(response.status))
        asked = self._refused("upload", denied, url, response, credential)
        return replace(asked, counts=self.to_publish or asked.verdict == "refused")

    def _no_upload_url(self, known: Url | None) -> Question:
        hints = (f"`publish-url` says where files go{f': {known}' if known is not None else ''}",)
        verdict: Verdict = "other" if self.to_publish else "not asked"
        return Question("upload", verdict, "the index has no `publish-url`", hints=hints if self.to_publish else ())

    def _post(self, url: Url, credential: Credential | None) -> Hop:
        headers = {"Content-Type": "multipart/form-data; boundary=cove"}
        if credential is not None:
            name, value = header(credential)
            headers[name] = value
        response = self.session.bare_client.send(Request("POST", url, headers, self.index, _EMPTY_FORM))
        response.credential = credential
        return Hop(response, 0.0)

    def _judge_upload(self, url: Url, response: Response, credential: Credential | None) -> Question:
        said, status = f"{status_text(response.status)} to an empty form", response.status
        asked = Question("upload", "unclear", said, url, status, self._server(response), credential)
        if status in (404, 405, 410):
            text = f"{said}: nothing is published at this address"
            return replace(asked, verdict="other", text=text, counts=self.to_publish, hints=("correct `publish-url`",))
        if credential is None:
            return replace(asked, text=f"not refused ({said}), though nobody said who asks")
        without = self._post(url, None)
        without.response.body.close()
        if without.response.status in (401, 403):
            return replace(
                asked, verdict="fine", text=f"not refused ({said}; {status_text(without.response.status)} without)"
            )
        return replace(asked, text=f"cannot be told: {said}, whoever asks")

    # -- what was said

    def _refused(
        self, what: str, error: CoveError, url: Url, response: Response, credential: Credential | None
    ) -> Question:
        asked = self._failed(what, error, url, response, response.credential or credential)
        if asked.verdict == "forbidden" and asked.sent is None:
            return replace(asked, verdict="missing")
        return asked

    def _failed(
        self, what: str, error: CoveError, url: Url, response: Response | None = None, sent: Credential | None = None
    ) -> Question:
        return of_error(what, error, url, response=response, sent=sent, secrets=self._secrets)

    def _server(self, response: Response) -> tuple[str, ...]:
        return words_of(response, self._secrets)

    @property
    def _secrets(self) -> tuple[Credential | None, ...]:
        return tuple(each.credential for each in self.found)
