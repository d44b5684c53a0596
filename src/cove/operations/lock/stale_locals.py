"""Whether what a lock has from this machine is still what it was: projects in folders, and files."""

import hashlib
from functools import partial
from pathlib import Path

from cove.errors import ConfigurationError
from cove.model.lock import Lock, LockedPackage
from cove.operations.lock.staleness import metadata_difference
from cove.operations.project.project import Place
from cove.operations.project.together import Together
from cove.wiring import Session


def stale_locals(session: Session, place: Place, lock: Lock, asked: Together) -> str:
    """What changed, in words; empty when nothing did. Members of the workspace are judged elsewhere."""
    for package in lock.packages:
        if package.name in asked.names:
            continue
        kind = package.source.kind
        if kind in ("editable", "directory", "virtual"):
            found = _folder_difference(session, place, package)
        elif kind == "path":
            found = _file_difference(place, package)
        else:
            continue
        if found:
            return f"`{package.name}` in {package.source.location}: {found}"
    return ""


def _folder_difference(session: Session, place: Place, package: LockedPackage) -> str:
    from cove.operations.project.local_projects import local_project

    folder = (place.base / package.source.location).resolve()
    if not folder.is_dir():
        return "the folder is gone"
    try:
        found = local_project(session, folder, partial(_built, session, place, folder, package), base=place.base)
    except ConfigurationError as error:
        return error.message
    version = "" if found.has_dynamic_version else found.metadata.version
    if version != package.version:
        return f"its version was {package.version or 'dynamic'} and is {version or 'dynamic'}"
    if found.metadata.name != package.name:
        return f"it is `{found.metadata.name}` now"
    return metadata_difference(package, found.stated, found.metadata.provides_extra, place)


def _built(session: Session, place: Place, folder: Path, package: LockedPackage) -> bytes:
    from cove.operations.build.environment import BuildLimits
    from cove.operations.project.project import locking_interpreter
    from cove.operations.resolution.workbench import Workbench

    limits = BuildLimits(place.project.build_constraint_dependencies)
    bench = Workbench(session, locking_interpreter(session, place), build_limits=limits)
    return bench.metadata_of_folder(folder, str(package.name), is_editable=package.source.kind == "editable")


def _file_difference(place: Place, package: LockedPackage) -> str:
    files = [file for file in (package.sdist, *package.wheels) if file is not None]
    path = Path(place.base, package.source.location)
    if not path.is_file():
        return "the file is gone"
    promised = next((file.hash.partition(":")[2] for file in files if file.hash.startswith("sha256:")), "")
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return "the file is another one" if promised and digest != promised else ""
