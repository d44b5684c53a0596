"""Running a program that knows credentials: bounded in time and in what it may say."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import IO

from cove.model.dataclasses import dataclass
from cove.model.secret import MASK
from cove.model.url import with_masked_users

_MOST = 1 << 20
"""Bytes of output that are read; the rest is thrown away, and no credential is that long."""

_BETWEEN_WORDS = re.compile(r"""[\s"',:={}\[\]]+""")
_SHORTEST = 6
"""Characters; what is shorter is rather a word of a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program that has ended left; ``stdout`` may be or hold a secret, and so may ``stderr``."""

    status: int
    stdout: str
    stderr: str


class NoAnswer(Exception):
    """The program could not be run or did not end; the reason follows its name: "is not there", "did not answer …"."""


def ask(
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None,
    time_limit: float,
    stdin: str | None = None,
    folder: Path | None = None,
    on_terminal: bool = False,
    patience: float = 3.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Answer:
    """Run ``command`` to its end; raises ``NoAnswer``, for one that takes longer than ``time_limit`` seconds too.

    ``stdin`` is what it reads there, nothing at all by default; ``folder`` is where it runs. On a terminal it may ask the
    person there, so that what it writes to stderr is told (line by line, user info masked) as soon as it has kept us waiting
    for ``patience`` seconds. Elsewhere it is cut off from any terminal, and ended with all that it has started.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environ,
            cwd=folder,
            start_new_session=not on_terminal,
        )
    except FileNotFoundError:
        raise NoAnswer("is not there") from None
    except (OSError, ValueError) as error:
        raise NoAnswer(f"cannot be run: {getattr(error, 'strerror', None) or 'its arguments'}") from None
    relay = _Relay(tell)
    stdout, stderr = _Reader(process.stdout), _Reader(process.stderr, relay.line)
    timer = Timer(patience, relay.start)
    timer.daemon = True
    try:
        if on_terminal:
            timer.start()
        if process.stdin is not None:
            with suppress(OSError), process.stdin:  # a program need not read what it is given
                process.stdin.write((stdin or "").encode())
        status = process.wait(time_limit)
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"did not answer within {time_limit:g} seconds") from None
    finally:
        timer.cancel()
        if process.poll() is None:
            _kill(process, with_children=not on_terminal)
        said, complained = stdout.text(), stderr.text()
    return Answer(status, said, complained)


def masked(text: str, output: str = "", *secrets: str) -> str:
    """``text`` without user info in URLs, without ``secrets``, and without what stands in ``output`` too, word by word."""
    words = {word for word in _BETWEEN_WORDS.split(output) if len(word) >= _SHORTEST}
    for secret in sorted({*words, *filter(None, secrets)}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return with_masked_users(text)


def _kill(process: "subprocess.Popen[bytes]", *, with_children: bool) -> None:
    if with_children and os.name != "nt":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


class _Reader:
    """Reads a pipe to its end in a thread of its own, and hands on each line."""

    def __init__(self, pipe: IO[bytes] | None, line: Callable[[str], None] = lambda _: None) -> None:
        assert pipe is not None
        self._pipe = pipe
        self._line = line
        self._read = b""
        self._thread = Thread(target=self._run, name="cove-helper", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was read. Something that the program left running may hold the pipe open: that is not waited for."""
        self._thread.join(0.5)
        return self._read.decode("utf-8", "replace")

    def _run(self) -> None:
        begun = b""
        with self._pipe:
            while piece := self._pipe.read(65536):
                if len(self._read) < _MOST:
                    self._read += piece
                *lines, begun = (begun + piece)[-_MOST:].split(b"\n")
                for line in lines:
                    self._line(line.decode("utf-8", "replace"))


class _Relay:
    """Holds back lines until it is started."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = Lock()
        self._held: list[str] | None = []

    def line(self, text: str) -> None:
        """A line, without its end."""
        with self._lock:
            if self._held is not None:
                self._held = [*self._held[-20:], text]
                return
        self._say(text)

    def start(self) -> None:
        """Say what was held back, and from now on everything at once."""
        with self._lock:
            held, self._held = self._held or [], None
        for text in held:
            self._say(text)

    def _say(self, text: str) -> None:
        if text.strip():
            self._tell(masked(text.rstrip()))
