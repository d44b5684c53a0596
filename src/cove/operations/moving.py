"""Locks that move: where locked files are served now, when the index that a lock names is not theirs any more.

A file of the same name and digest is the same file, wherever it comes from. So a lock is not stale because an index has
another address now, or because another one serves what is locked; and nothing but such files is taken from there.
"""

import hashlib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from cove.errors import IndexChanged
from cove.formats.file_url import to_path
from cove.model.index import Index
from cove.model.lock import LockedFile, LockedPackage
from cove.model.name import Name
from cove.operations.project import Place, address, addresses, index_at
from cove.operations.requirements import Asked
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.index.chain import Router, Search
    from cove.model.dist import File
    from cove.model.page import Page

Likeness = Literal["same", "other", "unknown", "absent"]
"""How what a page lists stands to a locked file of that name."""


class Homes:
    """Which packages of a lock are still where a project has them from: told without asking anything."""

    def __init__(self, session: Session, place: Place, asked: Asked) -> None:
        """``asked`` is what everything that is locked together asks for."""
        indexes = session.indexes
        self._place = place
        self._asked = asked
        self._indexes = (*indexes.all, *indexes.find_links)
        self._by_name = {index.name: index for index in reversed(indexes.all) if index.name}
        self._known: dict[str, Index | None] = {}

    def index_of(self, package: LockedPackage) -> Index | None:
        """The configured index that the lock has the package from, by its address or that of a mirror of it."""
        location = package.source.location
        if location not in self._known:
            self._known[location] = index_at(address(location, self._place), self._indexes, self._place)
        return self._known[location]

    def is_away(self, package: LockedPackage) -> bool:
        """Whether the package is locked from an index that is not configured any more, or that it does not belong to."""
        if package.source.kind != "registry":
            return False
        present, chosen = self.index_of(package), self.chosen(package.name)
        if present is None:
            return True
        # What is in a list of links may complete what a route says.
        if chosen is None or present.format == "flat":
            return False
        return address(package.source.location, self._place) not in addresses(chosen, self._place)

    def chosen(self, name: Name) -> Index | None:
        """The index that a pin or a route sends ``name`` to; none where it is searched for, or where markers decide."""
        if name in self._asked.places:
            return None
        pin = self._asked.pins.get(name, "")
        if pin in self._by_name:
            return self._by_name[pin]
        routed = (index for index in self._indexes if any(fnmatchcase(name, glob) for glob in index.packages))
        return next(routed, None)


class Moves:
    """Asks the indexes of now for what a lock has from others: one page for each package, once in a run."""

    def __init__(self, session: Session, homes: Homes, asked: Asked) -> None:
        self._session = session
        self._homes = homes
        self._asked = asked

    @cached_property
    def _router(self) -> "Router":
        return self._session.router(self._asked.pins)

    def why_not(self, packages: Iterable[LockedPackage]) -> str:
        """Why the first of ``packages`` that does not move stays behind; empty when all do. Raises what asking raises."""
        several = list(packages)
        self._ask_ahead(several)
        for package in several:
            if self.new_home(package) is None:
                return f"{self._from(package)}, and {self._missing(package, self._files(package))}"
        return ""

    def moved(self, packages: Iterable[LockedPackage]) -> dict[Name, Index]:
        """Those of ``packages`` that move, with the index that has them now; of several versions all, or none."""
        several = list(packages)
        self._ask_ahead(several)
        found = [(package.name, self.new_home(package)) for package in several]
        staying = {name for name, index in found if index is None}
        return {name: index for name, index in found if index is not None and name not in staying}

    def new_home(self, package: LockedPackage) -> Index | None:
        """The index that has files of the package under the digests of the lock, and none of these names under another."""
        for index, page in self._pages(package.name):
            alike = [_likeness(page, file) for file in self._files(package)]
            if "same" in alike and "other" not in alike:
                return index
        return None

    def file(self, package: LockedPackage, locked: LockedFile) -> "tuple[File, Index]":
        """What to download for a locked file, and from which index. Raises ``IndexChanged`` naming it where there is none, and
        what asking raises.

        A page that gives no digest is believed as to the name: the digest of the lock is compared with what arrives.
        """
        for index, page in self._pages(package.name) if locked.hash else ():
            if _likeness(page, locked) in ("same", "unknown"):
                found = _named(page, locked.filename)
                assert found is not None, "it was compared"
                return found, index
        raise IndexChanged(
            f"{self._from(package)}, and {self._missing(package, [locked])}",
            causes=("a file of the same name and digest could be taken from anywhere else",),
            hints=(
                f"put the index back into the configuration, or `{locked.filename}` onto an index that is there",
                f"`cove lock --allow-index-change {package.name}` locks it anew from what is there",
            ),
        )

    def _ask_ahead(self, packages: Iterable[LockedPackage]) -> None:
        names = dict.fromkeys(package.name for package in packages)
        self._session.ask_ahead(names, self._asked.pins, self._searches)

    def _searches(self, name: Name) -> "tuple[Search, ...]":
        places = dict.fromkeys(place for _, place in self._asked.places.get(name, ()))
        return tuple(self._router.search(name, place) for place in places or ("",))

    def _pages(self, name: Name) -> "Iterator[tuple[Index, Page]]":
        from cove.model.outcome import Unavailable

        for search in self._searches(name):
            outcome = search.outcome
            if isinstance(outcome, Unavailable):
                raise outcome.error
            for found in (*search.found, *search.found_links):
                yield found.index, found.page

    def _files(self, package: LockedPackage) -> list[LockedFile]:
        return [file for file in (package.sdist, *package.wheels) if file is not None]

    def _from(self, package: LockedPackage) -> str:
        where = f"`{package.name}` is locked from the index {package.source.location}, "
        chosen = self._homes.chosen(package.name)
        if chosen is None or self._homes.index_of(package) is None:
            return f"{where}which is not configured any more"
        return f"{where}and belongs to {chosen.label} now"

    def _missing(self, package: LockedPackage, files: Iterable[LockedFile]) -> str:
        several = list(files)
        without = next((file for file in several if not file.hash), None)
        if without is not None:
            return f"the lock has no digest of `{without.filename}` to know it by elsewhere"
        pages = list(self._pages(package.name))
        if not pages:
            absent = (search.absent for search in self._searches(package.name))
            name = several[0].filename if len(several) == 1 else package.name
            return f"`{name}` is not on {' or '.join(absent)}"
        index, page = pages[0]
        words = {
            "other": "has another file called",
            "unknown": "gives no digest to compare of",
            "absent": "does not have",
            "same": "has",
        }
        alike = [(_likeness(page, file), file.filename) for file in several]
        worst, filename = min(alike, key=lambda pair: list(words).index(pair[0]))
        return f"{index.label} {words[worst]} `{filename}`"


def _named(page: "Page", filename: str) -> "File | None":
    for number, name in enumerate(page.names):
        if name == filename:
            return page.file(number)
    return None


def _likeness(page: "Page", locked: LockedFile) -> Likeness:
    algorithm, _, digest = locked.hash.partition(":")
    found = _named(page, locked.filename)
    if found is None:
        return "absent"
    listed = found.hashes.get(algorithm, "") if digest else ""
    if digest and not listed and found.url.scheme == "file" and algorithm in hashlib.algorithms_available:
        try:
            with open(to_path(found.url.path), "rb") as content:
                listed = hashlib.file_digest(content, algorithm).hexdigest()
        except OSError:
            return "absent"  # a page may name files that are not there
    if not digest or not listed:
        return "unknown"
    return "same" if listed.lower() == digest.lower() else "other"
