"""The Pythons that a ``requires-python`` admits, by release alone: what a lock spells, and which wheels may run on them."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.model.dist import WheelName

_Cut = tuple[Version, int]
"""A place between versions: before the version (0), or behind it (1)."""

_Segment = tuple[_Cut | None, _Cut | None]
"""From one cut to another; ``None`` is without a bound."""


def requires_python_text(specifiers: SpecifierSet) -> str:
    """``>=3.11, <4``, as a lock spells the range: its outer bounds, or ``==3.12.*`` for one minor version, and its holes.

    What admits nothing, or compares with what is no version, is spelled as it is.
    """
    try:
        segments = _segments(specifiers)
    except InvalidVersion:
        segments = ()
    if not segments:
        return ", ".join(sorted(map(str, specifiers)))
    (low, _), (_, high) = segments[0], segments[-1]
    parts = [each for (_, end), (start, _) in pairwise(segments) if end and start for each in _hole(end, start)]
    parts += _bounds(low, high)
    return ", ".join(map(str, sorted(parts, key=lambda each: Version(each.version.removesuffix(".*")))))


def wheel_may_run(wheel: WheelName, specifiers: SpecifierSet) -> bool:
    """Whether some Python of the range can use the wheel: ``cp39-cp39`` cannot serve ``>=3.10`` nor ``<3.9``, ``abi3`` can
    serve all, and ``py39`` whatever is not older. What is not known rules nothing out.
    """
    lowest, highest = _minors(specifiers)
    return any(_serves(python, abi, lowest, highest) for abi in wheel.abis for python in wheel.pythons)


def _serves(python: str, abi: str, lowest: tuple[int, int] | None, highest: tuple[int, int] | None) -> bool:
    if abi in ("abi3", "abi3t"):
        return True
    minor = _minor(python)
    if minor is None:
        return True
    if minor[0] < 3:
        return False
    is_bound_below = not python.startswith("py") or abi != "none"
    return not (is_bound_below and lowest is not None and minor < lowest) and (highest is None or minor <= highest)


def _minor(tag: str) -> tuple[int, int] | None:
    """``cp312`` is for 3.12; ``py3`` is for any 3, and ``None``; ``py2`` for any 2."""
    digits = tag.lstrip("abcdefghijklmnopqrstuvwxyz_")
    if not digits.isascii() or not digits.isdigit() or digits == "3":
        return None
    return int(digits[0]), int(digits[1:] or 0)


@lru_cache(maxsize=256)
def _minors(specifiers: SpecifierSet) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """The first and the last minor version of the range; ``None`` without such a bound."""
    try:
        segments = _segments(specifiers)
    except InvalidVersion:
        segments = ()
    if not segments:
        return None, None
    (low, _), (_, high) = segments[0], segments[-1]
    return (low and (low[0].major, low[0].minor)), (high and _last_minor(high))


def _last_minor(high: _Cut) -> tuple[int, int]:
    version, side = high
    if side or version.micro:
        return version.major, version.minor
    return (version.major, version.minor - 1) if version.minor else (version.major - 1, 1 << 30)


# -- ranges ------------------------------------------------------------------------------------------------------------


def _segments(specifiers: SpecifierSet) -> Sequence[_Segment]:
    """What all specifiers admit, in order. Raises ``InvalidVersion``."""
    found: list[_Segment] = [(None, None)]
    for specifier in specifiers:
        one = _of(specifier)
        found = [each for a in found for b in one if (each := _common(a, b)) is not None]
    return found


def _common(a: _Segment, b: _Segment) -> _Segment | None:
    low = max((each for each in (a[0], b[0]) if each is not None), default=None)
    high = min((each for each in (a[1], b[1]) if each is not None), default=None)
    return None if low is not None and high is not None and low >= high else (low, high)


def _of(specifier: Specifier) -> list[_Segment]:
    operator, is_prefix = specifier.operator, specifier.version.endswith(".*")
    release = Version(specifier.version.removesuffix(".*")).release
    version = _version(release)
    before, behind = (version, 0), (version, 1)
    if operator == "~=":
        return [(before, (_next(release[:-1]), 0))]
    if operator in ("==", "===", "!="):
        low, high = before, (_next(release), 0) if is_prefix else behind
        return [(None, low), (high, None)] if operator == "!=" else [(low, high)]
    if operator.startswith("<"):
        return [(None, behind if operator == "<=" else before)]
    return [(before if operator == ">=" else behind, None)]


def _version(release: Sequence[int]) -> Version:
    return Version(".".join(map(str, release)))


def _next(release: Sequence[int]) -> Version:
    return _version((*release[:-1], release[-1] + 1))


# -- spelling ----------------------------------------------------------------------------------------------------------


def _bounds(low: _Cut | None, high: _Cut | None) -> Iterator[Specifier]:
    if low is not None and high is not None:
        if low[0] == high[0]:
            yield Specifier(f"=={low[0]}")
            return
        major, minor, *patches = (*_trimmed(low[0]), 0)[: max(2, len(_trimmed(low[0])))]
        if not patches and not low[1] and not high[1] and _version((major, minor + 1)) == high[0]:
            yield Specifier(f"=={major}.{minor}.*")
            return
    if low is not None:
        yield Specifier(f"{'>' if low[1] else '>='}{low[0]}")
    if high is not None:
        yield Specifier(f"{'<=' if high[1] else '<'}{high[0]}")


def _hole(end: _Cut, start: _Cut) -> Iterator[Specifier]:
    """What lies between two segments: one version, or minor versions as a whole; other holes have no spelling."""
    if end[0] == start[0]:
        yield Specifier(f"!={end[0]}")
    elif not end[1] and not start[1]:
        (major, *first), (other, *last) = _trimmed(end[0]), _trimmed(start[0])
        if major == other and len(first) <= 1 and len(last) == 1:
            for minor in range(first[0] if first else 0, last[0]):
                yield Specifier(f"!={major}.{minor}.*")


def _trimmed(version: Version) -> tuple[int, ...]:
    release = list(version.release)
    while len(release) > 1 and not release[-1]:
        release.pop()
    return tuple(release)
