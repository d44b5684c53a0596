"""Writing what a project's lock has in another format: requirements.txt, pylock.toml or CycloneDX, for all environments."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from packaging.pylock import Package, Pylock
from packaging.specifiers import SpecifierSet

from cove.config.atomic import write_whole
from cove.errors import ConfigurationError, StaleLock
from cove.formats import lock_check, pylock, requirements_txt
from cove.formats.file_url import from_path
from cove.formats.marker_sets import TooComplex
from cove.formats.pylock_name import Format
from cove.formats.requirements_txt import Pin
from cove.model.dataclasses import dataclass
from cove.model.lock import Lock, LockedPackage
from cove.model.name import Name
from cove.operations.lock.lock import lock
from cove.operations.lock.moving import Moves
from cove.operations.lock.reach import Key, Part, key_of, reach
from cove.operations.lock.selection import Start
from cove.operations.lock.staleness import project_in
from cove.operations.lock.wanted import Selection, groups_of, root_groups
from cove.operations.project.project import Place, locate
from cove.operations.project.together import asked_together
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the lock is written. ``members`` are projects of the workspace, the one at hand unless any is named;
    ``without`` goes together with what only it needs, ``silent`` alone."""

    selection: Selection = Selection()
    no_extras: tuple[Name, ...] = ()
    members: tuple[Name, ...] = ()
    all_members: bool = False
    without: tuple[Name, ...] = ()
    silent: tuple[Name, ...] = ()
    no_project: bool = False
    no_members: bool = False
    no_local: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How it is written. ``header`` is the command shown above, empty for none; ``editable`` tells of a project that is locked
    as editable whether it shall be written so; the rest is for requirements.txt alone."""

    header: str = ""
    editable: Callable[[Name], bool] = lambda _: True
    hashes: bool = True
    annotations: bool = True
    index_url: bool = False
    find_links: bool = False
    index_annotations: bool = False


def export(session: Session, scope: Scope, style: Style, *, format: Format, output: Path | None = None) -> str:  # noqa: A002
    """The text of the other file, which is written to ``output`` where that is given; the lock is brought up to date before.

    Raises what locking raises, and ``ConfigurationError`` for parts that the project does not have.
    """
    place = locate(session)
    locked = lock(session, place).lock
    lock_check.check(locked, str(place.lock_path))
    starts = _starts(locked, place, scope)
    reached = _reached(locked, place, starts, scope, at_once=format != "cyclonedx1.5")
    parts = [part for part in reached if _is_written(part.package, locked, place, scope)]
    if format == "cyclonedx1.5":
        from cove.operations.export.cyclonedx import Bill

        moves, first = _moves(session, place), [start.package for start in starts]
        bill = Bill(locked, first, moves, all_members=scope.all_members, files=style.hashes)
        text = bill.text(session, parts)
    elif format == "pylock.toml":
        from cove.operations.export.pylock import Files

        folder = output.parent if output is not None else place.folder
        files = Files(session, place, _moves(session, place), folder, style.editable)
        text = pylock.dump(_whole(locked, files.packages(_with_source(parts))), header=style.header)
    else:
        indexes = _indexes(session, place, parts) if style.index_annotations else {}
        pins = [_pin(part, style, indexes.get(key_of(part.package), "")) for part in _with_source(parts)]
        text = requirements_txt.write(pins, header=style.header, options=_options(session, style))
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, text.encode())
    return text


def _reached(locked: Lock, place: Place, starts: Iterable[Start], scope: Scope, *, at_once: bool) -> list[Part]:
    try:
        return reach(locked, starts, without=scope.without, at_once=at_once)
    except TooComplex:
        raise ConfigurationError(
            f"the markers of {place.lock_path} are too complex to be joined",
            hints=("`cove sync` installs from the lock itself",),
        ) from None


def _moves(session: Session, place: Place) -> Moves:
    return Moves(session, place, asked_together(place, session.indexes, session.settings).whole)


def _indexes(session: Session, place: Place, parts: Iterable[Part]) -> dict[Key, str]:
    """The index that has each package now, as a lock would call it."""
    moves = _moves(session, place)
    packages = [part.package for part in parts if part.package.source.kind == "registry"]
    moves.ask_ahead(packages)
    return {key_of(package): moves.location(package) for package in packages}


# -- what is written ---------------------------------------------------------------------------------------------------


def own_project(locked: Lock, place: Place) -> LockedPackage:
    """The lock's entry of the project. Raises ``StaleLock`` when it has none."""
    own = project_in(locked, place)
    if own is None:
        raise StaleLock(f"{place.lock_path} is not the lock of `{place.project.name}`", hints=("run `cove lock`",))
    return own


def members_of(locked: Lock, place: Place) -> list[LockedPackage]:
    """The projects of the workspace, the one at hand first."""
    listed = locked.manifest.get("members", [])
    named = set(map(str, listed)) if isinstance(listed, list) else set()
    if not place.project.name:  # a root that is no project stands for all members
        return [each for each in locked.packages if each.name in named]
    own = own_project(locked, place)
    return [own, *(each for each in locked.packages if each.name in named and each.name != own.name)]


