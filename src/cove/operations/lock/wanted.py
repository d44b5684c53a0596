"""Which projects, extras and groups of a lock are wanted, as options and default groups say."""

from collections.abc import Iterable, Mapping, Sequence

from cove.config.settings import Settings
from cove.errors import ConfigurationError, PythonIncompatible, StaleLock
from cove.formats.core_metadata import read_specifiers
from cove.model.dataclasses import dataclass, replace
from cove.model.lock import Lock, LockedDependency, LockedPackage, LockedSource
from cove.model.name import Name
from cove.operations.lock.selection import Start, select
from cove.operations.lock.staleness import project_in
from cove.operations.project.project import Place


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the lock is installed. ``groups`` come besides the default ones, less ``no_groups``; ``members`` are
    projects of the workspace, the one at hand unless any is named."""

    extras: tuple[Name, ...] = ()
    all_extras: bool = False
    no_extras: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()
    no_groups: tuple[Name, ...] = ()
    only_groups: tuple[Name, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    members: tuple[Name, ...] = ()
    all_members: bool = False
    keeps_extraneous: bool = False


def wanted(
    locked: Lock, place: Place, selection: Selection, settings: Settings, markers: Mapping[str, str]
) -> list[LockedPackage]:
    """The packages that ``selection`` takes from ``locked`` for an environment with ``markers``, by name.

    Raises ``ConfigurationError`` for members, extras and groups that there are not or that exclude each other, ``StaleLock``.
    """
    places = _chosen_members(place, selection)
    starts = [_start(locked, each, selection) for each in places]
    _check_offered([start.package for start in starts], place, selection)
    _check_python(starts, markers["python_full_version"])
    found = select(locked, [*starts, *root_groups(locked, place, selection)], markers)
    return [_as_wished(each, settings) for each in found if _is_installed(each, place, places, settings)]


def _check_python(starts: Iterable[Start], python: str) -> None:
    """Raise ``PythonIncompatible`` for a group that says that it is not for ``python``."""
    for start in starts:
        for group in start.groups:
            told = read_specifiers(start.package.group_requires_python.get(group, ""))
            if told is not None and not told.contains(python, prereleases=True):
                raise PythonIncompatible(
                    f"the group `{group}` of `{start.package.name}` requires Python {told}, and this one is {python}",
                    hints=(f"choose another Python with `--python`, or leave the group out: `--no-group {group}`",),
                )


def _chosen_members(place: Place, selection: Selection) -> tuple[Place, ...]:
    """The projects of the workspace that are installed: those that are named, else the one at hand; all of a workspace whose
    root is no project. Raises ``ConfigurationError`` for one that is not there."""
    from cove.operations.project import workspace

    if selection.all_members or (not selection.members and not place.project.name):
        return place.members
    return tuple(workspace.member(place, name) for name in selection.members) or (place,)


def _start(locked: Lock, place: Place, selection: Selection) -> Start:
    """A project with what is taken of it."""
    own = project_in(locked, place)
    if own is None:
        raise StaleLock(f"{place.lock_path} has no `{place.project.name}`", hints=("run `cove lock`",))
    return Start(
        own,
        tuple(
            extra
            for extra in _extras(own)
            if (selection.all_extras or extra in selection.extras) and extra not in selection.no_extras
        ),
        tuple(group for group in groups_of(place, selection) if group in _groups(own)),
        itself=not selection.only_groups,
    )


def root_groups(locked: Lock, place: Place, selection: Selection) -> tuple[Start, ...]:
    """What the groups of a root need that is no project itself: the lock has what they require, and no edges. Where members
    are named, those groups count that are named too."""
    if place.project.name:
        return ()
    if selection.members:
        selection = replace(selection, no_default_groups=True)
    chosen, stated = groups_of(place, selection), locked.manifest.get("dependency-groups", {})
    edges = {
        Name(group): tuple(
            LockedDependency(Name(each["name"]), tuple(each.get("extras", ())), each.get("marker", ""))
            for each in several
        )
        for group, several in (stated.items() if isinstance(stated, dict) else ())
        if group in chosen
    }
    root = LockedPackage(Name(""), "", LockedSource("virtual", ""), dev_dependencies=edges)
    return (Start(root, groups=tuple(edges), itself=False),)


def _check_offered(several: Sequence[LockedPackage], place: Place, selection: Selection) -> None:
    """Raise ``ConfigurationError`` for an extra or a group that none of the projects has."""
    root_groups = place.project.dependency_groups if not place.project.name else {}
    for kind, wanted, offered in (
        ("extra", (*selection.extras, *selection.no_extras), {extra for own in several for extra in _extras(own)}),
        (
            "group",
            [each for each in (*selection.groups, *selection.only_groups) if each not in selection.no_groups],
            {*root_groups, *(group for own in several for group in _groups(own))},
        ),
    ):
        for name in wanted:
            if name not in offered:
                listed = ", ".join(f"`{each}`" for each in sorted(offered))
                hint = f"it has {listed}" if listed else f"it defines no {kind}s"
                raise ConfigurationError(f"the project has no {kind} `{name}`", hints=(hint,))


def _extras(own: LockedPackage) -> Iterable[Name]:
    return dict.fromkeys((*own.provides_extras, *own.optional_dependencies))


def _groups(own: LockedPackage) -> Iterable[Name]:
    return dict.fromkeys((*own.requires_dev, *own.dev_dependencies))


def groups_of(place: Place, selection: Selection) -> tuple[Name, ...]:
    """The groups of the project that ``selection`` takes."""
    project = place.project
    if selection.only_groups:
        return selection.only_groups
    if selection.all_groups:
        chosen: Iterable[Name] = project.dependency_groups
    else:
        default = () if selection.no_default_groups else project.selected_by_default
        chosen = dict.fromkeys((*default, *selection.groups))
    return tuple(group for group in chosen if group not in selection.no_groups)


def _is_installed(package: LockedPackage, place: Place, places: Iterable[Place], settings: Settings) -> bool:
    """Whether ``--no-install-project`` and its like let a package be; ``places`` are those of the projects that are synced."""
    if package.name in settings.no_install_package:
        return False
    if settings.no_install_local and package.source.kind in ("editable", "directory", "path"):
        return False
    left_out = [
        *(places if settings.no_install_project else ()),
        *(place.members if settings.no_install_workspace else ()),
    ]
    return package.name not in {each.project.name for each in left_out}


def _as_wished(package: LockedPackage, settings: Settings) -> LockedPackage:
    """An editable project as a plain folder, where that is wished."""
    if package.source.kind != "editable" or not (settings.no_editable or package.name in settings.no_editable_package):
        return package
    return replace(package, source=replace(package.source, kind="directory"))
