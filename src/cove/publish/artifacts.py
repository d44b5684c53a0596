"""Which files are to be published, and what the upload form says of them."""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from cove.errors import UsageError
from cove.formats.artifact_metadata import read_metadata
from cove.formats.upload_form import Field, FileFacts, fields
from cove.model.dataclasses import dataclass
from cove.model.dist import WheelName, parse_filename
from cove.model.event import Listener, Warned, ignore
from cove.model.name import Name

DEFAULT_PATTERNS = ("dist/*",)

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A wheel or sdist that was read once: its digests and the form's fields are known, its bytes stay in the file."""

    path: Path
    name: Name
    version: str
    facts: FileFacts
    fields: tuple[Field, ...]

    @property
    def filename(self) -> str:
        """The last path segment."""
        return self.path.name

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes, opened afresh by each call."""
        with self.path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece


def find(patterns: Sequence[str], base: Path, listener: Listener = ignore) -> tuple[Path, ...]:
    """The wheels and then the sdists that ``patterns`` (paths or globs, relative to ``base``) match, each sorted by name.

    Other files are passed over; those that look like archives are warned of. Raises ``UsageError`` when a path that is no glob
    does not exist, when nothing is left, or when two files have one name.
    """
    found = {path.resolve(): path for pattern in patterns or DEFAULT_PATTERNS for path in _matches(pattern, base)}
    chosen = [path for path in found.values() if _is_distribution(path, listener)]
    if not chosen:
        raise UsageError(
            f"no wheel or sdist matches {_listed(patterns or DEFAULT_PATTERNS)}",
            hints=("build some first with `cove build`, or name the files",),
        )
    names = [path.name for path in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"several files are called {_listed(twice)}", hints=("name the one that is meant",))
    return tuple(sorted(chosen, key=lambda path: (path.suffix != ".whl", path.name)))


def read(path: Path) -> Artifact:
    """The file with its digests and metadata.

    Raises ``InvalidArtifact`` when it is not what its name says, ``UsageError`` when it cannot be read.
    """
    try:
        sha256, blake2 = hashlib.sha256(), hashlib.blake2b(digest_size=32)
        size = 0
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                size += len(piece)
                sha256.update(piece)
                blake2.update(piece)
            file.seek(0)
            metadata = read_metadata(path.name, file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read", causes=(error.strerror or str(error),)) from error
    facts = FileFacts(path.name, size, sha256.hexdigest(), blake2.hexdigest())
    text_fields = fields(metadata, facts)
    parsed = parse_filename(path.name)
    assert parsed is not None, "read_metadata refuses other files"
    return Artifact(path, parsed.name, parsed.version, facts, text_fields)


def _matches(pattern: str, base: Path) -> list[Path]:
    if not glob.has_magic(pattern):
        path = base / pattern
        if not path.exists():
            raise UsageError(f"there is no file {path}", hints=("build it first with `cove build`",))
        return [path]
    return [base / match for match in glob.glob(pattern, root_dir=base, recursive=True)]


def _is_distribution(path: Path, listener: Listener) -> bool:
    if not path.is_file():
        return False
    parsed = parse_filename(path.name)
    if parsed is not None and _is_version(parsed.version):
        if (
            not isinstance(parsed, WheelName)
            and path.name != f"{parsed.name.replace('-', '_')}-{parsed.version}.tar.gz"
        ):
            listener(
                Warned(
                    f"{path.name} is not a normalised sdist name (PEP 625); it is published as it is",
                    "some registries refuse such names; rebuild the sdist with a current backend",
                )
            )
        return True
    if _looks_like_archive(path.name):
        listener(Warned(f"{path.name} is passed over: its name is neither a wheel's nor an sdist's"))
    return False


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _looks_like_archive(filename: str) -> bool:
    return filename.endswith((".whl", ".zip", ".tgz")) or ".tar" in filename


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
