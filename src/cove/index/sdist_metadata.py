"""What an sdist says of itself, read without unpacking or building it."""

import tarfile
import zipfile
import zlib
from lzma import LZMAError
from typing import IO

from cove.errors import InvalidArtifact
from cove.formats import core_metadata
from cove.formats.stated_metadata import stated_metadata

LARGEST = 16 * 1024 * 1024
"""Bytes of metadata that are believed to be metadata."""

DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, KeyError, RuntimeError, ValueError,
    NotImplementedError
)  # fmt: skip
"""What reading an archive raises that is none, or not a whole one."""

_RESOLUTION_FIELDS = frozenset({"requires-dist", "requires-python", "provides-extra", "version"})


def stated(sdist: IO[bytes], filename: str, subdirectory: str = "") -> bytes | None:
    """The metadata of the project in ``subdirectory`` of an sdist, as far as resolution needs it.

    That is ``PKG-INFO`` if it can be relied upon (PEP 643: from 2.2 on, what is not ``Dynamic`` is final), else what the
    ``pyproject.toml`` says for good; ``None`` where only a build tells. ``sdist`` is seekable. Raises ``InvalidArtifact``.
    """
    name = version = ""
    data = _member(sdist, filename, _below(subdirectory, "PKG-INFO"))
    if data is not None:
        fields = core_metadata.raw_fields(data)
        if _is_final(fields):
            return data
        name, version = fields.get("name", [""])[0], fields.get("version", [""])[0]
    pyproject = _member(sdist, filename, _below(subdirectory, "pyproject.toml"))
    return None if pyproject is None else stated_metadata(pyproject, name, version)


def _is_final(fields: dict[str, list[str]]) -> bool:
    version = fields.get("metadata-version", ["1.0"])[0]
    dynamic = {text.lower() for text in fields.get("dynamic", ())}
    return version.startswith("2.") and version not in ("2.0", "2.1") and not dynamic & _RESOLUTION_FIELDS


def _below(subdirectory: str, name: str) -> str:
    return "/".join([*(part for part in subdirectory.split("/") if part not in ("", ".")), name])


def _member(sdist: IO[bytes], filename: str, path: str) -> bytes | None:
    sdist.seek(0)
    try:
        read = _zip_member if filename.endswith(".zip") else _tar_member
        return read(sdist, filename, path)
    except (*DAMAGED, OSError) as error:
        raise InvalidArtifact(f"`{filename}` is not a usable sdist: {error}") from error


def _tar_member(sdist: IO[bytes], filename: str, path: str) -> bytes | None:
    with tarfile.open(fileobj=sdist, mode="r:*") as archive:
        for member in archive:
            if member.isfile() and _within_top(member.name) == path:
                stream = archive.extractfile(member)
                return bounded(stream, filename) if stream is not None else None
    return None


def _zip_member(sdist: IO[bytes], filename: str, path: str) -> bytes | None:
    with zipfile.ZipFile(sdist) as archive:
        for name in archive.namelist():
            if _within_top(name) == path:
                with archive.open(name) as member:
                    return bounded(member, filename)
    return None


def _within_top(path: str) -> str:
    """``{name}-{version}/PKG-INFO`` without the folder that holds everything: the copy in ``.egg-info`` lies deeper."""
    return path.removeprefix("./").partition("/")[2]


def bounded(member: IO[bytes], filename: str) -> bytes:
    """All of ``member``, which is metadata. Raises ``InvalidArtifact`` where it is too large to be."""
    data = member.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidArtifact(f"the metadata in `{filename}` is larger than 16 MB")
    return data
