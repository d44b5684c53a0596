"""Writing a file whole or not at all."""

import os
from pathlib import Path
from threading import get_ident


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace the file at ``path`` by a side file that holds ``content``; links are followed.

    Its permissions become ``mode``, else stay as they are. Until it is whole, only its owner can read the side file.
    """
    import tempfile  # noqa: PLC0415 - loads much, and most runs write nothing that is anybody's own

    path = path.resolve()
    descriptor, side = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is None:
            mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
        Path(side).chmod(mode)
        Path(side).replace(path)
    except BaseException:
        Path(side).unlink(missing_ok=True)
        raise


def write_beside(path: str, content: bytes) -> None:
    """Put ``content`` in the place of the file at ``path``, for its owner alone; for caches, whose loss is no harm.

    The side file is named after process and thread, and what a process that died left under that name is overwritten.
    Raises ``OSError``, ``FileNotFoundError`` if the folder is missing.
    """
    side = f"{path}.{os.getpid()}.{get_ident()}"
    descriptor = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(side, path)
    except BaseException:
        Path(side).unlink(missing_ok=True)
        raise
