"""Markers as ``uv.lock`` spells them: ``python_full_version < '3.13' and sys_platform == 'win32'``.

The spelling is uv's: ``python_version`` and the three well-known values of ``platform_system`` are rewritten, values stand in
single quotes, conditions are sorted by variable, and nothing is said that ``requires-python`` already says. Locks compare
markers by meaning, so a rare marker that uv would phrase otherwise costs a changed line, not a stale lock.
"""

from itertools import pairwise

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from cove.formats.marker_clauses import Clause, Literal, Segment, clauses
from cove.formats.marker_sets import (
    FACTS,
    STRINGS,
    VERSIONS,
    Cut,
    MarkerSet,
    Release,
    TooComplex,
    Value,
    marker_set,
    python_set,
)
from cove.model.name import Name

NEVER = "python_version < '0'"
"""How a marker is written that no environment meets."""

_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "~=": "!=", "!=": "=="}
_PRINT_ORDER = (*VERSIONS, *sorted(STRINGS), "extra", "extras", "dependency_groups")


def normalized(marker: Marker | None, requires_python: SpecifierSet, extra: Name | None = None) -> str:
    """The marker of a dependency in a lock for ``requires_python``; empty when it always holds.

    ``extra`` is the optional dependency group the requirement belongs to: ``extra == …`` conditions are decided by it. For a
    marker that never holds there (see ``impossible``) the answer is ``NEVER``.
    """
    try:
        found = marker_set(marker).with_extra(extra)
        if (found & FACTS & python_set(requires_python)).is_empty:
            return NEVER
        return spelled(found.assuming_python(requires_python))
    except TooComplex:
        return str(marker)


def stated(marker: Marker | None) -> str:
    """The marker of a requirement as written (``requires-dist``): ``extra`` conditions stay, nothing is assumed of Python."""
    try:
        found = marker_set(marker)
        return NEVER if (found & FACTS).is_empty else spelled(found)
    except TooComplex:
        return str(marker)


def impossible(marker: Marker | None, requires_python: SpecifierSet, extra: Name | None = None) -> bool:
    """Whether no environment with a Python in ``requires_python`` meets ``marker``: such a dependency is not followed."""
    try:
        return (marker_set(marker).with_extra(extra) & FACTS & python_set(requires_python)).is_empty
    except TooComplex:
        return False


def disjoint(left: Marker | None, right: Marker | None) -> bool:
    """Whether no environment meets both markers; ``False`` also when that is too hard to tell."""
    try:
        return (marker_set(left) & marker_set(right) & FACTS).is_empty
    except TooComplex:
        return False


def spelled(found: MarkerSet) -> str:
    """The text of a set: empty for everything, ``NEVER`` for nothing. Raises ``TooComplex``."""
    if found.is_everything:
        return ""
    if found.is_empty:
        return NEVER
    parts = [_sorted(clause) for clause in clauses(found)]
    parts.sort(key=_place)
    if len(parts) == 1:
        return _conjunction(parts[0])
    extras = [literal for literal in parts[0] if literal[0].name == "extra"]
    shared = [literal for literal in extras if all(literal in clause for clause in parts)]
    rest = [tuple(literal for literal in clause if literal not in shared) for clause in parts]
    alternatives = _disjunction(rest)
    if not shared:
        return alternatives
    # The extra that every alternative demands is said once.
    terms = [(_print_rank(literal[0].name), _text(literal, alone=False)) for literal in shared]
    terms.append((_print_rank(rest[0][0][0].name), f"({alternatives})"))
    terms.sort(key=lambda term: term[0])
    return " and ".join(text for _, text in terms)


def _print_rank(name: str) -> int:
    return _PRINT_ORDER.index("python_full_version" if name == "python_version" else name)


def _place(clause: Clause) -> tuple[list[int], list[str]]:
    variables = [variable for variable, _ in _conditions(clause)]
    named = [variable.operand for variable in variables if variable.name == "extra"]
    return [_print_rank(variable.name) for variable in variables], named


def _sorted(clause: Clause) -> Clause:
    return tuple(sorted(clause, key=lambda literal: _print_rank(literal[0].name)))


def _conditions(clause: Clause) -> Clause:
    """``clause`` with a literal once for every comparison that it is written as."""
    return tuple(literal for literal in clause for _ in range(_text(literal, alone=True).count(" and ") + 1))


def _conjunction(clause: Clause) -> str:
    return " and ".join(_text(literal, alone=len(clause) == 1) for literal in clause)


def _disjunction(parts: list[Clause]) -> str:
    texts = (_conjunction(clause) for clause in parts)
    return " or ".join(f"({text})" if " and " in text else text for text in texts)


def _text(literal: Literal, *, alone: bool) -> str:
    """One variable's condition; several alternatives are put in parentheses unless they stand ``alone``."""
    variable, segments = literal
    if variable.operator:
        return _flag_text(variable.name, variable.operator, variable.operand, holds=segments[0][0] is not None)
    excluded = _excluded(segments)
    if excluded is not None:
        return " and ".join(f"{variable.name} != {_quoted(value)}" for value in excluded)
    if variable.name in VERSIONS and len(segments) == 2 and segments[0][0] is None and segments[1][1] is None:
        star = _star(segments[0][1], segments[1][0])
        if star is not None:
            return f"{variable.name} != '{star}'"
    texts = [_segment_text(variable.name, segment) for segment in segments]
    if len(texts) == 1:
        return texts[0]
    joined = " or ".join(f"({text})" if " and " in text else text for text in texts)
    return joined if alone else f"({joined})"


def _excluded(segments: tuple[Segment, ...]) -> list[Value] | None:
    """The single values between ``segments``, when everything else is in them."""
    if segments[0][0] is not None or segments[-1][1] is not None:
        return None
    found: list[Value] = []
    for (_, end), (start, _) in pairwise(segments):
        if end is None or start is None or end[0] != start[0]:
            return None
        found.append(end[0])
    return found


def _segment_text(name: str, segment: Segment) -> str:
    low, high = segment
    if low is not None and high is not None:
        if low[0] == high[0]:
            return f"{name} == {_quoted(low[0])}"
        star = _star(low, high) if name in VERSIONS else None
        if star is not None:
            return f"{name} == '{star}'"
    bounds: list[str] = []
    if low is not None:
        bounds.append(f"{name} {'>' if low[1] else '>='} {_quoted(low[0])}")
    if high is not None:
        bounds.append(f"{name} {'<=' if high[1] else '<'} {_quoted(high[0])}")
    return " and ".join(bounds)


def _star(low: Cut | None, high: Cut | None) -> str | None:
    """``3.12.*`` when the versions between the cuts are those of one minor release."""
    if low is None or high is None or low[1] or high[1]:
        return None
    first, after = _minor(low[0]), _minor(high[0])
    if first is None or after is None or after != (first[0], first[1] + 1):
        return None
    return f"{first[0]}.{first[1]}.*"


def _minor(value: Value) -> Release | None:
    return (*value, 0)[:2] if isinstance(value, tuple) and len(value) <= 2 else None


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
