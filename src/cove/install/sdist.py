"""Unpacking source distributions (PEP 625), whoever made them: nothing lands outside the folder, and not without bound."""

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO

from cove.errors import InvalidArtifact
from cove.model.dataclasses import dataclass

LIMIT_BYTES = 4 * 1024**3
"""How much one sdist may unpack to."""

LIMIT_ENTRIES = 500_000

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    """One member: what it is and where it belongs, still as its archive says."""

    name: str
    kind: str
    mode: int
    modified: float
    content: IO[bytes] | None = None
    link: str = ""


def unpack_sdist(path: Path, into: Path, *, limit: int = LIMIT_BYTES) -> Path:
    """Unpack a ``.tar.gz`` (``.tgz``, ``.tar.bz2``, ``.tar.xz``) or ``.zip`` into the folder ``into`` and return the one folder
    at its top. ``limit`` is in bytes.

    Raises ``InvalidArtifact`` when it is damaged, has no or several top folders, would write outside ``into`` or through a
    link, holds devices, or unpacks to more than ``limit``. What was unpacked until then stays in ``into``.
    """
    into.mkdir(parents=True, exist_ok=True)
    unpacking = _Unpacking(path.name, into, limit)
    try:
        for entry in _zip_entries(path) if path.name.endswith(".zip") else _tar_entries(path):
            unpacking.add(entry)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        LZMAError,
        EOFError,
        ValueError,
        NotImplementedError,
    ) as error:
        raise InvalidArtifact(f"{path.name} is damaged and cannot be unpacked", causes=(str(error),)) from error
    except RuntimeError as error:  # zipfile: "File … is encrypted, password required for extraction"
        raise InvalidArtifact(f"{path.name} cannot be unpacked", causes=(str(error),)) from error
    except OSError as error:
        raise InvalidArtifact(f"{path.name} cannot be unpacked", causes=(f"{error.strerror or error}",)) from error
    return unpacking.top()


def _tar_entries(path: Path) -> Iterator[_Entry]:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.isreg():
                yield _Entry(member.name, "file", member.mode, member.mtime, archive.extractfile(member))
            elif member.isdir():
                yield _Entry(member.name, "folder", member.mode, member.mtime)
            elif member.issym():
                yield _Entry(member.name, "symbolic link", member.mode, member.mtime, link=member.linkname)
            elif member.islnk():
                yield _Entry(member.name, "hard link", member.mode, member.mtime, link=member.linkname)
            else:
                yield _Entry(member.name, "device", member.mode, member.mtime)


def _zip_entries(path: Path) -> Iterator[_Entry]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if info.is_dir():
                yield _Entry(info.filename, "folder", mode, 0)
            elif stat.S_ISLNK(mode):
                link = archive.read(info) if info.file_size < 4096 else b""
                yield _Entry(info.filename, "symbolic link", mode, 0, link=link.decode("utf-8", "surrogateescape"))
            else:
                with archive.open(info) as content:
                    yield _Entry(info.filename, "file", mode, 0, content)


class _Unpacking:
    """One sdist on its way to the disk, entry by entry."""

    def __init__(self, label: str, into: Path, limit: int) -> None:
        self._label = label
        self._into = into
        self._left = limit
        self._limit = limit
        self._entries = 0
        self._files: dict[tuple[str, ...], Path] = {}
        self._links: set[tuple[str, ...]] = set()
        self._tops: set[str] = set()

    def add(self, entry: _Entry) -> None:
        """Write one entry."""
        self._entries += 1
        if self._entries > LIMIT_ENTRIES:
            raise self._refused(f"it has more than {LIMIT_ENTRIES:,} entries", entry)
        parts = self._parts(entry.name, entry)
        if not parts:
            return  # the archive's own root, "./"
        self._tops.add(parts[0])
        if len(parts) == 1 and entry.kind != "folder":
            raise self._refused("it has something else than one folder at its top", entry)
        # Later entries never pass through a link: wherever it points, nothing is written there.
        if any(parts[:length] in self._links for length in range(1, len(parts) + (entry.kind == "folder"))):
            raise self._refused("it writes through a link of its own", entry)
        place = self._into.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.kind == "folder":
            place.mkdir(exist_ok=True)
            return
        place.unlink(missing_ok=True)  # an archive may hold an entry twice; the last one counts
        self._links.discard(parts)
        self._files.pop(parts, None)
        if entry.kind == "file":
            self._write(entry, place, parts)
        elif entry.kind == "hard link":
            self._copy(entry, place, parts)
        elif entry.kind == "symbolic link":
            self._link(entry, place, parts)
        else:
            raise self._refused("it holds a device", entry)

    def top(self) -> Path:
        """The one folder at the top."""
        if len(self._tops) != 1:
            found = ", ".join(sorted(self._tops)[:5]) or "nothing"
            raise InvalidArtifact(
                f"{self._label} must hold exactly one folder at its top (PEP 625)", causes=(f"found {found}",)
            )
        return self._into / self._tops.pop()

    def _parts(self, name: str, entry: _Entry) -> tuple[str, ...]:
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        foreign = os.name == "nt" and any(set(part) & set('\\:*?"<>|') for part in parts)
        if name.startswith("/") or ".." in parts or "\0" in name or foreign:
            raise self._refused("it has an entry outside its folder", entry)
        return parts

    def _write(self, entry: _Entry, place: Path, parts: tuple[str, ...]) -> None:
        if entry.content is None:
            raise self._refused("it has a file without content", entry)
        with open(place, "xb") as file:
            while chunk := entry.content.read(_CHUNK):
                self._spend(len(chunk), entry)
                file.write(chunk)
        self._settle(entry, place)
        self._files[parts] = place

    def _copy(self, entry: _Entry, place: Path, parts: tuple[str, ...]) -> None:
        original = self._files.get(self._parts(entry.link, entry))
        if original is None:
            raise self._refused("it links to a file that it does not hold", entry)
        self._spend(original.stat().st_size, entry)
        shutil.copyfile(original, place, follow_symlinks=False)
        self._settle(entry, place)
        self._files[parts] = place

    def _link(self, entry: _Entry, place: Path, parts: tuple[str, ...]) -> None:
        """Only upwards first and then down, so that what the text says is where it leads."""
        steps = [step for step in entry.link.split("/") if step not in ("", ".")]
        upwards = len(steps) - len([step for step in steps if step != ".."])
        straight = steps[:upwards] == [".."] * upwards
        if entry.link.startswith("/") or not straight or upwards > len(parts) - 2 or "\0" in entry.link or not steps:
            raise self._refused("it has a link that leads outside its folder", entry)
        place.symlink_to(entry.link)
        self._links.add(parts)

    def _spend(self, amount: int, entry: _Entry) -> None:
        self._left -= amount
        if self._left < 0:
            raise self._refused(f"it unpacks to more than {self._limit:,} bytes", entry)

    def _settle(self, entry: _Entry, place: Path) -> None:
        place.chmod(0o755 if entry.mode & 0o111 else 0o644)
        if 0 < entry.modified < 2**33:  # builds by make compare times
            os.utime(place, (entry.modified, entry.modified))

    def _refused(self, why: str, entry: _Entry) -> InvalidArtifact:
        return InvalidArtifact(f"{self._label} is refused: {why}", causes=(f"entry {entry.name!r}",))
