"""Where each package of a lock is needed, for all environments at once: the walk of ``selection`` with sets of markers."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.errors import ConfigurationError
from cove.formats.marker_sets import EVERYTHING, FACTS, NOTHING, MarkerSet, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.model.dataclasses import dataclass
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource
from cove.model.name import Name
from cove.operations.selection import Graph, codes

Key = tuple[Name, str, LockedSource]
_Node = tuple[Key, Name | None]


@dataclass(frozen=True, slots=True)
class Start:
    """A project from which the walk begins, with the parts of it that are wanted. Without ``itself`` only its ``groups``."""

    package: LockedPackage
    extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()
    itself: bool = True


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
    if at_once:
        check_conflicts(lock, starts)
    walk = _Walk(lock, frozenset(without), frozenset(all_codes(starts)))
    for start in starts:
        walk.begin(start)
    return sorted(walk.parts(), key=lambda part: order_of(part.package))


def check_conflicts(lock: Lock, starts: Iterable[Start]) -> None:
    """Raise ``ConfigurationError`` when parts are wanted together that the project declares to be in conflict."""
    asked: set[tuple[str, str, str]] = set()
    for start in starts:
        name = start.package.name
        asked |= {(name, "extra", extra) for extra in start.extras}
        asked |= {(name, "group", group) for group in start.groups}
        if start.itself:
            asked.add((name, "", ""))
    for members in lock.conflicts:
        met = [each for each in members if _conflict_key(each) in asked]
        if len(met) > 1:
            listed = " and ".join(f"the {_called(each)}" for each in met)
            raise ConfigurationError(f"{listed} exclude each other", hints=("`tool.uv.conflicts` says so: name one",))


def _conflict_key(member: Mapping[str, str]) -> tuple[str, str, str]:
    kind = next((kind for kind in ("extra", "group") if kind in member), "")
    return (member.get("package", ""), kind, member.get(kind, "") if kind else "")


def _called(member: Mapping[str, str]) -> str:
    _, kind, name = _conflict_key(member)
    return f"{kind} `{name}` of `{member.get('package', '')}`" if kind else f"project `{member.get('package', '')}`"


def all_codes(starts: Iterable[Start]) -> Iterator[str]:
    """How markers on edges spell which parts are wanted, where parts are in conflict: ``extra == 'extra-4-demo-gpu'``."""
    for start in starts:
        name = start.package.name
        yield from codes(start.package, start.extras, start.groups)
        if start.itself:
            yield f"project-{len(name)}-{name}"


def _union(markers: Iterable[str]) -> MarkerSet:
    """Where a lock that was resolved in parts has an answer."""
    found = NOTHING
    for text in markers:
        found |= marker_set(Marker(text))
    return EVERYTHING if found.is_empty else found


class _Walk:
    def __init__(self, lock: Lock, without: frozenset[Name], active: frozenset[str]) -> None:
        self._graph = Graph(lock)
        self._without = without
        self._python = SpecifierSet(lock.requires_python)
        self._covered = _union(lock.resolution_markers)
        self._possible = FACTS & python_set(self._python)
        self._packages: dict[Key, LockedPackage] = {}
        self._reached: dict[_Node, MarkerSet] = {}
        self._via: dict[Key, set[Name]] = {}
        self._queue: list[_Node] = []
        self._holds = cache(lambda text: marker_set(Marker(text)).with_extras(active) if text else EVERYTHING)

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

    def _follow(self, edge: LockedDependency, where: MarkerSet, asker: Name | None) -> None:
        place = where & self._holds(edge.marker) & self._covered
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
