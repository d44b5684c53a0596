"""Whether a lock still says what the project asks for, found out without a network; and if not, why."""

from collections.abc import Collection, Iterable, Mapping
from os.path import relpath
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cove.formats.core_metadata import read_specifiers
from cove.formats.git_url import is_git
from cove.formats.python_range import requires_python_text
from cove.formats.uv_lock import requirement_lines
from cove.model.dataclasses import replace
from cove.model.lock import DEFAULT_GROUPS_REVISION, Lock, LockedPackage, LockedRequirement
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.lock.conflicts import declared
from cove.operations.project.project import Place, address
from cove.operations.project.together import Member, Together

if TYPE_CHECKING:
    from cove.operations.resolution.direct import Stated


_LISTS = {
    "constraints": "a constraint",
    "overrides": "an override",
    "build-constraints": "a constraint of builds",
}
_SETTINGS = {
    "excludes": "exclude-dependencies",
    "exclude-newer-span": "exclude-newer",
    "prerelease-mode": "prerelease",
    "resolution-mode": "resolution",
}
"""What people call what a lock has under another name."""
_PLACES = ("url", "git", "path", "directory", "editable", "virtual")


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
    options: Mapping[str, object],
    manifest: Mapping[str, object],
) -> str:
    """What changed since the lock was written, in words; empty when nothing that counts did.

    Which index a package is from is not looked at: whether that is still where it comes from, ``moving`` finds out.
    """
    if not _same_python(lock.requires_python, requires_python):
        return f"requires-python was `{lock.requires_python}` and is `{requires_python_text(requires_python)}`"
    return (
        next(filter(None, (_member_difference(lock, each, asked) for each in asked.members)), "")
        or _digest_difference(lock, (*asked.whole.roots, *place.project.override_dependencies))
        or _environments_difference(lock, place, requires_python)
        or _option_difference(lock.options, options)
        or _manifest_difference(lock, manifest, _Comparison(place, {**asked.whole.pins, **asked.whole.places}))
    )


def _member_difference(lock: Lock, member: Member, together: Together) -> str:
    """What changed in one project."""
    project, asked, several = member.place.project, member.asked, len(together.members) > 1
    compare = _Comparison(member.place, {**together.whole.pins, **together.whole.places})
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
    if own.default_groups != project.default_groups and lock.revision >= DEFAULT_GROUPS_REVISION:
        return "the setting `default-groups` changed"
    pythons = {group: read_specifiers(text) for group, text in own.group_requires_python.items()}
    if pythons != project.group_requires_python and lock.revision >= DEFAULT_GROUPS_REVISION:
        return "the Pythons of groups changed, `tool.uv.dependency-groups`"
    found = (
        _requirements_difference(compare, own, member)
        or compare.groups(own.requires_dev, asked.requires_dev)
        or _extras_difference(own.provides_extras, tuple(project.optional_dependencies))
    )
    return f"`{project.name}`: {found}" if found and several else found


def _requirements_difference(compare: "_Comparison", own: LockedPackage, member: Member) -> str:
    found = compare.requirements("a dependency", own.requires_dist, member.asked.requires_dist)
    if not found or member.place.project.version is not None:
        return found
    # What a build told may have been locked without the extras that the project requires of itself.
    from cove.operations.project.flattened import flattened

    without_extras = flattened(member.asked.requires_dist, member.name)
    return found if compare.requirements("a dependency", own.requires_dist, without_extras) else ""


def _digest_difference(lock: Lock, requirements: Iterable[Requirement]) -> str:
    """Of files that a requirement states a digest of: a lock has that beside the file alone, not in what is required."""
    for each in requirements:
        if not each.url or "#" not in each.url or is_git(each.url):
            continue
        from cove.operations.resolution.direct import fragment_digests

        url, name = Url.parse(each.url), normalize(each.name)
        location = url.without_fragment().public
        files = [
            file
            for package in lock.packages
            if package.name == name
            and (package.source.kind == "path" or (package.source.kind, package.source.location) == ("url", location))
            for file in (*package.wheels, *([package.sdist] if package.sdist is not None else []))
        ]
        for algorithm, digest in fragment_digests(url).items():
            locked = {file.hash for file in files if file.hash.startswith(f"{algorithm}:")}
            if locked and f"{algorithm}:{digest.lower()}" not in locked:
                return f"`{name}` was locked as {sorted(locked)[0]}, and {algorithm}:{digest} is required"
    return ""


def metadata_difference(package: LockedPackage, stated: "Stated", extras: tuple[Name, ...], place: Place) -> str:
    """What a local project requires now that it did not when it was locked, or the reverse."""
    compare = _Comparison(place)
    return (
        compare.requirements("a dependency", package.requires_dist, stated.requires_dist)
        or compare.groups(package.requires_dev, stated.requires_dev)
        or _extras_difference(package.provides_extras, extras)
    )


def _same_python(locked: str, wanted: SpecifierSet) -> bool:
    try:
        return requires_python_text(SpecifierSet(locked)) == requires_python_text(wanted)
    except InvalidSpecifier:
        return False


