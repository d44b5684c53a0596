"""What a project requires, as the solver and the lock want it: roots, pins to indexes, and places of local sources."""

from collections.abc import Iterable, Iterator, Mapping
from os.path import relpath

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.config.indexes import Indexes
from cove.errors import ConfigurationError
from cove.formats.file_url import from_path
from cove.formats.locked_requirement import requirement_entry
from cove.formats.pyproject import Project, SourceSpec
from cove.model.dataclasses import dataclass, field
from cove.model.lock import LockedRequirement, SourceKind
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.project import Place, read

_OWN_KINDS: Mapping[SourceKind, str] = {"directory": "directory", "editable": "editable", "virtual": "virtual"}


@dataclass(frozen=True, slots=True)
class Local:
    """A requirement that ``tool.uv.sources`` sends to a path or URL: where, and how the lock calls it."""

    url: str
    kind: SourceKind
    location: str

    @property
    def is_editable(self) -> bool:
        """Whether it is installed in place."""
        return self.kind == "editable"


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a project asks for.

    ``roots`` are its dependencies, with those of all extras and groups; ``dependencies``, ``extras`` and ``groups`` the same
    apart, with requirements of the project's own extras replaced by what these ask for. ``pins`` maps projects to index
    names, ``locals`` to paths and URLs.
    """

    dependencies: tuple[Requirement, ...]
    extras: Mapping[Name, tuple[Requirement, ...]]
    groups: Mapping[Name, tuple[Requirement, ...]]
    pins: Mapping[Name, str]
    locals: Mapping[Name, Local]
    requires_dist: tuple[LockedRequirement, ...] = ()
    requires_dev: Mapping[Name, tuple[LockedRequirement, ...]] = field(default_factory=dict)

    @property
    def sections(self) -> tuple[tuple[Requirement, ...], ...]:
        """The same as they stand side by side."""
        return (self.dependencies, *self.extras.values(), *self.groups.values())

    @property
    def roots(self) -> tuple[Requirement, ...]:
        """All of them, each once."""
        every = [*self.dependencies]
        for several in (*self.extras.values(), *self.groups.values()):
            every.extend(several)
        return tuple(dict.fromkeys(every))


def asked_by(
    place: Place,
    indexes: Indexes,
    *,
    no_sources: Iterable[Name] | None = (),
    markers: Mapping[str, str] | None = None,
) -> Asked:
    """What the project at ``place`` asks for; ``no_sources`` names projects whose sources are ignored, ``None`` ignores all.

    ``markers`` are those of the one target that is resolved for: of several sources the one that applies there counts.
    Without them all must name the same index. Raises ``UnknownIndex`` for a pin to an index that nothing defines,
    ``ConfigurationError`` for a source that cannot be used.
    """
    reader = _Reader(place, indexes, None if no_sources is None else frozenset(no_sources), markers)
    return reader.asked()


class _Reader:
    def __init__(
        self,
        place: Place,
        indexes: Indexes,
        no_sources: frozenset[Name] | None,
        markers: Mapping[str, str] | None,
    ) -> None:
        self._place = place
        self._project: Project = place.project
        self._indexes = indexes
        self._no_sources = no_sources
        self._markers = markers
        self._pins: dict[Name, str] = {}
        self._locals: dict[Name, Local] = {}

    def asked(self) -> Asked:
        project = self._project
        dist = [entry for each in project.dependencies for entry in self._entries(each)]
        for extra, several in project.optional_dependencies.items():
            dist += [entry for each in several for entry in self._entries(each, extra=extra)]
        dev = {
            group: tuple(entry for each in several for entry in self._entries(each, group=group))
            for group, several in project.dependency_groups.items()
        }
        self._pin_transitive()
        return Asked(
            tuple(self._flattened(project.dependencies)),
            {extra: tuple(self._flattened(several)) for extra, several in project.optional_dependencies.items()},
            {group: tuple(self._flattened(several)) for group, several in project.dependency_groups.items()},
            self._pins,
            self._locals,
            tuple(dist),
            dev,
        )

    def _flattened(
        self, requirements: Iterable[Requirement], seen: frozenset[Name] = frozenset()
    ) -> Iterator[Requirement]:
        """The requirements: the project's own extras (``me[all]``) replaced by what they require, local sources as URLs."""
        for each in requirements:
            name = normalize(each.name)
            if name != self._project.name:
                yield self._located(each, name)
                continue
            for extra in sorted({normalize(text) for text in each.extras} - seen):
                inner = self._project.optional_dependencies.get(extra)
                if inner is None:
                    raise ConfigurationError(
                        f"{self._place.pyproject_path}: `{each}` asks for the extra `{extra}`, which the project does not have"
                    )
                for requirement in self._flattened(inner, seen | {extra}):
                    yield _with_marker(requirement, each.marker)

    def _located(self, requirement: Requirement, name: Name) -> Requirement:
        local = self._locals.get(name)
        if local is None:
            return requirement
        located = Requirement(str(requirement))
        located.url, located.specifier = local.url, type(requirement.specifier)()
        return located

    def _entries(
        self, requirement: Requirement, extra: Name | None = None, group: Name | None = None
    ) -> Iterator[LockedRequirement]:
        """The requirement as the lock has it: once, or for each of several sources (with disjoint markers) once."""
        name = normalize(requirement.name)
        sources = self._agreed(name, self._project.source_of(requirement, extra, group))
        if not sources:
            yield requirement_entry(requirement, extra=extra)
        for source in sources:
            if source.target == "index":
                self._pin(name, source)
                url = self._indexes.named(source.location).url.public
                yield requirement_entry(requirement, extra=extra, marker=source.marker, index=url)
            else:
                local = self._locals[name] = self._local(name, source)
                place = (local.kind, local.location)
                yield requirement_entry(requirement, extra=extra, marker=source.marker, source=place)

    def _pin_transitive(self) -> None:
        """A source is for its name wherever it is required: a dependency's requirement must not reach another index."""
        for name, sources in self._project.sources.items():
            general = tuple(source for source in sources if source.extra is None and source.group is None)
            if name in self._pins or name in self._locals or any(source.target != "index" for source in general):
                continue
            for source in self._agreed(name, general):
                self._pin(name, source)

    def _agreed(self, name: Name, sources: tuple[SourceSpec, ...]) -> tuple[SourceSpec, ...]:
        """Those of ``sources`` that apply; raises ``ConfigurationError`` when they are several places."""
        if self._no_sources is None or name in self._no_sources:
            return ()
        if self._markers is not None:
            markers = {**self._markers, "extra": ""}
            sources = tuple(each for each in sources if each.marker is None or each.marker.evaluate(markers))
        if len(sources) > 1 and len({(each.target, each.location) for each in sources}) > 1:
            raise ConfigurationError(
                f"{self._place.pyproject_path}: tool.uv.sources sends `{name}` to several places, by markers",
                causes=("a lock is for all platforms and has each project from one place",),
                hints=(
                    "name one index in all of them, or keep the source whose marker covers where the project is used",
                ),
            )
        return sources

    def _pin(self, name: Name, source: SourceSpec) -> None:
        try:
            self._indexes.named(source.location)
        except ConfigurationError as error:
            error.message = f"{self._place.pyproject_path}: `{name}` is pinned by tool.uv.sources, but {error.message}"
            raise
        self._pins[name] = source.location

    def _public(self, name: Name, url: str) -> str:
        """What a lock may say of a URL: no user info."""
        try:
            return Url.parse(url).public
        except ValueError as error:
            raise ConfigurationError(
                f"{self._place.pyproject_path}: the URL that tool.uv.sources gives `{name}` cannot be used: {error}"
            ) from None

    def _local(self, name: Name, source: SourceSpec) -> Local:
        if source.target in ("git", "workspace"):
            raise ConfigurationError(
                f"{self._place.pyproject_path}: `{name}` comes from {_NAMED[source.target]}, which cannot be locked yet",
                hints=("a path or an index can be",),
            )
        if source.target == "url":
            return Local(source.location, "url", self._public(name, source.location))
        path = (self._place.folder / source.location).resolve()
        if not path.exists():
            raise ConfigurationError(f"{self._place.pyproject_path}: the source of `{name}` does not exist: {path}")
        location = relpath(path, self._place.folder).replace("\\", "/")
        url = from_path(str(path))
        if path.is_file():
            return Local(url, "path", location)
        return Local(url, "editable" if source.editable else "directory", location)


_NAMED = {"git": "a repository", "workspace": "the workspace"}


def _with_marker(requirement: Requirement, marker: Marker | None) -> Requirement:
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = marker if narrowed.marker is None else narrowed.marker & marker
    return narrowed


def local_project(local: Local, place: Place) -> Place | None:
    """The project in the folder of a local source, ``None`` for an archive."""
    folder = place.folder / local.location
    return read(folder) if local.kind in _OWN_KINDS and (folder / "pyproject.toml").is_file() else None
