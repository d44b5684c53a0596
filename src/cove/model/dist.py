"""Distribution files: what their names say (PEP 427, PEP 625) and what an index says of them (PEP 691, PEP 700)."""

from collections.abc import Mapping
from functools import lru_cache

from cove.model.dataclasses import dataclass
from cove.model.name import Name, normalize
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class WheelName:
    """``{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl``, taken apart."""

    name: Name
    version: str
    build: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    def tags(self) -> tuple[str, ...]:
        """The compressed tag set expanded: ``py2.py3-none-any`` gives ``py2-none-any`` and ``py3-none-any``."""
        return tuple(f"{p}-{a}-{s}" for p in self.pythons for a in self.abis for s in self.platforms)


@dataclass(frozen=True, slots=True)
class SdistName:
    """``{name}-{version}.tar.gz`` (or the older ``.zip``), taken apart."""

    name: Name
    version: str


_LONGEST = 255
"""Characters: no file can be called more, and numbers in what is longer may be beyond what can be read."""


def parse_filename(filename: str, project: Name | None = None) -> WheelName | SdistName | None:
    """What a file name says, or ``None`` if it is neither a wheel's nor an sdist's.

    ``project`` settles where the name of an old sdist ends (``a-b-1.0.tar.gz``): the name must normalise to it.
    """
    if len(filename) > _LONGEST:
        return None
    if filename.endswith(".whl"):
        return _parse_wheel(filename)
    for suffix in (".tar.gz", ".zip"):
        if filename.endswith(suffix):
            return _parse_sdist(filename.removesuffix(suffix), project)
    return None


def _parse_wheel(filename: str) -> WheelName | None:
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6) or not all(parts):
        return None
    build = parts[2] if len(parts) == 6 else ""
    if build and not build[0].isdigit():  # PEP 427: "Must start with a digit."
        return None
    pythons, abis, platforms = map(_split_tag, parts[-3:])
    # PEP 427 writes versions with "_" where PEP 440 has "-"; local versions use it too.
    return WheelName(normalize(parts[0]), parts[1].replace("_", "-"), build, pythons, abis, platforms)


@lru_cache(maxsize=4096)
def _split_tag(part: str) -> tuple[str, ...]:
    return tuple(part.lower().split("."))


def _parse_sdist(stem: str, project: Name | None) -> SdistName | None:
    if project is None:
        name, dash, version = stem.rpartition("-")
        return SdistName(normalize(name), version) if dash and name and version else None
    for position, character in enumerate(stem):
        if character == "-" and normalize(stem[:position]) == project and stem[position + 1 :]:
            return SdistName(project, stem[position + 1 :])
    return None


@dataclass(frozen=True, slots=True)
class File:
    """One file as an index lists it.

    ``hashes`` maps algorithm to lower-case hexadecimal digest. ``yanked`` is ``None`` when it is not yanked, else the
    reason, which may be empty. ``metadata`` is ``None`` when no metadata file is offered, else its hashes, which may be
    empty. ``size`` is in bytes, ``upload_time`` an RFC 3339 text. ``url`` may carry user info of its own.
    """

    filename: str
    url: Url
    hashes: Mapping[str, str]
    requires_python: str | None = None
    yanked: str | None = None
    size: int | None = None
    upload_time: str | None = None
    metadata: Mapping[str, str] | None = None
