"""What is known of a server product, as one record."""

from collections.abc import Callable

from cove.model.dataclasses import dataclass
from cove.model.url import Url


def _nowhere(index_url: Url) -> Url | None:  # noqa: ARG001 - the shape of ``Registry.publish_url``
    return None


@dataclass(frozen=True, slots=True)
class Registry:
    """One server product behind an index.

    ``recognise`` tells from an index's URL whether this is the product. ``publish_url`` derives the upload address where
    the index's URL determines it, without user info, else gives ``None``. ``username`` is the user name that goes with a
    token, empty where people have their own. ``absent_statuses`` are those, besides 404 and 410, with which the product says
    that it does not have a project. ``login`` are sentences that say how to get and set a credential. ``shares_realm``: files
    lie under another path than the index's, so that its credential is valid for the whole realm.
    """

    name: str
    title: str
    recognise: Callable[[Url], bool]
    username: str = ""
    publish_url: Callable[[Url], Url | None] = _nowhere
    absent_statuses: frozenset[int] = frozenset()
    login: tuple[str, ...] = ()
    shares_realm: bool = False
    duplicates: tuple[tuple[int, str], ...] = ()
    """How an upload is answered when the file exists: a status, with lower-case words of the reason or body."""
    notes: tuple[tuple[int, str], ...] = ()
    """What a status may mean on this product beyond what it means anywhere: a sentence for a hint."""

    def says_already_there(self, status: int, text: str) -> bool:
        """Whether an answer to an upload (``text`` is reason phrase and body) says that a file of this name exists."""
        lowered = text.lower()
        return any(status == known and words in lowered for known, words in self.duplicates)

    def hints(self, status: int) -> tuple[str, ...]:
        """What to tell a person who got this status from an index or an upload address."""
        help_with_login = self.login if status in (401, 403) else ()
        return (*(note for known, note in self.notes if known == status), *help_with_login)


def host_ends(*endings: str) -> Callable[[Url], bool]:
    """Whether the host is one of ``endings`` or, as whole labels, below it."""
    return lambda url: any(url.host == ending or url.host.endswith("." + ending) for ending in endings)


def replace_path(url: Url, path: str) -> Url:
    """The same server at another path: no query, no fragment, no user info."""
    scheme, _, rest = url.public.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return Url(f"{scheme}://{authority}{path}")


def without_simple(url: Url, *, ending: str = "/", segment: str = "simple") -> Url | None:
    """``…/simple/`` → ``…`` + ``ending``; ``None`` for a path that does not end in ``segment``."""
    head, _, last = url.path.rstrip("/").rpartition("/")
    return replace_path(url, head + ending) if last == segment else None
