"""What was compiled as ``pylock.toml``: an entry for each distribution, with all its files and a digest of each."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from packaging.markers import Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageSdist, PackageVcs, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from cove.formats import pylock
from cove.formats.direct_url import Archive, Directory
from cove.formats.file_url import to_path
from cove.model.candidate import Candidate
from cove.model.dist import File
from cove.model.url import Url
from cove.operations.compile.compilation import Chosen
from cove.operations.compile.compile import Form
from cove.operations.compile.digests import sha256_of
from cove.operations.compile.requirement_files import Demand
from cove.operations.project.locations import full_text
from cove.operations.resolution.direct import Direct
from cove.operations.resolution.parallel import each
from cove.wiring import Session

_STRONG = ("sha256", "sha384", "sha512")


def whole(demand: Demand, everything: Iterable[Chosen], form: Form, requires_python: SpecifierSet, folder: Path) -> str:
    """The text of the file, which lies in ``folder``. Raises what fetching raises: PEP 751 wants a digest of each file."""
    session = demand.session
    editable = demand.editable

    def entry(chosen: Chosen) -> Package:
        name = NormalizedName(chosen.resolved.name)
        marker = Marker(chosen.marker) if chosen.marker else None
        if chosen.direct is not None:
            is_editable = chosen.resolved.name in editable
            return _direct(session, chosen.direct, name, marker, folder, is_editable=is_editable)
        assert chosen.candidate is not None, "what is chosen comes from an index or from a direct reference"
        return _from_index(session, chosen.candidate, name, marker)

    several = list(everything)
    kept = [chosen for chosen in several if chosen.resolved.name not in form.leave_out]
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="cove",
        requires_python=requires_python,
        packages=each(entry, kept, workers=session.workers),
    )
    left_out = form.told_of(chosen.resolved.name for chosen in several)
    return pylock.dump(lock, header=form.header, left_out=left_out)


def _from_index(session: Session, candidate: Candidate, name: NormalizedName, marker: Marker | None) -> Package:
    index = candidate.index
    wheels, sdist = [], None
    for file in candidate.files:
        url, moment = file.url.without_fragment().public, _moment(file.upload_time)
        hashes = _hashes(session, file, candidate)
        if file.filename.endswith(".whl"):
            wheels.append(PackageWheel(url=url, upload_time=moment, size=file.size, hashes=hashes))
        elif sdist is None or file.filename.endswith(".tar.gz"):
            sdist = PackageSdist(url=url, upload_time=moment, size=file.size, hashes=hashes)
    return Package(
        name=name,
        version=candidate.version,
        marker=marker,
        index=None if index in session.indexes.find_links else index.url.public,
        sdist=sdist,
        wheels=wheels or None,
    )


def _hashes(session: Session, file: File, candidate: Candidate) -> dict[str, str]:
    for algorithm in _STRONG:
        if algorithm in file.hashes:
            return {algorithm: file.hashes[algorithm]}
    version = str(candidate.version)
    return {"sha256": sha256_of(session, file, name=candidate.name, version=version, index=candidate.index)}


def _direct(
    session: Session, direct: Direct, name: NormalizedName, marker: Marker | None, folder: Path, *, is_editable: bool
) -> Package:
    if direct.git is not None:
        git = direct.git
        vcs = PackageVcs(
            type="git",
            url=git.url.public,
            requested_revision=git.reference or None,
            commit_id=git.commit,
            subdirectory=git.subdirectory or None,
        )
        return Package(name=name, version=Version(direct.metadata.version), marker=marker, vcs=vcs)
    url = direct.url.without_fragment()
    path = os.path.relpath(to_path(url.path), folder).replace("\\", "/") if url.scheme == "file" else None
    if isinstance(direct.origin.info, Directory):
        assert path is not None, "a folder is local"
        return Package(name=name, marker=marker, directory=PackageDirectory(path=path, editable=is_editable))
    info = direct.origin.info
    hashes = dict(info.hashes) if isinstance(info, Archive) else {}
    if not hashes:
        file = File(url.filename, Url.parse(full_text(url)), {})
        metadata = direct.metadata
        hashes = {"sha256": sha256_of(session, file, name=metadata.name, version=metadata.version, index=None)}
    archive = PackageArchive(url=None if path else url.public, path=path, hashes=hashes)
    return Package(name=name, version=Version(direct.metadata.version), marker=marker, archive=archive)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(microsecond=0) if text else None
    except ValueError:  # the index says it, and nothing depends on it
        return None
