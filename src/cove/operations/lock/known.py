"""What a lock that is there says to the resolution of the next one: versions to keep, and the parts to begin with."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.config.settings import Settings
from cove.errors import ConfigurationError
from cove.formats import git_url
from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, TooComplex, marker_set, python_set
from cove.model.lock import Lock
from cove.model.name import Name, normalize
from cove.operations.lock.build import stated_markers
from cove.operations.lock.conflicts import declared, forks, offered
from cove.operations.project.project import Place
from cove.operations.resolution.parts import Part, begin
from cove.resolve.forks import Environments
from cove.resolve.universal import Known


def initial_parts(
    whole: Part, place: Place, requires_python: SpecifierSet, present: Lock | None, settings: Settings
) -> Sequence[Part]:
    """The parts of ``environments``; those of the lock, where it was made for the same: parts that come and go would move
    versions that nothing else moves."""
    project = place.project
    stated = begin(whole, project.environments, forks(declared(place), offered(place)))
    if present is None or not _is_of_use(present, settings) or not present.resolution_markers:
        return stated
    if present.supported_markers != stated_markers(project.environments, requires_python):
        return stated
    if present.required_markers != stated_markers(project.required_environments, requires_python):
        return stated
    try:
        if SpecifierSet(present.requires_python) != requires_python:
            return stated
        pythons = python_set(requires_python)
        regions = [marker_set(Marker(text)) & pythons for text in present.resolution_markers]
        everything = NOTHING
        for region in regions:
            if not (region & everything).is_empty:
                return stated  # parts that overlap: the lock was edited, or is of extras that conflict
            everything |= region
        found = [part for whole in stated for region in regions if (part := whole.divided(region)[0]) is not None]
        if any(part.divided(everything)[1] is not None for part in stated):
            return stated  # with a gap
    except (InvalidMarker, TooComplex, ValueError):
        return stated
    return found


def _is_of_use(present: Lock, settings: Settings) -> bool:
    """Whether a lock says anything of the next one: not where everything is to be new, or was chosen in another way."""
    ways = (
        ("resolution-mode", settings.resolution, "highest"),
        ("fork-strategy", settings.fork_strategy, "requires-python"),
    )
    return not settings.upgrade and all(present.options.get(key, default) == value for key, value, default in ways)


def upgraded(place: Place, settings: Settings) -> frozenset[Name]:
    """The projects that are named to be upgraded, and what groups require that are. Raises ``ConfigurationError`` for a group
    that no project of the workspace has."""
    names = {*settings.upgrade_package}
    projects = [each.project for each in (place.root, *place.members)]
    for group in settings.upgrade_group:
        having = [project.dependency_groups[group] for project in projects if group in project.dependency_groups]
        if not having:
            raise ConfigurationError(f"`--upgrade-group`: the project has no group `{group}`")
        names |= {normalize(requirement.name) for several in having for requirement in several}
    return frozenset(names)


def known_commits(present: Lock | None, settings: Settings, anew: Collection[Name]) -> dict[str, str]:
    """The commits that references of repositories are locked at, less those of the projects ``anew``: the projects of one
    repository move together."""
    found: dict[str, str] = {}
    moving: set[str] = set()
    for package in present.packages if present is not None and not settings.upgrade else ():
        if package.source.kind == "git":
            try:
                git = git_url.parse_locked(package.source.location)
            except ValueError:
                continue  # locks made by others: it is asked for anew
            reference = git.within("").requested
            found[reference] = git.commit
            if package.name in anew:
                moving.add(reference)
    return {reference: commit for reference, commit in found.items() if reference not in moving}


def known_versions(present: Lock | None, settings: Settings, anew: Collection[Name]) -> list[Known]:
    """The versions that are locked, less those of the projects ``anew``."""
    if present is None or not _is_of_use(present, settings):
        return []
    found: list[Known] = []
    for package in present.packages:
        if package.name not in anew and package.version:
            try:
                version = Version(package.version)
            except InvalidVersion:
                continue  # no index has it, so nothing is lost by not preferring it
            found.append(Known(package.name, version, _meeting(_where(package.resolution_markers))))
    return found


def _where(texts: Sequence[str]) -> MarkerSet:
    if not texts:
        return EVERYTHING
    found = NOTHING
    try:
        for text in texts:
            found |= marker_set(Marker(text))
    except (InvalidMarker, TooComplex):
        return EVERYTHING
    return found


def _meeting(where: MarkerSet) -> Callable[[Environments[Any]], bool]:
    return lambda here: isinstance(here, Part) and here.divided(where)[0] is not None
