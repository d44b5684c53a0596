"""Whether a lock still says what the project asks for, found out without a network; and if not, why."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from os.path import relpath
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cove.formats.locked_requirement import requires_python_text
from cove.formats.uv_lock import requirement_lines
from cove.model.index import Index
from cove.model.lock import Lock, LockedPackage, LockedRequirement
from cove.model.name import Name
from cove.operations.project import Place, location_of
from cove.operations.together import Member, Together

if TYPE_CHECKING:
    from cove.operations.direct import Stated


def project_in(lock: Lock, place: Place) -> LockedPackage | None:
    """The lock's entry of the project itself."""
    location = "."
    if place.folder != place.base:
        location = relpath(place.folder, place.base).replace("\\", "/")
    for package in lock.packages:
        if package.source.location == location and package.source.kind in ("virtual", "editable", "directory"):
            return package if package.name == place.project.name else None
    return None


def stale_because(
    lock: Lock,
    place: Place,
    asked: Together,
    *,
    requires_python: SpecifierSet,
    indexes: Iterable[Index],
    options: Mapping[str, object],
    manifest: Mapping[str, object],
) -> str:
    """What changed since the lock was written, in words; empty when nothing that counts did."""
    known = tuple(indexes)
    if not _same_python(lock.requires_python, requires_python):
        return f"requires-python was `{lock.requires_python}` and is `{requires_python_text(requires_python)}`"
    return (
        next(
            filter(None, (_member_difference(lock, each, several=len(asked.members) > 1) for each in asked.members)), ""
        )
        or _environments_difference(lock, place, requires_python)
        or _table_difference("option", lock.options, options)
        or _table_difference("setting", lock.manifest, manifest)
        or _index_difference(lock, place, known)
        or _choice_difference(lock, place, asked.whole.pins, known)
    )


def _member_difference(lock: Lock, member: Member, *, several: bool) -> str:
    """What changed in one project."""
    project, asked = member.place.project, member.asked
    own = project_in(lock, member.place)
    if own is None:
        return (
            f"the workspace has a new member `{project.name}`"
            if several
            else f"the lock is not of the project `{project.name}`"
        )
    if own.version != (str(project.version) if project.version is not None else ""):
        return f"the project's version was {own.version or 'dynamic'} and is {project.version or 'dynamic'}"
    if own.source.kind != member.source.kind:
        return f"the project was locked as {own.source.kind} and is {member.source.kind} now"
    stated = project.default_groups if project.default_groups_stated else None
    if own.default_groups != ((Name("all"),) if stated == "all" else stated):
        return "the setting `default-groups` changed"
    found = (
        _difference("a dependency", own.requires_dist, asked.requires_dist)
        or _group_difference(own.requires_dev, asked.requires_dev)
        or _extras_difference(own.provides_extras, tuple(project.optional_dependencies))
    )
    return f"`{project.name}`: {found}" if found and several else found


def metadata_difference(package: LockedPackage, stated: "Stated", extras: tuple[Name, ...]) -> str:
    """What a local project requires now that it did not when it was locked, or the reverse."""
    return (
        _difference("a dependency", package.requires_dist, stated.requires_dist)
        or _group_difference(package.requires_dev, stated.requires_dev)
        or _extras_difference(package.provides_extras, extras)
    )


def _same_python(locked: str, wanted: SpecifierSet) -> bool:
    try:
        return requires_python_text(SpecifierSet(locked)) == requires_python_text(wanted)
    except InvalidSpecifier:
        return False


def _difference(what: str, locked: Iterable[LockedRequirement], asked: Iterable[LockedRequirement]) -> str:
    before = {_key(each): each for each in locked}
    after = {_key(each): each for each in asked}
    for key in sorted(after.keys() - before.keys()):
        changed = next((old for old in before.keys() - after.keys() if before[old].name == after[key].name), None)
        if changed is not None:
            return f"{what} changed: {_shown(before[changed])} is now {_shown(after[key])}"
        return f"{what} was added: {_shown(after[key])}"
    for key in sorted(before.keys() - after.keys()):
        return f"{what} was removed: {_shown(before[key])}"
    return ""


