"""The project a command works on: its folder, what its ``pyproject.toml`` says, and its environment."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet

from cove.config.indexes import Indexes
from cove.config.load import find_project
from cove.errors import ConfigurationError
from cove.formats import pyproject
from cove.formats.file_url import to_path
from cove.formats.pyproject import Project
from cove.install import discovery, environment
from cove.install.interpreter import Interpreter, probe, remember
from cove.model.dataclasses import dataclass
from cove.model.event import Finished
from cove.model.index import Index
from cove.model.lock import LockedFile, LockedPackage, LockedSource
from cove.wiring import Session

LOCK_NAME = "uv.lock"


@dataclass(frozen=True, slots=True)
class Place:
    """A project and where it lies."""

    folder: Path
    project: Project

    @property
    def pyproject_path(self) -> Path:
        """Its ``pyproject.toml``."""
        return self.folder / "pyproject.toml"

    @property
    def lock_path(self) -> Path:
        """Its ``uv.lock``, whether there is one or not."""
        return self.folder / LOCK_NAME


def locate(session: Session) -> Place:
    """The project in ``--project``, else in the working folder or the nearest one above it.

    Raises ``ConfigurationError`` when there is none, or when its ``pyproject.toml`` has no ``[project]`` table.
    """
    start = Path(session.settings.project or session.cwd)
    folder = find_project(start)
    if folder is None:
        raise ConfigurationError(
            f"no pyproject.toml in {start} or above it", hints=("`cove init` makes a project of this folder",)
        )
    place = read(folder)
    if not place.project.name:
        raise ConfigurationError(
            f"{place.pyproject_path} has no [project] table",
            hints=("a project needs at least `name` and `version` there",),
        )
    return place


def read(folder: Path) -> Place:
    """The project in ``folder``."""
    path = folder / "pyproject.toml"
    return Place(folder, pyproject.parse(path.read_bytes(), str(path)))


def python_request(session: Session, folder: Path) -> discovery.Request | None:
    """Which Python is asked for: by ``--python`` or ``UV_PYTHON``, else by the nearest ``.python-version``."""
    asked = session.settings.python
    if asked is not None:
        return discovery.parse_request(asked, session.settings.origin("python"), session.cwd)
    return discovery.pinned(folder, session.listener)


def environment_folder(session: Session, place: Place) -> Path:
    """Where the project's environment lies."""
    named = session.settings.project_environment
    return environment.project_environment(place.folder, {"UV_PROJECT_ENVIRONMENT": named} if named else {})


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
    folder, wanted = environment_folder(session, place), place.project.requires_python
    asked = python_request(session, place.folder)
    present = discovery.reusable(
        folder, asked, requires_python=wanted, cache_dir=session.cache_dir, report=session.listener
    )
    if present is not None:
        return present
    base = base_interpreter(session, place.folder, wanted)
    replaces = environment.is_environment(folder)
    made = environment.create(folder, base, prompt=place.project.name, clear=replaces)
    remember(made, session.cache_dir)
    session.listener(Finished("environment", str(folder), f"Made the environment {folder} with Python {base.version}"))
    return made


def locking_interpreter(session: Session, place: Place) -> Interpreter:
    """An interpreter for what must be built while locking: the environment's if there is one, else its base."""
    folder = environment_folder(session, place)
    if environment.is_environment(folder) and environment.executable_in(folder).exists():
        return probe(environment.executable_in(folder), session.cache_dir)
    return base_interpreter(session, place.folder, place.project.requires_python)


def location_of(index: Index, place: Place) -> str:
    """How the lock calls an index: its URL without user info, a local one relative to the project."""
    public = index.url.public
    return relative_path(public, place.folder) if index.url.scheme == "file" else public


def index_of(source: LockedSource, indexes: Indexes, place: Place) -> Index | None:
    """The configured index that a package is locked from; ``None`` for another kind of source, and when it is gone."""
    if source.kind != "registry":
        return None
    locked = source.location.removesuffix("/")
    for index in (*indexes.all, *indexes.find_links):
        if location_of(index, place).removesuffix("/") == locked:
            return index
    return None


def path_of(package: LockedPackage, file: LockedFile, place: Place) -> Path:
    """Where a local file of a lock lies: that of a local index is relative to the index."""
    source = package.source
    if source.kind == "path":
        return (place.folder / source.location).resolve()
    below = place.folder / source.location / file.path
    return (below if below.exists() else place.folder / file.path).resolve()


def relative_path(url: str, folder: Path) -> str:
    """The path that a ``file:`` URL names, seen from ``folder``."""
    return os.path.relpath(to_path(urlsplit(url).path), folder).replace("\\", "/")
