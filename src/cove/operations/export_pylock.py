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
from cove.model.lock import LockedFile, LockedPackage
from cove.model.name import Name
from cove.model.url import Url
from cove.operations.export import repository
from cove.operations.parallel import each
from cove.operations.project import Place, index_of, path_of
from cove.operations.reach import Part
from cove.wiring import Session


class Files:
    """Makes entries for a file in ``folder``; ``editable`` as in ``Style``."""

    def __init__(self, session: Session, place: Place, folder: Path, editable: Callable[[Name], bool]) -> None:
        self._session = session
        self._place = place
        self._folder = folder
        self._editable = editable

    def packages(self, parts: Iterable[Part]) -> list[Package]:
        """An entry for each part. Files without a known digest are fetched: PEP 751 wants one of each."""
        return each(self._package, parts, workers=self._session.workers)

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
        return Package(
            name=name,
            version=version,
            marker=marker,
            index=without_user_info(self._absolute(source.location)),
            sdist=self._sdist(package, package.sdist) if package.sdist is not None else None,
            wheels=[self._wheel(package, wheel) for wheel in package.wheels] or None,
        )

    # -- files

    def _archive(self, package: LockedPackage) -> PackageArchive:
        source = package.source
        file = package.sdist or next(iter(package.wheels), LockedFile(""))
        is_url = source.kind == "url"
        return PackageArchive(
            url=source.location if is_url else None,
            path=None if is_url else self._seen(source.location),
            size=file.size,
            upload_time=_moment(file),
            hashes=self._hashes(package, file, Url.parse(source.location) if is_url else self._url(package, file)),
            subdirectory=source.subdirectory or None,
        )

    def _sdist(self, package: LockedPackage, file: LockedFile) -> PackageSdist:
        url = self._url(package, file)
        hashes = self._hashes(package, file, url)
        return PackageSdist(url=url.public, upload_time=_moment(file), size=file.size, hashes=hashes)

    def _wheel(self, package: LockedPackage, file: LockedFile) -> PackageWheel:
        url = self._url(package, file)
        hashes = self._hashes(package, file, url)
        return PackageWheel(url=url.public, upload_time=_moment(file), size=file.size, hashes=hashes)

    def _url(self, package: LockedPackage, file: LockedFile) -> Url:
        if file.url:
            return Url.parse(file.url)
        return Url.parse(from_path(str(path_of(package, file, self._place))))

    def _hashes(self, package: LockedPackage, file: LockedFile, url: Url) -> dict[str, str]:
        algorithm, _, digest = file.hash.partition(":")
        if digest:
            return {algorithm: digest}
        from cove.operations.digests import sha256_of

        index = index_of(package.source, self._session.indexes, self._place)
        as_file = File(url.filename, url, {}, size=file.size)
        return {"sha256": sha256_of(self._session, as_file, name=package.name, version=package.version, index=index)}

    # -- places

    def _seen(self, location: str) -> str:
        """A path as seen from the folder of the file."""
        seen = os.path.relpath(self._place.base / location, self._folder).replace("\\", "/")
        return f"{seen}/" if location == "." != seen else seen

    def _absolute(self, location: str) -> str:
        return location if "://" in location else from_path(str((self._place.base / location).resolve()))


def _moment(file: LockedFile) -> datetime | None:
    """To the second, as uv writes it."""
    return datetime.fromisoformat(file.upload_time).replace(microsecond=0) if file.upload_time else None
