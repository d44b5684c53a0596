"""Which of a lock's packages a target needs: the walk from the project along edges whose marker holds."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from cove.errors import ConfigurationError, StaleLock
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource, conflict_code
from cove.model.name import Name

_Key = tuple[Name, str, LockedSource]


class Graph:
    """A lock's packages by name, and how an edge finds its end."""

    def __init__(self, lock: Lock) -> None:
        self._by_name: dict[Name, list[LockedPackage]] = {}
        for package in lock.packages:
            self._by_name.setdefault(package.name, []).append(package)

    def end_of(self, edge: LockedDependency) -> LockedPackage:
        """The package an edge leads to; ``version`` and ``source`` on the edge settle it where the name is locked twice.

        Raises ``StaleLock`` when there is none: the file was edited or merged by hand.
        """
        for package in self._by_name.get(edge.name, ()):
            if edge.version in ("", package.version) and edge.source in (None, package.source):
                return package
        wanted = f"{edge.name} {edge.version}".strip()
        raise StaleLock(f"the lock refers to {wanted} and does not have it", hints=("`cove lock` writes it anew",))


def select(
    lock: Lock,
    project: LockedPackage,
    markers: Mapping[str, str],
    *,
    extras: Iterable[Name] = (),
    groups: Iterable[Name] = (),
    only_groups: bool = False,
) -> tuple[LockedPackage, ...]:
    """Every package besides ``project`` itself that a target with these ``markers`` needs, by name.

    ``only_groups`` leaves the project's own dependencies out. Raises ``ConfigurationError`` for an extra or group that the
    project does not have.
    """
    graph = Graph(lock)
    queue: deque[tuple[LockedDependency, Name | None]] = deque()
    if not only_groups:
        queue.extend((edge, None) for edge in project.dependencies)
    for kind, wanted, offered in (
        ("extra", extras, {**dict.fromkeys(project.provides_extras, ()), **project.optional_dependencies}),
        ("group", groups, {**dict.fromkeys(project.requires_dev, ()), **project.dev_dependencies}),
    ):
        for name in wanted:
            if name not in offered:
                raise ConfigurationError(f"the project has no {kind} `{name}`", hints=(_offered(kind, offered),))
            queue.extend((edge, name) for edge in offered[name])
    active = _active(lock, project, tuple(extras), tuple(groups))
    holds = _Judge(markers, active, conflicts=bool(lock.conflicts))
    reached: dict[_Key, LockedPackage] = {}
    asked: dict[_Key, set[Name]] = {}
    while queue:
        edge, extra = queue.popleft()
        if not holds(edge.marker, extra):
            continue
        package = graph.end_of(edge)
        key = (package.name, package.version, package.source)
        if key not in reached:
            reached[key] = package
            asked[key] = set()
            queue.extend((further, None) for further in package.dependencies)
        for name in set(edge.extras) - asked[key]:
            asked[key].add(name)
            queue.extend((further, name) for further in package.optional_dependencies.get(name, ()))
    reached.pop((project.name, project.version, project.source), None)
    return tuple(sorted(reached.values(), key=lambda package: package.name))


def _offered(kind: str, names: Iterable[Name]) -> str:
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    return f"it has {listed}" if listed else f"it defines no {kind}s"


def codes(project: LockedPackage, extras: Iterable[Name], groups: Iterable[Name]) -> Iterator[str]:
    """How markers on edges spell that parts of a project are asked for, where it has some that exclude each other."""
    yield from (conflict_code("extra", project.name, each) for each in extras)
    yield from (conflict_code("group", project.name, each) for each in groups)


def _active(lock: Lock, project: LockedPackage, extras: tuple[Name, ...], groups: tuple[Name, ...]) -> frozenset[str]:
    """The extras and groups that are asked for where some exclude each other: of these no two may be."""
    if not lock.conflicts:
        return frozenset()
    from cove.operations.reach import Start, all_codes, check_conflicts

    start = Start(project, extras, groups)
    check_conflicts(lock, (start,))
    return frozenset(all_codes((start,)))


class _Judge:
    """Evaluates marker texts, each once; what that takes is imported for the first that is not empty.

    ``active`` are the codes of what is asked for where the project has parts that exclude each other. Several may be at once,
    which ``extra`` as one text cannot say: they are decided first, as ``reach`` does.
    """

    def __init__(self, markers: Mapping[str, str], active: frozenset[str], *, conflicts: bool) -> None:
        self._markers = markers
        self._active = active
        self._conflicts = conflicts
        self._known: dict[tuple[str, Name | None], bool] = {}

    def __call__(self, marker: str, extra: Name | None) -> bool:
        if not marker:
            return True
        key = (marker, extra)
        if key not in self._known:
            from packaging.markers import Marker

            told = self._decided(marker, extra) if self._conflicts and "extra" in marker else marker
            self._known[key] = not told or Marker(told).evaluate({**self._markers, "extra": extra or ""})
        return self._known[key]

    def _decided(self, marker: str, extra: Name | None) -> str:
        from packaging.markers import Marker

        from cove.formats.marker_sets import marker_set
        from cove.formats.marker_text import spelled

        return spelled(marker_set(Marker(marker)).with_extras(self._active | {extra or ""}))
