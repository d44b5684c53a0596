"""Markers as ``uv.lock`` spells them: ``python_full_version < '3.13' and sys_platform == 'win32'``.

The spelling is uv's: ``python_version`` and the three well-known values of ``platform_system`` are rewritten, values stand in
single quotes, conditions are sorted by variable, what alternatives have in common is said once, and nothing is said that
``requires-python`` already says.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from cove.formats.marker_clauses import Clause, Segment, clauses, excluded, excluded_star, star
from cove.formats.marker_diagrams import STRINGS, VERSIONS, TooComplex, Value, Variable
from cove.formats.marker_sets import MarkerSet, marker_set, python_set
from cove.model.name import Name

NEVER = "python_version < '0'"
"""How a marker is written that no environment meets."""

_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "~=": "!=", "!=": "=="}
_PRINT_ORDER = (*VERSIONS, *sorted(STRINGS), "extras", "dependency_groups", "extra")


def normalized(marker: Marker | None, requires_python: SpecifierSet, extra: Name | None = None) -> str:
    """The marker of a dependency in a lock for ``requires_python``; empty when it always holds.

    ``extra`` is the optional dependency group the requirement belongs to: ``extra == …`` conditions are decided by it. For a
    marker that never holds there (see ``impossible``) the answer is ``NEVER``.
    """
    try:
        found = marker_set(marker).with_extra(extra)
        if (found & python_set(requires_python)).is_empty:
            return NEVER
        return spelled(found.assuming_python(requires_python))
    except TooComplex:
        return str(marker)


def stated(marker: Marker | None) -> str:
    """The marker of a requirement as written (``requires-dist``): ``extra`` conditions stay, nothing is assumed of Python."""
    try:
        found = marker_set(marker)
        return NEVER if found.is_empty else spelled(found)
    except TooComplex:
        return str(marker)


def impossible(marker: Marker | None, requires_python: SpecifierSet, extra: Name | None = None) -> bool:
    """Whether no environment with a Python in ``requires_python`` meets ``marker``: such a dependency is not followed."""
    try:
        return (marker_set(marker).with_extra(extra) & python_set(requires_python)).is_empty
    except TooComplex:
        return False


def disjoint(left: Marker | None, right: Marker | None) -> bool:
    """Whether no environment meets both markers; ``False`` also when that is too hard to tell."""
    try:
        return (marker_set(left) & marker_set(right)).is_empty
    except TooComplex:
        return False


def spelled(found: MarkerSet) -> str:
    """The text of a set: empty for everything, ``NEVER`` for nothing. Raises ``TooComplex``."""
    if found.is_everything:
        return ""
    if found.is_empty:
        return NEVER
    parts = [sorted(_terms(clause), key=_place) for clause in clauses(found)]
    parts.sort(key=lambda terms: [_place(term) for term in terms])
    return grouped([tuple(text for _, text in terms) for terms in parts])


def _place(term: tuple[str, str]) -> int:
    return _PRINT_ORDER.index(term[0])


Terms = tuple[str, ...]
"""A conjunction of comparisons, each as text."""


def grouped(parts: list[Terms]) -> str:
    """A disjunction, in which what begins alike and what ends alike is said once: ``(a or b) and (x or y)``."""
    by_first: dict[str, list[Terms]] = {}
    for terms in parts:
        by_first.setdefault(terms[0], []).append(terms)
    by_rest: dict[tuple[Terms, ...], list[Terms]] = {}
    for several in by_first.values():
        size = 1 if len(several) == 1 else _shared(several)
        rests = tuple(terms[size:] for terms in several)
        if () in rests:  # the beginning alone covers what is longer
            rests = ()
        by_rest.setdefault(rests, []).append(several[0][:size])
    is_shared = len(by_first) < len(parts) or any(rests and len(starts) > 1 for rests, starts in by_rest.items())
    if not is_shared or all(len(terms) == 1 for terms in parts):
        return _disjunction(parts)
    return " or ".join(
        f"{_operand(starts)} and {_operand(rests)}" if rests else _disjunction(starts)
        for rests, starts in by_rest.items()
    )


def _shared(several: Sequence[Terms]) -> int:
    """How many terms all of them begin with."""
    return sum(1 for _ in takewhile(lambda terms: len(set(terms)) == 1, zip(*several, strict=False)))


def _operand(parts: Sequence[Terms]) -> str:
    return _disjunction(parts) if len(parts) == 1 else f"({_disjunction(parts)})"


def _disjunction(parts: Sequence[Terms]) -> str:
    texts = ((" and ".join(terms), len(terms)) for terms in parts)
    return " or ".join(f"({text})" if len(parts) > 1 and count > 1 else text for text, count in texts)


def _terms(clause: Clause) -> Iterator[tuple[str, str]]:
    """The comparisons that a conjunction is written as, each with the name of its variable."""
    for variable, segments in clause:
        for text in _comparisons(variable, segments):
            yield variable.name, text


def _comparisons(variable: Variable, segments: tuple[Segment, ...]) -> Iterator[str]:
    name = variable.name
    if variable.operator:
        yield _flag_text(name, variable.operator, variable.operand, holds=segments[0][0] is not None)
        return
    values, few = excluded(segments), excluded_star(variable, segments)
    if values is not None:
        yield from (f"{name} != {_quoted(value)}" for value in values)
    elif few is not None:
        yield f"{name} != '{few}'"
    else:
        yield from _segment_comparisons(name, segments[0])


def _segment_comparisons(name: str, segment: Segment) -> Iterator[str]:
    low, high = segment
    few = star(low, high) if name in VERSIONS else None
    if few is not None:
        yield f"{name} == '{few}'"
    elif low is not None and high is not None and low[0] == high[0]:
        yield f"{name} == {_quoted(low[0])}"
    else:
        if low is not None:
            yield f"{name} {'>' if low[1] else '>='} {_quoted(low[0])}"
        if high is not None:
            yield f"{name} {'<=' if high[1] else '<'} {_quoted(high[0])}"


def _flag_text(name: str, operator: str, operand: str, *, holds: bool) -> str:
    quoted = _quoted(operand)
    match operator:
        case "==":
            return f"{name} {'==' if holds else '!='} {quoted}"
        case "in" if name in ("extras", "dependency_groups"):
            return f"{quoted} {'in' if holds else 'not in'} {name}"
        case "in":
            return f"{name} {'in' if holds else 'not in'} {quoted}"
        case "contains":
            return f"{quoted} {'in' if holds else 'not in'} {name}"
        case _:  # a comparison that is not understood: kept as written
            return f"{name} {operator if holds else _OPPOSITE.get(operator, operator)} {quoted}"


def _quoted(value: Value) -> str:
    text = ".".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f'"{text}"' if "'" in text else f"'{text}'"
