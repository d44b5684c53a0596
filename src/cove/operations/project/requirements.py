"""What a project requires, as the solver and the lock want it: roots, pins to indexes, and places of local sources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.config.indexes import Indexes
from cove.errors import ConfigurationError
from cove.formats.locked_requirement import requirement_entry
from cove.formats.pyproject import Project, SourceSpec
from cove.model.conflict import Choice
from cove.model.dataclasses import dataclass, field, replace
from cove.model.index import Index
from cove.model.lock import LockedRequirement
from cove.model.name import Name, normalize
from cove.operations.lock.conflicts import declared
from cove.operations.project.locations import Checkout, Local, Locator
from cove.operations.project.project import Place

_DEEPEST = 100
"""How many extras of a project may require each other in a row."""
_MOST = 10_000
"""In how many ways they may."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a project asks for.

    ``roots`` are its dependencies, with those of all extras and groups; ``dependencies``, ``extras`` and ``groups`` the same
    apart, with requirements of the project's own extras replaced by what these ask for. ``pins`` maps projects to index
    names, ``locals`` to paths, URLs and repositories, of which there are several where markers choose.
    """

    dependencies: tuple[Requirement, ...]
    extras: Mapping[Name, tuple[Requirement, ...]]
    groups: Mapping[Name, tuple[Requirement, ...]]
    pins: Mapping[Name, str]
    locals: Mapping[Name, tuple[Local, ...]]
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
    is_locked: bool = False,
) -> Asked:
    """What the project at ``place`` asks for; ``no_sources`` names projects whose sources are ignored, ``None`` ignores all.

    ``markers`` are those of the one target that is resolved for: of several sources the one that applies there counts.
    Without them all count, each where its marker holds. ``base`` is the folder that paths are written relative
    to, that of the lock unless it is given; ``checkout`` the repository that the project was found in. Where the project
    ``is_locked`` itself, its groups may require it: that is not replaced by what it requires. Raises
    ``UnknownIndex`` for a pin to an index that nothing defines, ``ConfigurationError`` for a source that cannot be used.
    """
    left_out = None if no_sources is None else frozenset(no_sources)
    locator = Locator(place, base or place.base, checkout)
    return _Reader(place, indexes, left_out, markers, locator, is_locked=is_locked).asked()


class _Reader:
    def __init__(
        self,
        place: Place,
        indexes: Indexes,
        no_sources: frozenset[Name] | None,
        markers: Mapping[str, str] | None,
        locator: Locator,
        *,
        is_locked: bool,
    ) -> None:
        self._locator = locator
        self._is_locked = is_locked
        self._place = place
        self._project: Project = place.project
        self._indexes = indexes
        self._no_sources = no_sources
        self._markers = markers
        self._pins: dict[Name, str] = {}
        self._places: dict[Name, dict[tuple[str, str], Marker]] = {}
        """By project, the places by the text of their markers."""
        self._locals: dict[Name, dict[SourceSpec | str, Local]] = {}
        """By project, by what sends it there: a source, or the URL of a requirement."""

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
            tuple(self._flattened(project.dependencies, set())),
            {
                e: tuple(self._flattened(several, set(), extra=e))
                for e, several in project.optional_dependencies.items()
            },
            {g: tuple(self._flattened(several, set(), group=g)) for g, several in project.dependency_groups.items()},
            self._pins,
            {name: tuple(dict.fromkeys(found.values())) for name, found in self._locals.items()},
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
        done: set[tuple[Name, str]],
        above: frozenset[Name] = frozenset(),
        *,
        where: Marker | None = None,
        extra: Name | None = None,
        group: Name | None = None,
    ) -> Iterator[Requirement]:
        """The requirements ``where`` a marker holds: the project's own extras (``me[all]``) replaced by what they require,
        local sources as URLs; one that comes from several places once for each of them.

        ``above`` are the extras that led here. ``done`` are those that were replaced, with their markers: what several ways
        lead to is gone through once.
        """
        for each in requirements:
            name = normalize(each.name)
            if name != self._project.name or (group is not None and self._is_locked):
                for narrowed, source in self._narrowed(each, name, extra, group):
                    yield _with_marker(_at(narrowed, self._local(name, source, narrowed)), where)
                continue
            inside = _both(each.marker, where)
            for own in sorted({normalize(text) for text in each.extras} - above):
                inner = self._project.optional_dependencies.get(own)
                if inner is None:
                    raise ConfigurationError(
                        f"{self._place.pyproject_path}: `{each}` asks for the extra `{own}`, which the project does not have"
                    )
                if (own, str(inside)) not in done:
                    done.add((own, str(inside)))
                    self._check_ways(each, len(done), len(above))
                    yield from self._flattened(inner, done, above | {own}, where=inside, extra=own)

    def _check_ways(self, requirement: Requirement, ways: int, depth: int) -> None:
        if ways > _MOST or depth > _DEEPEST:
            limit = f"in more than {_MOST} ways" if ways > _MOST else f"more than {_DEEPEST} deep"
            raise ConfigurationError(
                f"{self._place.pyproject_path}: the project's extras require each other {limit}, among them `{requirement}`"
            )

    def _local(self, name: Name, source: SourceSpec | None, requirement: Requirement) -> Local | None:
        """The place beside all indexes that a project comes from, by a source or by the requirement itself."""
        if source is not None and source.target == "index":
            return None
        known, key = self._locals.get(name, {}), source or requirement.url or ""
        if key not in known:
            local = self._locator.locate(name, source) if source is not None else self._locator.stated(requirement.url)
            if local is None:
                return None
            self._locals.setdefault(name, {})[key] = local
            return local
        return known[key]

    def _entries(
        self, requirement: Requirement, extra: Name | None = None, group: Name | None = None
    ) -> Iterator[LockedRequirement]:
        """The requirement as the lock has it: once, or for each of several sources (with disjoint markers) once."""
        name = normalize(requirement.name)
        for narrowed, source in self._narrowed(requirement, name, extra, group):
            local = self._local(name, source, narrowed)
            if local is not None:
                entry = requirement_entry(narrowed, extra=extra, source=(local.kind, local.location))
                yield replace(entry, specifier="", subdirectory=local.subdirectory)
            elif source is not None:
                entry = requirement_entry(narrowed, extra=extra, index=self._index(name, source, extra, group))
                is_divided = self._is_divided(name)
                kind, of = ("extra", source.extra) if source.extra else ("group", source.group)
                yield replace(entry, conflict=f"{self._project.name} {kind} {of}") if of and is_divided else entry
            else:
                self._check_member(name)
                yield requirement_entry(narrowed, extra=extra)

    def _check_member(self, name: Name) -> None:
        """A member of the workspace is never taken from an index by accident."""
        if self._no_sources is None or name in self._no_sources or name == self._project.name:
            return
        if name in self._project.sources:  # it says so for some environments
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
            for source in self._applying(name, general):
                self._index(name, source, None, None)

    # Several places for one project.

    def _is_divided(self, name: Name) -> bool:
        """Whether markers, or extras and groups that exclude each other, send a project to one place or another."""
        sources = self._project.sources.get(name, ())
        if not sources or self._markers is not None:
            return False
        places = {source.location for source in sources}
        return any(source.marker is not None for source in sources) or (
            len(places) > 1 and all(self._choices(source.extra, source.group) for source in sources)
        )

    def _narrowed(
        self, requirement: Requirement, name: Name, extra: Name | None, group: Name | None
    ) -> Iterator[tuple[Requirement, SourceSpec | None]]:
        """The requirement for each source that may apply to it, and for the environments that none is for."""
        rest: list[Marker] = []
        for source in self._applying(name, self._project.source_of(requirement, extra, group)):
            if source.marker is None:
                yield requirement, source
                return
            rest.append(source.marker)
            if _is_possible(requirement.marker, source.marker):
                yield _with_marker(requirement, source.marker), source
        elsewhere = _elsewhere(requirement, rest)
        if elsewhere is not None:
            yield elsewhere, None

    def _applying(self, name: Name, sources: tuple[SourceSpec, ...]) -> tuple[SourceSpec, ...]:
        """Those of ``sources`` that may apply; raises ``ConfigurationError`` where several do, side by side."""
        if self._no_sources is None or name in self._no_sources:
            return ()
        if self._markers is not None:
            markers = {**self._markers, "extra": ""}
            applying = (each for each in sources if each.marker is None or each.marker.evaluate(markers))
            sources = tuple(replace(each, marker=None) for each in applying)
        if len({(each.target, each.location) for each in sources if each.marker is None}) > 1:
            raise ConfigurationError(
                f"{self._place.pyproject_path}: tool.uv.sources sends `{name}` to several places at once",
                hints=("sources of one project need markers that exclude each other",),
            )
        return sources

    def _index(self, name: Name, source: SourceSpec, extra: Name | None, group: Name | None) -> str:
        """The URL of the index that ``source`` sends a project to; notes that it does, and under which marker."""
        index = self._named(name, source)
        if not self._is_divided(name):
            self._pins[name] = source.location
            return index.url.public
        marker = source.marker
        for choice in self._choices(extra, group):
            told = Marker(f'extra == "{choice.code}"')
            marker = told if marker is None else marker & told
        marker = marker or Marker("python_version >= '0'")
        self._places.setdefault(name, {})[str(marker), source.location] = marker
        return index.url.public

    def _choices(self, extra: Name | None, group: Name | None) -> list[Choice]:
        """What is chosen with an extra or a group, where it excludes something."""
        excluding = {choice for members in declared(self._place) for choice in members}
        extras = [Choice(self._project.name, "extra", extra)] if extra is not None else []
        groups = [Choice(self._project.name, "group", group)] if group is not None else []
        return [choice for choice in (*extras, *groups) if choice in excluding]

    def _named(self, name: Name, source: SourceSpec) -> Index:
        """The index; raises ``UnknownIndex`` where nothing defines it."""
        try:
            return self._indexes.named(source.location, by=str(self._place.pyproject_path))
        except ConfigurationError as error:
            error.message = f"{self._place.pyproject_path}: `{name}` is pinned by tool.uv.sources, but {error.message}"
            raise


def _at(requirement: Requirement, local: Local | None) -> Requirement:
    """The requirement with its place in the place of its version."""
    if local is None:
        return requirement
    located = Requirement(str(requirement))
    located.url, located.specifier = local.url, type(requirement.specifier)()
    return located


def _is_possible(one: Marker | None, other: Marker | None) -> bool:
    """Whether there are environments where both markers hold."""
    from cove.formats.marker_sets import TooComplex, marker_set

    try:
        return not (marker_set(one) & marker_set(other)).is_empty
    except TooComplex:
        return True


def _elsewhere(requirement: Requirement, markers: Sequence[Marker]) -> Requirement | None:
    """The requirement where none of ``markers`` holds; ``None`` if there is no such environment."""
    if not markers:
        return requirement
    from cove.formats.marker_sets import EVERYTHING, marker_set
    from cove.formats.marker_text import spelled

    outside = EVERYTHING
    for marker in markers:
        outside &= ~marker_set(marker)
    if outside.is_everything:
        return requirement
    told = Marker(spelled(outside))
    return _with_marker(requirement, told) if _is_possible(requirement.marker, told) else None


def _with_marker(requirement: Requirement, marker: Marker | None) -> Requirement:
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = _both(narrowed.marker, marker)
    return narrowed


def _both(one: Marker | None, other: Marker | None) -> Marker | None:
    return one & other if one is not None and other is not None else one or other
