"""What a project requires, as the solver and the lock want it: roots, pins to indexes, and places of local sources."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.config.indexes import Indexes
from cove.errors import ConfigurationError
from cove.formats.locked_requirement import requirement_entry
from cove.formats.pyproject import Project, SourceSpec
from cove.model.dataclasses import dataclass, field, replace
from cove.model.lock import LockedRequirement, conflict_code
from cove.model.name import Name, normalize
from cove.operations.locations import Checkout, Local, Locator
from cove.operations.project import Place


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
    places: Mapping[Name, tuple[tuple[Marker, str], ...]] = field(default_factory=dict)
    """Projects that come from one index or another, depending on markers: instead of a pin."""

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
    base: Path | None = None,
    checkout: Checkout | None = None,
) -> Asked:
    """What the project at ``place`` asks for; ``no_sources`` names projects whose sources are ignored, ``None`` ignores all.

    ``markers`` are those of the one target that is resolved for: of several sources the one that applies there counts.
    Without them all must name the same place, or several indexes. ``base`` is the folder that paths are written relative
    to, that of the lock unless it is given; ``checkout`` the repository that the project was found in. Raises
    ``UnknownIndex`` for a pin to an index that nothing defines, ``ConfigurationError`` for a source that cannot be used.
    """
    left_out = None if no_sources is None else frozenset(no_sources)
    return _Reader(place, indexes, left_out, markers, Locator(place, base or place.base, checkout)).asked()


class _Reader:
    def __init__(
        self,
        place: Place,
        indexes: Indexes,
        no_sources: frozenset[Name] | None,
        markers: Mapping[str, str] | None,
        locator: Locator,
    ) -> None:
        self._locator = locator
        self._place = place
        self._project: Project = place.project
        self._indexes = indexes
        self._no_sources = no_sources
        self._markers = markers
        self._pins: dict[Name, str] = {}
        self._places: dict[Name, dict[tuple[str, str], Marker]] = {}
        """By project, the places by the text of their markers."""
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
            {e: tuple(self._flattened(several, extra=e)) for e, several in project.optional_dependencies.items()},
            {g: tuple(self._flattened(several, group=g)) for g, several in project.dependency_groups.items()},
            self._pins,
            self._locals,
            tuple(dist),
            dev,
            {
                name: tuple((marker, place) for (_, place), marker in found.items())
                for name, found in self._places.items()
            },
        )

    def _flattened(
        self,
        requirements: Iterable[Requirement],
        seen: frozenset[Name] = frozenset(),
        extra: Name | None = None,
        group: Name | None = None,
    ) -> Iterator[Requirement]:
        """The requirements: the project's own extras (``me[all]``) replaced by what they require, local sources as URLs; one
        that comes from several indexes once for each of them."""
        for each in requirements:
            name = normalize(each.name)
            if name != self._project.name:
                for narrowed, _ in self._narrowed(each, name, extra, group):
                    yield self._located(narrowed, name)
                continue
            for own in sorted({normalize(text) for text in each.extras} - seen):
                inner = self._project.optional_dependencies.get(own)
                if inner is None:
                    raise ConfigurationError(
                        f"{self._place.pyproject_path}: `{each}` asks for the extra `{own}`, which the project does not have"
                    )
                for requirement in self._flattened(inner, seen | {own}, extra=own):
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
        if self._is_divided(name):
            yield from self._divided_entries(requirement, name, extra, group)
            return
        sources = self._agreed(name, self._project.source_of(requirement, extra, group))
        self._check_member(name, sources)
        if not sources:
            yield requirement_entry(requirement, extra=extra)
        for source in sources:
            if source.target == "index":
                self._pin(name, source)
                url = self._indexes.named(source.location).url.public
                yield requirement_entry(requirement, extra=extra, marker=source.marker, index=url)
            else:
                local = self._locals[name] = self._locator.locate(name, source)
                place = (local.kind, local.location)
                entry = requirement_entry(requirement, extra=extra, marker=source.marker, source=place)
                yield replace(entry, specifier="", subdirectory=local.subdirectory)

    def _check_member(self, name: Name, sources: tuple[SourceSpec, ...]) -> None:
        """A member of the workspace is never taken from an index by accident."""
        if sources or self._no_sources is None or name in self._no_sources or name == self._project.name:
            return
        if self._place.workspace is not None and any(each.project.name == name for each in self._place.members):
            raise ConfigurationError(
                f"{self._place.pyproject_path}: `{name}` is a member of the workspace, but no source says so",
                hints=(f"add `{name} = {{ workspace = true }}` to [tool.uv.sources]",),
            )

    def _pin_transitive(self) -> None:
        """A source is for its name wherever it is required: a dependency's requirement must not reach another index."""
        for name, sources in self._project.sources.items():
            general = tuple(source for source in sources if source.extra is None and source.group is None)
            if name in self._pins or name in self._locals or any(source.target != "index" for source in general):
                continue
            if self._is_divided(name):
                for source in general:
                    self._send(name, source, None, None)
                continue
            for source in self._agreed(name, general):
                self._pin(name, source)

    # Several indexes for one project.

    def _is_divided(self, name: Name) -> bool:
        """Whether markers, or extras and groups that exclude each other, send a project to one index or another."""
        sources = self._project.sources.get(name, ())
        if self._markers is not None or self._no_sources is None or name in self._no_sources:
            return False
        if not sources or any(source.target != "index" for source in sources):
            return False
        places = {source.location for source in sources}
        excluding = {each for members in self._project.conflicts for each in members}
        return any(source.marker is not None for source in sources) or (
            len(places) > 1 and all(_asked_for(source) & excluding for source in sources)
        )

    def _narrowed(
        self, requirement: Requirement, name: Name, extra: Name | None, group: Name | None
    ) -> Iterator[tuple[Requirement, SourceSpec | None]]:
        """The requirement for each source that may apply to it, and for the environments that none is for."""
        sources = self._project.source_of(requirement, extra, group) if self._is_divided(name) else ()
        rest: list[Marker] = []
        for source in sources:
            if source.marker is None:
                yield requirement, source
                return
            yield _with_marker(requirement, source.marker), source
            rest.append(source.marker)
        elsewhere = _outside(rest)
        if not rest:
            yield requirement, None
        elif elsewhere is not None:
            yield _with_marker(requirement, elsewhere), None

    def _divided_entries(
        self, requirement: Requirement, name: Name, extra: Name | None, group: Name | None
    ) -> Iterator[LockedRequirement]:
        for narrowed, source in self._narrowed(requirement, name, extra, group):
            if source is None:
                yield requirement_entry(narrowed, extra=extra)
                continue
            self._send(name, source, extra, group)
            url = self._indexes.named(source.location).url.public
            entry = requirement_entry(narrowed, extra=extra, index=url)
            kind, of = ("extra", source.extra) if source.extra else ("group", source.group)
            yield replace(entry, conflict=f"{self._project.name} {kind} {of}") if of else entry

    def _send(self, name: Name, source: SourceSpec, extra: Name | None, group: Name | None) -> None:
        """Note under which marker a project comes from an index."""
        self._named(name, source)
        marker = source.marker
        excluding = {each for members in self._project.conflicts for each in members}
        for kind, of in (("extra", extra), ("group", group)):
            if of is not None and (kind, of) in excluding:
                told = Marker(f'extra == "{conflict_code(kind, self._project.name, of)}"')
                marker = told if marker is None else marker & told
        marker = marker or Marker("python_version >= '0'")
        self._places.setdefault(name, {})[str(marker), source.location] = marker

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
        self._named(name, source)
        self._pins[name] = source.location

    def _named(self, name: Name, source: SourceSpec) -> None:
        """Raise ``UnknownIndex`` where a source names an index that nothing defines."""
        try:
            self._indexes.named(source.location)
        except ConfigurationError as error:
            error.message = f"{self._place.pyproject_path}: `{name}` is pinned by tool.uv.sources, but {error.message}"
            raise


def _asked_for(source: SourceSpec) -> set[tuple[str, Name]]:
    found = {("extra", source.extra), ("group", source.group)}
    return {(kind, name) for kind, name in found if name is not None}


def _outside(markers: Iterable[Marker]) -> Marker | None:
    """Where none of the markers holds; ``None`` if there is no such environment."""
    from cove.formats.marker_sets import FACTS, NOTHING, marker_set
    from cove.formats.marker_text import spelled

    inside = NOTHING
    for marker in markers:
        inside |= marker_set(marker)
    return None if (~inside & FACTS).is_empty or inside.is_empty else Marker(spelled(~inside))


def _with_marker(requirement: Requirement, marker: Marker | None) -> Requirement:
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = marker if narrowed.marker is None else narrowed.marker & marker
    return narrowed
