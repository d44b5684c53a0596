"""One process (or thread) at a time: a lock beside a file that several of them change."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(
    path: Path, *, seconds: float = 30.0, mode: int = 0o600, waiting: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Hold the lock file ``path``, which is made (with ``mode``) where there is none and stays.

    ``waiting`` is called once if another holds it. Raises ``TimeoutError`` when that lasts ``seconds``, and any other
    ``OSError`` when the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        deadline = time.monotonic() + seconds
        has_waited = False
        while not _try_lock(descriptor):
            if not has_waited:
                waiting()
                has_waited = True
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has held it for {seconds:g} seconds")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


if os.name == "nt":

    def _try_lock(descriptor: int) -> bool:
        import msvcrt  # noqa: PLC0415 - this system has it

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
else:

    def _try_lock(descriptor: int) -> bool:
        import fcntl  # noqa: PLC0415 - this system has it

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
