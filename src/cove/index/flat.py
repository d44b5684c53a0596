"""Flat lists of links: ``format = "flat"`` and ``--find-links`` (one page or folder with the files of all projects)."""

from collections.abc import Mapping, Sequence

from cove.errors import ConfigurationError, CoveError, InvalidResponse
from cove.formats import simple_html
from cove.http.cache import ANEW, STORED
from cove.http.client import Client
from cove.http.once import Once
from cove.http.status import status_text
from cove.index.directory import read_links
from cove.index.mirrors import at_home
from cove.index.simple import ABSENT_STATUSES, LARGEST_PAGE, check_expiry, refusal, unreadable
from cove.model.dist import File, SdistName, parse_filename
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.page import Page
from cove.registries import recognise

_Listing = Mapping[str, Sequence[File]] | Unavailable
_ALL, _STORED = "all", "stored"


class FlatIndex:
    """A source: an HTML page of links over HTTP, a local HTML file, or a local folder, read once per run.

    A list that cannot be had makes every project unavailable: it is one document, so its absence says nothing of a project.
    With a status among ``ignore-error-codes`` it is empty.
    """

    def __init__(self, index: Index, client: Client) -> None:
        self.index = index
        self._client = client
        self._listing: Once[str, _Listing] = Once()
        self._is_unasked = False
        self._anew: Mapping[str, str] = {}

    def doubt(self) -> bool:
        """As ``SimpleIndex.doubt``, for the one page that there is."""
        was_unasked, self._is_unasked = self._is_unasked, False
        if was_unasked:
            self._anew = ANEW
            self._listing.forget(_ALL)
        return was_unasked

    def project(self, name: Name) -> Outcome:
        """The files of the list that are ``name``'s, by their names."""
        return self._of(name, self._listing.get(_ALL, lambda: self._read(self._anew)))

    def mark(self, name: Name) -> str:  # noqa: ARG002 - the shape of a marked source
        """None: a list is for all projects, and is read anew in every run."""
        return ""

    def marks(self) -> dict[Name, str]:
        """None, too."""
        return {}

    def stored(self, name: Name) -> Outcome:
        """The same by the list in the cache, however old; ``Unavailable`` without one."""
        return self._of(name, self._listing.get(_STORED, lambda: self._read(STORED)))

    def _of(self, name: Name, listing: _Listing) -> Outcome:
        if isinstance(listing, Unavailable):
            return listing
        # The name of an old sdist may end at several places: ``a-b-1.0.tar.gz`` is of ``a-b``, or version ``b-1.0`` of ``a``.
        files = tuple(file for file in listing.get(_initial(name), ()) if _belongs(file, name))
        return Found(self.index, Page(name, files)) if files else Absent(self.index, "no file of this name in the list")

    def _read(self, how: Mapping[str, str]) -> _Listing:
        try:
            files = self._links(how)
        except InvalidResponse as error:
            return Unavailable(self.index, unreadable("the list of links", self.index, error))
        except CoveError as error:
            return Unavailable(self.index, error)
        except OSError as error:
            reason = f"cannot read the links of {self.index.label}: {error.strerror or error}"
            return Unavailable(self.index, ConfigurationError(reason))
        by_initial: dict[str, list[File]] = {}
        for file in files:
            by_initial.setdefault(_initial(file.filename), []).append(file)
        return by_initial

    def _links(self, how: Mapping[str, str]) -> tuple[File, ...]:
        if self.index.url.scheme == "file":
            return read_links(self.index)
        headers = {"Accept": "text/html", **how}
        response = self._client.get(self.index.url, index=self.index, headers=headers, is_page=True, most=LARGEST_PAGE)
        self._is_unasked = response.is_unasked
        if response.status == 200:
            return at_home(simple_html.read(response.body.read(), response.url, Name("")), self.index).files
        response.body.close()
        if response.status in self.index.ignore_error_codes:
            check_expiry("the list of links", self.index, response)
            return ()
        if response.status in ABSENT_STATUSES:
            raise ConfigurationError(
                f"the links of {self.index.label} are not there ({status_text(response.status)}: {response.url})",
                hints=(f"they are configured in {self.index.origin}",),
            )
        raise refusal("the list of links", self.index, response, recognise(self.index.url))


def _initial(name: str) -> str:
    return name[:1].lower()


def _belongs(file: File, name: Name) -> bool:
    parsed = parse_filename(file.filename, name)
    if isinstance(parsed, SdistName):
        return parsed.version[:1].isdigit() or parsed.version[:1] in ("v", "V")
    return parsed is not None and parsed.name == name
