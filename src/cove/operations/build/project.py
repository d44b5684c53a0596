"""Building a project's distributions, to be published or kept."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cove.config.load import find_project, find_workspace
from cove.errors import BuildFailed, UsageError
from cove.formats.pyproject import Project
from cove.install.build import Builder
from cove.install.discovery import find_environment
from cove.install.sdist import unpack_sdist
from cove.model.dataclasses import dataclass, replace
from cove.model.name import Name, normalize
from cove.operations.build.options import build_options
from cove.operations.compile.requirement_files import build_limits
from cove.operations.project.local_projects import build_sources
from cove.operations.project.project import base_interpreter, python_request, read
from cove.operations.resolution.workbench import Workbench
from cove.wiring import Session

_SDIST = (".tar.gz", ".zip")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be built: with neither flag the sdist, and the wheel from that, so that the sdist is known to be whole."""

    sdist: bool = False
    wheel: bool = False
    out_dir: Path | None = None


def members_to_build(source: Path, package: str, *, all_packages: bool) -> list[Path]:
    """The folders of the members of the workspace at ``source`` that are named; none where none is."""
    if not package and not all_packages:
        return []
    from cove.operations.project.project import place_at
    from cove.operations.project.workspace import member

    folder = find_project(source)
    if folder is None:
        raise UsageError(f"there is no workspace at {source}")
    place = place_at(folder)
    if package:
        return [member(place, normalize(package)).folder]
    return [each.folder for each in place.members if each.project.is_package]


def build_project(session: Session, source: Path, wishes: Wishes) -> list[Path]:
    """Build what is wished of the project in the folder ``source``, or the wheel of the sdist ``source``; what was made.

    Everything lies in ``wishes.out_dir``, by default ``dist`` in the project or the sdist's own folder, and only when all
    of it could be built. Raises ``BuildFailed``, ``UsageError`` when there is nothing to build at ``source``.
    """
    if source.is_dir():
        return _of_folder(session, source, wishes)
    if not source.is_file() or not source.name.endswith(_SDIST):
        raise UsageError(
            f"{source} is neither the folder of a project nor an sdist (.tar.gz, .zip)",
            hints=("name the folder that holds pyproject.toml",),
        )
    if wishes.sdist:
        raise UsageError(f"{source} is an sdist already", hints=("leave --sdist out to build its wheel",))
    with _workplace(wishes.out_dir or source.parent) as place:
        place.build_from(session, source)
        return place.keep()


def _of_folder(session: Session, folder: Path, wishes: Wishes) -> list[Path]:
    project = read(folder).project if (folder / "pyproject.toml").is_file() else Project(Name(""))
    label = str(project.name or folder.name)
    builder = _builder(session, folder, project)
    with _workplace(wishes.out_dir or _root(folder) / "dist") as place:
        if wishes.sdist or not wishes.wheel:
            sdist = place.add(builder.build_sdist(folder, place.side, label))
            if not wishes.sdist:
                place.build_from(session, sdist)
        if wishes.wheel:
            place.add(builder.build_wheel(folder, place.side, label))
        return place.keep()


def _root(folder: Path) -> Path:
    """Where ``dist`` lies: beside the lock, if it is a member of a workspace."""
    return find_workspace(folder) if (folder / "pyproject.toml").is_file() else folder


class _Workplace:
    """Where distributions are made, away from the project, whose sdist would take them in; moved when all are made."""

    def __init__(self, out: Path, side: Path) -> None:
        self.side = side
        self._out = out
        self._made: list[Path] = []

    def add(self, made: Path) -> Path:
        """Take note of a distribution in ``side``."""
        self._made.append(made)
        return made

    def build_from(self, session: Session, sdist: Path) -> None:
        """The wheel of an sdist."""
        with TemporaryDirectory(prefix="cove-build-") as folder:
            source = unpack_sdist(sdist, Path(folder))
            project = read(source).project if (source / "pyproject.toml").is_file() else Project(Name(""))
            self.add(_builder(session, source, project).build_wheel(source, self.side, sdist.name))

    def keep(self) -> list[Path]:
        """Put everything into its place; a file of the same name gives way."""
        try:
            if not self._out.exists():
                self._out.mkdir(parents=True)
                (self._out / ".gitignore").write_text("*\n", encoding="utf-8")  # what is built is no source
            return [_put(made, self._out) for made in self._made]
        except OSError as error:
            raise BuildFailed(
                f"what was built cannot be written to {self._out}", causes=(error.strerror or str(error),)
            ) from error


@contextmanager
def _workplace(out: Path) -> Iterator[_Workplace]:
    with TemporaryDirectory(prefix="cove-build-") as side:
        yield _Workplace(out, Path(side))


def _put(made: Path, out: Path) -> Path:
    """Copy beside the place, then rename: there is never half a distribution."""
    side = out / f".{made.name}.new"
    try:
        shutil.copyfile(made, side)
        return side.replace(out / made.name)
    finally:
        side.unlink(missing_ok=True)


def _builder(session: Session, folder: Path, project: Project) -> Builder:
    if build_options(session.settings, project.name).is_isolated:
        interpreter = base_interpreter(session, folder, project.requires_python)
    else:  # the environment that is active, or lies beside the project; nothing is installed in it
        interpreter = find_environment(
            python_request(session, folder),
            environ=session.environ,
            folder=folder,
            cache_dir=session.cache_dir,
            report=session.listener,
        )
    pins = {} if session.settings.no_sources else _pins(session, project, interpreter.target.markers)
    sent = {} if session.settings.no_sources else build_sources(session, folder, interpreter.target.markers)
    asked = build_limits(session, interpreter)
    limits = replace(asked, constraints=(*asked.constraints, *project.build_constraint_dependencies))
    return Workbench(session, interpreter, pins=pins, sent=sent, build_limits=limits).builder(project.name)


def _pins(session: Session, project: Project, markers: Mapping[str, str]) -> dict[Name, str]:
    """``tool.uv.sources`` decides the index of build requirements too; ``markers`` are those of the build's interpreter."""
    left_out = session.settings.no_sources_package
    return {
        name: source.location
        for name, sources in project.sources.items()
        for source in sources
        if source.target == "index"
        and name not in left_out
        and (source.marker is None or source.marker.evaluate({**markers, "extra": ""}))
    }
