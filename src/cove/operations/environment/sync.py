"""Making a project's environment what its lock says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from cove.errors import NoCompatibleFile, PythonIncompatible, StaleLock
from cove.formats import git_url
from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import from_path
from cove.formats.git_url import GitUrl
from cove.install.interpreter import Interpreter
from cove.install.plan import Plan
from cove.model.dataclasses import dataclass, replace
from cove.model.dist import File, WheelName, parse_filename
from cove.model.index import Index
from cove.model.lock import Lock, LockedFile, LockedPackage
from cove.model.name import Name
from cove.model.url import Url
from cove.operations.environment.change import Want, change
from cove.operations.lock.lock import Locked, lock
from cove.operations.lock.moving import Homes, Moves
from cove.operations.lock.wanted import Selection, wanted
from cove.operations.project.project import Place, interpreter_on_trial, locate, path_of, project_interpreter
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.install.store import StoredWheel
    from cove.operations.project.together import Together
    from cove.operations.resolution.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done, and the interpreter of the environment it was done to."""

    locked: Locked
    plan: Plan
    interpreter: Interpreter


def sync(
    session: Session,
    selection: Selection | None = None,
    *,
    place: Place | None = None,
    dry_run: bool = False,
    constraints: Sequence[Requirement] = (),
) -> Synced:
    """Lock the project if it must be, and make its environment have what ``selection`` takes from the lock. ``constraints``
    as for ``lock``."""
    place = place or locate(session)
    locked = lock(session, place, dry_run=dry_run, constraints=constraints)
    selection = selection or Selection()
    if dry_run:
        with interpreter_on_trial(session, place) as interpreter:
            return Synced(
                locked, install(session, place, locked.lock, interpreter, selection, dry_run=True), interpreter
            )
    interpreter = project_interpreter(session, place)
    return Synced(locked, install(session, place, locked.lock, interpreter, selection), interpreter)


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
    try:
        _check_python(locked, place, interpreter)
        packages = wanted(locked, place, selection, session.settings, interpreter.target.markers)
        fetcher = _Fetcher(session, place, interpreter, {package.name: package.version for package in packages})
        return change(
            session,
            interpreter,
            [fetcher.want(package) for package in packages if package.source.kind != "virtual"],
            # without isolation, what is not in the lock may be there for builds
            keep_extraneous=selection.keeps_extraneous or session.settings.no_build_isolation,
            always=fetcher.changing(packages),
            dry_run=dry_run,
        )
    except (ValueError, OSError, RecursionError):  # only then is it worth the time to read all that the lock says
        from cove.formats import lock_check

        lock_check.check(locked, str(place.lock_path))
        raise


def _check_python(locked: Lock, place: Place, interpreter: Interpreter) -> None:
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(locked.requires_python).contains(interpreter.version, prereleases=True):
        raise PythonIncompatible(
            f"`{place.project.name}` requires Python {locked.requires_python}, and the environment has {interpreter}",
            hints=("choose another with `--python`, or remove the environment to have it made anew",),
        )


