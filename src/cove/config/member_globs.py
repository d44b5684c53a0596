"""The globs of a workspace: which folders below its root are among its members, and which are left out."""

from collections.abc import Iterable, Iterator
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
    is_wild = any(wild in part for wild in _WILD for part in parts)
    return sorted(_led_to(root, parts)) if is_wild else [root.joinpath(*parts)]


def _led_to(root: Path, glob: tuple[str, ...]) -> Iterator[Path]:
    """The folders that a glob leads to. Each is looked into once, in however many ways ``**`` leads there; ``**`` follows no
    links."""
    queue = [(root, _open(glob, {0}))]
    while queue:
        folder, places = queue.pop()
        if len(glob) in places:
            yield folder
        for entry in _entries(folder) if places != {len(glob)} else ():
            here = {at for at in places if glob[at : at + 1] != ("**",)} if entry.is_symlink() else places
            further = _after(glob, here, entry.name)
            if further and entry.is_dir():
                queue.append((entry, further))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except PermissionError:
        return []


def _parts(glob: str) -> tuple[str, ...]:
    parts = tuple(part for part in glob.split("/") if part not in ("", "."))
    return (*parts, "*") if parts[-1:] == ("**",) else parts


def _meets(way: tuple[str, ...], glob: tuple[str, ...]) -> bool:
    places = _open(glob, {0})
    for name in way:
        places = _after(glob, places, name)
    return len(glob) in places


def _after(glob: tuple[str, ...], places: set[int], name: str) -> set[int]:
    """How far a glob is met, counted in its parts, after one name more: several are possible where it has ``**``."""
    further = set()
    for at in places:
        part = glob[at] if at < len(glob) else None
        if part == "**":
            further.add(at)
        elif part is not None and fnmatchcase(name, part):
            further.add(at + 1)
    return _open(glob, further)


def _open(glob: tuple[str, ...], places: set[int]) -> set[int]:
    """``places``, with those behind each ``**`` there, which may be no name at all."""
    found = set(places)
    for at in places:
        while glob[at : at + 1] == ("**",):
            at += 1  # noqa: PLW2901 - one `**` after another
            found.add(at)
    return found
