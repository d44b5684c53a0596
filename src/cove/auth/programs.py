"""Other people's programs, asked for a credential: with a time limit, without a terminal."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from cove.model.dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """What a program that has ended wrote; either may quote secrets."""

    status: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)


def ask(command: Sequence[str], environ: Mapping[str, str], time_limit: float) -> Said:
    """Run ``command`` to its end, in a session of its own: it cannot prompt, and what it starts ends with it.

    Raises ``TimeoutError`` after ``time_limit`` seconds, ``OSError`` where it cannot be run.
    """
    posix = os.name == "posix"
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        start_new_session=posix,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=time_limit)
        except BaseException as error:
            with suppress(ProcessLookupError):
                # A launcher that is a script leaves the program itself behind, with our pipes in its hands.
                os.killpg(process.pid, signal.SIGKILL) if posix else process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeoutError(f"no answer within {time_limit:g} seconds") from None
            raise
    return Said(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))
