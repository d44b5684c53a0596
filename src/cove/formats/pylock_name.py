"""How a ``pylock.toml`` is told from other files: by its name alone, before anything that reads one is loaded."""

import re

_NAME = re.compile(r"pylock\.(?:[^.]+\.)?toml")


def is_pylock(path: str) -> bool:
    r"""Whether a file of this path or URL is a lock.

    PEP 751: "A lock file MUST be named pylock.toml or match the regular expression r"^pylock\.([^.]+)\.toml$"".
    """
    return _NAME.fullmatch(re.split(r"[/\\]", path.partition("?")[0])[-1]) is not None
