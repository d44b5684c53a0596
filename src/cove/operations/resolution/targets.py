"""Requests to the solver for one target, and for all of them at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.index.candidates import Rules, why_not_python
from cove.model.dataclasses import replace
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.operations.resolution.parts import Part
from cove.resolve.request import YOU, Request


def for_target(roots: Sequence[Requirement], target: Target, *, root_name: str = YOU, **inputs: object) -> Request:
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
    sections: Sequence[Sequence[Requirement]], here: Part, *, root_name: str = YOU, **inputs: object
) -> Request:
    """A resolution for all environments ``here``: a dependency is followed when its marker is possible there.

    ``sections`` are the roots as they stand side by side. Each is met in the order of names, as uv does it, whose locks
    depend on what is met first.
    """
    sections = [sorted(section, key=lambda each: normalize(each.name)) for section in sections]
    request = Request(
        roots=tuple(dict.fromkeys(each for section in sections for each in section)),
        sections=sections,
        environments=here,
        applies=here.applies,
        python_ok=here.python_ok,
        python=here.python,
        root_name=root_name,
    )
    return replace(request, **inputs)  # type: ignore[arg-type]


def evaluating(markers: Mapping[str, str]) -> Callable[[Marker, frozenset[Name]], bool]:
    """Markers decided for one environment; a marker holds if it does with any of the extras, or with none."""
    known: dict[tuple[int, frozenset[Name]], tuple[bool, Marker]] = {}
    """By the identity of a marker, which is kept, for its text costs more than its value."""

    def applies(marker: Marker, extras: frozenset[Name]) -> bool:
        key = (id(marker), extras)
        found = known.get(key)
        if found is None:
            holds = any(marker.evaluate({**markers, "extra": extra}) for extra in _extras(extras))
            found = known[key] = holds, marker
        return found[0]

    return applies


def _extras(extras: Iterable[Name]) -> list[str]:
    return sorted(extras) or [""]
