"""Which of a lock's packages a target needs: the walk from the project along edges whose marker holds."""

import re
from collections import deque
from collections.abc import Iterable, Mapping

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
    holds = _Judge(markers, _active(lock, project, tuple(extras), tuple(groups)))
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


def _active(lock: Lock, project: LockedPackage, extras: tuple[Name, ...], groups: tuple[Name, ...]) -> frozenset[str]:
    """The extras and groups that are asked for, as markers spell those that exclude each other: of these no two may be."""
    if not lock.conflicts:
        return frozenset()
    from cove.operations.reach import Start, check_conflicts

    check_conflicts(lock, (Start(project, extras, groups),))
    codes = [conflict_code("extra", project.name, each) for each in extras]
    return frozenset((*codes, *(conflict_code("group", project.name, each) for each in groups)))


_CONFLICT = re.compile(r"""\bextra\s*(==|!=)\s*["']((?:extra|group|project)-\d+-[^"']+)["']""")


class _Judge:
    """Evaluates marker texts, each once; ``packaging`` is imported for the first that is not empty.

    ``active`` are the extras and groups that are asked for where the project has some that exclude each other.
    """

    def __init__(self, markers: Mapping[str, str], active: frozenset[str]) -> None:
        self._markers = markers
        self._active = active
        self._known: dict[tuple[str, Name | None], bool] = {}

    def __call__(self, marker: str, extra: Name | None) -> bool:
        if not marker:
            return True
        key = (marker, extra)
        if key not in self._known:
            from packaging.markers import Marker

            told = _CONFLICT.sub(self._decided, marker)
            self._known[key] = Marker(told).evaluate({**self._markers, "extra": extra or ""})
        return self._known[key]

    def _decided(self, match: re.Match[str]) -> str:
        """Several may be asked for at once, which ``extra ==`` cannot say: something that holds, or that never does."""
        holds = (match[2] in self._active) == (match[1] == "==")
        return "python_version >= '0'" if holds else "python_version < '0'"
