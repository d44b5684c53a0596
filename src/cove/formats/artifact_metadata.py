"""The metadata file inside a wheel or sdist, read without unpacking anything."""

import gzip
import tarfile
import zipfile
import zlib
from typing import BinaryIO

from cove.errors import InvalidArtifact
from cove.model.dist import WheelName, parse_filename
from cove.model.name import normalize

LIMIT = 16 * 1024 * 1024
"""No metadata file is larger than this, in bytes; larger ones are hostile."""

_SEARCH_LIMIT = 1024 * 1024 * 1024
"""How many uncompressed bytes of an sdist are searched for ``PKG-INFO`` before it is called hostile."""


def read_metadata(filename: str, file: BinaryIO) -> bytes:
    """``METADATA`` of the wheel, or ``PKG-INFO`` of the sdist, whose bytes ``file`` gives (seekable, at its beginning).

    Raises ``InvalidArtifact`` when ``filename`` is neither a wheel's nor an sdist's, when the archive is damaged, or when it
    holds no such file, or more than one.
    """
    parsed = parse_filename(filename)
    if parsed is None:
        raise InvalidArtifact(f"{filename} is neither a wheel nor an sdist by its name")
    try:
        if isinstance(parsed, WheelName):
            return _from_wheel(filename, parsed, file)
        if filename.endswith(".zip"):
            return _from_zip_sdist(filename, file)
        return _from_tar_sdist(filename, file)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, NotImplementedError) as error:
        raise InvalidArtifact(f"{filename} is not a readable archive", causes=(str(error),)) from error
    except RuntimeError as error:  # zipfile's way to say that a member is encrypted
        raise InvalidArtifact(f"{filename} cannot be read", causes=(str(error),)) from error


def _from_wheel(filename: str, parsed: WheelName, file: BinaryIO) -> bytes:
    """PEP 427: ``{distribution}-{version}.dist-info/`` at the top, exactly one."""
    with zipfile.ZipFile(file) as archive:
        members = [name for name in archive.namelist() if _is_member(name, "METADATA") and _dist_info(name) is not None]
        if len(members) != 1:
            raise InvalidArtifact(f"{filename} holds {len(members)} `*.dist-info/METADATA` files where a wheel has one")
        folder = _dist_info(members[0]) or ""
        if normalize(folder.partition("-")[0]) != parsed.name:
            raise InvalidArtifact(f"{filename} holds the metadata of another project: `{members[0]}`")
        return _member_of_zip(filename, archive, members[0])


def _from_zip_sdist(filename: str, file: BinaryIO) -> bytes:
    with zipfile.ZipFile(file) as archive:
        members = [name for name in archive.namelist() if _is_member(name, "PKG-INFO")]
        if len(members) != 1:
            raise InvalidArtifact(f"{filename} holds {len(members)} `PKG-INFO` files at its top where an sdist has one")
        return _member_of_zip(filename, archive, members[0])


def _from_tar_sdist(filename: str, file: BinaryIO) -> bytes:
    """PEP 643: ``{name}-{version}/PKG-INFO``; the search ends at the first one."""
    with tarfile.open(fileobj=_Limited(filename, file), mode="r|") as archive:
        for member in archive:
            if member.isfile() and _is_member(member.name, "PKG-INFO"):
                if member.size > LIMIT:
                    raise InvalidArtifact(f"{filename}: its PKG-INFO is larger than {LIMIT} bytes")
                content = archive.extractfile(member)
                assert content is not None, "a regular file has content"
                return content.read()
    raise InvalidArtifact(f"{filename} holds no PKG-INFO at its top")


def _member_of_zip(filename: str, archive: zipfile.ZipFile, member: str) -> bytes:
    with archive.open(member) as content:
        data = content.read(LIMIT + 1)  # the size in the directory is only a claim
    if len(data) > LIMIT:
        raise InvalidArtifact(f"{filename}: its {member} is larger than {LIMIT} bytes")
    return data


def _is_member(path: str, name: str) -> bool:
    """Whether ``path`` is ``<folder>/<name>``."""
    folder, slash, last = path.removeprefix("./").partition("/")
    return bool(folder and slash) and last == name


def _dist_info(path: str) -> str | None:
    folder = path.partition("/")[0]
    return folder.removesuffix(".dist-info") if folder.endswith(".dist-info") else None


class _Limited(gzip.GzipFile):
    """Gives the uncompressed bytes of ``file`` until they are more than any honest sdist needs."""

    def __init__(self, filename: str, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._filename = filename
        self._left = _SEARCH_LIMIT

    def read(self, size: int | None = -1) -> bytes:
        """As of a file."""
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidArtifact(f"{self._filename} expands to more than {_SEARCH_LIMIT} bytes before any PKG-INFO")
        return data
