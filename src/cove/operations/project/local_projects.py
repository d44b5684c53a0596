"""What the project in a folder requires: as its ``pyproject.toml`` says, or, where that leaves it open, as its build says."""

from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.formats import core_metadata
from cove.formats.locked_requirement import requirement_entry
from cove.formats.pyproject import Project
from cove.model.dataclasses import dataclass, replace
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize
from cove.operations.build.options import build_options
from cove.operations.build.sources import kept_metadata
from cove.operations.project.left_open import as_built
from cove.operations.project.local_state import LocalState, local_state
from cove.operations.project.locations import Checkout
from cove.operations.project.project import Place, place_at, read
from cove.operations.project.requirements import Asked, asked_by
from cove.operations.resolution.direct import Stated
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class LocalProject:
    """The metadata of a project, its requirements sent where its own sources say, and the same as the lock states it."""

    metadata: CoreMetadata
    stated: Stated
    has_dynamic_version: bool = False
    is_virtual: bool = False


def local_project(
    session: Session,
    folder: Path,
    build: Callable[[], bytes],
    *,
    base: Path | None = None,
    checkout: Checkout | None = None,
    key: str = "",
) -> LocalProject:
    """The project in ``folder``. ``build`` gives the text of its core metadata where only a build knows it; that is kept
    until its files say something else, or for ``key``, which tells contents apart.

    Raises ``ConfigurationError``, and what building raises.
    """
    place = place_at(folder) if (folder / "pyproject.toml").is_file() else None
    if place is None:
        built = built_metadata(session, folder, build, None, key)
        return LocalProject(built, Stated(tuple(requirement_entry(each) for each in built.requires_dist)))
    project = place.project
    if not project.name or project.version is None or project.leaves_requirements_open:
        project = as_built(project, built_metadata(session, folder, build, project, key))
    asked = _asked(session, replace(place, project=project), base, checkout)
    metadata = CoreMetadata(
        project.name,
        str(project.version),
        tuple(_requirements(asked)),
        str(project.requires_python) if project.requires_python is not None else None,
        tuple(project.optional_dependencies),
    )
    return LocalProject(
        metadata,
        Stated(asked.requires_dist, asked.requires_dev),
        has_dynamic_version="version" in project.dynamic,
        is_virtual=project.package is False,
    )


def built_metadata(
    session: Session, folder: Path, build: Callable[[], bytes], project: Project | None, key: str = ""
) -> CoreMetadata:
    """What the build of the project in ``folder`` says, kept as ``local_project`` tells."""
    return core_metadata.read(kept_metadata(session.cache_dir, key or _key(session, folder, project), build))


def read_or_none(folder: Path) -> Project | None:
    """What the project in ``folder`` says of itself, if it has a ``pyproject.toml``."""
    return read(folder).project if (folder / "pyproject.toml").is_file() else None


def state_of(session: Session, folder: Path, project: Project | None = None) -> LocalState:
    """The state of the project in ``folder``: while it stays as it is, so do the project's metadata and its wheel."""
    project = project or read_or_none(folder)
    keys = project.cache_keys if project is not None else None
    return local_state(folder, keys, session.environ, session.listener)


def _key(session: Session, folder: Path, project: Project | None) -> str:
    options = build_options(session.settings, project.name if project is not None else "")
    return f"{folder.resolve()} {state_of(session, folder, project)} {options}".rstrip()


def stated_state(session: Session, folder: Path) -> LocalState | None:
    """The same for a project that says itself what its state is, ``None`` for any other."""
    project = read_or_none(folder)
    return state_of(session, folder, project) if project is not None and project.cache_keys is not None else None


def build_sources(
    session: Session, folder: Path, markers: Mapping[str, str], checkout: Checkout | None = None
) -> dict[Name, str]:
    """Where what the project in ``folder`` needs to be built comes from, when not from an index."""
    place = place_at(folder) if (folder / "pyproject.toml").is_file() else None
    if place is None or place.project.build_system is None or not place.project.sources:
        return {}
    requires = place.project.build_system.requires
    alone = replace(place.project, dependencies=requires, optional_dependencies={}, dependency_groups={})
    wanted = {normalize(each.name) for each in requires}
    alone = replace(alone, sources={name: several for name, several in alone.sources.items() if name in wanted})
    asked = _asked(session, replace(place, project=alone), None, checkout, markers)
    return {normalize(each.name): each.url for each in asked.dependencies if each.url}


def _asked(
    session: Session,
    place: Place,
    base: Path | None,
    checkout: Checkout | None,
    markers: Mapping[str, str] | None = None,
) -> Asked:
    settings = session.settings
    no_sources = None if settings.no_sources else settings.no_sources_package
    return asked_by(
        _without_foreign_pins(place, session),
        session.indexes,
        no_sources=no_sources,
        base=base,
        checkout=checkout,
        markers=markers,
    )


def _without_foreign_pins(place: Place, session: Session) -> Place:
    """A project elsewhere may name indexes of its own, which are not configured here."""
    known = {index.name for index in session.indexes.all if index.name}
    sources = {
        name: kept
        for name, several in place.project.sources.items()
        if (kept := tuple(each for each in several if each.target != "index" or each.location in known))
    }
    return replace(place, project=replace(place.project, sources=sources))


def _requirements(asked: Asked) -> list[Requirement]:
    found = list(asked.dependencies)
    for extra, several in asked.extras.items():
        told = Marker(f'extra == "{extra}"')
        for each in several:
            narrowed = Requirement(str(each))
            narrowed.marker = told if narrowed.marker is None else narrowed.marker & told
            found.append(narrowed)
    return found
