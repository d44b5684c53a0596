"""The content-addressed store of unpacked wheels, sdists, and what was built from them.

::

    <root>/wheels/<sha256>/files/…         the unpacked wheel
                          /manifest.json   its files with hashes and sizes; written last
    <root>/sdists/<sha256>/<filename>      as downloaded
    <root>/packed/<sha256>/<filename>      wheels that were downloaded for their metadata, until they are installed
    <root>/built/<key>.json                which wheel a source gave under which settings
    <root>/tmp/                            work in progress; whatever is done is renamed out of here

A folder appears by one rename, so whoever sees it sees all of it, and of several processes that make the same one the
first wins.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cove.config.atomic import write_beside
from cove.errors import HashMismatch, InvalidArtifact
from cove.formats.entry_points import EntryPoint
from cove.install.archive import Archive, belongs_to
from cove.install.wheel import Manifest, WheelFile
from cove.model.dataclasses import dataclass
from cove.model.dist import WheelName, parse_filename
from cove.model.event import Listener, Warned, ignore
from cove.model.name import Name

_SCHEMA = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ABANDONED_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class StoredWheel:
    """A wheel in the store: its lower-case hexadecimal sha256, the folder of its files, and its manifest."""

    sha256: str
    files: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed; ``size`` in bytes."""

    files: int
    size: int


