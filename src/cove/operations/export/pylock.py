"""The packages of a lock as entries of ``pylock.toml``: URLs and paths as seen from its folder, and a digest for every file."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from packaging.markers import Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageSdist, PackageVcs, PackageWheel
from packaging.utils import NormalizedName
from packaging.version import Version

from cove.formats.file_url import from_path
from cove.formats.pylock import without_user_info
from cove.model.dist import File
from cove.model.index import Index
from cove.model.lock import LockedFile, LockedPackage
from cove.model.name import Name
from cove.model.url import Url
from cove.operations.export.export import repository
from cove.operations.lock.moving import Moves
from cove.operations.lock.reach import Part
from cove.operations.project.project import Place, path_of
from cove.operations.resolution.parallel import each as each_of
from cove.wiring import Session


class Files:
    """Makes entries for a file in ``folder``; ``moves`` knows where files are now, ``editable`` is as in ``Style``."""

    def __init__(
        self, session: Session, place: Place, moves: Moves, folder: Path, editable: Callable[[Name], bool]
    ) -> None:
        self._session = session
        self._place = place
        self._moves = moves
        self._folder = folder
        self._editable = editable

    def packages(self, parts: Iterable[Part]) -> list[Package]:
        """An entry for each part. Files without a known digest are fetched: PEP 751 wants one of each."""
        several = list(parts)
        self._moves.ask_ahead(part.package for part in several)
        return each_of(self._package, several, workers=self._session.workers)

    def _package(self, part: Part) -> Package:
        package, source = part.package, part.package.source
        name = NormalizedName(package.name)
        marker = Marker(part.marker) if part.marker else None
        version = Version(package.version) if package.version else None
        if source.kind in ("editable", "directory"):  # whose version may change without the lock
            editable = source.kind == "editable" if self._editable(package.name) else None
            directory = PackageDirectory(path=self._seen(source.location), editable=editable)
            return Package(name=name, marker=marker, directory=directory)
        if source.kind == "git":
            git = repository(source.location)
            vcs = PackageVcs(
                type="git",
                url=git.url,
                requested_revision=git.requested or None,
                commit_id=git.commit,
                subdirectory=git.subdirectory or None,
            )
            return Package(name=name, version=version, marker=marker, vcs=vcs)
        if source.kind in ("url", "path"):
            return Package(name=name, version=version, marker=marker, archive=self._archive(package))
        sdist, wheels = self._present(package)
        return Package(
            name=name,
            version=version,
            marker=marker,
            index=without_user_info(self._absolute(self._moves.location(package))),
            sdist=sdist,
            wheels=wheels or None,
        )

    # -- files

    def _archive(self, package: LockedPackage) -> PackageArchive:
        source = package.source
        file = package.sdist or next(iter(package.wheels), LockedFile(""))
        is_url = source.kind == "url"
        url = Url.parse(source.location) if is_url else self._url(package, file)
        return PackageArchive(
            url=source.location if is_url else None,
            path=None if is_url else self._seen(source.location),
            size=file.size,
            upload_time=_moment(file),
            hashes=self._hashes(package, file, File(url.filename, url, {}, size=file.size), None),
            subdirectory=source.subdirectory or None,
        )

    def _present(self, package: LockedPackage) -> tuple[PackageSdist | None, list[PackageWheel]]:
        """The files of a package where they are now."""
        sdist, wheels = None, []
        files = [file for file in (package.sdist, *package.wheels) if file is not None]
        for locked, file, index in self._moves.files(package, [(each, self._as_file(package, each)) for each in files]):
            at, hashes = file.url.without_fragment().public, self._hashes(package, locked, file, index)
            if locked is package.sdist:
                sdist = PackageSdist(url=at, upload_time=_moment(locked), size=locked.size, hashes=hashes)
            else:
                wheels.append(PackageWheel(url=at, upload_time=_moment(locked), size=locked.size, hashes=hashes))
        return sdist, wheels

    def _url(self, package: LockedPackage, file: LockedFile) -> Url:
        if file.url:
            return Url.parse(file.url)
        return Url.parse(from_path(str(path_of(package, file, self._place))))

    def _as_file(self, package: LockedPackage, file: LockedFile) -> File:
        url = self._url(package, file)
        return File(url.filename, url, {}, size=file.size)

    def _hashes(self, package: LockedPackage, locked: LockedFile, file: File, index: Index | None) -> dict[str, str]:
        algorithm, _, digest = locked.hash.partition(":")
        if digest:
            return {algorithm: digest}
        from cove.operations.compile.digests import sha256_of

        digest = sha256_of(self._session, file, name=package.name, version=package.version, index=index)
        return {"sha256": digest}

    # -- places

    def _seen(self, location: str) -> str:
        """A path as seen from the folder of the file."""
        if os.path.isabs(location):  # somebody wanted it so
            return location.replace("\\", "/")
        seen = os.path.relpath(self._place.base / location, self._folder).replace("\\", "/")
        return f"{seen}/" if location == "." != seen else seen

    def _absolute(self, location: str) -> str:
        return location if "://" in location else from_path(str((self._place.base / location).resolve()))


def _moment(file: LockedFile) -> datetime | None:
    """To the second, as uv writes it."""
    return datetime.fromisoformat(file.upload_time).replace(microsecond=0) if file.upload_time else None
