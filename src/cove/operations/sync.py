"""Making a project's environment what its lock says."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cove.errors import NoCompatibleFile, PythonIncompatible, StaleLock
from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import from_path
from cove.install.interpreter import Interpreter
from cove.install.plan import Plan
from cove.model.dataclasses import dataclass
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedFile, LockedPackage
from cove.model.name import Name
from cove.model.url import Url
from cove.operations.change import Want, change
from cove.operations.lock import Locked, lock
from cove.operations.project import Place, index_of, locate, path_of, project_interpreter
from cove.operations.requirements import asked_by
from cove.operations.selection import select
from cove.operations.staleness import project_in
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.install.store import StoredWheel
    from cove.operations.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the lock is installed. ``groups`` come besides the default ones, less ``no_groups``."""

    extras: tuple[Name, ...] = ()
    all_extras: bool = False
    groups: tuple[Name, ...] = ()
    no_groups: tuple[Name, ...] = ()
    only_groups: tuple[Name, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    no_project: bool = False
    keeps_extraneous: bool = False


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done, and the interpreter of the environment it was done to."""

    locked: Locked
    plan: Plan
    interpreter: Interpreter


def sync(
    session: Session, selection: Selection | None = None, *, place: Place | None = None, dry_run: bool = False
) -> Synced:
    """Lock the project if it must be, and make its environment have what ``selection`` takes from the lock."""
    place = place or locate(session)
    locked = lock(session, place, dry_run=dry_run)
    interpreter = project_interpreter(session, place)
    return Synced(
        locked,
        install(session, place, locked.lock, interpreter, selection or Selection(), dry_run=dry_run),
        interpreter,
    )


def install(
    session: Session,
    place: Place,
    locked: Lock,
    interpreter: Interpreter,
    selection: Selection,
    *,
    dry_run: bool = False,
) -> Plan:
    """Make the environment of ``interpreter`` have what ``selection`` takes from ``locked``."""
    own = project_in(locked, place)
    if own is None:
        raise StaleLock(f"{place.lock_path} is not the lock of `{place.project.name}`", hints=("run `cove lock`",))
    _check_python(locked, place, interpreter)
    extras = tuple(place.project.optional_dependencies) if selection.all_extras else selection.extras
    packages = select(
        locked,
        own,
        interpreter.target.markers,
        extras=extras,
        groups=groups_of(place, selection),
        only_groups=bool(selection.only_groups),
    )
    fetcher = _Fetcher(session, place, interpreter)
    wants = [fetcher.want(package) for package in packages]
    installs_project = own.source.kind == "editable" and not selection.no_project and not selection.only_groups
    if installs_project:
        wants.append(fetcher.project(own))
    return change(
        session,
        interpreter,
        wants,
        keep_extraneous=selection.keeps_extraneous,
        always=frozenset(package.name for package in packages if package.source.kind == "directory"),
        dry_run=dry_run,
    )


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


def _check_python(locked: Lock, place: Place, interpreter: Interpreter) -> None:
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(locked.requires_python).contains(interpreter.version, prereleases=True):
        raise PythonIncompatible(
            f"`{place.project.name}` requires Python {locked.requires_python}, and the environment has {interpreter}",
            hints=("choose another with `--python`, or remove the environment to have it made anew",),
        )


class _Fetcher:
    """Makes wants of locked packages; what downloading takes is imported when the first wheel is asked for."""

    def __init__(self, session: Session, place: Place, interpreter: Interpreter) -> None:
        self._session = session
        self._place = place
        self._interpreter = interpreter
        self._tags = {tag: position for position, tag in enumerate(interpreter.target.tags)}

    def project(self, own: LockedPackage) -> Want:
        """The project itself, installed in place."""
        direct = _folder_origin(self._place.folder, is_editable=True)
        build = partial(self._build, self._place.folder, str(own.name), is_editable=True)
        return Want(own.name, own.version or self._version_of(own), build, direct, requested=True)

    def _version_of(self, own: LockedPackage) -> str:
        """The version of a project that states none: that of what is installed, or of what will be built."""
        from cove.install.installed import scan

        present = scan(self._interpreter.sites).get(own.name)
        if present is not None and present.editable:
            return present.version
        wheel = self._build(self._place.folder, str(own.name), is_editable=True)
        parsed = parse_filename(wheel.manifest.filename)
        assert isinstance(parsed, WheelName)
        return parsed.version

    def want(self, package: LockedPackage) -> Want:
        """How a locked package is installed here. Raises ``NoCompatibleFile`` when no file of it can be."""
        source = package.source
        if source.kind in ("editable", "directory"):
            folder = self._place.folder / source.location
            is_editable = source.kind == "editable"
            build = partial(self._build, folder, str(package.name), is_editable=is_editable)
            return Want(package.name, package.version, build, _folder_origin(folder.resolve(), is_editable=is_editable))
        file = self._file(package)
        url = self._url(package, file)
        if source.kind == "url":
            url = self._as_required(url)
        algorithm, _, digest = file.hash.partition(":")
        hashes = {algorithm: digest} if digest else {}
        index = self._index(package)
        as_file = File(url.filename, url, {}, size=file.size)
        wheel = partial(self._fetch, as_file, package, index, hashes)
        direct = DirectUrl(url.without_credentials(), Archive(hashes)) if source.kind in ("url", "path") else None
        return Want(package.name, package.version, wheel, direct)

    def _file(self, package: LockedPackage) -> LockedFile:
        best: tuple[int, LockedFile] | None = None
        for wheel in package.wheels:
            parsed = parse_filename(wheel.filename, package.name)
            if isinstance(parsed, WheelName):
                ranks = [self._tags[tag] for tag in parsed.tags() if tag in self._tags]
                if ranks and (best is None or min(ranks) < best[0]):
                    best = (min(ranks), wheel)
        settings = self._session.settings
        wants_build = settings.no_binary or package.name in settings.no_binary_package
        if best is not None and not (wants_build and package.sdist is not None):
            return best[1]
        if package.sdist is not None and not (settings.no_build or package.name in settings.no_build_package):
            return package.sdist
        reason = "and building is forbidden" if package.sdist is not None else "and it has no source distribution"
        raise NoCompatibleFile(
            f"`{package.name}` {package.version} has no wheel for {self._interpreter}, {reason}",
            causes=(f"it is locked from {package.source.location}",),
            hints=(f"`cove index why {package.name}` lists its files and why each cannot be used",),
        )

    def _url(self, package: LockedPackage, file: LockedFile) -> Url:
        if file.url:
            return Url.parse(file.url)
        return Url.parse(from_path(str(path_of(package, file, self._place))))

    def _as_required(self, url: Url) -> Url:
        """``url`` with the user info that the project's requirement has: a lock holds none."""
        for requirement in asked_by(self._place, self._session.indexes).roots:
            required = Url.parse(requirement.url).without_fragment() if requirement.url else None
            if required is not None and required.public == url.public:
                return required
        return url

    def _index(self, package: LockedPackage) -> Index | None:
        """The configured index that the package was locked from: it decides the credential."""
        return index_of(package.source, self._session.indexes, self._place)

    def _fetch(
        self, file: File, package: LockedPackage, index: Index | None, hashes: Mapping[str, str]
    ) -> "StoredWheel":
        return self._bench().wheel(file, name=package.name, version=package.version, index=index, hashes=hashes)

    def _build(self, folder: Path, label: str, *, is_editable: bool) -> "StoredWheel":
        return self._bench().from_folder(folder, label, is_editable=is_editable)

    def _bench(self) -> "Workbench":
        from cove.operations.workbench import Workbench

        settings = self._session.settings
        no_sources = None if settings.no_sources else settings.no_sources_package
        pins = asked_by(self._place, self._session.indexes, no_sources=no_sources).pins  # for what building requires
        return Workbench(self._session, self._interpreter, pins=pins)


def _folder_origin(folder: Path, *, is_editable: bool) -> DirectUrl:
    return DirectUrl(Url.parse(from_path(str(folder))), Directory(is_editable))
