"""Locks that move: where locked files are served now, when the index that a lock names is not theirs any more.

A file of the same name and digest is the same file, wherever it comes from. So a lock is not stale because an index has
another address now, or because another one serves what is locked; and nothing but such files is taken from there.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from packaging.markers import Marker

from cove.errors import IndexChanged
from cove.formats.file_url import to_path
from cove.model.dataclasses import replace
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.lock import LockedFile, LockedPackage
from cove.model.name import Name
from cove.operations.project.project import Place, address, addresses, index_at, location_of
from cove.operations.project.requirements import Asked
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
        present, chosen = self.index_of(package), self.chosen(package)
        if present is None:
            return True
        # What is in a list of links may complete what a route says.
        if not chosen or present.format == "flat":
            return False
        here = address(package.source.location, self._place)
        return not any(here in addresses(index, self._place) for index in chosen)

    def chosen(self, package: LockedPackage) -> tuple[Index, ...]:
        """The indexes that a pin, markers or a route send the package to; none where it is searched for."""
        names = self.places(package)
        if "" not in names:
            return tuple(self._by_name[name] for name in names)
        if len(names) > 1:
            return ()
        routed = (index for index in self._indexes if any(fnmatchcase(package.name, glob) for glob in index.packages))
        return tuple(routed)[:1]

    def places(self, package: LockedPackage) -> tuple[str, ...]:
        """The names of the indexes that a pin or markers send the package to; an empty one where it is searched for."""
        stated = self._asked.places.get(package.name)
        if stated is not None:
            places = _places(package.resolution_markers, stated)  # some may be URLs, and those do not move
            return tuple(place for place in places if not place or place in self._by_name) or ("",)
        pin = self._asked.pins.get(package.name, "")
        return (pin if pin in self._by_name else "",)


class Moves:
    """Asks the indexes of now for what a lock has from others: one page for each package, once in a run."""

    def __init__(self, session: Session, place: Place, asked: Asked, homes: Homes | None = None) -> None:
        """``asked`` is what everything that is locked together asks for."""
        self._session = session
        self._place = place
        self._homes = homes or Homes(session, place, asked)
        self._asked = asked

    def files(
        self, package: LockedPackage, files: "Iterable[tuple[LockedFile, File]]"
    ) -> "list[tuple[LockedFile, File, Index | None]]":
        """``file`` of each; what has not moved with the rest is left out, with a warning. Raises as ``file`` does for the last
        one when nothing is left."""
        found, lacking = [], None
        for locked, file in files:
            try:
                found.append((locked, *self.file(package, locked, file)))
            except IndexChanged as error:
                lacking = error
                self._session.listener(Warned(f"{error.message}: it is left out"))
        if lacking is not None and not found:
            raise lacking
        return found

    def location(self, package: LockedPackage) -> str:
        """How a lock would call the index that has the package now: as it does, unless that is another one. Raises what asking
        raises."""
        home, here = self.home(package), package.source.location
        if home is None:
            return here
        now = location_of(home, self._place)
        return here if address(here, self._place) == address(now, self._place) else now

    @cached_property
    def _router(self) -> "Router":
        return self._session.router(self._asked.pins)

    def why_not(self, packages: Iterable[LockedPackage]) -> IndexChanged | None:
        """Why the first of ``packages`` that does not move stays behind; ``None`` when all do. Raises what asking raises."""
        several = list(packages)
        self.ask_ahead(several)
        for package in several:
            if self._new_home(package) is None:
                return self._left_behind(package, self._files(package))
        return None

    def moved(self, packages: Iterable[LockedPackage]) -> dict[Name, Index]:
        """Those of ``packages`` that move, with the index that has them now; of several versions all, or none."""
        several = list(packages)
        self.ask_ahead(several)
        found = [(package.name, self._new_home(package)) for package in several]
        staying = {name for name, index in found if index is None}
        return {name: index for name, index in found if index is not None and name not in staying}

    def home(self, package: LockedPackage) -> Index | None:
        """The index that has the package now: the one that it is locked from, unless that is not its own any more. ``None``
        when no index has it under the digests of the lock. Raises what asking raises."""
        return self._new_home(package) if self._homes.is_away(package) else self._homes.index_of(package)

    def _new_home(self, package: LockedPackage) -> Index | None:
        """The index that has files of the package under the digests of the lock, and none of these names under another."""
        for index, page in self._pages(package):
            alike = [_likeness(page, file) for file in self._files(package)]
            if "same" in alike and "other" not in alike:
                return index
        return None

    def file(self, package: LockedPackage, locked: LockedFile, file: "File") -> "tuple[File, Index | None]":
        """Where a locked file is now, and on which index; ``file`` is as the lock has it. Raises ``IndexChanged`` naming it
        where there is none, and what asking raises.

        A page that gives no digest is believed as to the name: the digest of the lock is compared with what arrives.
        """
        if not self._homes.is_away(package):
            home = self._homes.index_of(package)
            return _at_home(file, home) if home is not None and home.mirrors else file, home
        for index, page in self._pages(package) if locked.hash else ():
            if _likeness(page, locked) in ("same", "unknown"):
                found = _named(page, locked.filename)
                assert found is not None, "it was compared"
                return found, index
        raise self._left_behind(package, [locked])

    def ask_ahead(self, packages: Iterable[LockedPackage]) -> None:
        """Begin to ask for those that are away, all of them at once."""
        by_name: dict[Name, list[LockedPackage]] = {}
        for package in filter(self._homes.is_away, packages):
            by_name.setdefault(package.name, []).append(package)

        def ask(name: Name) -> None:
            for package in by_name[name]:
                self._searches(package)

        self._session.ask_ahead(by_name, self._asked.pins, ask)

    def _searches(self, package: LockedPackage) -> "tuple[Search, ...]":
        places = [place for place in self._homes.places(package) if place] or [""]
        return tuple(self._router.search(package.name, place) for place in places)

    def _pages(self, package: LockedPackage) -> "Iterator[tuple[Index, Page]]":
        from cove.model.outcome import Unavailable

        for search in self._searches(package):
            outcome = search.outcome
            if isinstance(outcome, Unavailable):
                raise outcome.error
            for found in (*search.found, *search.found_links):
                yield found.index, found.page

    def _files(self, package: LockedPackage) -> list[LockedFile]:
        return [file for file in (package.sdist, *package.wheels) if file is not None]

    def _from(self, package: LockedPackage) -> str:
        where = f"`{package.name}` is locked from the index {package.source.location}, "
        chosen = self._homes.chosen(package)
        if not chosen or self._homes.index_of(package) is None:
            return f"{where}which is not configured any more"
        return f"{where}and belongs to {' or '.join(index.label for index in chosen)} now"

    def _left_behind(self, package: LockedPackage, files: Sequence[LockedFile]) -> IndexChanged:
        lacking = f"`{files[0].filename}`" if len(files) == 1 else f"the files of {package.name} {package.version}"
        return IndexChanged(
            f"{self._from(package)}, and {self._missing(package, files)}",
            causes=("a file of the same name and digest could be taken from anywhere else",),
            hints=(
                f"put the index back into the configuration, or {lacking} onto an index that is there",
                f"`cove lock --allow-index-change {package.name}` locks it anew from what is there",
            ),
        )

    def _missing(self, package: LockedPackage, several: Sequence[LockedFile]) -> str:
        without = next((file for file in several if not file.hash), None)
        if without is not None:
            return f"the lock has no digest of `{without.filename}` to know it by elsewhere"
        pages = list(self._pages(package))
        if not pages:
            absent = (search.absent for search in self._searches(package))
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


def _places(resolution_markers: Iterable[str], stated: Sequence[tuple[Marker, str]]) -> tuple[str, ...]:
    """Those of the ``stated`` places that are for environments which a package with these markers is locked for; an empty
    one if it is for others too. A package without such markers is the only one of its name, and for any."""
    from cove.formats.marker_sets import EVERYTHING, NOTHING, marker_set

    where = NOTHING
    for text in resolution_markers:
        where |= marker_set(Marker(text))
    rest = where = EVERYTHING if where.is_empty else where
    found = {}
    for marker, place in stated:
        here = marker_set(marker)
        if not (where & here).is_empty:
            found[place] = True
        rest &= ~here
    return (*found, *(() if rest.is_empty else ("",)))


def _at_home(file: "File", index: Index) -> "File":
    from cove.index.mirrors import home

    return replace(file, url=home(file.url, index))


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
