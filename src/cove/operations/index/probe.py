"""What an index can do, found out by asking it: ``cove index check``."""

import re
from collections.abc import Iterator, Mapping

from cove.errors import ConfigurationError, CoveError, UsageError
from cove.formats import negotiate
from cove.http.messages import Request, Response
from cove.http.status import error_for, status_text
from cove.index.simple import ABSENT_STATUSES, read_page
from cove.model.dataclasses import dataclass
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name, is_valid_name, normalize
from cove.model.outcome import Found, Unavailable
from cove.model.page import Page
from cove.model.secret import Credential
from cove.model.url import Url
from cove.operations.index.question import USUAL, ask, client, known_package, meant, origin_of, page_as_somebody
from cove.registries import Registry, recognise
from cove.wiring import Session

_NOWHERE = Name("cove-index-check-absent")
"""A name that no index has: how it says so is worth knowing."""

_DIRECTIVE = re.compile(
    r"\b(?:no-store|no-cache|private|public|immutable|must-revalidate|(?:s-maxage|max-age)=\d{1,9})\b"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out: ``value`` for programs, ``text`` for people."""

    key: str
    value: bool | int | float | str | None
    text: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of one index; ``error`` is set when a resolution could not work with it.

    ``recommended`` is TOML for the project's file, empty for a folder.
    """

    index: Index
    package: Name
    registry: Registry
    findings: tuple[Finding, ...]
    error: CoveError | None = None
    recommended: str = ""


def probe(session: Session, where: str | None = None, *, package: str | None = None) -> tuple[Probe, ...]:
    """Ask the index called ``where``, or at that URL, what it can do; without it, every index in force.

    ``package`` is what is asked for; else the first name that the lock or the sources of the project around have from the
    index, else ``pip``. Raises ``UsageError``, ``UnknownIndex`` and ``ConfigurationError``; what servers do is in the answer.
    """
    if package is not None and not is_valid_name(package):
        raise UsageError("`--package` takes the name of a package")
    indexes = session.indexes.all if where is None else (meant(session, where),)
    return tuple(
        _probe(session, index, normalize(package) if package else known_package(session, index) or USUAL)
        for index in indexes
    )


def _probe(session: Session, index: Index, name: Name) -> Probe:
    if index.url.scheme == "file" or index.format == "flat":
        return _ask_source(session, index, name)
    asking = _Asking(session, index, name)
    findings: list[Finding] = []
    try:
        for finding in asking.steps():
            findings.append(finding)  # noqa: PERF402 - what was found before a failure is kept
    except CoveError as failure:
        asking.error = failure
    return Probe(
        index, name, asking.registry, tuple(findings), asking.error, "" if asking.error else asking.recommended()
    )


def _ask_source(session: Session, index: Index, name: Name) -> Probe:
    """A folder or a page of links: there is no protocol to look into."""
    source = next((source for known, source in session.sources if known.url == index.url), None)
    if source is None:
        raise ConfigurationError("a folder is checked as an index that is configured: give its name")
    outcome = source.project(name)
    if isinstance(outcome, Unavailable):
        return Probe(index, name, recognise(index.url), (), outcome.error)
    has = isinstance(outcome, Found)
    count = len(outcome.page.files) if isinstance(outcome, Found) else 0
    finding = Finding("files", count, f"{count} of `{name}`" if has else f"`{name}` is not there")
    return Probe(index, name, recognise(index.url), (finding,))


@dataclass(slots=True)
class _Asking:
    """One probe at work: its fields are what the recommendation is made from."""

    session: Session
    index: Index
    name: Name
    error: CoveError | None = None
    credential: Credential | None = None
    needs_credential: bool = False
    absent_status: int = 404
    elsewhere: Url | None = None
    can_revalidate: bool = True

    @property
    def registry(self) -> Registry:
        """The product, as far as its URL tells."""
        return recognise(self.index.url)

    def steps(self) -> Iterator[Finding]:
        """Everything that can be found out, one by one; raises ``CoveError`` where no answer comes."""
        yield Finding("registry", self.registry.name, self.registry.title)
        page, self.credential = page_as_somebody(self.session, self.index, self.name)
        yield Finding("reachable", value=True, text="yes")
        yield Finding("tls", self.index.url.scheme == "https", self._tls())
        again = ask(self.session, self.index, self.name, self.credential)
        again.response.body.close()
        yield Finding("latency", round(again.seconds, 4), f"{again.seconds * 1000:.0f} ms")
        yield self._authentication(page.response)
        absent = ask(self.session, self.index, _NOWHERE, self.credential)
        absent.response.body.close()
        self.absent_status = absent.response.status
        yield Finding(
            "absent", absent.response.status, f"says {status_text(absent.response.status)} of unknown packages"
        )
        self.elsewhere = page.elsewhere or absent.elsewhere
        origin = origin_of(self.elsewhere) if self.elsewhere else None
        yield Finding("redirect", origin, f"to {origin}: not followed unless allowed" if origin else "to no other host")
        if page.response.status == 200:
            yield from self._page(page.response)
            return
        page.response.body.close()
        if page.response.status in ABSENT_STATUSES | self.registry.absent_statuses:
            yield Finding("package", value=False, text=f"`{self.name}` is not there: choose one with `--package`")
        elif page.elsewhere is None:
            self.error = error_for(page.response, subject=self.name, index=self.index)
            self.error.hints = (*self.error.hints, *self.registry.hints(page.response.status))

    def _tls(self) -> str:
        if self.index.url.scheme != "https":
            return "none: whoever is on the way can read and change everything"
        realm = self.index.url.realm
        hosts = self.session.settings.allow_insecure_host
        return "not checked (allow-insecure-host)" if {realm[1], f"{realm[1]}:{realm[2]}"} & set(hosts) else "verified"

    def _authentication(self, answer: Response) -> Finding:
        """Whether a credential is needed and accepted: the same question without one."""
        if self.credential is None:
            self.needs_credential = answer.status in (401, 403)
            needed = "needed, and none is known" if self.needs_credential else "not needed; none is known"
            return Finding("authentication", "missing" if self.needs_credential else "none", needed)
        anonymous = ask(self.session, self.index, self.name, None)
        anonymous.response.body.close()
        status = anonymous.response.status
        self.needs_credential = status != 200
        is_answer = answer.status == 200 or answer.status in ABSENT_STATUSES
        verdict = "refused" if answer.status in (401, 403) else "accepted" if is_answer else "sent"
        without = f"without one: {status_text(status)}"
        return Finding(
            "authentication",
            verdict,
            f"{verdict}: {self.credential.whose} from {self.credential.origin}; {without}",
        )

    def _page(self, response: Response) -> Iterator[Finding]:
        headers = response.headers
        page = read_page(self.name, response)
        kind = negotiate.kind_of(headers.get("content-type"), b"<")
        yield Finding("format", kind or "html", "JSON" if kind == "json" else "HTML")
        self.can_revalidate = "etag" in headers or "last-modified" in headers
        # Only what caching knows: a header is the server's own text, and could repeat what was sent.
        caching = ", ".join(_DIRECTIVE.findall(headers.get("cache-control", "").lower()))
        validator = "can be revalidated" if self.can_revalidate else "cannot be revalidated"
        yield Finding("cache-control", caching or None, f"{caching or 'nothing said'}; pages {validator}")
        files = page.files
        yield Finding("files", len(files), f"{len(files)} of `{self.name}`")
        for key, count in _offered(page):
            yield Finding(key, bool(files) and count == len(files), _share(count, len(files)))
        wheel = next((file for file in reversed(files) if file.filename.endswith(".whl")), None)
        if wheel is not None:
            yield self._metadata(wheel)
            yield self._ranges(wheel)

    def _metadata(self, wheel: File) -> Finding:
        if wheel.metadata is None:
            return Finding("metadata", value=False, text="not offered beside wheels: read from the wheels' ends")
        answer = client(self.session).send(Request("GET", wheel.url.with_suffix(".metadata"), index=self.index))
        answer.body.close()
        there = answer.status == 200
        said = "offered" if there else f"offered, but answered with {status_text(answer.status)}"
        return Finding("metadata", there, said)

    def _ranges(self, wheel: File) -> Finding:
        headers = {"Range": "bytes=-64", "Accept-Encoding": "identity"}
        answer = client(self.session).send(Request("GET", wheel.url, headers, index=self.index))
        answer.body.close()
        if answer.status == 206:
            return Finding("ranges", value=True, text="understood")
        said = (
            "ignored: wheels are downloaded whole"
            if answer.status == 200
            else f"{status_text(answer.status)} for a file"
        )
        return Finding("ranges", value=False, text=said)

    def recommended(self) -> str:
        """The block for the project's file that fits what was found."""
        name = self.index.name or (self.registry.name if self.registry.name != "generic" else "private")
        url = self.index.written_url or self.index.url.public
        lines = ["[[tool.uv.index]]", f'name = "{name}"', f'url = "{url}"']
        lines += ["default = true"] if self.index.default else []
        lines += ["explicit = true"] if self.index.explicit else []
        publish = self.index.publish_url or self.registry.publish_url(self.index.url)
        lines += [f'publish-url = "{publish.public}"'] if publish is not None else []
        lines += ['authenticate = "always"'] if self.needs_credential else []
        tolerated = {self.absent_status} - ABSENT_STATUSES - self.registry.absent_statuses - {200}
        if tolerated <= {403} and tolerated:
            lines.append("ignore-error-codes = [403]")
        if not self.can_revalidate:
            lines.append('cache-control = { api = "max-age=600" }')
        return "\n".join(lines) + "\n"


def _offered(page: Page) -> Iterator[tuple[str, int]]:
    counted: Mapping[str, int] = {
        "hashes": sum(bool(file.hashes) for file in page.files),
        "upload-time": sum(file.upload_time is not None for file in page.files),
        "sizes": sum(file.size is not None for file in page.files),
    }
    yield from counted.items()


def _share(count: int, total: int) -> str:
    if count == total:
        return "for all files" if total else "there are no files"
    return f"for {count} of {total} files" if count else "none"
