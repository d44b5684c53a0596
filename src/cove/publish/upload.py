"""Publishing files: ask what is already there, send what is not, say what became of each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from cove.errors import CoveError, PublishRefused
from cove.formats.upload_form import encode
from cove.http.messages import Request, Response
from cove.http.pool import pool
from cove.model.dataclasses import dataclass
from cove.model.event import Advanced, Finished, Listener, Started, ignore
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import AlreadyThere, Found, Outcome, Refused, Unavailable, Uploaded, UploadOutcome
from cove.model.secret import Credential
from cove.model.url import Url
from cove.publish.artifacts import Artifact
from cove.publish.presence import Conflict, Presence, presence
from cove.publish.verdict import error_for
from cove.registries import Registry, recognise

_PARALLEL = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 10
_HEADERS = {"Accept": "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"}


class Client(Protocol):
    """What publishing needs of ``cove.http.client.Client``."""

    def send(self, request: Request) -> Response:
        """As of ``Client``."""
        ...


@dataclass(frozen=True, slots=True)
class PublishTarget:
    """Where to publish: the upload URL, and the index it belongs to where one is configured."""

    url: Url
    index: Index | None = None

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.index.label if self.index is not None else str(self.url)

    @property
    def registry(self) -> Registry:
        """What is known of the product that takes the uploads."""
        return recognise(self.index.url if self.index is not None else self.url)


Check = Callable[[Name], Outcome]
"""Asks the index for a project's page, afresh on each call: an answer from before an upload says nothing after it."""


def publish(
    client: Client,
    artifacts: Sequence[Artifact],
    target: PublishTarget,
    credential: Credential | None,
    *,
    check: Check | None = None,
    listener: Listener = ignore,
    dry_run: bool = False,
) -> tuple[UploadOutcome, ...]:
    """What became of each artifact, in their order; nothing is raised for one that was refused, the others go on.

    With ``check``, files the index has with the same bytes are not sent, files it has with other bytes are refused, and where
    it cannot say, nothing is sent. With ``dry_run`` nothing is sent at all, and ``Uploaded`` means that it would be.
    """
    before = _ask(artifacts, check)
    job = _Job(client, target, credential, check, listener, dry_run=dry_run)
    with pool(_PARALLEL, "cove-upload") as threads:
        return tuple(threads.map(lambda artifact: job.one(artifact, before.get(artifact.name)), artifacts))


def _ask(artifacts: Sequence[Artifact], check: Check | None) -> dict[Name, Outcome]:
    """The pages of all projects, in one wave."""
    if check is None:
        return {}
    names = sorted({artifact.name for artifact in artifacts})
    with pool(min(16, len(names)), "cove-check") as threads:
        return dict(zip(names, threads.map(check, names), strict=True))