class Store:
    """A store at ``root``, made when something is first put into it. Safe for several threads and processes."""

    def __init__(self, root: Path, listener: Listener = ignore) -> None:
        self.root = root
        self._listener = listener

    # -- wheels -------------------------------------------------------------------------------------------------------

    def wheel(self, sha256: str, filename: str) -> StoredWheel | None:
        """The wheel with this digest, if it is here; one that was kept packed is unpacked now.

        Raises ``InvalidArtifact`` when what has this digest is another project's or version's than ``filename`` says.
        """
        folder = self._folder("wheels", sha256)
        try:
            manifest = _load((folder / "manifest.json").read_bytes())
        except FileNotFoundError:
            return self._unpacked(sha256, filename)
        if manifest is None:
            return None
        wheel = parse_filename(filename)
        if not isinstance(wheel, WheelName) or not belongs_to(manifest.dist_info, wheel):
            raise InvalidArtifact(
                f"`{filename}` is not a valid wheel: its content is that of `{manifest.filename}`",
                hints=("The index lists one file under the names of two projects or versions.",),
            )
        return StoredWheel(sha256, folder / "files", manifest)

    def keep(self, content: bytes, filename: str, sha256: str) -> None:
        """Keep a wheel as it was downloaded, for the day it is installed: unpacking takes longer than writing it.

        ``sha256`` is what the caller has computed from ``content``, or compared with it.
        """
        folder = self._folder("packed", sha256)
        path = folder / _plain(filename)
        if path.exists() or (self._folder("wheels", sha256) / "manifest.json").exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        write_beside(str(path), content)

    def _unpacked(self, sha256: str, filename: str) -> StoredWheel | None:
        path = self._folder("packed", sha256) / _plain(filename)
        if not path.is_file():
            return None
        digest = _digest(path)
        stored = self.add(path, filename, digest, is_promised=digest == sha256)
        path.unlink(missing_ok=True)
        return stored if stored.sha256 == sha256 else None

    def add(self, wheel: Path, filename: str, sha256: str = "", *, is_promised: bool = False) -> StoredWheel:
        """Verify and unpack a wheel.

        ``sha256`` is its digest if the caller has computed it from these very bytes, else it is computed here;
        ``is_promised`` tells whether it is one that an index, a lock or a requirement gives. Raises ``InvalidArtifact``.
        """
        digest = sha256 or _digest(wheel)
        if _is_sound(self._folder("wheels", digest)) and (present := self.wheel(digest, filename)) is not None:
            return present
        with self.workplace() as work, Archive(wheel, filename, is_promised=is_promised) as archive:
            made = work / "wheel"
            (made / "files").mkdir(parents=True)
            manifest = archive.unpack(made / "files")
            for warning in archive.warnings:
                self._listener(Warned(warning))
            (made / "manifest.json").write_bytes(_dump(manifest))
            folder = self._folder("wheels", digest)
            self._publish(made, folder)
        return StoredWheel(digest, folder / "files", manifest)

    # -- sdists -------------------------------------------------------------------------------------------------------

    def sdist(self, sha256: str, filename: str) -> Path | None:
        """The sdist with this digest and name, if it is here."""
        path = self._folder("sdists", sha256) / _plain(filename)
        return path if path.is_file() else None

    def add_sdist(self, sdist: Path, filename: str, sha256: str = "") -> Path:
        """Keep a copy of an sdist. ``sha256`` as for ``add``."""
        folder = self._folder("sdists", sha256 or _digest(sdist))
        path = folder / _plain(filename)
        with self.workplace() as work:
            shutil.copyfile(sdist, work / "sdist")
            folder.mkdir(parents=True, exist_ok=True)
            (work / "sdist").replace(path)
        return path

    # -- built wheels -------------------------------------------------------------------------------------------------

    def built(self, source: str, settings: str) -> StoredWheel | None:
        """The wheel that was built from ``source`` (a digest) under ``settings`` (any text that tells builds apart)."""
        try:
            pointer = json.loads(self._pointer(source, settings).read_bytes())
            return self.wheel(pointer["sha256"], pointer["filename"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # never built, or a pointer that another version of this program wrote: building again is right

    def add_built(self, source: str, settings: str, wheel: Path) -> StoredWheel:
        """Keep a wheel as the one that ``source`` gives under ``settings``. Raises ``InvalidArtifact``."""
        stored = self.add(wheel, wheel.name)
        pointer = self._pointer(source, settings)
        with self.workplace() as work:
            made = work / "pointer"
            made.write_text(json.dumps({"filename": wheel.name, "sha256": stored.sha256}), encoding="utf-8")
            pointer.parent.mkdir(parents=True, exist_ok=True)
            made.replace(pointer)
        return stored

    def _pointer(self, source: str, settings: str) -> Path:
        key = hashlib.sha256(json.dumps([source, settings]).encode()).hexdigest()
        return self.root / "built" / f"{key}.json"

    # -- places -------------------------------------------------------------------------------------------------------

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder of one's own on the store's file system, gone afterwards."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self.root / "tmp"
        place.mkdir(exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=place))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _folder(self, kind: str, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):  # a digest may come from a page or a lock: it must not be a path
            raise HashMismatch(
                "a sha256 digest must be 64 hexadecimal digits", hints=("Look at the lock or the index page.",)
            )
        return self.root / kind / sha256

    def _publish(self, made: Path, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            if folder.parent.name == "wheels" and not _is_sound(folder):
                folder.rename(made.with_name("damaged"))
                made.rename(folder)

    # -- upkeep -------------------------------------------------------------------------------------------------------

    def size(self) -> int:
        """Bytes of all files, work in progress included."""
        return _measure(self.root).size

    def clean(self, names: Collection[Name] | None = None) -> Cleaned:
        """Remove everything, or all that belongs to the projects ``names``.

        Environments are not touched: what was hard-linked into them stays there.
        """
        doomed = self._of(names) if names is not None else [self.root / kind for kind in ("wheels", "sdists", "built")]
        if names is None:
            doomed += self._abandoned()
        files = size = 0
        for path in doomed:
            if not path.exists():
                continue
            measured = _measure(path)
            files, size = files + measured.files, size + measured.size
            self._discard(path)
        return Cleaned(files, size)

    def _discard(self, path: Path) -> None:
        with self.workplace() as work:  # renamed first: nobody finds a folder that is half removed
            path.rename(work / "doomed")

    def _abandoned(self) -> list[Path]:
        """Work in progress of processes that were killed long ago; that of others is theirs."""
        limit = time.time() - _ABANDONED_SECONDS
        return [path for path in sorted(self.root.glob("tmp/*")) if path.stat().st_mtime < limit]

    def _of(self, names: Collection[Name]) -> list[Path]:
        doomed = []
        for path in sorted(self.root.glob("*/*")):
            match path.parent.name:
                case "wheels":
                    filename = _filename(path / "manifest.json")
                case "built":
                    filename = _filename(path)
                case "sdists" | "packed":
                    filename = next((entry.name for entry in path.iterdir()), "")
                case _:
                    continue
            if any((parsed := parse_filename(filename, name)) and parsed.name == name for name in names):
                doomed.append(path)
        return doomed


def _filename(document: Path) -> str:
    try:
        filename = json.loads(document.read_bytes())["filename"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return filename if isinstance(filename, str) else ""


def _is_sound(folder: Path) -> bool:
    try:
        return _load((folder / "manifest.json").read_bytes()) is not None
    except FileNotFoundError:
        return False


def _plain(filename: str) -> str:
    if filename in ("", ".", "..") or "/" in filename or "\\" in filename or "\0" in filename:
        raise InvalidArtifact(f"{filename!r} cannot be the name of a file")
    return filename


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _measure(path: Path) -> Cleaned:
    if not path.is_dir():
        return Cleaned(1, path.stat().st_size) if path.exists() else Cleaned(0, 0)
    files = size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            files += 1
            size += os.lstat(os.path.join(folder, name)).st_size
    return Cleaned(files, size)


def _dump(manifest: Manifest) -> bytes:
    return json.dumps(
        {
            "schema": _SCHEMA,
            "filename": manifest.filename,
            "dist_info": manifest.dist_info,
            "root_is_purelib": manifest.root_is_purelib,
            "files": [[file.path, file.hash, file.size, file.executable] for file in manifest.files],
            "scripts": [[entry.name, entry.module, entry.attribute, entry.group] for entry in manifest.scripts],
        }
    ).encode()


def _load(content: bytes) -> Manifest | None:
    """The manifest, or ``None`` for one that this version did not write."""
    try:
        document: dict[str, Any] = json.loads(content)
        if document["schema"] != _SCHEMA:
            return None
        return Manifest(
            document["filename"],
            document["dist_info"],
            document["root_is_purelib"],
            tuple(WheelFile(*row) for row in document["files"]),
            tuple(EntryPoint(*row) for row in document["scripts"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
