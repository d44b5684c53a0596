"""A wheel's metadata without the wheel: one request for the end of the file, where the zip directory lies."""

import io
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from cove.errors import InvalidArtifact
from cove.http.messages import Response
from cove.http.status import judge
from cove.model.dataclasses import dataclass
from cove.model.dist import WheelName, parse_filename
from cove.model.index import Index
from cove.model.name import normalize
from cove.model.url import Url

if TYPE_CHECKING:
    from cove.http.client import Client

_TAIL = 64 * 1024
_LARGEST = 16 * 1024 * 1024
_SLACK = (
    512  # the local header's extra field may be longer than the directory's; its length is known only after reading it
)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_REFUSALS = frozenset({400, 405, 416, 501})
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WheelMetadata:
    """``metadata`` is the content of ``METADATA``; ``whole`` the wheel itself when it had to be downloaded anyway."""

    metadata: bytes
    whole: bytes | None = None


def wheel_metadata(client: "Client", url: Url, index: Index | None, filename: str) -> WheelMetadata:
    """The ``METADATA`` of the wheel at ``url``: from one suffix range where the server can do that, else from the whole.

    A second range is asked for when the directory or ``METADATA`` lies before the tail. Raises ``InvalidArtifact`` for a
    wheel that cannot be read or is not what ``filename`` says, what ``judge`` raises for a refusal, and ``NetworkError``.
    """
    subject = _Subject(filename, index, url)
    if client.ranges.refuses(url):
        return _from_whole(client, url, subject)
    response = _get(client, url, index, f"bytes=-{_TAIL}")
    if response.status == 200:
        whole = response.body.read()
        return WheelMetadata(_read(io.BytesIO(whole), subject), whole)
    tail = _tail(response) if response.status == 206 else None
    if tail is None:
        response.body.close()
        if response.status == 206 or (response.status in _REFUSALS and not _is_short(response)):
            client.ranges.remember_refusal(url)
        elif response.status not in _REFUSALS:
            judge(response, filename, index)
        return _from_whole(client, url, subject)
    sparse = _Sparse(*tail)
    while True:
        try:
            return WheelMetadata(_read(sparse, subject), sparse.whole())
        except _Gap as missing:
            gap = missing
        piece = _piece(client, url, index, gap, sparse.size)
        if piece is None:
            client.ranges.remember_refusal(url)
            return _from_whole(client, url, subject)
        sparse.add(gap.start, piece)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What errors are about."""

    filename: str
    index: Index | None
    url: Url

    def invalid(self, reason: str) -> InvalidArtifact:
        where = self.index.label if self.index is not None else self.url.host
        return InvalidArtifact(f"`{self.filename}` from {where} is not a usable wheel: {reason}")


class _Gap(Exception):
    """A signal rather than an error: bytes that are needed and not there yet."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.start = start
        self.end = end


class _Sparse(io.RawIOBase):
    """A file of which some pieces are known; reading any other raises ``_Gap``."""

    def __init__(self, size: int, start: int, tail: bytes) -> None:
        self.size = size
        self._position = 0
        self._pieces = [(start, tail)]

    def add(self, start: int, piece: bytes) -> None:
        self._pieces.append((start, piece))

    def whole(self) -> bytes | None:
        start, piece = self._pieces[0]
        return piece if start == 0 and len(piece) == self.size else None

    def need(self, start: int, end: int) -> None:
        """Raise ``_Gap`` for what is missing between ``start`` and ``end``, as one range."""
        end = min(end, self.size)
        if start >= end:
            raise zipfile.BadZipFile("its directory points outside the file")
        if any(at <= start and end <= at + len(piece) for at, piece in self._pieces):
            return
        if end - start > _LARGEST:
            raise zipfile.BadZipFile("its directory or metadata is larger than 16 MB")
        raise _Gap(start, end)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("seek before the beginning")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        start = self._position
        end = self.size if size < 0 else min(self.size, start + size)
        if end <= start:
            return b""
        self.need(start, end)
        at, piece = next((at, piece) for at, piece in self._pieces if at <= start and end <= at + len(piece))
        self._position = end
        return piece[start - at : end - at]


