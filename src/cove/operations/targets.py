"""Requests to the solver for one target, and for all of them at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.marker_text import impossible
from cove.index.candidates import Rules, why_not_python
from cove.model.dataclasses import replace
from cove.model.name import Name
from cove.model.target import Target
from cove.resolve.request import Request


def for_target(
    roots: Sequence[Requirement], target: Target, *, root_name: str = "your project", **inputs: object
) -> Request:
    """A resolution for one interpreter: markers are evaluated there."""
    rules = Rules(target=target)
    request = Request(
        roots=roots,
        applies=evaluating(target.markers),
        python_ok=lambda text: not why_not_python(text, rules),
        python=target.python,
        root_name=root_name,
    )
    return replace(request, **inputs)  # type: ignore[arg-type]


def for_all(
    roots: Sequence[Requirement], requires_python: SpecifierSet, *, root_name: str = "your project", **inputs: object
) -> Request:
    """A resolution for every platform and every Python in ``requires_python``: a dependency is followed when its marker is
    possible there."""
    rules = Rules(requires_python=requires_python)
    request = Request(
        roots=roots,
        applies=possible(requires_python),
        python_ok=lambda text: not why_not_python(text, rules),
        python=str(requires_python),
        root_name=root_name,
    )
    return replace(request, **inputs)  # type: ignore[arg-type]


def evaluating(markers: Mapping[str, str]) -> Callable[[Marker, frozenset[Name]], bool]:
    """Markers decided for one environment; a marker holds if it does with any of the extras, or with none."""
    known: dict[tuple[str, frozenset[Name]], bool] = {}

    def applies(marker: Marker, extras: frozenset[Name]) -> bool:
        key = (str(marker), extras)
        if key not in known:
            known[key] = any(marker.evaluate({**markers, "extra": extra}) for extra in _extras(extras))
        return known[key]

    return applies


def possible(requires_python: SpecifierSet) -> Callable[[Marker, frozenset[Name]], bool]:
    """Markers decided for all environments: possible unless no Python in the range can meet them."""
    known: dict[tuple[str, frozenset[Name]], bool] = {}

    def applies(marker: Marker, extras: frozenset[Name]) -> bool:
        key = (str(marker), extras)
        if key not in known:
            known[key] = any(not impossible(marker, requires_python, Name(extra)) for extra in _extras(extras))
        return known[key]

    return applies


def _extras(extras: Iterable[Name]) -> list[str]:
    return sorted(extras) or [""]
