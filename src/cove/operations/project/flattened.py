"""The requirements of a project without those of extras of its own, as uv locks them where a build told them."""

from collections.abc import Iterable, Iterator, Sequence

from packaging.markers import Marker

from cove.formats.marker_sets import MarkerSet, marker_set
from cove.formats.marker_text import spelled
from cove.model.dataclasses import replace
from cove.model.lock import LockedRequirement
from cove.model.name import Name


def flattened(requirements: Sequence[LockedRequirement], project: Name) -> tuple[LockedRequirement, ...]:
    """``requirements`` of ``project`` with what its extras require in the place of requirements of these."""
    plain = [each for each in requirements if each.name != project]
    if len(plain) == len(requirements):
        return tuple(requirements)
    told = [narrowed for own in _own(requirements, project) for each in plain for narrowed in _of(each, *own)]
    return tuple(dict.fromkeys([*plain, *told]))


def _own(requirements: Iterable[LockedRequirement], project: Name) -> Iterator[tuple[Name, MarkerSet]]:
    """The extras that the project requires of itself, directly or by way of each other, and where it does."""
    own = [each for each in requirements if each.name == project]
    queue = [(extra, _set(each.marker)) for each in own for extra in each.extras]
    seen: list[tuple[Name, MarkerSet]] = []
    while queue:
        extra, where = queue.pop(0)
        if (extra, where) in seen:
            continue
        seen.append((extra, where))
        yield extra, where
        for each in own:
            under = _under(_set(each.marker), extra) & where
            if not under.is_empty:
                queue += [(inner, under) for inner in each.extras]


def _of(requirement: LockedRequirement, extra: Name, where: MarkerSet) -> Iterator[LockedRequirement]:
    """The requirement where ``extra`` asks for it and is itself asked for, if there is such a place."""
    condition = _under(_set(requirement.marker), extra) & where
    if not condition.is_empty:
        yield replace(requirement, marker="" if condition.is_everything else spelled(condition))


def _under(marker: MarkerSet, extra: Name) -> MarkerSet:
    """Where a marker holds with ``extra`` and only then."""
    return marker.with_extra(extra) & ~marker.with_extra(None)


def _set(marker: str) -> MarkerSet:
    return marker_set(Marker(marker) if marker else None)
