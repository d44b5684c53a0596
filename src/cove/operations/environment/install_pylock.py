"""Installing what a ``pylock.toml`` lists: nothing is resolved, and every file must have the digest that stands there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)

from cove.errors import ConfigurationError, NoCompatibleFile, UsageError
from cove.formats import git_url, pylock
from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import from_path, to_path
from cove.formats.git_url import GitUrl
from cove.formats.pylock import Chosen
from cove.formats.pylock_name import is_pylock
from cove.index.candidates import Rules
from cove.install.interpreter import Interpreter
from cove.install.store import StoredWheel
from cove.model.dataclasses import replace
from cove.model.dist import File, SdistName, WheelName, parse_filename
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.compile.inputs import Inputs
from cove.operations.compile.requirement_files import build_limits, text_of
from cove.operations.environment.change import Want, change
from cove.operations.environment.environments import changeable, seeds
from cove.operations.environment.install import Done
from cove.operations.resolution.policy import file_rules
from cove.operations.resolution.workbench import Workbench, origin_of
from cove.wiring import Session

_File = PackageArchive | PackageSdist | PackageWheel


def lock_among(inputs: Inputs) -> str:
    """The lock that is to be installed, empty without one. Raises ``UsageError`` where it is not alone: it is complete."""
    locks = [path for path in inputs.files if is_pylock(path)]
    others = (
        *(path for path in inputs.files if path not in locks),
        *inputs.arguments, *inputs.editables, *inputs.constraints, *inputs.overrides,
    )  # fmt: skip
    if locks and (others or len(locks) > 1):
        raise UsageError(
            f"`{locks[0]}` lists everything that is to be installed: nothing else can be asked for besides",
            hints=("install the rest with a second command",),
        )
    return locks[0] if locks else ""


def install_lock(
    session: Session, inputs: Inputs, *, exact: bool = False, allow_empty: bool = False, dry_run: bool = False
) -> Done:
    """Make the environment have what the lock among ``inputs`` lists for it; with ``exact`` nothing else.

    Extras and groups are those of the lock. Raises ``ConfigurationError`` for a lock that breaks the standard, what
    ``formats.pylock.select`` raises, ``UsageError`` when an ``exact`` environment would be empty unless ``allow_empty``, and
    what fetching, building and installing raise.
    """
    path = lock_among(inputs)
    interpreter = changeable(session)
    lock = read(session, path, interpreter)
    rules = file_rules(session, Rules())
    chosen = pylock.select(
        lock,
        path,
        interpreter.target,
        extras=[Name(extra) for extra in lock.extras or ()] if inputs.all_extras else inputs.extras,
        groups=[Name(group) for group in inputs.groups],
        from_source=lambda name: rules(normalize(name)).no_binary,
    )
    if exact and not chosen and not allow_empty:
        raise UsageError(
            f"`{path}` lists nothing for this environment, and it would be emptied",
            hints=("`--allow-empty-requirements` says that this is meant",),
        )
    wants = _Wants(session, path, interpreter)
    made = change(
        session,
        interpreter,
        [wants.of(package, source) for package, source in chosen],
        keep_extraneous=not exact,
        always=frozenset(
            normalize(package.name)
            for package, source in chosen
            if isinstance(source, PackageDirectory) and not source.editable
        ),
        spare=seeds(interpreter) if exact else frozenset(),
        dry_run=dry_run,
    )
    return Done(made, interpreter, len(chosen))


def read(session: Session, path: str, interpreter: Interpreter) -> Pylock:
    """The lock at a path or URL."""
    return pylock.parse(
        text_of(session, path, interpreter), path, warn=lambda message: session.listener(Warned(message))
    )


class _Wants:
    """Makes wants of the entries of the lock at ``path``."""

    def __init__(self, session: Session, path: str, interpreter: Interpreter) -> None:
        self._session = session
        self._path = path
        self._folder = None if "://" in path else (session.cwd / path).parent
        self._bench = Workbench(session, interpreter, build_limits=build_limits(session, interpreter))

    def of(self, package: Package, source: Chosen) -> Want:
        """How ``package`` is installed from ``source``."""
        if isinstance(source, PackageVcs):
            return self._of_repository(package, source)
        if isinstance(source, PackageDirectory):
            return self._of_directory(package, source)
        url = self._url(package, source)
        version = str(package.version) if package.version is not None else _version_in(url.filename)
        if not version:
            raise ConfigurationError(f"{self._path}: package `{package.name}`: nothing says which version it is")
        name = normalize(package.name)
        if not url.filename.endswith(".whl"):
            self._check_may_build(name, version)
        file = File(url.filename, url, {}, size=source.size)
        hashes = dict(source.hashes)
        wheel = partial(self._bench.wheel, file, name=name, version=version, index=self._index(package), hashes=hashes)
        if not isinstance(source, PackageArchive):
            return Want(name, version, wheel)
        strong = {
            algorithm: digest for algorithm, digest in hashes.items() if algorithm in ("sha256", "sha384", "sha512")
        }
        below = source.subdirectory or ""
        if below:
            wheel = partial(self._bench.from_archive, file, str(name), hashes, below)
        return Want(name, version, wheel, DirectUrl(url.without_credentials(), Archive(strong), below))

    def _of_repository(self, package: Package, source: PackageVcs) -> Want:
        name, url = normalize(package.name), source.url
        if url is None or (source.path and self._folder is not None):
            url = from_path(str(self._local(package, source.path or ".").resolve()))
        try:
            git = _repository(source, url, is_elsewhere=self._folder is None)
        except ValueError as error:
            raise ConfigurationError(
                f"{self._path}: `{name}` comes from a repository that cannot be used: {error}"
            ) from None
        self._check_may_build(name, str(package.version or ""))
        build = partial(self._bench.from_repository, git, str(name))
        if package.version is not None:
            return Want(name, str(package.version), build, origin_of(git))
        built = build()
        parsed = parse_filename(built.manifest.filename)
        assert isinstance(parsed, WheelName), "the store holds wheels"
        return Want(name, parsed.version, _given(built), origin_of(git))

    def _of_directory(self, package: Package, source: PackageDirectory) -> Want:
        from cove.operations.project.project import read as read_project

        name, is_editable = normalize(package.name), bool(source.editable)
        folder = (self._local(package, source.path) / (source.subdirectory or "")).resolve()
        if not folder.is_dir():
            raise NoCompatibleFile(f"{self._path}: `{package.name}` is to be built from {folder}, which is no folder")
        build = partial(self._bench.from_folder, folder, str(name), is_editable=is_editable)
        version = package.version
        if version is None and (folder / "pyproject.toml").is_file():
            version = read_project(folder).project.version
        if version is None:
            built = build()
            parsed = parse_filename(built.manifest.filename)
            assert isinstance(parsed, WheelName), "the store holds wheels"
            return Want(name, parsed.version, _given(built), _origin(folder, is_editable=is_editable))
        return Want(name, str(version), build, _origin(folder, is_editable=is_editable))

    def _check_may_build(self, name: Name, version: str) -> None:
        if file_rules(self._session, Rules())(name).no_build:
            raise NoCompatibleFile(
                f"`{name}` {version} has no wheel for this environment in {self._path}, and building is forbidden"
            )

    def _url(self, package: Package, source: _File) -> Url:
        if source.path and (source.url is None or self._folder is not None):
            place = self._local(package, source.path)
            if source.url is None or place.exists():
                return Url.parse(from_path(str(place.resolve())))
        try:
            url = Url.parse(source.url or "")
        except ValueError as error:
            raise ConfigurationError(
                f"{self._path}: package `{package.name}`: the URL cannot be used: {error}"
            ) from None
        return Url.parse(from_path(str(self._local(package, to_path(url.path))))) if url.scheme == "file" else url

    def _local(self, package: Package, path: str) -> Path:
        if self._folder is None:
            raise ConfigurationError(
                f"{self._path}: package `{package.name}` lies beside the lock, which is not on this machine",
                hints=("download the lock with what lies beside it",),
            )
        return self._folder / path

    def _index(self, package: Package) -> Index | None:
        """The configured index that the lock names: it decides the credential."""
        wanted = (package.index or "").removesuffix("/")
        found = self._session.indexes
        return next(
            (each for each in (*found.all, *found.find_links) if each.url.public.removesuffix("/") == wanted), None
        )


def _given(wheel: StoredWheel) -> Callable[[], StoredWheel]:
    return lambda: wheel


def _origin(folder: Path, *, is_editable: bool) -> DirectUrl:
    return DirectUrl(Url.parse(from_path(str(folder))), Directory(is_editable))


def _repository(source: PackageVcs, url: str, *, is_elsewhere: bool) -> GitUrl:
    """The repository of an entry. Raises ``ValueError``; a lock from ``elsewhere`` reaches no file of this machine."""
    if source.type != "git":
        raise ValueError("only git is known here")
    if url.startswith("file:") and is_elsewhere:
        raise ValueError("it lies on this machine, and the lock on another")
    kind = "rev" if source.requested_revision else ""
    git = git_url.make(url, kind, source.requested_revision or "", source.subdirectory or "")
    if not git_url.is_commit(source.commit_id):
        raise ValueError("its commit is none")
    return replace(git, commit=source.commit_id)


def _version_in(filename: str) -> str:
    parsed = parse_filename(filename)
    return parsed.version if isinstance(parsed, WheelName | SdistName) else ""
