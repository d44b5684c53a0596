"""The project a command works on: its folder, what its ``pyproject.toml`` says, and its environment."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet

from cove.config.indexes import Indexes
from cove.config.load import find_project, find_workspace
from cove.errors import ConfigurationError
from cove.formats import pyproject
from cove.formats.file_url import to_path
from cove.formats.pyproject import Project
from cove.install import discovery, environment
from cove.install.interpreter import Interpreter, probe, remember
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Finished
from cove.model.index import Index
from cove.model.lock import LockedFile, LockedPackage, LockedSource
from cove.model.name import normalize
from cove.wiring import Session

LOCK_NAME = "uv.lock"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Projects that are locked together. ``root`` may be a project too, and is then among the ``members``."""

    root: "Place"
    members: "tuple[Place, ...]"


@dataclass(frozen=True, slots=True)
class Place:
    """A project and where it lies. ``workspace`` is ``None`` for one that is locked by itself."""

    folder: Path
    project: Project
    workspace: Workspace | None = None

    @property
    def root(self) -> "Place":
        """Where the lock and the environment lie: itself, or the root of the workspace."""
        return self if self.workspace is None else replace(self.workspace.root, workspace=self.workspace)

    @property
    def members(self) -> "tuple[Place, ...]":
        """All projects that are locked together, by name."""
        if self.workspace is None:
            return (self,) if self.project.name else ()
        return tuple(replace(member, workspace=self.workspace) for member in self.workspace.members)

    @property
    def base(self) -> Path:
        """The folder that paths in the lock are relative to."""
        return self.folder if self.workspace is None else self.workspace.root.folder

    @property
    def pyproject_path(self) -> Path:
        """Its ``pyproject.toml``."""
        return self.folder / "pyproject.toml"

    @property
    def lock_path(self) -> Path:
        """Its ``uv.lock``, whether there is one or not."""
        return self.base / LOCK_NAME


def locate(session: Session, package: str = "") -> Place:
    """The project in ``--project``, else in the working folder or the nearest one above it; ``package`` names another member
    of its workspace.

    What has groups alone counts as one without a name. Raises ``ConfigurationError`` when there is none, or when members of
    the workspace contradict each other.
    """
    start = Path(session.settings.project or session.cwd)
    folder = find_project(start)
    if folder is None:
        raise ConfigurationError(
            f"no pyproject.toml with a project in {start} or above it",
            hints=("`cove init` makes a project of this folder",),
        )
    place = place_at(folder)
    if not package:
        return place
    from cove.operations.project import workspace

    return workspace.member(place, normalize(package))


def read(folder: Path) -> Place:
    """The project in ``folder``."""
    path = folder / "pyproject.toml"
    return Place(folder, pyproject.parse(path.read_bytes(), str(path)))


def place_at(folder: Path) -> Place:
    """The project in ``folder``, with the workspace that it belongs to. Raises ``ConfigurationError``."""
    place, root = read(folder), find_workspace(folder)
    if root == folder and not place.project.is_workspace:
        return place
    from cove.operations.project.workspace import workspace_at

    found = workspace_at(place if root == folder else read(root))
    own = next((member for member in found.members if member.folder == folder), place)
    return replace(own, workspace=found)


def requires_python(place: Place) -> SpecifierSet | None:
    """The Pythons that every project of the workspace is for."""
    stated = [member for member in place.members if member.project.requires_python is not None]
    if len(stated) < 2:
        return stated[0].project.requires_python if stated else None
    from cove.operations.project.workspace import narrowed

    return narrowed(stated)


def python_request(session: Session, folder: Path) -> discovery.Request | None:
    """Which Python is asked for: by ``--python`` or ``UV_PYTHON``, else by the nearest ``.python-version``."""
    asked = session.settings.python
    if asked is not None:
        return discovery.parse_request(asked, session.settings.origin("python"), session.cwd)
    return discovery.pinned(folder, session.listener)


def environment_folder(session: Session, place: Place) -> Path:
    """Where the project's environment lies."""
    named = session.settings.project_environment
    return environment.project_environment(place.base, {"UV_PROJECT_ENVIRONMENT": named} if named else {})


