"""Where each package of a lock is needed, for all environments at once: the walk of ``selection`` with sets of markers."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.model.conflict import Choice
from cove.model.dataclasses import dataclass
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource
from cove.model.name import Name
from cove.operations.lock.selection import Graph, Start, check_conflicts

Key = tuple[Name, str, LockedSource]
_Node = tuple[Key, Name | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A package that is needed where ``marker`` holds (empty: everywhere); ``via`` are those whose dependency it is."""

    package: LockedPackage
    marker: str
    via: tuple[Name, ...]


def key_of(package: LockedPackage) -> Key:
    """What tells a package from the others of a lock."""
    return (package.name, package.version, package.source)


def order_of(package: LockedPackage) -> tuple[str, Version, str]:
    """By name, then by version as a version."""
    try:
        version = Version(package.version or "0.dev0")
    except InvalidVersion:
        version = Version("0.dev0")
    return (package.name, version, package.source.location)


def reach(lock: Lock, starts: Iterable[Start], *, without: Iterable[Name] = (), at_once: bool = True) -> list[Part]:
    """Every package that ``starts`` need somewhere, themselves among them, by name and version.

    ``without`` is left out together with what nothing else needs. ``at_once``: it is for one environment, so nothing may be
    wanted that excludes another. Raises ``ConfigurationError`` for extras and groups that
    there are not or that exclude each other, ``TooComplex`` for markers that cannot be joined.
    """
    starts = tuple(starts)
    excluding = frozenset(choice for members in lock.conflicts for choice in members)
    chosen = dict.fromkeys({choice for start in starts for choice in start.choices} & excluding, EVERYTHING)
    while True:
        walk = _Walk(lock, frozenset(without), chosen)
        for start in starts:
            walk.begin(start)
        parts = sorted(walk.parts(), key=lambda part: order_of(part.package))
        if at_once:
            check_conflicts(lock, {*chosen, *(Choice(part.package.name, "project") for part in parts)})
        # Extras that packages require are asked for where these are, and may decide about edges that were passed before.
        asked = {choice: chosen.get(choice, NOTHING) | where for choice, where in walk.extras() if choice in excluding}
        if asked.items() <= chosen.items():
            return parts
        chosen |= asked


class _Walk:
    """``chosen`` tells where what excludes something is asked for; what is not in it is asked for nowhere."""

    def __init__(self, lock: Lock, without: frozenset[Name], chosen: Mapping[Choice, MarkerSet]) -> None:
        self._graph = Graph(lock)
        self._without = without
        self._chosen = chosen
        self._python = SpecifierSet(lock.requires_python)
        self._possible = python_set(self._python)
        self._packages: dict[Key, LockedPackage] = {}
        self._reached: dict[_Node, MarkerSet] = {}
        self._via: dict[Key, set[Name]] = {}
        self._queue: list[_Node] = []
        self._holds = cache(self._decided)
        self._covered = self._union(lock.resolution_markers)

    def _union(self, markers: Iterable[str]) -> MarkerSet:
        """Where a lock that was resolved in parts has an answer."""
        found = NOTHING
        for text in markers:
            found |= self._holds(text)
        return EVERYTHING if found.is_empty else found

    def _decided(self, text: str, own: frozenset[Choice] = frozenset()) -> MarkerSet:
        """Where a marker holds, ``own`` being asked for with what it is of."""
        if not text:
            return EVERYTHING
        found = marker_set(Marker(text))
        for choice, where in self._chosen.items():
            if choice not in own:
                found = found.given(choice.code, asked=True) & where | found.given(choice.code, asked=False) & ~where
        return found.with_extras({choice.code for choice in own})

    def begin(self, start: Start) -> None:
        package = start.package
        if start.itself:
            for extra in (None, *start.extras):
                self._reach(package, extra, EVERYTHING)
        else:
            for edge in (edge for extra in start.extras for edge in package.optional_dependencies.get(extra, ())):
                self._follow(edge, EVERYTHING, None)
        for edge in (edge for group in start.groups for edge in package.dev_dependencies.get(group, ())):
            self._follow(edge, EVERYTHING, None)

    def parts(self) -> Iterator[Part]:
        while self._queue:
            key, extra = self._queue.pop()
            package = self._packages[key]
            edges = package.dependencies if extra is None else package.optional_dependencies.get(extra, ())
            for edge in edges:
                self._follow(edge, self._reached[key, extra], package.name)
        for key, package in self._packages.items():
            where = self._reached[key, None].assuming_python(self._python)
            yield Part(package, spelled(where), tuple(sorted(self._via.get(key, ()))))

    def extras(self) -> Iterator[tuple[Choice, MarkerSet]]:
        """The extras that are asked for, and where."""
        for ((name, _, _), extra), where in self._reached.items():
            if extra is not None:
                yield Choice(name, "extra", extra), where

    def _follow(self, edge: LockedDependency, where: MarkerSet, asker: Name | None) -> None:
        own = frozenset(Choice(edge.name, "extra", extra) for extra in edge.extras)
        place = where & self._holds(edge.marker, own) & self._covered
        if edge.name in self._without or (place & self._possible).is_empty:
            return
        package = self._graph.end_of(edge)
        if asker is not None:
            self._via.setdefault(key_of(package), set()).add(asker)
        for extra in (None, *edge.extras):
            self._reach(package, extra, place)

    def _reach(self, package: LockedPackage, extra: Name | None, place: MarkerSet) -> None:
        key = key_of(package)
        self._packages[key] = package
        before = self._reached.get((key, extra), NOTHING)
        joined = before | place
        if joined != before:
            self._reached[key, extra] = joined
            self._queue.append((key, extra))
