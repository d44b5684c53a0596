"""A set of environments taken apart into conjunctions, with everything superfluous left out, ready to be written."""

from itertools import pairwise

from cove.formats.marker_sets import (
    EVERYTHING,
    FACTS,
    NOTHING,
    VERSIONS,
    Cut,
    Diagram,
    MarkerSet,
    Node,
    TooComplex,
    Variable,
    make_node,
)

Segment = tuple[Cut | None, Cut | None]
Literal = tuple[Variable, tuple[Segment, ...]]
Clause = tuple[Literal, ...]
"""A conjunction: for each variable, the segments of values of which one must hold."""


def clauses(whole: MarkerSet, limit: int = 200) -> list[Clause]:
    """The set, as far as there are such environments, as a disjunction of conjunctions without superfluous parts.

    Raises ``TooComplex`` beyond ``limit`` paths.
    """
    pythons = whole.python_only
    if (pythons & FACTS).implies(whole):  # what else it asks for is true of every platform there is
        whole = pythons
    paths: list[Clause] = []
    _collect(whole.diagram, (), paths, limit)
    outside = ~whole & FACTS
    found = [_shortened(path, outside) for path in paths]
    found = [clause for position, clause in enumerate(found) if clause not in found[:position]]
    position = 0
    while position < len(found):
        others = NOTHING
        for index, clause in enumerate(found):
            if index != position:
                others |= _clause_set(clause)
        narrowed = _narrowed(found[position], others, whole)
        if narrowed is None:
            del found[position]
        else:
            found[position] = narrowed
            position += 1
    return _merged(found)


def _merged(found: list[Clause]) -> list[Clause]:
    """Clauses that differ in the values of one variable only as one."""
    for position, clause in enumerate(found):
        for further in range(position + 1, len(found)):
            both = _as_one(clause, found[further])
            if both is not None:
                return _merged([*found[:position], both, *found[position + 1 : further], *found[further + 1 :]])
    return found


def _as_one(left: Clause, right: Clause) -> Clause | None:
    differing = [position for position, literal in enumerate(left) if literal not in right]
    if len(left) != len(right) or len(differing) != 1:
        return None
    variable = left[differing[0]][0]
    other = next((literal for literal in right if literal not in left), None)
    if other is None or other[0] != variable or variable.operator:
        return None
    segments = _segments(_literal_set(left[differing[0]]) | _literal_set(other), variable)
    return (*left[: differing[0]], (variable, segments), *left[differing[0] + 1 :])


def _collect(diagram: Diagram, path: Clause, paths: list[Clause], limit: int) -> None:
    if diagram is False:
        return
    if diagram is True:
        if len(paths) >= limit:
            raise TooComplex
        paths.append(path)
        return
    assert isinstance(diagram, Node)
    ends: list[Cut | None] = [None, *diagram.cuts, None]
    grouped: dict[int, tuple[Diagram, list[Segment]]] = {}
    for segment, branch in zip(pairwise(ends), diagram.branches, strict=True):
        grouped.setdefault(id(branch), (branch, []))[1].append(segment)
    for branch, segments in grouped.values():
        _collect(branch, (*path, (diagram.variable, tuple(segments))), paths, limit)


def _literal_set(literal: Literal) -> MarkerSet:
    variable, segments = literal
    cuts = [cut for segment in segments for cut in segment if cut is not None]
    first_open = segments[0][0] is None
    branches: list[Diagram] = [(position % 2 == 0) == first_open for position in range(len(cuts) + 1)]
    return MarkerSet(make_node(variable, cuts, branches))


def _clause_set(clause: Clause) -> MarkerSet:
    found = EVERYTHING
    for literal in clause:
        found &= _literal_set(literal)
    return found


def _shortened(clause: Clause, outside: MarkerSet) -> Clause:
    """``clause`` without the literals that it does not need to keep clear of ``outside``."""
    kept = list(clause)
    for literal in clause:
        fewer = tuple(other for other in kept if other is not literal)
        if (_clause_set(fewer) & outside).is_empty:
            kept = list(fewer)
    return _widened(tuple(kept), outside)


def _widened(clause: Clause, outside: MarkerSet) -> Clause:
    """``clause`` without the excluded values (``!=``) that it need not exclude to keep clear of ``outside``."""
    for position, (variable, segments) in enumerate(clause):
        gap = 0 if variable.name not in VERSIONS else len(segments)
        while gap < len(segments) - 1:
            merged = (*segments[:gap], (segments[gap][0], segments[gap + 1][1]), *segments[gap + 2 :])
            wider = (*clause[:position], (variable, merged), *clause[position + 1 :])
            if (_clause_set(wider) & outside).is_empty:
                clause, segments = wider, merged  # noqa: PLW2901
            else:
                gap += 1
    return clause


def _narrowed(clause: Clause, others: MarkerSet, whole: MarkerSet) -> Clause | None:
    """``clause`` without versions that ``others`` cover; ``None`` when they cover all of it."""
    if (whole & FACTS).implies(others):
        return None
    current = clause
    for position, (variable, segments) in enumerate(clause):
        if variable.name in VERSIONS and not variable.operator:
            needed = _segments(_clause_set(current) & ~others & FACTS, variable)
            if needed != segments:
                current = (*current[:position], (variable, needed), *current[position + 1 :])
    return current


def _segments(found: MarkerSet, variable: Variable) -> tuple[Segment, ...]:
    """The values of a variable for which something is in the set."""
    diagram = found.values_of(variable)
    if not isinstance(diagram, Node):
        return ((None, None),)
    ends: list[Cut | None] = [None, *diagram.cuts, None]
    return tuple(segment for segment, branch in zip(pairwise(ends), diagram.branches, strict=True) if branch)