def base_interpreter(session: Session, folder: Path, requires_python: SpecifierSet | None) -> Interpreter:
    """The interpreter that environments of this project are made from."""
    return discovery.find_base(
        python_request(session, folder),
        environ=session.environ,
        requires_python=requires_python,
        cache_dir=session.cache_dir,
        report=session.listener,
    )


def project_interpreter(session: Session, place: Place) -> Interpreter:
    """The interpreter of the project's environment, which is made (anew) where it must be."""
    present = _present(session, place)
    if present is not None:
        return present
    folder, base = environment_folder(session, place), base_interpreter(session, place.base, requires_python(place))
    replaces = environment.is_environment(folder)
    made = environment.create(folder, base, prompt=place.root.project.name or place.base.name, clear=replaces)
    remember(made, session.cache_dir)
    session.listener(Finished("environment", str(folder), f"Made the environment {folder} with Python {base.version}"))
    return made


@contextmanager
def interpreter_on_trial(session: Session, place: Place) -> Iterator[Interpreter]:
    """As ``project_interpreter``, without a change: where the environment must be made, another one stands for it that is
    thrown away."""
    present = _present(session, place)
    if present is not None:
        yield present
        return
    from tempfile import TemporaryDirectory

    folder, base = environment_folder(session, place), base_interpreter(session, place.base, requires_python(place))
    session.listener(
        Finished("environment", str(folder), f"Would make the environment {folder} with Python {base.version}")
    )
    with TemporaryDirectory(prefix="cove-trial-") as beside:
        yield environment.create(Path(beside) / "env", base)


def _present(session: Session, place: Place) -> Interpreter | None:
    """That of the environment that is there, if it will do."""
    return discovery.reusable(
        environment_folder(session, place),
        python_request(session, place.base),
        requires_python=requires_python(place),
        cache_dir=session.cache_dir,
        report=session.listener,
    )


def locking_interpreter(session: Session, place: Place) -> Interpreter:
    """An interpreter for what must be built while locking: the environment's if there is one, else its base."""
    folder = environment_folder(session, place)
    if environment.is_environment(folder) and environment.executable_in(folder).exists():
        return probe(environment.executable_in(folder), session.cache_dir)
    return base_interpreter(session, place.base, requires_python(place))


def location_of(index: Index, place: Place) -> str:
    """How the lock calls an index: its URL without user info; a local one by its path, relative to the project if it was
    given so."""
    public = index.url.public
    if index.url.scheme != "file":
        return public
    return relative_path(public, place.base) if index.is_relative else to_path(urlsplit(public).path)


def address(location: str, place: Place) -> str:
    """The same text for everything that a lock or a configuration may write for one index: an absolute path, or a URL without
    a final ``/``."""
    if "://" not in location:
        return os.path.normpath(os.path.join(place.base, location))
    if location.startswith("file://"):
        return os.path.normpath(to_path(urlsplit(location).path))
    return location.removesuffix("/")


def addresses(index: Index, place: Place) -> tuple[str, ...]:
    """The address of an index, and those of its mirrors."""
    return tuple(address(url.public, place) for url in (index.url, *index.mirrors))


def index_of(source: LockedSource, indexes: Indexes, place: Place) -> Index | None:
    """The configured index that a package is locked from, by its own address or one of its mirrors; ``None`` for another
    kind of source, and when it is gone."""
    if source.kind != "registry":
        return None
    return index_at(address(source.location, place), (*indexes.all, *indexes.find_links), place)


def index_at(where: str, indexes: Iterable[Index], place: Place) -> Index | None:
    """The one of ``indexes`` that has the address ``where``, else the one that has a mirror there."""
    mirrored: Index | None = None
    for index in indexes:
        own, *mirrors = addresses(index, place)
        if own == where:
            return index
        if mirrored is None and where in mirrors:
            mirrored = index
    return mirrored


def path_of(package: LockedPackage, file: LockedFile, place: Place) -> Path:
    """Where a local file of a lock lies: that of a local index is relative to the index."""
    source = package.source
    if source.kind == "path":
        return (place.base / source.location).resolve()
    below = Path(os.path.normpath(place.base / source.location / file.path))  # the index may be a file: a list of links
    return (below if below.exists() else place.base / file.path).resolve()


def relative_path(url: str, folder: Path) -> str:
    """The path that a ``file:`` URL names, seen from ``folder``."""
    return os.path.relpath(to_path(urlsplit(url).path), folder).replace("\\", "/")
