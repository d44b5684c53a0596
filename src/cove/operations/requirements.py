"""What a project requires, as the solver and the lock want it: roots, pins to indexes, and places of local sources."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os.path import relpath

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.config.indexes import Indexes
from cove.errors import ConfigurationError
from cove.formats.file_url import from_path
from cove.formats.locked_requirement import requirement_entry
from cove.formats.pyproject import Project, SourceSpec
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
    def roots(self) -> tuple[Requirement, ...]:
        """All of them, each once."""
        every = [*self.dependencies]
        for several in (*self.extras.values(), *self.groups.values()):
            every.extend(several)
        return tuple(dict.fromkeys(every))


def asked_by(place: Place, indexes: Indexes, *, no_sources: Iterable[Name] | None = ()) -> Asked:
    """What the project at ``place`` asks for; ``no_sources`` names projects whose sources are ignored, ``None`` ignores all.

    Raises ``UnknownIndex`` for a pin to an index that nothing defines, ``ConfigurationError`` for a source that cannot be used.
    """
    reader = _Reader(place, indexes, None if no_sources is None else frozenset(no_sources))
    return reader.asked()


class _Reader:
    def __init__(self, place: Place, indexes: Indexes, no_sources: frozenset[Name] | None) -> None:
        self._place = place
        self._project: Project = place.project
        self._indexes = indexes
        self._no_sources = no_sources
        self._pins: dict[Name, str] = {}
        self._locals: dict[Name, Local] = {}

    def asked(self) -> Asked:
        project = self._project
        dist = [self._entry(each) for each in project.dependencies]
        for extra, several in project.optional_dependencies.items():
            dist += [self._entry(each, extra=extra) for each in several]
        dev = {
            group: tuple(self._entry(each, group=group) for each in several)
            for group, several in project.dependency_groups.items()
        }
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

    def _entry(
        self, requirement: Requirement, extra: Name | None = None, group: Name | None = None
    ) -> LockedRequirement:
        name = normalize(requirement.name)
        source = self._source_of(requirement, name, extra, group)
        if source is None:
            return requirement_entry(requirement, extra=extra)
        if source.target == "index":
            self._pin(name, source)
            url = self._indexes.named(source.location).url.public
            return requirement_entry(requirement, extra=extra, marker=source.marker, index=url)
        local = self._locals[name] = self._local(name, source)
        return requirement_entry(requirement, extra=extra, marker=source.marker, source=(local.kind, local.location))

    def _source_of(
        self, requirement: Requirement, name: Name, extra: Name | None, group: Name | None
    ) -> SourceSpec | None:
        if self._no_sources is None or name in self._no_sources:
            return None
        sources = self._project.source_of(requirement, extra, group)
        if len(sources) > 1:
            raise ConfigurationError(
                f"{self._place.pyproject_path}: tool.uv.sources has several sources for `{name}`",
                causes=("one project cannot be locked from several places at once yet",),
                hints=("keep the one whose marker covers where the project is used",),
            )
        return sources[0] if sources else None

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