class _Fetcher:
    """Makes wants of locked packages; what downloading takes is imported when the first wheel is asked for."""

    def __init__(self, session: Session, place: Place, interpreter: Interpreter, versions: Mapping[Name, str]) -> None:
        self._session = session
        self._place = place
        self._interpreter = interpreter
        self._versions = versions
        self._tags = {tag: position for position, tag in enumerate(interpreter.target.tags)}

    def changing(self, packages: Iterable[LockedPackage]) -> frozenset[Name]:
        """Local projects that may have changed since they were installed, by their cache keys. What is built of a folder
        that states none is always among them: its modules change without its ``pyproject.toml``."""
        local = [package for package in packages if package.source.kind in ("directory", "editable")]
        if not local:
            return frozenset()
        from cove.install.installed import scan

        present = scan(self._interpreter.sites)
        return frozenset(
            package.name
            for package in local
            if package.name in present and not self._is_unchanged(present[package.name].path, package)
        )

    def _is_unchanged(self, installed: str, package: LockedPackage) -> bool:
        from cove.operations.project.local_projects import read_or_none, state_of
        from cove.operations.project.local_state import is_as_recorded

        folder = (self._place.base / package.source.location).resolve()
        project = read_or_none(folder)
        states_keys = project is not None and project.cache_keys is not None
        if package.source.kind == "directory" and not states_keys:
            return False
        return is_as_recorded(installed, state_of(self._session, folder, project))

    def want(self, package: LockedPackage) -> Want:
        """How a locked package is installed here. Raises ``NoCompatibleFile`` when no file of it can be."""
        source = package.source
        if source.kind in ("editable", "directory"):
            return self._of_folder(package, is_editable=source.kind == "editable")
        if source.kind == "git":
            return self._of_repository(package)
        file = self._file(package)
        url = self._url(package, file)
        if source.kind == "url":
            url = self._as_required(url)
        algorithm, _, digest = file.hash.partition(":")
        hashes = {algorithm: digest} if digest else {}
        as_file = File(url.filename, url, {}, size=file.size)
        if source.subdirectory:
            wheel = partial(self._archive, as_file, str(package.name), hashes, source.subdirectory)
        elif source.kind == "registry":
            wheel = partial(self._fetch, package, file, as_file, hashes)
        else:
            wheel = partial(self._download, package, as_file, None, hashes)
        direct = None
        if source.kind in ("url", "path"):
            direct = DirectUrl(url.without_credentials(), Archive(hashes), source.subdirectory)
        return Want(package.name, package.version, wheel, direct, requested=False)

    def _of_folder(self, package: LockedPackage, *, is_editable: bool) -> Want:
        folder = (self._place.base / package.source.location).resolve()
        build = partial(self._build, folder, str(package.name), is_editable=is_editable)
        version, wheel = (package.version, build) if package.version else self._dynamic(package, build)
        is_member = any(package.name == member.project.name for member in self._place.members)
        return Want(package.name, version, wheel, _folder_origin(folder, is_editable=is_editable), requested=is_member)

    def _dynamic(
        self, package: LockedPackage, build: "Callable[[], StoredWheel]"
    ) -> "tuple[str, Callable[[], StoredWheel]]":
        """The version of a project that states none, and its wheel: of what is installed, else of what is built now."""
        from cove.install.installed import scan
        from cove.operations.build.options import build_options

        present = scan(self._interpreter.sites).get(package.name)
        is_editable = package.source.kind == "editable"
        if present is not None and present.editable == is_editable and self._is_unchanged(present.path, package):
            return present.version, build
        if not build_options(self._session.settings, package.name).is_isolated:
            return self._version_by_metadata(package), build  # what it needs to be built is not installed yet
        built = build()
        parsed = parse_filename(built.manifest.filename)
        assert isinstance(parsed, WheelName)
        return parsed.version, lambda: built

    def _version_by_metadata(self, package: LockedPackage) -> str:
        from cove.operations.project.local_projects import local_project

        folder, is_editable = (self._place.base / package.source.location).resolve(), package.source.kind == "editable"
        build = partial(self._bench().metadata_of_folder, folder, str(package.name), is_editable=is_editable)
        return local_project(self._session, folder, build, base=self._place.base).metadata.version

    def _of_repository(self, package: LockedPackage) -> Want:
        from cove.operations.resolution.workbench import origin_of

        try:
            git = git_url.parse_locked(package.source.location)
        except ValueError as error:
            raise StaleLock(
                f"the lock has `{package.name}` from a repository that cannot be used: {error}",
                hints=("`cove lock` writes it anew",),
            ) from None
        build = partial(self._from_repository, git, str(package.name))
        return Want(package.name, package.version, build, origin_of(git))

    def _from_repository(self, git: GitUrl, label: str) -> "StoredWheel":
        return self._bench().from_repository(self._with_user(git), label)

    def _with_user(self, git: GitUrl) -> GitUrl:
        """The repository with the user info that the project's requirement has: a lock holds none."""
        for requirement in self._asked().whole.roots:
            if requirement.url and git_url.is_git(requirement.url):
                required = git_url.parse(requirement.url).url
                if required.public == git.url.public:
                    return replace(git, url=required)
        return git

    def _archive(self, file: File, label: str, hashes: Mapping[str, str], subdirectory: str) -> "StoredWheel":
        return self._bench().from_archive(file, label, hashes, subdirectory)

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
        if file.url or package.source.kind == "url":
            return Url.parse(file.url or package.source.location)
        return Url.parse(from_path(str(path_of(package, file, self._place))))

    def _as_required(self, url: Url) -> Url:
        """``url`` with the user info that the project's requirement has: a lock holds none."""
        for requirement in self._asked().whole.roots:
            required = Url.parse(requirement.url).without_fragment() if requirement.url else None
            if required is not None and required.public == url.public:
                return required
        return url

    def _fetch(
        self, package: LockedPackage, locked: LockedFile, file: File, hashes: Mapping[str, str]
    ) -> "StoredWheel":
        """The wheel of a file of an index: of the one it was locked from, or of the one that has it now. That index decides
        the credential."""
        index = self._homes.index_of(package)
        if not (self._homes.is_away(package) and self._is_stored(file, hashes)):
            file, index = self._moves.file(package, locked, file)
        return self._download(package, file, index, hashes)

    def _is_stored(self, file: File, hashes: Mapping[str, str]) -> bool:
        from cove.install.fetch import stored

        return "sha256" in hashes and stored(self._session.store, file.filename, hashes["sha256"]) is not None

    def _download(
        self, package: LockedPackage, file: File, index: Index | None, hashes: Mapping[str, str]
    ) -> "StoredWheel":
        return self._bench().wheel(file, name=package.name, version=package.version, index=index, hashes=hashes)

    @cached_property
    def _homes(self) -> Homes:
        return Homes(self._session, self._place, self._asked().whole)

    @cached_property
    def _moves(self) -> Moves:
        return Moves(self._session, self._place, self._asked().whole, self._homes)

    def _build(self, folder: Path, label: str, *, is_editable: bool) -> "StoredWheel":
        return self._bench().from_folder(folder, label, is_editable=is_editable)

    def _bench(self) -> "Workbench":
        from cove.operations.build.environment import BuildLimits
        from cove.operations.resolution.workbench import Workbench

        pins = self._asked().whole.pins  # for what building requires
        limits = BuildLimits(self._asked().root.project.build_constraint_dependencies)
        bench = Workbench(self._session, self._interpreter, pins=pins, build_limits=limits)
        bench.runtime = self._versions
        return bench

    def _asked(self) -> "Together":
        from cove.operations.project.together import asked_together

        return asked_together(self._place, self._session.indexes, self._session.settings)


def _folder_origin(folder: Path, *, is_editable: bool) -> DirectUrl:
    return DirectUrl(Url.parse(from_path(str(folder))), Directory(is_editable))
