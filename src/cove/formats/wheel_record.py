"""``RECORD``: the files of a wheel or of an installed distribution, with digests and sizes (PEP 376, PEP 427)."""

import base64
import binascii
import csv
import io
from collections.abc import Iterable

from cove.model.dataclasses import dataclass

_QUOTED = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One line. ``path`` has ``/`` between segments and is relative to the folder that holds the ``.dist-info`` folder.

    ``hash`` is ``algorithm=digest`` (``digest`` in URL-safe base64 without padding) or empty; ``size`` is in bytes.
    """

    path: str
    hash: str = ""
    size: int | None = None


def parse(text: str) -> list[RecordEntry]:
    """The entries in their order. Raises ``ValueError`` naming the line that has no path or an impossible size."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [_entry(row, reader.line_num) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _entry(row: list[str], line: int) -> RecordEntry:
    # PEP 376 has three columns; writers that leave trailing empty ones out are common enough to be read.
    if len(row) > 3:
        raise ValueError(f"line {line}: {len(row)} columns instead of 3")
    path, digest, size = (*row, "", "")[:3]
    if not path:
        raise ValueError(f"line {line}: no path")
    if size and not (size.isascii() and size.isdigit()):
        raise ValueError(f"line {line}: the size is not a number")
    return RecordEntry(path.replace("\\", "/"), digest, int(size) if size else None)


def render(entries: Iterable[RecordEntry]) -> str:
    """The text of a ``RECORD`` with these entries; ``parse`` gives them back."""
    return "".join(
        f"{_field(entry.path)},{entry.hash},{'' if entry.size is None else entry.size}\n" for entry in entries
    )


def _field(text: str) -> str:
    # The csv writer leaves a lone carriage return unquoted when the line terminator is a line feed.
    if _QUOTED.isdisjoint(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def encode_hash(digest: bytes, algorithm: str = "sha256") -> str:
    """``sha256=…`` as a ``RECORD`` writes it (PEP 376: "urlsafe-base64-nopad encoding")."""
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def decode_hash(text: str) -> tuple[str, bytes]:
    """Algorithm (lower case) and digest of a ``RECORD`` hash. Raises ``ValueError`` when it is not one."""
    algorithm, separator, encoded = text.partition("=")
    if not separator or not algorithm or not encoded:
        raise ValueError("not of the form algorithm=digest")
    try:
        padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
        return algorithm.lower(), base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the digest is not URL-safe base64") from error
