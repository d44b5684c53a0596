"""The globs of a workspace: which folders below its root are among its members, and which are left out."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from cove.errors import ConfigurationError

_WILD = "*?["


def is_among(way: tuple[str, ...], globs: Iterable[str]) -> bool:
    """Whether a folder, by the names on the way to it, meets one of the globs; ``**`` is any number of names, at the end at
    least one, as in uv."""
    return any(_meets(way, _parts(glob)) for glob in globs)


def folders_of(root: Path, glob: str) -> list[Path]:
    """The folders below ``root`` that a glob leads to, in order, or that it names outright: this need not be there. The root
    itself is none of them. Raises ``ConfigurationError`` for what leads elsewhere, and what no glob can be."""
    parts = _parts(glob)
    if glob.startswith("/") or ".." in parts:
        raise ConfigurationError(f"the member `{glob}` lies outside the workspace")
    if any("**" in part and part != "**" for part in parts):
        raise ConfigurationError(f"the member `{glob}` cannot be read: `**` stands alone between slashes")
    if not parts:
        return []
    path = "/".join(parts)
    return sorted(root.glob(path)) if any(wild in path for wild in _WILD) else [root / path]


def _parts(glob: str) -> tuple[str, ...]:
    parts = tuple(part for part in glob.split("/") if part not in ("", "."))
    return (*parts, "*") if parts[-1:] == ("**",) else parts


def _meets(way: tuple[str, ...], glob: tuple[str, ...]) -> bool:
    if not glob:
        return not way
    if glob[0] == "**":
        return any(_meets(way[count:], glob[1:]) for count in range(len(way) + 1))
    return bool(way) and fnmatchcase(way[0], glob[0]) and _meets(way[1:], glob[1:])
