"""What a project's lock has as a tree: who requires whom, from which index, and what is newer there."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.markers import Marker
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.lock import Lock, LockedDependency, LockedPackage
from cove.model.name import Name
from cove.operations.export.export import members_of
from cove.operations.export.outdated import newer
from cove.operations.lock.lock import lock
from cove.operations.lock.moving import Moves
from cove.operations.lock.reach import Key, key_of, order_of
from cove.operations.lock.selection import Graph
from cove.operations.lock.wanted import Selection, groups_of, root_groups
from cove.operations.project.project import Place, index_of, locate, locking_interpreter
from cove.operations.project.together import asked_together
from cove.operations.resolution.platforms import platform_markers
from cove.wiring import Session

Applies = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the tree is shown. ``packages`` are the roots instead of the projects; with ``invert`` the branches are
    those who require. ``python_version`` and ``python_platform`` stand for the environment's unless ``universal``."""

    selection: Selection = Selection()
    packages: tuple[Name, ...] = ()
    pruned: tuple[Name, ...] = ()
    depth: int = 255
    dedupe: bool = True
    invert: bool = False
    outdated: bool = False
    universal: bool = False
    python_version: str = ""
    python_platform: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """A package where it stands in the tree. ``extras`` are those that are asked for by the edge, ``kind`` and ``part`` the
    extra or group that the edge belongs to. ``is_repeated``: what it requires is shown elsewhere."""

    package: LockedPackage
    extras: tuple[Name, ...] = ()
    kind: str = ""
    part: str = ""
    branches: "tuple[Branch, ...]" = ()
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """The roots. ``indexes`` has the label of each package's index, ``latest`` the newer versions that were found."""

    roots: tuple[Branch, ...]
    indexes: Mapping[Key, str]
    latest: Mapping[Key, Version]


def tree(session: Session, view: View) -> Tree:
    """The tree of the project's lock, which is brought up to date before.

    Raises what locking raises, and ``ConfigurationError`` for packages that the lock does not have.
    """
    place = locate(session)
    locked = lock(session, place).lock
    applies: Applies = (lambda _: True) if view.universal else _evaluating(_markers(session, place, view), locked)
    forest = _Forest(locked, place, view, applies)
    roots = tuple(forest.inverted() if view.invert else forest.upright())
    shown = {key_of(each): each for each in _packages(roots)}
    homes = _homes(session, place, shown)
    indexes = {key: _label(each, homes[key]) for key, each in shown.items() if each.source.kind == "registry"}
    return Tree(roots, indexes, newer(session, locked, shown, homes) if view.outdated else {})


def _packages(branches: Iterable[Branch]) -> Iterator[LockedPackage]:
    for branch in branches:
        yield branch.package
        yield from _packages(branch.branches)


def _homes(session: Session, place: Place, shown: Mapping[Key, LockedPackage]) -> dict[Key, Index | None]:
    """The index of each package. Where it is now is asked only if the lock had to be looked at anyway."""
    if session.settings.frozen:
        return {key: index_of(package.source, session.indexes, place) for key, package in shown.items()}
    moves = Moves(session, place, asked_together(place, session.indexes, session.settings).whole)
    registered = {key: package for key, package in shown.items() if package.source.kind == "registry"}
    moves.ask_ahead(registered.values())
    return {key: moves.home(package) if key in registered else None for key, package in shown.items()}


def _label(package: LockedPackage, index: Index | None) -> str:
    return index.label if index is not None and index.name else package.source.location


# -- the environment ---------------------------------------------------------------------------------------------------


def _markers(session: Session, place: Place, view: View) -> Mapping[str, str]:
    from cove.operations.compile.compile import target_for

    target = target_for(locking_interpreter(session, place).target, view.python_version)
    return {**target.markers, **platform_markers(view.python_platform)} if view.python_platform else target.markers


def _evaluating(markers: Mapping[str, str], locked: Lock) -> Applies:
    """Markers decided for one environment. Parts that are in conflict are all shown, so conditions on them count as met."""
    codes = ["", *(choice.code for members in locked.conflicts for choice in members)]
    known = {"": True}

    def applies(text: str) -> bool:
        if text not in known:
            marker = Marker(text)
            known[text] = any(marker.evaluate({**markers, "extra": code}) for code in codes)
        return known[text]

    return applies


# -- walking -----------------------------------------------------------------------------------------------------------

_Edge = tuple[str, Name | None, LockedDependency]
"""An edge with the kind and the name of the part that it belongs to."""
_Upright = tuple[Key, frozenset[Name], bool]
_Inverted = tuple[Key, Name | None]


