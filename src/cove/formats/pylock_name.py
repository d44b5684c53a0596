"""How a ``pylock.toml`` is told from other files: by its name alone, before anything that reads one is loaded."""

import re
from typing import Literal

from cove.errors import UsageError

Format = Literal["requirements.txt", "pylock.toml"]
FORMATS: tuple[Format, ...] = ("requirements.txt", "pylock.toml")
"""What a lock or a compilation can be written as."""

_NAME = re.compile(r"pylock\.(?:[^.]+\.)?toml")


def is_pylock(path: str) -> bool:
    r"""Whether a file of this path or URL is a lock.

    PEP 751: "A lock file MUST be named pylock.toml or match the regular expression r"^pylock\.([^.]+)\.toml$"".
    """
    return _NAME.fullmatch(re.split(r"[/\\]", path.partition("?")[0])[-1]) is not None


def format_of(named: str | None, output: str | None) -> Format:
    """The format: the one that is named, else what the path of the file to write says. Raises ``UsageError`` for a file in the
    format pylock.toml that nobody would take for one."""
    is_lock = output is not None and is_pylock(output)
    if named == "pylock.toml" and output is not None and not is_lock:
        raise UsageError(
            f"`{output}` cannot be the name of a file in the format pylock.toml",
            hints=("call it `pylock.toml` or `pylock.<name>.toml`, with no further dot in `<name>`",),
        )
    return "pylock.toml" if named == "pylock.toml" or (named is None and is_lock) else "requirements.txt"
