"""The files of the embedded index, in a folder that a person may also look at and copy to.

``root/<project>/<filename>`` is the file, ``….metadata`` beside it its core metadata (PEP 658) and ``….json`` what else the
index says of it. Both are made on first sight when they are missing, so that any folder of wheels, flat or sorted by project,
is an index; where the folder cannot be written they are kept in memory.
"""

import errno
import hashlib
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
from packaging.metadata import parse_email

from cove.errors import ConfigurationError, InvalidArtifact
from cove.formats.artifact_metadata import read_metadata
from cove.model.dataclasses import dataclass
from cove.model.dist import parse_filename
from cove.model.name import Name, is_valid_name, normalize
from cove.server.receive import is_safe_filename

_CHUNK = 1024 * 1024
_INCOMING = ".incoming"


class _Digest(Protocol):
    """What the kinds of ``hashlib`` have in common."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the index says of a file. ``stamp`` is its size and modification time (ns) when it was read: the file may change.

    ``metadata_sha256`` is empty when no metadata could be read; ``yanked`` is the reason, which may be empty, or ``None``.
    """

    sha256: str
    size: int
    upload_time: str
    stamp: tuple[int, int]
    metadata_sha256: str = ""
    requires_python: str | None = None
    yanked: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store, with its record."""

    path: Path
    record: Record

    @property
    def filename(self) -> str:
        """The last path segment."""
        return self.path.name

    @property
    def metadata_path(self) -> Path:
        """Where its core metadata lies, if ``record.metadata_sha256`` is not empty and the folder could be written."""
        return self.path.with_name(self.path.name + ".metadata")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was received into a side file and not yet taken. ``metadata`` is ``None`` when ``damage`` says why."""

    path: Path
    size: int
    digests: Mapping[str, str]
    metadata: bytes | None
    damage: str


class TooLarge(Exception):
    """More bytes arrive than the store takes."""


class DifferentFile(Exception):
    """A file of this name, with other bytes, is already there."""


