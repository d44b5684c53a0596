"""How a ``pylock.toml`` is told from other files: by its name alone, before anything that reads one is loaded."""

import re
from typing import Literal

from cove.errors import UsageError

Format = Literal["requirements.txt", "pylock.toml", "cyclonedx1.5"]
FORMATS: tuple[Format, ...] = ("requirements.txt", "pylock.toml")
"""What a compilation can be written as."""
ALL_FORMATS: tuple[Format, ...] = (*FORMATS, "cyclonedx1.5")
"""What a lock can be written as."""

_NAME = re.compile(r"pylock\.(?:[^.]+\.)?toml")


def is_pylock(path: str) -> bool:
    r"""Whether a file of this path or URL is a lock.

    PEP 751: "A lock file MUST be named pylock.toml or match the regular expression r"^pylock\.([^.]+)\.toml$"".
    """
    return _NAME.fullmatch(re.split(r"[/\\]", path.partition("?")[0])[-1]) is not None


def format_of(named: str | None, output: str | None) -> Format:
    """The format: the one that is named, else what the path of the file to write says.

    Raises ``UsageError`` for a file in the format pylock.toml that nobody would take for one, and for ``pyproject.toml``.
    """
    if output is not None and re.split(r"[/\\]", output)[-1] == "pyproject.toml":
        raise UsageError(
            f"`{output}` is where a project is described: it would be overwritten",
            hints=("name another file, or leave `--output-file` out to have the result printed",),
        )
    is_lock = output is not None and is_pylock(output)
    if named == "pylock.toml" and output is not None and not is_lock:
        raise UsageError(
            f"`{output}` cannot be the name of a file in the format pylock.toml",
            hints=("call it `pylock.toml` or `pylock.<name>.toml`, with no further dot in `<name>`",),
        )
    found = named or ("pylock.toml" if is_lock else "requirements.txt")
    return next(each for each in ALL_FORMATS if each == found)