@dataclass(frozen=True, slots=True)
class _Job:
    client: Client
    target: PublishTarget
    credential: Credential | None
    check: Check | None
    listener: Listener
    dry_run: bool

    def one(self, artifact: Artifact, before: Outcome | None) -> UploadOutcome:
        if isinstance(before, Unavailable):
            return self._finished(Refused(artifact.filename, _not_checked(artifact, before)))
        there = _there(before, artifact)
        if there is Presence.SAME:
            return self._finished(AlreadyThere(artifact.filename))
        if isinstance(there, Conflict):
            return self._finished(Refused(artifact.filename, self._conflict(artifact, there)))
        if self.dry_run:
            return self._finished(Uploaded(artifact.filename))
        self.listener(Started("upload", artifact.filename, artifact.facts.size))
        return self._finished(self._upload(artifact))

    def _upload(self, artifact: Artifact) -> UploadOutcome:
        try:
            response = self._post(artifact)
            if 200 <= response.status < 300:
                response.body.close()
                return Uploaded(artifact.filename)
            error = error_for(response, artifact.filename, self.target.label, self.credential, self.target.registry)
        except CoveError as failure:
            error = failure
        except OSError as failure:
            error = PublishRefused(f"{artifact.path} could not be read while it was sent", causes=(str(failure),))
        # The registry may have taken the file nevertheless: from someone else meanwhile, or from an attempt of ours whose
        # answer was lost. Only the bytes it has decide, not the words of its refusal.
        after = self.check(artifact.name) if self.check is not None else None
        there = _there(after, artifact)
        if there is Presence.SAME:
            return AlreadyThere(artifact.filename)
        if isinstance(there, Conflict):
            error = self._conflict(artifact, there)
        return Refused(artifact.filename, error)

    def _post(self, artifact: Artifact) -> Response:
        """The final answer. Redirects are followed with the same POST, and within the realm only."""
        form = encode(artifact.fields, artifact.facts)
        url = self.target.url
        for _ in range(_MAX_REDIRECTS + 1):
            response = self.client.send(
                Request(
                    "POST",
                    url,
                    {**_HEADERS, "Content-Type": form.content_type},
                    self.target.index,
                    form.stream(lambda: self._reported(artifact)),
                    form.content_length,
                    self.credential,
                )
            )
            if response.status not in _REDIRECTS:
                self._stayed_at_home(response, artifact)
                return response
            response.body.close()
            url = self._next(url, response, artifact)
        raise PublishRefused(
            f"{self.target.label} redirected the upload of `{artifact.filename}` more than {_MAX_REDIRECTS} times"
        )

    def _next(self, url: Url, response: Response, artifact: Artifact) -> Url:
        location = response.headers.get("location", "")
        try:
            following = url.join(location) if location else None
        except ValueError:
            following = None
        if following is None:
            raise PublishRefused(
                f"{self.target.label} answered {response.status} to `{artifact.filename}` without saying where to go"
            )
        if following.realm != self.target.url.realm:
            raise self._elsewhere(following, artifact)
        return following

    def _stayed_at_home(self, response: Response, artifact: Artifact) -> None:
        """Success on another server is not success here, should a layer below have followed a redirect."""
        if response.url.realm != self.target.url.realm:
            response.body.close()
            raise self._elsewhere(response.url, artifact)

    def _elsewhere(self, url: Url, artifact: Artifact) -> PublishRefused:
        return PublishRefused(
            f"{self.target.label} redirects the upload of `{artifact.filename}` to another server, {url.without_credentials()}",
            hints=("if that is where the registry lives now, give its upload URL as `publish-url`",),
        )

    def _reported(self, artifact: Artifact) -> Iterator[bytes]:
        for piece in artifact.pieces():
            yield piece
            self.listener(Advanced("upload", artifact.filename, len(piece)))

    def _conflict(self, artifact: Artifact, conflict: Conflict) -> PublishRefused:
        if not conflict.remote:
            return PublishRefused(
                f"{self.target.label} already has `{artifact.filename}` and does not say with which content",
                hints=("raise the version, or remove the file from the index first",),
            )
        return PublishRefused(
            f"{self.target.label} already has `{artifact.filename}` with other content",
            causes=(
                f"here: {conflict.algorithm}={conflict.local}",
                f"there: {conflict.algorithm}={conflict.remote}",
            ),
            hints=("raise the version: a published file is never replaced",),
        )

    def _finished(self, outcome: UploadOutcome) -> UploadOutcome:
        self.listener(Finished("upload", outcome.filename, self._told(outcome)))
        return outcome

    def _told(self, outcome: UploadOutcome) -> str:
        match outcome:
            case Uploaded(filename):
                return f"{'Would upload' if self.dry_run else 'Uploaded'} {filename}"
            case AlreadyThere(filename):
                return f"{filename} is already there, with the same bytes"
            case Refused():
                return ""  # the error that it carries says why


def _there(outcome: Outcome | None, artifact: Artifact) -> Presence | Conflict:
    return presence(outcome.page, artifact) if isinstance(outcome, Found) else Presence.NOT_THERE


def _not_checked(artifact: Artifact, before: Unavailable) -> CoveError:
    """The index's own error, saying what it stood in the way of."""
    error = before.error
    return type(error)(
        f"`{artifact.filename}` was not sent, because {before.index.label} does not say whether it has it",
        causes=(error.message, *error.causes),
        hints=error.hints,
    )
