"""A wheel as it comes: everything a file may lie about is judged here, before or while it is unpacked."""

import errno
import hashlib
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Self

from cove.errors import InvalidArtifact
from cove.formats import entry_points, wheel_record
from cove.formats.wheel_record import RecordEntry, encode_hash
from cove.install.wheel import Manifest, WheelFile
from cove.model.dist import WheelName, parse_filename
from cove.model.name import normalize

MOST_FILES = 200_000
MOST_BYTES = 32 * 1024**3
"""What one wheel may unpack to. The largest wheels in use (CUDA libraries) stay below a sixth of it."""
FREE_BYTES = 256 * 1024**2
MOST_RATIO = 200
"""Beyond ``FREE_BYTES`` a wheel may not unpack to more than this multiple of its own size."""
_MOST_METADATA = 64 * 1024**2

_PIECE = 1024 * 1024
_BATCH = 64
_THREADS = 4
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_STRONG = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})
_NO_SUCH_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.ENOTDIR})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_FOLDS_CASE = sys.platform in ("win32", "darwin")


class Archive:
    """An opened wheel whose directory was found sound.

    ``filename`` is the name the index knows it by, which must agree with what is inside. ``warnings`` are sentences about
    what is odd and was let pass. Where a digest of the whole file was promised, and ``is_promised`` says that it has that,
    a RECORD that is wrong only shows that the wheel was built wrongly, and is let pass too.
    Making one raises ``InvalidArtifact``; use it in a ``with`` block.
    """

    def __init__(self, path: Path, filename: str, *, is_promised: bool = False) -> None:
        self.path = path
        self.filename = filename
        self.warnings: list[str] = []
        self._is_promised = is_promised
        self._faults: list[str] = []
        wheel = parse_filename(filename)
        if not isinstance(wheel, WheelName):
            raise self._invalid("its name is not that of a wheel")
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise self._invalid(f"it is not a zip archive ({error})") from error
        try:
            self._entries = self._judge_entries(self._zip.infolist())
            self.dist_info = self._find_dist_info(wheel)
            self.root_is_purelib = self._read_wheel()
            self._record = self._read_record()
            self.scripts = self._read_scripts()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def _invalid(self, reason: str) -> InvalidArtifact:
        return InvalidArtifact(
            f"`{self.filename}` is not a valid wheel: {reason}",
            hints=("Ask whoever published it for a sound file, or choose another version.",),
        )

    def _misrecorded(self, reason: str) -> None:
        """RECORD does not vouch for a file: nothing else does, unless the whole archive is the one that was promised."""
        if not self._is_promised:
            raise self._invalid(reason)
        self._faults.append(reason)

    # -- judging ------------------------------------------------------------------------------------------------------

    def _judge_entries(self, infos: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """The files by path, directories left out."""
        if len(infos) > MOST_FILES:
            raise self._invalid(f"it holds {len(infos)} files, more than {MOST_FILES}")
        self._judge_sizes(infos)
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.orig_filename
            self._judge_name(name.removesuffix("/"))
            self._judge_kind(info, name)
            if name in entries:
                raise self._invalid(f"`{name}` is in it twice")
            if not name.endswith("/"):
                entries[name] = info
        self._judge_collisions(entries)
        return entries

    def _judge_sizes(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        size = self.path.stat().st_size
        total = sum(info.file_size for info in infos)
        if total > MOST_BYTES or total > max(FREE_BYTES, size * MOST_RATIO):
            raise self._invalid(f"{size} bytes would unpack to {total}")
        if any(not 0 <= info.header_offset < size for info in infos):
            raise self._invalid("its directory points outside of it")
        # Entries that share bytes of the archive are how a small file unpacks to a huge one.
        ordered = sorted(infos, key=lambda info: info.header_offset)
        for one, next_one in pairwise(ordered):
            if one.header_offset + _LOCAL_HEADER.size + one.compress_size > next_one.header_offset:
                raise self._invalid(f"`{one.filename!r}` and `{next_one.filename!r}` overlap in it")

    def _judge_name(self, name: str) -> None:
        segments = name.split("/")
        if "\\" in name or _CONTROL.search(name) or any(segment in ("", ".", "..") for segment in segments):
            raise self._invalid(f"{name!r} is a path that no archive should hold")
        if _DRIVE.match(name) or (sys.platform == "win32" and ":" in name):
            raise self._invalid(f"{name!r} names a drive")

    def _judge_kind(self, info: zipfile.ZipInfo, name: str) -> None:
        mode = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._invalid(f"`{name}` is a link or a device, not a file")
        if info.flag_bits & 0x1:
            raise self._invalid(f"`{name}` is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._invalid(f"`{name}` is compressed by a method other than deflate")

    def _judge_collisions(self, entries: Iterable[str]) -> None:
        folded: dict[str, str] = {}
        folders: set[str] = set()
        for name in entries:
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                if _FOLDS_CASE:
                    raise self._invalid(f"`{other}` and `{name}` are the same file on this system")
                self.warnings.append(f"`{other}` and `{name}` of `{self.filename}` differ in case only")
            folder = name.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        for name in entries:
            if name in folders:
                raise self._invalid(f"`{name}` is both a file and a folder")

    def _find_dist_info(self, wheel: WheelName) -> str:
        tops = {name.partition("/")[0] for name in self._entries if "/" in name}
        found = sorted(top for top in tops if top.endswith(".dist-info"))
        if len(found) != 1:
            raise self._invalid(f"it holds {len(found)} .dist-info folders instead of one")
        if not belongs_to(found[0], wheel):
            raise self._invalid(f"it holds `{found[0]}`, which belongs to another project or version")
        return found[0]

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self, name: str) -> str:
        """The text of a file in the ``.dist-info`` folder. Raises ``InvalidArtifact`` when it is absent or not UTF-8."""
        info = self._entries.get(f"{self.dist_info}/{name}")
        if info is None:
            raise self._invalid(f"it has no {name} file")
        if info.file_size > _MOST_METADATA:
            raise self._invalid(f"its {name} file is larger than {_MOST_METADATA} bytes")
        content = bytearray()
        with self.path.open("rb") as file:
            self._inflate(file, info, content.extend)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._invalid(f"its {name} file is not UTF-8") from error

    def _read_wheel(self) -> bool:
        fields: dict[str, str] = {}
        for line in self.read("WHEEL").splitlines():
            key, colon, value = line.partition(":")
            if colon:
                fields.setdefault(key.strip().lower(), value.strip())
        version = fields.get("wheel-version", "")
        major, _, minor = version.partition(".")
        if not (major.isdecimal() and minor.isdecimal()):
            raise self._invalid("its WHEEL file gives no Wheel-Version")
        # PEP 427: "If the version is greater, warn if minor version is greater, abort if major version is greater."
        if int(major) > 1:
            raise self._invalid(f"its format version is {version}, and only 1 is known")
        if int(minor) > 0:
            self.warnings.append(f"`{self.filename}` has the wheel format version {version}, newer than the known 1.0")
        return fields.get("root-is-purelib", "").lower() == "true"

    def _read_record(self) -> dict[str, RecordEntry]:
        try:
            entries = wheel_record.parse(self.read("RECORD"))
        except ValueError as error:
            raise self._invalid(f"its RECORD cannot be read ({error})") from error
        # PEP 427: "installation will fail if any file in the archive is not both mentioned and correctly hashed in RECORD."
        record = {entry.path: entry for entry in entries}
        exempt = {f"{self.dist_info}/{name}" for name in _UNRECORDED}
        for name in self._entries:
            if name not in exempt and (name not in record or not record[name].hash):
                self._misrecorded(f"`{name}` is not in its RECORD with a hash")
        absent = [
            path for path in record if path not in self._entries and not path.endswith("/") and path not in exempt
        ]
        if absent:
            self.warnings.append(
                f"RECORD of `{self.filename}` lists files that it does not hold, such as `{absent[0]}`"
            )
        return record

    def _read_scripts(self) -> tuple[entry_points.EntryPoint, ...]:
        if f"{self.dist_info}/entry_points.txt" not in self._entries:
            return ()
        try:
            return entry_points.parse_scripts(self.read("entry_points.txt"))
        except ValueError as error:
            raise self._invalid(str(error)) from error

    # -- unpacking ----------------------------------------------------------------------------------------------------

    def unpack(self, into: Path) -> Manifest:
        """Write all files below ``into`` (an empty folder), each checked against ``RECORD`` on its way.

        Raises ``InvalidArtifact``; what was written until then is left to the caller to remove.
        """
        for folder in sorted({name.rpartition("/")[0] for name in self._entries}):
            with self._naming(folder):
                (into / folder).mkdir(parents=True, exist_ok=True)
        names = list(self._entries)
        batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
        if len(batches) == 1:
            files = self._unpack_batch(into, batches[0])
        else:
            with ThreadPoolExecutor(min(_THREADS, len(batches))) as pool:
                files = [
                    file for done in pool.map(lambda batch: self._unpack_batch(into, batch), batches) for file in done
                ]
        if self._faults:  # one is enough to know, and there may be thousands
            self.warnings.append(
                f"`{self.filename}` was built wrongly: {min(self._faults)}; it is the very file that was promised, and is used"
            )
        return Manifest(self.filename, self.dist_info, self.root_is_purelib, tuple(files), self.scripts)

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Names that this file system cannot hold are the wheel's fault; a full disk is not."""
        try:
            yield
        except OSError as error:
            if error.errno not in _NO_SUCH_NAME:
                raise
            raise self._invalid(f"{name!r} cannot be the name of a file here ({error.strerror})") from error

    def _unpack_batch(self, into: Path, names: Sequence[str]) -> list[WheelFile]:
        with self.path.open("rb") as file:
            return [self._unpack_one(file, into, name) for name in names]

    def _unpack_one(self, file: BinaryIO, into: Path, name: str) -> WheelFile:
        info = self._entries[name]
        # Scripts need not be marked: what lies in scripts/ of the .data folder is there to be executed.
        marked = info.create_system == 3 and (info.external_attr >> 16) & 0o111
        executable = bool(marked) or name.startswith(f"{self.dist_info.removesuffix('.dist-info')}.data/scripts/")
        algorithm, expected = self._expected(name)
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        # No symlink can lie in the way: the folder is new and nothing but files and folders was written.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with self._naming(name):
            descriptor = os.open(f"{into}/{name}", flags, 0o755 if executable else 0o644)
        with open(descriptor, "wb", buffering=0) as output:

            def take(piece: bytes) -> None:
                hasher.update(piece)
                view = memoryview(piece)
                while view:
                    view = view[output.write(view) :]

            self._inflate(file, info, take)
        digest = hasher.digest()
        if expected is not None and digest != expected:
            self._misrecorded(f"`{name}` does not have the hash that its RECORD gives")
        recorded = self._record.get(name)
        if recorded is not None and recorded.size is not None and recorded.size != info.file_size:
            self._misrecorded(f"`{name}` does not have the size that its RECORD gives")
        return WheelFile(name, encode_hash(digest, algorithm), info.file_size, executable)

    def _expected(self, name: str) -> tuple[str, bytes | None]:
        recorded = self._record.get(name)
        if recorded is None or not recorded.hash or name == f"{self.dist_info}/RECORD":
            return "sha256", None
        try:
            algorithm, digest = wheel_record.decode_hash(recorded.hash)
        except ValueError as error:
            self._misrecorded(f"the hash of `{name}` in its RECORD is unreadable ({error})")
            return "sha256", None
        # PEP 427: "The hash algorithm must be sha256 or better; specifically, md5, sha1 and sha224 are not permitted".
        if algorithm not in _STRONG:
            self._misrecorded(f"its RECORD vouches for `{name}` by {algorithm!r}, which is not sha256 or better")
            return "sha256", None
        return algorithm, digest

    def _inflate(self, file: BinaryIO, info: zipfile.ZipInfo, take: Callable[[bytes], object]) -> None:
        """Hand over the content of an entry in pieces of bounded size; exactly ``file_size`` bytes with the right checksum."""
        file.seek(self._data_offset(file, info))
        pieces = self._stored(file, info) if info.compress_type == zipfile.ZIP_STORED else self._deflated(file, info)
        written = checksum = 0
        for piece in pieces:
            written += len(piece)
            if written > info.file_size:
                raise self._invalid(f"`{info.filename}` is larger than the archive says")
            checksum = zlib.crc32(piece, checksum)
            take(piece)
        if written != info.file_size or checksum != info.CRC:
            raise self._invalid(f"`{info.filename}` is damaged")

    def _stored(self, file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
        left = info.compress_size
        while left:
            raw = file.read(min(left, _PIECE))
            if not raw:
                raise self._invalid("the archive ends too early")
            left -= len(raw)
            yield raw

    def _deflated(self, file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for raw in self._stored(file, info):
                yield inflater.decompress(raw, _PIECE)
                while inflater.unconsumed_tail:
                    yield inflater.decompress(inflater.unconsumed_tail, _PIECE)
            yield inflater.flush()
        except zlib.error as error:
            raise self._invalid(f"`{info.filename}` is damaged ({error})") from error
        if not inflater.eof or inflater.unused_data:
            raise self._invalid(f"`{info.filename}` is damaged")

    def _data_offset(self, file: BinaryIO, info: zipfile.ZipInfo) -> int:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) != _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise self._invalid(f"`{info.filename}` does not begin where the archive says")
        name_length, extra_length = (int(length) for length in _LOCAL_HEADER.unpack(header)[-2:])
        # Two readers may trust different names; a wheel that has both is one thing to a scanner and another to us.
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        if file.read(name_length) != info.orig_filename.encode(encoding, "replace"):
            raise self._invalid(f"`{info.filename}` has two names in the archive")
        return info.header_offset + _LOCAL_HEADER.size + name_length + extra_length


def belongs_to(dist_info: str, wheel: WheelName) -> bool:
    """Whether a ``.dist-info`` folder is the one of this project and version, compared as the standards compare them."""
    name, _, version = dist_info.removesuffix(".dist-info").rpartition("-")
    if normalize(name) != wheel.name:
        return False
    theirs = version.replace("_", "-")
    if theirs == wheel.version:
        return True
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - equal texts, the common case, need no parser

    try:
        return Version(theirs) == Version(wheel.version)
    except InvalidVersion:
        return False
