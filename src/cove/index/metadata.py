"""The metadata of a candidate, by the cheapest way that is open."""

import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.version import InvalidVersion, Version

from cove.config.atomic import write_beside
from cove.errors import BuildFailed, CoveError, HashMismatch, InvalidArtifact, OfflineError
from cove.formats import core_metadata
from cove.formats.page_entry import HASH_ALGORITHMS
from cove.http.cache import lifetime
from cove.http.client import Client
from cove.http.messages import Headers
from cove.http.offline import lacking
from cove.http.once import Once
from cove.http.ranged import wheel_metadata
from cove.http.status import judge
from cove.index.directory import local_path
from cove.index.sdist_metadata import DAMAGED, LARGEST, bounded, stated
from cove.index.simple import ABSENT_STATUSES
from cove.model.candidate import Candidate
from cove.model.dist import File
from cove.model.metadata import CoreMetadata


class MetadataReader:
    """Reads the metadata of candidates; each file's once per run, and with a known SHA-256 once for ever. Thread-safe.

    ``build`` makes the metadata of an sdist that does not state it; ``keep`` is given every wheel and sdist that had to be
    downloaded whole, verified, so that it need not be downloaded again. Of what is ``known`` already nothing is read.
    """

    def __init__(
        self,
        client: Client,
        cache_dir: Path,
        *,
        build: Callable[[Candidate], CoreMetadata],
        keep: Callable[[File, bytes], None],
        known: Callable[[Candidate], CoreMetadata | None] = lambda _: None,
    ) -> None:
        self._client = client
        self._cache_dir = cache_dir
        self._build = build
        self._keep = keep
        self._known = known
        self._stated: Once[str, CoreMetadata | None] = Once()
        self._built: Once[str, CoreMetadata] = Once()
        self.is_immutable = True
        """Whether all that was read belongs to a file's digest, and nothing had to be built to learn it."""

    def read(self, candidate: Candidate) -> CoreMetadata:
        """The metadata of ``candidate.file``; every error names the package, its version and the index.

        Raises ``InvalidArtifact`` for metadata that cannot be read or is another package's, ``HashMismatch``, what ``build``
        raises, and what the network does.
        """
        stated = self.stated(candidate)
        return stated or self._built.get(candidate.file.url.public, lambda: self._make(candidate))

    def stated(self, candidate: Candidate) -> CoreMetadata | None:
        """The same, but ``None`` where only a build would tell. Raises as ``read`` does."""
        known = self._known(candidate)
        return known or self._stated.get(candidate.file.url.public, lambda: self._find(candidate))

    def _make(self, candidate: Candidate) -> CoreMetadata:
        self.is_immutable = False
        try:
            metadata = self._build(candidate)
            _check_identity(metadata, candidate)
        except BuildFailed:  # which names the package and its version
            raise
        except CoveError as error:
            raise _about(candidate, error) from error
        return metadata

    def _find(self, candidate: Candidate) -> CoreMetadata | None:
        try:
            cached = self._cached(candidate)
            if cached is not None:
                return self._parse(cached, candidate)
            data = self._fetch(candidate)
            if data is None:
                return None
            metadata = self._parse(data, candidate)
        except OfflineError as error:
            what = f"the metadata of {candidate.name} {candidate.version} from {candidate.index.label}"
            raise lacking(what, f"the file is {candidate.file.url}") from error
        except CoveError as error:
            raise _about(candidate, error) from error
        self._store(candidate, data)
        return metadata

    def _parse(self, data: bytes, candidate: Candidate) -> CoreMetadata:
        metadata = core_metadata.read(data)
        _check_identity(metadata, candidate)
        return metadata

    # ----------------------------------------------------------------------------------------------- where it is

    def _fetch(self, candidate: Candidate) -> bytes | None:
        """The bytes of the metadata, ``None`` when an sdist does not state all that resolution needs."""
        file = candidate.file
        if file.metadata is not None:
            data = self._offered(candidate, file.metadata)
            if data is not None:
                return data
        if file.url.scheme == "file":
            return self._local(candidate)
        if candidate.is_wheel:
            result = wheel_metadata(self._client, file.url, candidate.index, file.filename)
            if result.whole is not None:
                verify(result.whole, file.hashes, file.filename)
                self._keep(file, result.whole)
            return result.metadata
        response = self._client.get(
            file.url, index=candidate.index, headers={"Accept-Encoding": "identity"}, most=file.size
        )
        judge(response, file.filename, candidate.index)
        sdist = response.body.read()
        verify(sdist, file.hashes, file.filename)
        self._keep(file, sdist)
        return stated(io.BytesIO(sdist), file.filename)

    def _offered(self, candidate: Candidate, hashes: Mapping[str, str]) -> bytes | None:
        """PEP 658: the file beside the file. ``None`` when it is promised but absent, as on mirrors that copy pages."""
        file, url = candidate.file, candidate.file.url.with_suffix(".metadata")
        if url.scheme == "file":
            path = local_path(url)
            data = _read_local(path) if path.is_file() else None
        else:
            response = self._client.get(url, index=candidate.index, most=LARGEST)
            if response.status in ABSENT_STATUSES:
                response.body.close()
                return None
            judge(response, file.filename + ".metadata", candidate.index)
            data = response.body.read()
        if data is not None:
            verify(data, hashes, file.filename + ".metadata")
        return data

    def _local(self, candidate: Candidate) -> bytes | None:
        file = candidate.file
        path = local_path(file.url)
        if candidate.is_wheel and not file.hashes:
            return _from_wheel(path, file.filename)
        data = _read_local(path)
        verify(data, file.hashes, file.filename)
        return (
            _from_wheel(io.BytesIO(data), file.filename)
            if candidate.is_wheel
            else stated(io.BytesIO(data), file.filename)
        )

    # ----------------------------------------------------------------------------------------------------- cache

    def _cache_path(self, candidate: Candidate) -> Path | None:
        """By index and artifact hash: immutable, but an index answers only for what it says of its own files.

        Without a hash by URL, where the index is configured to have files that do not change (``cache-control.files``).
        """
        file, digest = candidate.file, candidate.file.hashes.get("sha256", "")
        if len(digest) != 64:
            self.is_immutable = False
            if file.url.scheme == "file" or not _lifetime(candidate):
                return None
            told = f"{file.url.public}\0{file.size}\0{file.upload_time}"
            digest = "url-" + hashlib.sha256(told.encode()).hexdigest()
        index = hashlib.sha256(candidate.index.root.public.encode()).hexdigest()[:16]
        return self._cache_dir / "metadata" / index / digest

    def _cached(self, candidate: Candidate) -> bytes | None:
        path = self._cache_path(candidate)
        if path is None:
            return None
        try:
            if path.name.startswith("url-") and not 0 <= time.time() - path.stat().st_mtime < _lifetime(candidate):
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def _store(self, candidate: Candidate, data: bytes) -> None:
        path = self._cache_path(candidate)
        if path is None:
            return
        try:
            write_beside(str(path), data)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_beside(str(path), data)