class _Forest:
    def __init__(self, locked: Lock, place: Place, view: View, applies: Applies) -> None:
        self._graph = Graph(locked)
        self._view = view
        self._applies = applies
        self._members = members_of(locked, place)
        self._groups = {
            key_of(member): _groups(member, place, view.selection, is_own=position == 0)
            for position, member in enumerate(self._members)
        }
        self._shown: set[object] = set()
        self._reached: dict[Key, tuple[LockedPackage, set[Name]]] = {}
        for member in self._members:
            self._reach(member, _extras(member))
        self._roots = root_groups(locked, place, view.selection)
        self._groups |= {key_of(root.package): root.groups for root in self._roots}
        for _, _, edge, end in self._of_root_groups():
            self._reach(end, edge.extras)
        if view.packages:
            names = {package.name for package, _ in self._reached.values()}
            for name in view.packages:
                if name not in names:
                    raise ConfigurationError(
                        f"`{name}` is not in the tree", hints=("`cove tree --universal` has everything",)
                    )

    def _edges(self, package: LockedPackage, extras: Iterable[Name], *, is_root: bool = False) -> Iterator[_Edge]:
        if not (is_root and self._view.selection.only_groups):
            yield from (("", None, edge) for edge in package.dependencies)
            for extra in sorted(extras):
                yield from (("extra", extra, edge) for edge in package.optional_dependencies.get(extra, ()))
        if is_root:
            for group in self._groups.get(key_of(package), ()):
                yield from (("group", group, edge) for edge in package.dev_dependencies.get(group, ()))

    def _ends(
        self, package: LockedPackage, extras: Iterable[Name], *, is_root: bool = False
    ) -> Iterator[tuple[str, Name | None, LockedDependency, LockedPackage]]:
        for kind, part, edge in self._edges(package, extras, is_root=is_root):
            if edge.name not in self._view.pruned and self._applies(edge.marker):
                yield kind, part, edge, self._graph.end_of(edge)

    def _reach(self, start: LockedPackage, extras: Iterable[Name]) -> None:
        queue = [(start, frozenset(extras))]
        while queue:
            package, wanted = queue.pop()
            key = key_of(package)
            is_new = key not in self._reached
            _, known = self._reached.setdefault(key, (package, set()))
            if is_new or wanted - known:
                known |= wanted
                ends = self._ends(package, known, is_root=package in self._members)
                queue += [(end, frozenset(edge.extras)) for _, _, edge, end in ends]

    def upright(self) -> Iterator[Branch]:
        """From the projects, or from the packages that are named, down to what they require."""
        if self._view.packages:
            for package, extras in self._named():
                yield self._branch(package, frozenset(extras), (), is_root=package in self._members)
            return
        for kind, part, edge, end in self._of_root_groups():
            yield _placed(self._branch(end, frozenset(edge.extras), ()), edge.extras, kind, part)
        for member in self._members:
            yield self._branch(member, frozenset(_extras(member)), (), is_root=True)

    def _of_root_groups(self) -> Iterator[tuple[str, Name | None, LockedDependency, LockedPackage]]:
        """What the groups of a root require that is no project, and so has no place in the tree itself."""
        for root in self._roots:
            yield from self._ends(root.package, (), is_root=True)

    def _named(self) -> list[tuple[LockedPackage, set[Name]]]:
        found = [each for each in self._reached.values() if each[0].name in self._view.packages]
        return sorted(found, key=lambda each: order_of(each[0]))

    def _branch(
        self, package: LockedPackage, extras: frozenset[Name], path: tuple[_Upright, ...], *, is_root: bool = False
    ) -> Branch:
        ends = list(self._ends(package, extras, is_root=is_root))
        node = (key_of(package), extras, is_root and bool(self._groups.get(key_of(package))))
        if ends and (node in path or (self._view.dedupe and node in self._shown)):
            return Branch(package, is_repeated=True)
        if not ends or len(path) >= self._view.depth:
            return Branch(package)
        self._shown.add(node)
        branches = []
        for kind, part, edge, end in ends:
            below = self._branch(end, frozenset(edge.extras), (*path, node))
            branches.append(_placed(below, edge.extras, kind, part))
        return Branch(package, branches=tuple(branches))

    def inverted(self) -> Iterator[Branch]:
        """From what requires nothing, or from the packages that are named, up to the projects."""
        above: dict[_Inverted, list[tuple[str, Name | None, LockedDependency, LockedPackage]]] = {}
        requiring: set[Key] = set()
        for package, extras in self._reached.values():
            for kind, part, edge, end in self._ends(package, extras, is_root=package in self._members):
                requiring.add(key_of(package))
                for extra in (None, *edge.extras):
                    above.setdefault((key_of(end), extra), []).append((kind, part, edge, package))
        for several in above.values():
            several.sort(key=lambda each: (_KINDS.index(each[0]), each[1] or "", order_of(each[3])))
        roots = (
            [package for package, _ in self._named()]
            if self._view.packages
            else sorted((each for key, (each, _) in self._reached.items() if key not in requiring), key=order_of)
        )

        def branch(package: LockedPackage, extra: Name | None, path: tuple[_Inverted, ...]) -> Branch:
            node = (key_of(package), extra)
            ends = above.get(node, [])
            if ends and (node in path or (self._view.dedupe and node in self._shown)):
                return Branch(package, is_repeated=True)
            if not ends or len(path) >= self._view.depth:
                return Branch(package)
            self._shown.add(node)
            branches = []
            for kind, part, edge, asker in ends:
                below = (
                    Branch(asker)
                    if kind == "group"
                    else branch(asker, part if kind == "extra" else None, (*path, node))
                )
                branches.append(_placed(below, edge.extras, kind, part))
            return Branch(package, branches=tuple(branches))

        for root in roots:
            self._shown.clear()  # who requires a root is what was asked for
            yield branch(root, None, ())


_KINDS = ("", "extra", "group")


def _placed(branch: Branch, extras: tuple[Name, ...], kind: str, part: Name | None) -> Branch:
    return Branch(branch.package, extras, kind, part or "", branch.branches, branch.is_repeated)


def _extras(package: LockedPackage) -> tuple[Name, ...]:
    return tuple(package.optional_dependencies)


def _groups(member: LockedPackage, place: Place, selection: Selection, *, is_own: bool) -> tuple[Name, ...]:
    if is_own:
        wanted: Iterable[Name] = groups_of(place, selection)
    elif selection.only_groups or selection.all_groups:
        wanted = selection.only_groups or tuple(member.dev_dependencies)
    else:
        default = tuple(member.dev_dependencies) if member.default_groups == "all" else member.default_groups
        wanted = (*(() if selection.no_default_groups else default), *selection.groups)
    kept = {group for group in wanted if group not in selection.no_groups}
    return tuple(sorted(kept & member.dev_dependencies.keys()))