def _get(client: "Client", url: Url, index: Index | None, byte_range: str | None = None) -> Response:
    # Without identity, offsets would count the bytes of a compressed form of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": byte_range} if byte_range else {})
    return client.get(url, index=index, headers=headers)


def _from_whole(client: "Client", url: Url, subject: _Subject) -> WheelMetadata:
    response = _get(client, url, subject.index)
    judge(response, subject.filename, subject.index)
    whole = response.body.read()
    return WheelMetadata(_read(io.BytesIO(whole), subject), whole)


def _tail(response: Response) -> tuple[int, int, bytes] | None:
    """Size of the file, offset of the tail, tail; ``None`` when the 206 is not an answer to a suffix range."""
    span = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if span is None:
        return None
    first, last, size = map(int, span.groups())
    if last != size - 1 or first != max(0, size - _TAIL):
        return None
    body = _exactly(response, last - first + 1)
    return None if body is None else (size, first, body)


def _piece(client: "Client", url: Url, index: Index | None, gap: _Gap, size: int) -> bytes | None:
    response = _get(client, url, index, f"bytes={gap.start}-{gap.end - 1}")
    said = response.headers.get("content-range", "").strip()
    if response.status != 206 or said != f"bytes {gap.start}-{gap.end - 1}/{size}":
        response.body.close()
        return None
    return _exactly(response, gap.end - gap.start)


def _exactly(response: Response, length: int) -> bytes | None:
    """The body if it is ``length`` bytes long; reading stops when it is longer."""
    received = bytearray()
    for chunk in response.body.chunks():
        received += chunk
        if len(received) > length:
            break
    response.body.close()
    return bytes(received) if len(received) == length else None


def _is_short(response: Response) -> bool:
    """Whether a 416 says that the file is shorter than the tail: some servers answer so, though ranges work."""
    _, _, size = response.headers.get("content-range", "").partition("bytes */")
    return response.status == 416 and size.isdecimal() and int(size) <= _TAIL


def _read(file: io.BytesIO | _Sparse, subject: _Subject) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive:
            info = _entry(archive, subject)
            if isinstance(file, _Sparse):
                start = info.header_offset
                file.need(start, start + 30 + len(info.orig_filename.encode()) + _SLACK + info.compress_size)
            with archive.open(info) as entry:
                metadata = entry.read(_LARGEST + 1)
    except _UNREADABLE as error:
        raise subject.invalid(str(error) or "its zip directory is damaged") from error
    if len(metadata) > _LARGEST:
        raise subject.invalid("its METADATA is larger than 16 MB")
    return metadata


def _entry(archive: zipfile.ZipFile, subject: _Subject) -> zipfile.ZipInfo:
    """The one ``METADATA`` of the wheel (PEP 427: ``{distribution}-{version}.dist-info/``)."""
    found = [info for info in archive.infolist() if _METADATA.fullmatch(info.filename)]
    if len(found) != 1:
        raise subject.invalid(f"it holds {len(found) or 'no'} METADATA {'files' if found else 'file'}")
    info = found[0]
    if not _belongs(info.filename, parse_filename(subject.filename)):
        raise subject.invalid(f"its metadata is in {info.filename!r}, which belongs to another package or version")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise subject.invalid("its METADATA is compressed in an unusual way")
    if max(info.file_size, info.compress_size) > _LARGEST:
        raise subject.invalid("its METADATA is larger than 16 MB")
    return info


def _belongs(path: str, wheel: object) -> bool:
    name, _, version = path.removesuffix(".dist-info/METADATA").rpartition("-")
    return isinstance(wheel, WheelName) and normalize(name) == wheel.name and _same_version(version, wheel.version)


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one.replace("_", "-")) == Version(other)
    except InvalidVersion:
        return one == other