def _key(requirement: LockedRequirement) -> str:
    """The text of a requirement, less what two writings of one thing may differ in: a final ``/`` of an index URL."""
    (line,) = requirement_lines([requirement])
    return line.replace(f'index = "{requirement.index}"', f'index = "{requirement.index.removesuffix("/")}"')


def _shown(requirement: LockedRequirement) -> str:
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    index = f" from {requirement.index}" if requirement.index else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"`{requirement.name}{extras}{requirement.specifier}{marker}`{index}"


def _group_difference(
    locked: Mapping[Name, tuple[LockedRequirement, ...]], asked: Mapping[Name, tuple[LockedRequirement, ...]]
) -> str:
    for group in sorted(locked.keys() | asked.keys()):
        if group not in locked:
            return f"the group `{group}` was added"
        if group not in asked:
            return f"the group `{group}` was removed"
        found = _difference(f"a dependency of the group `{group}`", locked[group], asked[group])
        if found:
            return found
    return ""


def _extras_difference(locked: tuple[Name, ...], asked: tuple[Name, ...]) -> str:
    for extra in sorted(set(locked) ^ set(asked)):
        return f"the extra `{extra}` was {'added' if extra in asked else 'removed'}"
    return ""


def _environments_difference(lock: Lock, place: Place, requires_python: SpecifierSet) -> str:
    project = place.project
    if project.environments or project.required_environments or lock.supported_markers or lock.required_markers:
        from cove.formats.marker_text import normalized

        for key, stated, locked in (
            ("environments", project.environments, lock.supported_markers),
            ("required-environments", project.required_environments, lock.required_markers),
        ):
            if tuple(normalized(marker, requires_python) for marker in stated) != locked:
                return f"the setting `{key}` changed"
    wanted = {frozenset((project.name, kind, name) for kind, name in members) for members in project.conflicts}
    locked_sets = {
        frozenset(
            (member.get("package", ""), kind, member[kind])
            for member in members
            for kind in ("extra", "group")
            if kind in member
        )
        for members in lock.conflicts
    }
    return "the setting `conflicts` changed" if wanted != locked_sets else ""


def _table_difference(what: str, locked: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    for key in sorted(locked.keys() | wanted.keys()):
        if locked.get(key) != wanted.get(key):
            return f"the {what} `{key}` changed"
    return ""


def _index_difference(lock: Lock, place: Place, indexes: Iterable[Index]) -> str:
    """A package of an index that is configured no more. A final ``/`` makes no other index of one."""
    known = {location_of(index, place).removesuffix("/") for index in indexes}
    for package in lock.packages:
        if package.source.kind == "registry" and package.source.location.removesuffix("/") not in known:
            return (
                f"`{package.name}` is locked from the index {package.source.location}, which is not configured any more"
            )
    return ""


def _choice_difference(lock: Lock, place: Place, pins: Mapping[Name, str], indexes: tuple[Index, ...]) -> str:
    """A package that a pin or a route has since sent to another index; what is from ``--find-links`` may complete a route."""
    by_name = {index.name: index for index in reversed(indexes) if index.name}
    by_location = {location_of(index, place).removesuffix("/"): index for index in indexes}
    for package in lock.packages:
        chosen = by_name.get(pins.get(package.name, "")) or _route(package.name, indexes)
        present = by_location.get(package.source.location.removesuffix("/"))
        if chosen is None or present is None or present.format == "flat" or package.source.kind != "registry":
            continue
        if location_of(chosen, place).removesuffix("/") != package.source.location.removesuffix("/"):
            return f"`{package.name}` is locked from {package.source.location} and belongs to {chosen.label} now"
    return ""


def _route(name: Name, indexes: tuple[Index, ...]) -> Index | None:
    return next((index for index in indexes if any(fnmatchcase(name, glob) for glob in index.packages)), None)