class _Comparison:
    """Compares requirements as they were locked with those of now. Projects that are ``pinned`` have been to some index and
    are to one now: to which, is not compared."""

    def __init__(self, place: Place, pinned: Collection[Name] = ()) -> None:
        self._place = place
        self._pinned = pinned

    def requirements(self, what: str, locked: Iterable[LockedRequirement], asked: Iterable[LockedRequirement]) -> str:
        before = {self._key(each): each for each in locked}
        after = {self._key(each): each for each in asked}
        if before.keys() != after.keys():  # another program, or another version, may have spelled a marker otherwise
            spelled = (replace(each, marker=_as_spelled_now(each.marker)) for each in before.values())
            before = {self._key(each): each for each in spelled}
        if self._joined(before.values()) == self._joined(after.values()):
            return ""
        for key in sorted(after.keys() - before.keys()):
            changed = next((old for old in before.keys() - after.keys() if before[old].name == after[key].name), None)
            if changed is not None:
                return f"{what} changed: {_shown(before[changed])} is now {_shown(after[key])}"
            return f"{what} was added: {_shown(after[key])}"
        for key in sorted(before.keys() - after.keys()):
            return f"{what} was removed: {_shown(before[key])}"
        return ""

    def _joined(self, requirements: Iterable[LockedRequirement]) -> dict[str, set[str]]:
        """The specifiers of requirements that differ in nothing else: side by side they mean what one with all of them does."""
        found: dict[str, set[str]] = {}
        for each in requirements:
            found.setdefault(self._key(replace(each, specifier="")), set()).update(
                filter(None, each.specifier.split(","))
            )
        return found

    def _key(self, requirement: LockedRequirement) -> str:
        if requirement.index:
            is_pinned = requirement.name in self._pinned
            where = "pinned" if is_pinned else address(requirement.index, self._place)
            requirement = replace(requirement, index=where)
        (line,) = requirement_lines([replace(requirement, extras=tuple(sorted(requirement.extras)))])
        return line

    def groups(
        self,
        locked: Mapping[Name, tuple[LockedRequirement, ...]],
        asked: Mapping[Name, tuple[LockedRequirement, ...]],
    ) -> str:
        for group in sorted(locked.keys() | asked.keys()):
            if group not in locked:
                return f"the group `{group}` was added"
            if group not in asked:
                return f"the group `{group}` was removed"
            found = self.requirements(f"a dependency of the group `{group}`", locked[group], asked[group])
            if found:
                return found
        return ""


def _as_spelled_now(marker: str) -> str:
    from packaging.markers import InvalidMarker, Marker

    from cove.formats.marker_text import stated

    try:
        return stated(Marker(marker)) if marker else ""
    except InvalidMarker:
        return marker


def _shown(requirement: LockedRequirement) -> str:
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    place = requirement.index or next(filter(None, (getattr(requirement, kind) for kind in _PLACES)), "")
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"`{requirement.name}{extras}{requirement.specifier}{marker}`{f' from {place}' if place else ''}"


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
            wanted_now = tuple(normalized(marker, requires_python) for marker in stated)
            if wanted_now not in (locked, tuple(map(_as_spelled_now, locked))):
                return f"the setting `{key}` changed"
    wanted = {frozenset(members) for members in declared(place)}
    return "the setting `conflicts` changed" if wanted != {frozenset(members) for members in lock.conflicts} else ""


def _option_difference(locked: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    before, after = _as_given(locked), _as_given(wanted)
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            return (
                f"the option `{_SETTINGS.get(key, key)}` changed: "
                f"it was {_value(before.get(key))} and is {_value(after.get(key))}"
            )
    return ""


def _as_given(options: Mapping[str, object]) -> Mapping[str, object]:
    """Without the moment that stands beside a duration for programs that do not know durations."""
    return {key: each for key, each in options.items() if key != "exclude-newer" or "exclude-newer-span" not in options}


def _value(value: object) -> str:
    if value is None:
        return "not given"
    if isinstance(value, Mapping):
        return ", ".join(f"`{key} = {_moment(each)}`" for key, each in value.items())
    return f"`{value}`"


def _moment(cutoff: object) -> object:
    return cutoff.get("span", cutoff) if isinstance(cutoff, Mapping) else cutoff


def _manifest_difference(lock: Lock, wanted: Mapping[str, object], compare: _Comparison) -> str:
    locked = lock.manifest
    for key in sorted(locked.keys() | wanted.keys()):
        before, after = locked.get(key), wanted.get(key)
        if before == after:
            continue
        if key == "dependency-metadata":
            return f"the setting `{key}` changed: what it says of `{_described_otherwise(before, after)}`"
        if key not in _LISTS or not _is_readable(before):
            return _names_difference(key, before, after) or f"the setting `{key}` changed"
        found = compare.requirements(_LISTS[key], _requirements(before), _requirements(after))
        if found:
            return found
    return ""


def _is_readable(entries: object) -> bool:
    return entries is None or (isinstance(entries, list) and all(isinstance(each, Mapping) for each in entries))


def _requirements(entries: object) -> list[LockedRequirement]:
    found: list[LockedRequirement] = []
    for each in entries if isinstance(entries, list) else ():
        if isinstance(each, dict):
            keys = ("name", "specifier", "marker", "index", *_PLACES)
            texts = {"name": ""} | {key: each[key] for key in keys if isinstance(each.get(key), str)}
            extras = each.get("extras", ())
            named = tuple(map(Name, map(str, extras))) if isinstance(extras, list) else ()
            found.append(LockedRequirement(Name(texts.pop("name")), named, **texts))
    return found


def _described_otherwise(before: object, after: object) -> str:
    old, new = (each if isinstance(each, list) else [] for each in (before, after))
    changed = [each for each in (*new, *old) if (each in old) is not (each in new)]
    return next((str(each.get("name")) for each in changed if isinstance(each, Mapping)), "")


def _names_difference(key: str, before: object, after: object) -> str:
    """Of lists of names: members, and projects that are left out."""
    old, new = (frozenset(map(str, each)) if isinstance(each, list) else frozenset() for each in (before, after))
    for name in sorted(old ^ new):
        return f"the setting `{_SETTINGS.get(key, key)}` changed: `{name}` was {'added' if name in new else 'removed'}"
    return ""