def _lifetime(candidate: Candidate) -> float:
    """For how many seconds files of the index are what they are, as it is configured."""
    return lifetime(Headers(), candidate.index.cache_control.get("files", ""))


def verify(data: bytes, hashes: Mapping[str, str], subject: str) -> None:
    """Compare with the strongest digest that is known; nothing to compare with is no error. Raises ``HashMismatch``."""
    algorithm = next((name for name in HASH_ALGORITHMS if name in hashes), None)
    if algorithm is None:
        return
    actual = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if actual != hashes[algorithm]:
        raise HashMismatch(
            f"`{subject}` is not the file that the index promised",
            causes=(f"promised {algorithm}:{hashes[algorithm]}", f"received {algorithm}:{actual}"),
            hints=("the download was damaged, or the index (or a proxy before it) has replaced the file",),
        )


def _from_wheel(source: Path | io.BytesIO, filename: str) -> bytes:
    try:
        with zipfile.ZipFile(source) as archive:
            members = [
                info
                for info in archive.infolist()
                if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
            ]
            if len(members) != 1:
                raise InvalidArtifact(f"`{filename}` holds {len(members) or 'no'} METADATA")
            with archive.open(members[0]) as member:
                return bounded(member, filename)
    except OSError as error:
        raise InvalidArtifact(f"`{filename}` cannot be read: {error.strerror or error}") from error
    except DAMAGED as error:
        raise InvalidArtifact(f"`{filename}` is not a usable wheel: {error}") from error


def _read_local(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArtifact(f"{path} cannot be read: {error.strerror or error}") from error


def _check_identity(metadata: CoreMetadata, candidate: Candidate) -> None:
    """A file must be of the package and version that its name says, or anything could stand in for anything."""
    if metadata.name != candidate.name:
        raise InvalidArtifact(f"`{candidate.file.filename}` says that it is {metadata.name}")
    try:
        same = Version(metadata.version) == candidate.version
    except InvalidVersion:
        same = False
    if not same:
        raise InvalidArtifact(f"`{candidate.file.filename}` says that its version is {metadata.version}")


def _about(candidate: Candidate, error: CoveError) -> CoveError:
    """The same error with the package, version and index in front."""
    return type(error)(
        f"cannot read the metadata of {candidate.name} {candidate.version} from {candidate.index.label}",
        causes=(error.message, *error.causes),
        hints=error.hints,
    )
