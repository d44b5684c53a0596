"""Bringing one distribution file into the store: streamed, measured and compared with every digest that was promised."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from cove.errors import CoveError, HashMismatch, IndexUnreachable, InvalidResponse, OfflineError, TruncatedDownload
from cove.formats.file_url import to_path
from cove.http.messages import Response
from cove.http.offline import lacking
from cove.http.status import error_for
from cove.install.store import Store, StoredWheel
from cove.model.dist import File
from cove.model.event import Advanced, Finished, Listener, Started, ignore
from cove.model.index import Index
from cove.model.name import Name
from cove.model.url import Url

_ALGORITHMS = tuple(
    sorted(
        (
            "md5",
            "sha1",
            "sha224",
            "sha256",
            "sha384",
            "sha512",
            "sha3_256",
            "sha3_384",
            "sha3_512",
            "blake2b",
            "blake2s",
        ),
    )
)
_STRONG = frozenset(_ALGORITHMS) - {"md5", "sha1"}
_PIECE = 256 * 1024


class Getter(Protocol):
    """The one thing that is wanted of ``http.client.Client``."""

    def get(self, url: Url, *, index: Index | None = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send a GET request."""
        ...


def fetch(
    client: Getter,
    file: File,
    *,
    name: Name,
    version: str,
    index: Index | None,
    store: Store,
    expected_hashes: Mapping[str, str] | None = None,
    listener: Listener = ignore,
) -> StoredWheel | Path:
    """A wheel unpacked in the store, or the path of an sdist there; downloaded only when it is not there yet.

    ``expected_hashes`` (of a lock or a requirement) and those of ``file`` must all match. Raises ``HashMismatch``,
    ``TruncatedDownload``, ``InvalidArtifact`` and what a refused or failed request raises. Thread-safe.
    """
    job = _Job(client, file, f"`{name}` {version}", index, listener)
    promised = job.promised(expected_hashes or {})
    if "sha256" in promised:
        present = stored(store, file.filename, promised["sha256"])
        if present is not None:
            return present
    with store.workplace() as work:
        path = work / "download"
        digest = job.download(path, promised)
        if file.filename.endswith(".whl"):
            return store.add(path, file.filename, digest, is_promised=not _STRONG.isdisjoint(promised))
        return store.add_sdist(path, file.filename, digest)


def stored(store: Store, filename: str, sha256: str) -> StoredWheel | Path | None:
    """The file of this digest as the store has it, ``None`` if it does not."""
    return store.wheel(sha256, filename) if filename.endswith(".whl") else store.sdist(sha256, filename)


class _Job:
    """One file and what messages say of it."""

    def __init__(self, client: Getter, file: File, package: str, index: Index | None, listener: Listener) -> None:
        self._client = client
        self._file = file
        self._index = index
        self._listener = listener
        self._where = f"{package} from {index.label}" if index else package
        self._cause = f"the file is {file.url}"

    def promised(self, expected: Mapping[str, str]) -> dict[str, str]:
        """All digests that the file must have, by algorithm."""
        known = {key.lower(): value.lower() for key, value in expected.items() if key.lower() in _ALGORITHMS}
        if expected and not _STRONG.intersection(known):
            raise HashMismatch(
                f"{self._where} cannot be verified: no digest of a strong algorithm is expected, only {', '.join(expected)}",
                causes=(self._cause,),
                hints=("Lock again to record sha256 digests.",),
            )
        for key, value in self._file.hashes.items():
            algorithm = key.lower()
            if algorithm in _ALGORITHMS and known.setdefault(algorithm, value.lower()) != value.lower():
                raise self._mismatch(algorithm, known[algorithm], f"{value.lower()} according to the index")
        return known

    def _mismatch(self, algorithm: str, expected: str, got: str) -> HashMismatch:
        return HashMismatch(
            f"{self._where} is not the file that was promised: `{self._file.filename}` has another {algorithm} digest",
            causes=(f"expected {expected}", f"got {got}", self._cause),
            hints=(
                "Somebody replaced the file, or something on the way changes it. Find out which before you lock again.",
            ),
        )

    def download(self, path: Path, promised: Mapping[str, str]) -> str:
        """Write the file to ``path``; its sha256."""
        self._listener(Started("download", self._file.filename, self._file.size or 0))
        try:
            digests = self._attempt(path, promised)
        except (TruncatedDownload, IndexUnreachable) as error:
            # A connection that broke in the middle of a body is worth one more try, from zero.
            # One that was never made has been retried by the client.
            began = isinstance(error, TruncatedDownload) or path.stat().st_size > 0
            if self._file.url.scheme == "file" or not began:
                raise
            self._listener(Started("download", self._file.filename, self._file.size or 0))
            digests = self._attempt(path, promised)
        for algorithm, expected in promised.items():
            if digests[algorithm] != expected:
                raise self._mismatch(algorithm, expected, digests[algorithm])
        self._listener(Finished("download", self._file.filename))
        return digests["sha256"]

    def _attempt(self, path: Path, promised: Mapping[str, str]) -> dict[str, str]:
        hashers = {algorithm: hashlib.new(algorithm, usedforsecurity=False) for algorithm in {"sha256", *promised}}
        received, size = 0, self._file.size
        with path.open("wb") as output:
            for piece in self._pieces():
                received += len(piece)
                if size is not None and received > size:
                    raise self._wrong_size(f"more than the {size} bytes that the index announces")
                for hasher in hashers.values():
                    hasher.update(piece)
                output.write(piece)
                self._listener(Advanced("download", self._file.filename, len(piece)))
        if size is not None and received < size:
            raise TruncatedDownload(
                f"{self._where} arrived incomplete: {received} of {size} bytes of `{self._file.filename}`",
                causes=(self._cause,),
                hints=("Try again; if it stays so, the file on the index is damaged.",),
            )
        return {algorithm: hasher.hexdigest() for algorithm, hasher in hashers.items()}

    def _wrong_size(self, what: str) -> HashMismatch:
        return HashMismatch(
            f"{self._where} is not the file that was promised: `{self._file.filename}` has {what}",
            causes=(self._cause,),
            hints=("Somebody replaced the file, or the index lists it wrongly.",),
        )

    def _pieces(self) -> Iterator[bytes]:
        if self._file.url.scheme == "file":
            yield from self._read()
            return
        try:
            response = self._client.get(self._file.url, index=self._index, headers={"Accept-Encoding": "identity"})
        except OfflineError as error:
            raise lacking(self._where, self._cause) from error
        try:
            if response.status != 200:
                raise self._refused(response)
            encoding = response.headers.get("content-encoding", "identity")
            if encoding != "identity":
                raise InvalidResponse(
                    f"{self._where} came encoded as {encoding!r}, which was not asked for",
                    causes=(self._cause,),
                    hints=("A proxy or the index compresses files on the way; switch that off.",),
                )
            yield from response.body.chunks()
        finally:
            response.body.close()

    def _refused(self, response: Response) -> CoveError:
        error = error_for(response, subject=self._file.filename, index=self._index)
        if self._index is None:  # somebody wrote the URL
            error.message = f"{self._where} cannot be had: {error.message}"
            if response.status in (404, 410):
                error.hints = (
                    *error.hints,
                    "Look whether the URL is right, where it is required, and the file still there.",
                )
        return error

    def _read(self) -> Iterator[bytes]:
        url = self._file.url
        try:
            with open(to_path(url.path), "rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise IndexUnreachable(
                f"{self._where} cannot be read: {error.strerror}",
                causes=(self._cause,),
                hints=("Look whether the file is there and may be read.",),
            ) from error