def _starts(locked: Lock, place: Place, scope: Scope) -> list[Start]:
    members = members_of(locked, place)
    known = {member.name: member for member in members}
    for name in scope.members:
        if name not in known:
            listed = ", ".join(f"`{each}`" for each in known)
            raise ConfigurationError(f"the workspace has no member `{name}`", hints=(f"it has {listed}",))
    chosen = (
        members
        if scope.all_members or not (place.project.name or scope.members)
        else [known[name] for name in scope.members] or members[:1]
    )
    starts = [
        _start(member, place, scope, is_own=bool(place.project.name) and member is members[0]) for member in chosen
    ]
    starts += root_groups(locked, place, scope.selection)
    for kind, wanted, taken in (
        ("extra", scope.selection.extras, {*scope.no_extras, *(extra for start in starts for extra in start.extras)}),
        ("extra", scope.no_extras, {extra for each in chosen for extra in _extras(each)}),
        ("group", _named_groups(scope), {group for start in starts for group in start.groups}),
    ):
        for name in wanted:
            if name not in taken:
                raise ConfigurationError(f"the project has no {kind} `{name}`")
    return starts


def _named_groups(scope: Scope) -> Iterator[Name]:
    selection = scope.selection
    yield from (each for each in (*selection.groups, *selection.only_groups) if each not in selection.no_groups)


def _extras(member: LockedPackage) -> Iterable[Name]:
    return dict.fromkeys((*member.provides_extras, *member.optional_dependencies))


def _start(member: LockedPackage, place: Place, scope: Scope, *, is_own: bool) -> Start:
    selection = scope.selection
    groups = {**dict.fromkeys(member.requires_dev), **dict.fromkeys(member.dev_dependencies)}
    if is_own:
        wanted = groups_of(place, selection)
    else:
        default = groups if member.default_groups == "all" else member.default_groups
        wanted = selection.only_groups or (
            *(groups if selection.all_groups else () if selection.no_default_groups else default),
            *selection.groups,
        )
    return Start(
        member,
        tuple(
            extra
            for extra in _extras(member)
            if (selection.all_extras or extra in selection.extras) and extra not in scope.no_extras
        ),
        tuple(group for group in groups if group in wanted and group not in selection.no_groups),
        itself=not selection.only_groups,
    )


def _is_written(package: LockedPackage, locked: Lock, place: Place, scope: Scope) -> bool:
    if package.name in scope.silent:
        return False
    if scope.no_local and package.source.kind in ("editable", "directory", "path", "virtual"):
        return False
    members = members_of(locked, place)
    if scope.no_members and package in members:
        return False
    named = [member for member in members if member.name in scope.members] or members[:1]
    return not (scope.no_project and package in named)


def _with_source(parts: Iterable[Part]) -> list[Part]:
    """Without projects that are not packages."""
    return [part for part in parts if part.package.source.kind != "virtual"]


# -- requirements.txt --------------------------------------------------------------------------------------------------


def _pin(part: Part, style: Style, index: str) -> Pin:
    package, source = part.package, part.package.source
    files = (package.sdist, *package.wheels) if style.hashes else ()
    is_editable = source.kind == "editable" and style.editable(package.name)
    is_path = source.kind in ("editable", "directory", "path")
    location = ""
    if is_path:
        location = _reference(source.location, is_editable=is_editable)
    elif source.kind == "url":
        location = source.location + (f"#subdirectory={source.subdirectory}" if source.subdirectory else "")
    elif source.kind == "git":
        git = repository(source.location)
        location = f"git+{git.url}@{git.commit}" + (
            f"#subdirectory={quote(git.subdirectory)}" if git.subdirectory else ""
        )
    return Pin(
        package.name,
        "" if location else package.version,
        marker=part.marker,
        hashes=tuple(file.hash for file in files if file is not None and file.hash),
        via=part.via if style.annotations else (),
        location=location,
        editable=is_editable,
        bare=is_path and not is_editable,
        first=source.kind == "editable",
        index=index,
    )


def _reference(path: str, *, is_editable: bool) -> str:
    """A path as others read it: a URL if it is absolute, which only an editable one need not be, else no name."""
    if path.startswith("/") or path[1:2] == ":":
        return path if is_editable else from_path(path)
    return path if path.startswith(".") else f"./{path}"


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a git source is, as requested and as locked."""

    url: str
    commit: str
    requested: str = ""
    subdirectory: str = ""


def repository(location: str) -> Repository:
    """What the ``git`` of a locked source says: ``https://…/x?subdirectory=sub&tag=v1#<commit>``."""
    from urllib.parse import parse_qs

    rest, _, commit = location.partition("#")
    url, _, query = rest.partition("?")
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    requested = asked.get("rev") or asked.get("tag") or asked.get("branch") or ""
    return Repository(pylock.without_user_info(url), commit, requested, asked.get("subdirectory", ""))


def _options(session: Session, style: Style) -> Iterator[str]:
    from cove.operations.compile.compile import index_options, public_address

    return index_options(session.indexes, public_address, index_url=style.index_url, find_links=style.find_links)


# -- pylock.toml -------------------------------------------------------------------------------------------------------


def _whole(locked: Lock, packages: Iterable[Package]) -> Pylock:
    from packaging.markers import Marker
    from packaging.version import Version

    return Pylock(
        lock_version=Version("1.0"),
        created_by="cove",
        environments=[Marker(text) for text in locked.supported_markers] or None,
        requires_python=SpecifierSet(locked.requires_python),
        packages=list(packages),
    )
