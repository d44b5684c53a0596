"""Markers of a compilation for one environment: where each distribution would be needed, and what the result depends on."""

import re
from collections.abc import Iterable, Mapping

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, TooComplex, marker_set
from cove.formats.marker_text import spelled
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.resolve.questions import Resolved
from cove.resolve.request import Applies

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"[a-z_]+")
_OF_PYTHON = {"python_version": "python_full_version"}


def reached(
    roots: Iterable[Requirement], chosen: Mapping[Name, Resolved], applies: Applies, requires_python: SpecifierSet
) -> dict[Name, str]:
    """Under which marker each of ``chosen`` is required, along every way from the ``roots``; both as far as they apply in the
    environment that was resolved for. Raises ``TooComplex``."""
    found = dict.fromkeys(chosen, NOTHING)
    queue: list[Name] = []

    def follow(requirement: Requirement, where: MarkerSet, extras: frozenset[Name]) -> None:
        name = normalize(requirement.name)
        if name not in found or not (requirement.marker is None or applies(requirement.marker, extras)):
            return
        held = marker_set(requirement.marker).with_extras(extras) if requirement.marker is not None else EVERYTHING
        joined = found[name] | (where & held)
        if joined != found[name]:
            found[name] = joined
            queue.append(name)

    for root in roots:
        follow(root, EVERYTHING, frozenset())
    while queue:
        resolved = chosen[queue.pop()]
        for requirement in resolved.requires:
            follow(requirement, found[resolved.name], resolved.extras)
    return {name: spelled(where.assuming_python(requires_python)) for name, where in found.items()}


def environment(requirements: Iterable[Requirement], target: Target) -> str:
    """The values that ``target`` has of everything that markers of ``requirements`` ask for, as a marker; empty if they ask
    for nothing. The result of resolving them is good wherever it holds."""
    asked: set[str] = set()
    for requirement in requirements:
        words = _NAME.findall(_QUOTED.sub("", str(requirement.marker or "")))
        asked |= {_OF_PYTHON.get(word, word) for word in words}
    where = EVERYTHING
    for name in sorted(asked & target.markers.keys()):
        where &= marker_set(Marker(f"{name} == '{target.markers[name]}'"))
    try:
        return spelled(where)
    except TooComplex:  # it is a conjunction
        raise AssertionError("a conjunction is never too complex") from None
