"""The packages of a lock as a bill of materials: which there are, which files they are installed from, and who needs whom."""

from collections.abc import Iterator, Mapping, Sequence

from cove import __version__
from cove.formats import cyclonedx
from cove.formats.cyclonedx import Component
from cove.formats.pylock import without_user_info
from cove.model.dist import File
from cove.model.lock import Lock, LockedPackage
from cove.model.url import Url
from cove.operations.lock.moving import Moves
from cove.operations.lock.reach import Key, Part, key_of
from cove.operations.lock.selection import Graph
from cove.operations.resolution.parallel import each as each_of
from cove.wiring import Session

_WORKSPACE = "uv-workspace"  # as uv calls one whose root is no project


class Bill:
    """A bill of what is reached from ``starts``. Its root is the only one of these, or else the project of the lock; where
    there is none, or with ``all_members``, it is one that stands for the workspace.

    ``moves`` knows where files are now; with ``files`` they are named.
    """

    def __init__(
        self, locked: Lock, starts: Sequence[LockedPackage], moves: Moves, *, all_members: bool, files: bool
    ) -> None:
        self._locked = locked
        self._starts = starts
        self._moves = moves
        self._all_members = all_members
        self._names_files = files
        self._graph = Graph(locked)
        listed = locked.manifest.get("members", [])
        self._members = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset[str]()
        self._references: dict[Key, str] = {}

    def text(self, session: Session, parts: Sequence[Part]) -> str:
        """The text of the bill. Raises what asking for a package that moved raises."""
        packages = [part.package for part in parts]
        root = self._root(packages)
        for package in (*((root,) if root is not None else ()), *packages):
            version = f"@{package.version}" if package.version else ""
            self._references.setdefault(key_of(package), f"{package.name}-{len(self._references) + 1}{version}")
        self._moves.ask_ahead(package for package in packages if package.source.kind == "registry")
        others = [part for part in parts if part.package != root]
        components = each_of(self._component, others, workers=session.workers)
        first = self._described(root, {"uv:package:is_project_root": "true"}) if root is not None else None
        needs = [(self._references[key_of(package)], list(self._needs(package))) for package in packages]
        if first is None or self._all_members:
            name = root.name if root is not None else _WORKSPACE
            components += [first] if first is not None else []
            first = Component(
                f"{name}-{len(self._references) + 1}", name, properties={"uv:package:is_synthetic_root": "true"}
            )
            below = [each for each in packages if each.name in self._members]
            below += [root] if root is not None else []
            needs.append((first.reference, [self._references[key_of(each)] for each in below]))
        return cyclonedx.dump(first, components, needs, tool=("cove", __version__))

    def _root(self, packages: Sequence[LockedPackage]) -> LockedPackage | None:
        if len(self._starts) == 1 and self._starts[0] in packages:
            return self._starts[0]
        at_home = (each for each in self._locked.packages if each.source.location == ".")
        return next((each for each in at_home if each.source.kind in ("editable", "virtual")), None)

    def _component(self, part: Part) -> Component:
        package = part.package
        properties = {"uv:workspace:path": package.source.location} if package.name in self._members else {}
        properties |= {"uv:package:marker": part.marker} if part.marker else {}
        return self._described(package, properties)

    def _described(self, package: LockedPackage, properties: Mapping[str, str]) -> Component:
        return Component(
            self._references[key_of(package)],
            package.name,
            package.version,
            purl=self._purl(package),
            properties=properties,
            files=list(self._files(package)) if self._names_files else (),
        )

    def _purl(self, package: LockedPackage) -> str:
        """Empty for what is local: nobody else has it."""
        kind, location = package.source.kind, without_user_info(package.source.location)
        if kind == "registry":
            index = without_user_info(self._moves.location(package))
            return cyclonedx.purl(package.name, package.version, index=index if "://" in index else "")
        if kind == "git":
            return cyclonedx.purl(package.name, package.version, repository=location)
        if kind == "url":
            return cyclonedx.purl(package.name, package.version, download=location)
        return ""

    def _files(self, package: LockedPackage) -> Iterator[tuple[str, str]]:
        files = [file for file in (package.sdist, *package.wheels) if file is not None and file.url and file.hash]
        if package.source.kind != "registry":
            yield from ((without_user_info(file.url), file.hash) for file in files)
            return
        for locked, file, _ in self._moves.files(package, [(file, _as_file(file.url)) for file in files]):
            yield file.url.without_fragment().public, locked.hash

    def _needs(self, package: LockedPackage) -> Iterator[str]:
        """What it depends on, for all of its extras and groups; only what is in the bill."""
        several = (*package.optional_dependencies.values(), *package.dev_dependencies.values())
        for edges in (package.dependencies, *several):
            for edge in edges:
                found = self._references.get(key_of(self._graph.end_of(edge)))
                if found is not None:
                    yield found


def _as_file(text: str) -> File:
    url = Url.parse(text)
    return File(url.filename, url, {})