class Store:
    """The files under ``root``. Thread-safe; one process writes."""

    def __init__(self, root: Path, *, overwrite: bool = False) -> None:
        """``overwrite`` lets an upload replace a file of the same name and other bytes.

        Raises ``ConfigurationError`` when ``root`` cannot be made or is not a folder.
        """
        self.root = root
        self._overwrite = overwrite
        self._lock = threading.Lock()
        self._records: dict[Path, tuple[Record, bytes | None]] = {}
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the folder of the index, {root}, cannot be used", causes=(str(error),)
            ) from error

    def projects(self) -> list[Name]:
        """The normalised names of all projects that have a file, sorted."""
        found = {parsed.name for path in _files(self.root) if (parsed := parse_filename(path.name)) is not None}
        for folder in self._folders():
            if any(parse_filename(path.name, normalize(folder.name)) for path in _files(folder)):
                found.add(normalize(folder.name))
        return sorted(found)

    def files(self, project: Name) -> list[Stored]:
        """The project's files, by name; empty when there are none."""
        paths = {path.name: path for path in _files(self.root) if _belongs(path.name, project)}
        for folder in self._folders():
            if normalize(folder.name) == project:
                paths.update((path.name, path) for path in _files(folder) if _belongs(path.name, project))
        return [Stored(paths[name], self._record(paths[name])) for name in sorted(paths)]

    def file(self, project: Name, filename: str) -> Stored | None:
        """One file. Only what ``files`` lists can be reached, whatever ``filename`` holds."""
        if not is_safe_filename(filename) or not _belongs(filename, project):
            return None
        for folder in (self.root / project, self.root, *self._folders()):
            path = folder / filename
            if (folder == self.root or normalize(folder.name) == project) and path.is_file():
                return Stored(path, self._record(path))
        return None

    def metadata(self, stored: Stored) -> bytes | None:
        """The file's core metadata, or ``None`` when the archive holds none that can be read."""
        kept = self._records.get(stored.path)
        if kept is not None and kept[1] is not None:
            return kept[1]
        return stored.metadata_path.read_bytes() if stored.record.metadata_sha256 else None

    def arrive(self, filename: str, content: BinaryIO, limit: int) -> Arrived:
        """Copy ``content`` to a side file, computing digests on the way. ``take`` or ``discard`` must follow.

        Raises ``TooLarge`` beyond ``limit`` bytes.
        """
        incoming = self.root / _INCOMING
        incoming.mkdir(exist_ok=True)
        path = incoming / uuid.uuid4().hex
        digests: dict[str, _Digest] = {
            "sha256": hashlib.sha256(),
            "blake2_256": hashlib.blake2b(digest_size=32),
            "md5": hashlib.md5(usedforsecurity=False),
        }
        size = 0
        try:
            with path.open("xb") as side:
                while chunk := content.read(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge  # noqa: TRY301 - the side file goes the way of all failures
                    for digest in digests.values():
                        digest.update(chunk)
                    side.write(chunk)
                side.flush()
                os.fsync(side.fileno())
            metadata, damage = _try_metadata(filename, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Arrived(path, size, {kind: digest.hexdigest() for kind, digest in digests.items()}, metadata, damage)

    def discard(self, arrived: Arrived) -> None:
        """Forget a file that was not taken; harmless after ``take``."""
        arrived.path.unlink(missing_ok=True)

    def take(self, project: Name, filename: str, arrived: Arrived) -> bool:
        """Put the file in its place; false when it is already there with the same bytes.

        Raises ``DifferentFile`` when it is there with other bytes and nothing may be overwritten.
        """
        with self._lock:
            there = self.file(project, filename)
            if there is not None and there.record.sha256 == arrived.digests["sha256"]:
                return False
            if there is not None and not self._overwrite:
                raise DifferentFile
            target = there.path if there is not None else self.root / project / filename
            target.parent.mkdir(exist_ok=True)
            record = _make_record(arrived.path, arrived.digests["sha256"], arrived.metadata, datetime.now(UTC))
            self._keep(target, record, arrived.metadata)  # first, so that who sees the file sees its metadata too
            arrived.path.replace(target)
            return True

    def yank(self, project: Name, filename: str, reason: str | None) -> bool:
        """Mark a file as yanked for ``reason``, or, with ``None``, no longer; false when there is no such file."""
        with self._lock:
            stored = self.file(project, filename)
            if stored is None:
                return False
            record = msgspec.structs.replace(stored.record, yanked=reason)
            self._keep(stored.path, record, self.metadata(stored))
            return True

    def _folders(self) -> Iterator[Path]:
        return (path for path in sorted(self.root.iterdir()) if is_valid_name(path.name) and path.is_dir())

    def _record(self, path: Path) -> Record:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
        kept = self._records.get(path)
        if kept is not None and kept[0].stamp == stamp:
            return kept[0]
        record = _read_record(path)
        if record is not None and record.stamp == stamp:
            self._records[path] = (record, None)
            return record
        metadata, _ = _try_metadata(path.name, path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        record = _make_record(path, digest, metadata, datetime.fromtimestamp(status.st_mtime, UTC))
        self._keep(path, record, metadata)
        return record

    def _keep(self, path: Path, record: Record, metadata: bytes | None) -> None:
        """Remember the record and write it beside the file, where that is possible."""
        try:
            if metadata is not None:
                _write(path.with_name(path.name + ".metadata"), metadata)
            _write(_record_path(path), msgspec.json.encode(record))
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            self._records[path] = (record, metadata)  # a folder that is only read is an index too
        else:
            self._records[path] = (record, None)


def _belongs(filename: str, project: Name) -> bool:
    parsed = parse_filename(filename, project)
    return parsed is not None and parsed.name == project


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if is_safe_filename(entry.name) and entry.is_file())


def _try_metadata(filename: str, path: Path) -> tuple[bytes | None, str]:
    try:
        with path.open("rb") as file:
            return read_metadata(filename, file), ""
    except InvalidArtifact as error:
        return None, str(error)


def _make_record(path: Path, sha256: str, metadata: bytes | None, when: datetime) -> Record:
    status = path.stat()
    return Record(
        sha256=sha256,
        size=status.st_size,
        upload_time=when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        stamp=(status.st_size, status.st_mtime_ns),
        metadata_sha256="" if metadata is None else hashlib.sha256(metadata).hexdigest(),
        requires_python=None if metadata is None else parse_email(metadata)[0].get("requires_python"),
    )


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_record(path: Path) -> Record | None:
    """The record beside the file, or ``None`` when it is missing or not one of ours: it can be made again."""
    try:
        return msgspec.json.decode(_record_path(path).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(path: Path, data: bytes) -> None:
    side = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        side.write_bytes(data)
        side.replace(path)
    finally:
        side.unlink(missing_ok=True)
