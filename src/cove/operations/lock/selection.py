"""Which of a lock's packages a target needs: the walk from the project along edges whose marker holds."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping

from cove.errors import ConfigurationError, StaleLock
from cove.model.conflict import Choice
from cove.model.dataclasses import dataclass
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource
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


@dataclass(frozen=True, slots=True)
class Start:
    """A project from which the walk begins, with the parts of it that are wanted. Without ``itself`` only its ``groups``."""

    package: LockedPackage
    extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()
    itself: bool = True

    @property
    def choices(self) -> set[Choice]:
        """What is chosen of the project."""
        name = self.package.name
        found = {Choice(name, "group", group) for group in self.groups}
        found |= {Choice(name, "extra", extra) for extra in self.extras}
        return found | {Choice(name, "project")} if self.itself else found


def select(lock: Lock, starts: Iterable[Start], markers: Mapping[str, str]) -> tuple[LockedPackage, ...]:
    """Every package that a target with these ``markers`` needs, the ``starts`` that are wanted themselves included, by name.

    Raises ``ConfigurationError`` for an extra or group that a project does not have, and for what excludes each other.
    """
    starts = tuple(starts)
    for start in starts:
        _check_offered(start)
    graph = Graph(lock)
    excluding = {choice for members in lock.conflicts for choice in members}
    chosen = {choice for start in starts for choice in start.choices} & excluding
    while True:
        reached = _walk(graph, starts, _Judge(markers, chosen, has_conflicts=bool(lock.conflicts)))
        if lock.conflicts:
            check_conflicts(lock, {*chosen, *(Choice(name, "project") for name, _, _ in reached)})
        # Extras that packages require are asked for, too, and may decide about edges that were passed before.
        further = {Choice(key[0], "extra", extra) for key, (_, extras) in reached.items() for extra in extras}
        if further & excluding <= chosen:
            return tuple(sorted((package for package, _ in reached.values()), key=lambda package: package.name))
        chosen |= further & excluding


def _check_offered(start: Start) -> None:
    package = start.package
    for kind, wanted, offered in (
        ("extra", start.extras, {*package.provides_extras, *package.optional_dependencies}),
        ("group", start.groups, {*package.requires_dev, *package.dev_dependencies}),
    ):
        for name in wanted:
            if name not in offered:
                raise ConfigurationError(f"the project has no {kind} `{name}`", hints=(_offered(kind, offered),))


def _offered(kind: str, names: Iterable[Name]) -> str:
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    return f"it has {listed}" if listed else f"it defines no {kind}s"


def _walk(graph: Graph, starts: Iterable[Start], holds: "_Judge") -> Mapping[_Key, tuple[LockedPackage, set[Name]]]:
    """The packages along edges whose marker holds, with the extras of them that are asked for."""
    queue: deque[tuple[LockedDependency, Name | None]] = deque()
    reached: dict[_Key, tuple[LockedPackage, set[Name]]] = {}

    def reach(package: LockedPackage, extras: Iterable[Name]) -> None:
        key = (package.name, package.version, package.source)
        if key not in reached:
            reached[key] = package, set()
            queue.extend((further, None) for further in package.dependencies)
        known = reached[key][1]
        for extra in set(extras) - known:
            known.add(extra)
            queue.extend((further, extra) for further in package.optional_dependencies.get(extra, ()))

    for start in starts:
        if start.itself:
            reach(start.package, start.extras)
        else:
            edges = start.package.optional_dependencies
            queue.extend((edge, extra) for extra in start.extras for edge in edges.get(extra, ()))
        for group in start.groups:
            queue.extend((edge, group) for edge in start.package.dev_dependencies.get(group, ()))
    while queue:
        edge, extra = queue.popleft()
        if holds(edge, extra):
            reach(graph.end_of(edge), edge.extras)
    return reached


def check_conflicts(lock: Lock, chosen: Collection[Choice]) -> None:
    """Raise ``ConfigurationError`` when what is chosen has parts that the lock says exclude each other."""
    for members in lock.conflicts:
        met = [choice for choice in members if choice in chosen]
        if len(met) > 1:
            listed = " and ".join(f"the {_called(choice)}" for choice in met)
            raise ConfigurationError(f"{listed} exclude each other", hints=("`tool.uv.conflicts` says so: name one",))


def _called(choice: Choice) -> str:
    of = f" of `{choice.package}`" if choice.name else ""
    return f"{choice.kind} `{choice.name or choice.package}`{of}"


class _Judge:
    """Evaluates markers of edges, each once; what that takes is imported for the first that is not empty.

    ``chosen`` is what is asked for where parts exclude each other. Several may be at once, which ``extra`` as one text cannot
    say: they are decided first, as ``reach`` does.
    """

    def __init__(self, markers: Mapping[str, str], chosen: Iterable[Choice], *, has_conflicts: bool) -> None:
        self._markers = markers
        self._active = {choice.code for choice in chosen}
        self._has_conflicts = has_conflicts
        self._known: dict[tuple[str, Name | None, frozenset[str]], bool] = {}

    def __call__(self, edge: LockedDependency, extra: Name | None) -> bool:
        """Whether an edge of a package (``None``), or of an extra or group of one, is followed."""
        if not edge.marker:
            return True
        # With an edge the extras that it asks for are.
        own = frozenset(Choice(edge.name, "extra", each).code for each in edge.extras if self._has_conflicts)
        key = (edge.marker, extra, own)
        if key not in self._known:
            from packaging.markers import Marker

            told = edge.marker
            if self._has_conflicts and "extra" in told:
                told = _decided(told, {*self._active, *own, extra or ""})
            self._known[key] = not told or Marker(told).evaluate({**self._markers, "extra": extra or ""})
        return self._known[key]


def _decided(marker: str, active: Collection[str]) -> str:
    from packaging.markers import Marker

    from cove.formats.marker_sets import marker_set
    from cove.formats.marker_text import spelled

    return spelled(marker_set(Marker(marker)).with_extras(active))
