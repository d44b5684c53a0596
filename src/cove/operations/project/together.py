"""What the projects of a workspace ask for together; for most projects, what the one project asks for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.config.indexes import Indexes
from cove.config.settings import Settings
from cove.errors import ConfigurationError
from cove.model.dataclasses import dataclass, replace
from cove.model.lock import LockedRequirement, SourceKind
from cove.model.name import Name, normalize
from cove.operations.project.locations import Local, Locator, locked_kind
from cove.operations.project.project import Place
from cove.operations.project.requirements import Asked, asked_by

if TYPE_CHECKING:  # a lock that fits is judged without the solver
    from cove.resolve.request import Places


@dataclass(frozen=True, slots=True)
class Member:
    """A project of the workspace; ``source`` is how the lock calls it."""

    place: Place
    asked: Asked
    source: Local

    @property
    def name(self) -> Name:
        """Its name, empty for a root that is no project."""
        return self.place.project.name


@dataclass(frozen=True, slots=True)
class Together:
    """``members`` are the projects, by name; ``groups`` those of a root that is none. ``whole`` is everything that is asked
    for, without saying by whom. ``constraints`` and ``overrides`` are the root's, at the places that its sources give."""

    root: Place
    members: Sequence[Member]
    groups: Asked | None
    whole: Asked
    constraints: Sequence[Requirement]
    overrides: Sequence[Requirement]

    @property
    def names(self) -> frozenset[Name]:
        """Those of the members."""
        return frozenset(member.name for member in self.members)

    @property
    def member_places(self) -> "Places":
        """Where the members are, for those that require them without saying it."""
        return {member.name: [(None, member.source.url)] for member in self.members}


def asked_together(place: Place, indexes: Indexes, settings: Settings) -> Together:
    """What everything that is locked with the project at ``place`` asks for. Raises as ``asked_by`` does, and
    ``ConfigurationError`` naming both files when two members have a project from different places."""
    no_sources = None if settings.no_sources else settings.no_sources_package
    root = place.root
    asked = [(member, asked_by(member, indexes, no_sources=no_sources, is_locked=True)) for member in root.members]
    groups = None if root.project.name else asked_by(root, indexes, no_sources=no_sources)
    everything = [*asked, *([(root, groups)] if groups is not None else [])]
    limits, overrides = (
        _sent(root, several, indexes, settings)
        for several in (root.project.constraint_dependencies, root.project.override_dependencies)
    )
    roots = dict.fromkeys(each for _, own in everything for each in own.roots)
    whole = replace(_joined([*everything, (root, limits), (root, overrides)]), dependencies=tuple(roots))
    required = {
        name for one, own in everything for each in own.roots if (name := normalize(each.name)) != one.project.name
    }
    locator = Locator(root, root.base)
    return Together(
        root,
        tuple(
            Member(member, own, _source(locator, member, whole, is_required=member.project.name in required))
            for member, own in asked
        ),
        groups,
        whole,
        limits.dependencies,
        overrides.dependencies,
    )


def _source(locator: Locator, member: Place, whole: Asked, *, is_required: bool) -> Local:
    known = whole.locals.get(member.project.name, ())
    if known:
        return known[0]
    kind: SourceKind = locked_kind(member.project, is_required=is_required)
    found = locator.member(member)
    if kind == found.kind:
        return found
    return replace(found, kind=kind, url=found.url.replace(f"#kind={found.kind}", f"#kind={kind}"))


def _joined(several: Sequence[tuple[Place, Asked]]) -> Asked:
    pins: dict[Name, str] = {}
    locals_: dict[Name, tuple[Local, ...]] = {}
    places: dict[Name, tuple[tuple[Marker, str], ...]] = {}
    by: dict[Name, Place] = {}
    for place, asked in several:
        places |= asked.places
        for name, where in asked.pins.items():
            _agree(name, pins.setdefault(name, where), where, by.setdefault(name, place), place)
        for name, found in asked.locals.items():
            known = locals_.setdefault(name, found)
            if len(known) == len(found) == 1:  # those that markers tell apart are the solver's business
                _agree(name, known[0].location, found[0].location, by.setdefault(name, place), place)
    for name in pins.keys() & locals_.keys():
        if len(locals_[name]) == 1:
            _agree(name, locals_[name][0].location, pins[name], by[name], by[name])
    return Asked((), {}, {}, pins, locals_, places=places)


def _agree(name: Name, one: str, other: str, first: Place, second: Place) -> None:
    if one != other:
        raise ConfigurationError(
            f"`{name}` comes from different places in one workspace",
            causes=(f"{first.pyproject_path}: {one}", f"{second.pyproject_path}: {other}"),
            hints=("a workspace has one lock: name one place, in the root's [tool.uv.sources]",),
        )


def manifest_of(together: Together, indexes: Indexes, settings: Settings) -> dict[str, object]:
    """The ``[manifest]`` table: members, and constraints and overrides with what sources say of them."""
    project = together.root.project
    found: dict[str, object] = {}
    if together.root.workspace is not None and (len(together.members) > 1 or not project.name):
        found["members"] = [member.name for member in together.members]
    stated = {
        "constraints": project.constraint_dependencies,
        "overrides": project.override_dependencies,
        "build-constraints": project.build_constraint_dependencies,
    }
    written: dict[str, object] = {
        key: _entries(_sent(together.root, several, indexes, settings).requires_dist) for key, several in stated.items()
    }
    written["excludes"] = sorted(set(project.exclude_dependencies))
    found |= {
        key: written[key] for key in ("constraints", "overrides", "excludes", "build-constraints") if written[key]
    }
    if settings.dependency_metadata:
        from cove.operations.resolution.stated_metadata import StatedMetadata

        found["dependency-metadata"] = StatedMetadata(settings).manifest()
    if together.groups is not None and together.groups.requires_dev:
        found["dependency-groups"] = {
            group: _entries(several) for group, several in sorted(together.groups.requires_dev.items())
        }
    return found


def _sent(root: Place, requirements: tuple[Requirement, ...], indexes: Indexes, settings: Settings) -> Asked:
    """What requirements of the root that are not its dependencies ask for."""
    no_sources = None if settings.no_sources else settings.no_sources_package
    alone = replace(root.project, dependencies=requirements, optional_dependencies={}, dependency_groups={})
    known = frozenset(each.project.name for each in root.members)
    ignored = None if no_sources is None else frozenset(no_sources) | (known - alone.sources.keys())
    return asked_by(replace(root, project=alone), indexes, no_sources=ignored)


def _entries(requirements: Iterable[LockedRequirement]) -> list[Mapping[str, object]]:
    from cove.formats import uv_lock

    keys = ("name", "extras", "marker", "specifier", "index", "url", "git", "path", "directory", "editable", "virtual")
    found: list[Mapping[str, object]] = []
    for each in uv_lock.in_order(requirements):
        values = {key: getattr(each, key) for key in keys}
        found.append({key: list(value) if key == "extras" else value for key, value in values.items() if value})
    return found
