"""A set of environments taken apart into conjunctions that cover it, ready to be written.

As uv does it, so that markers read the same: the recurrence of S. Minato and R. Morreale for irredundant sums of products,
on decisions that have any number of branches (A. Mishchenko, "Fast Sum-of-Product Generation", IWLS 2003, section 4).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cove.formats.marker_diagrams import (
    VERSIONS,
    Cut,
    Diagram,
    Node,
    Release,
    TooComplex,
    Value,
    Variable,
    combined,
    make_node,
    negated,
    spread,
)
from cove.formats.marker_sets import MarkerSet

Segment = tuple[Cut | None, Cut | None]
"""The values between two cuts, ``None`` for no end."""

Literal = tuple[Variable, tuple[Segment, ...]]
"""The segments of values of which one must hold."""

Clause = tuple[Literal, ...]
"""A conjunction, of literals that are each written as one comparison, as several that all must hold, or not at all."""

_Cover = bool | tuple[tuple[Literal | None, "_Cover"], ...]
"""Alternatives: a condition (``None`` if there is none) and what must hold besides."""


def clauses(whole: MarkerSet, limit: int = 500) -> list[Clause]:
    """The set as a disjunction of conjunctions. Raises ``TooComplex`` where there are more than ``limit``."""
    found: list[Clause] = []
    _expand(_Extraction().cover(whole.diagram, whole.diagram)[1], (), found, limit)
    return found


def excluded(segments: tuple[Segment, ...]) -> list[Value] | None:
    """The single values between ``segments``, when everything else is in them."""
    if segments[0][0] is not None or segments[-1][1] is not None:
        return None
    found: list[Value] = []
    for (_, end), (start, _) in pairwise(segments):
        if end is None or start is None or end[0] != start[0]:
            return None
        found.append(end[0])
    return found


def excluded_star(variable: Variable, segments: tuple[Segment, ...]) -> str | None:
    """``3.12.*`` when the segments are all versions but those of one minor release."""
    if variable.name not in VERSIONS or len(segments) != 2 or segments[0][0] is not None or segments[1][1] is not None:
        return None
    return star(segments[0][1], segments[1][0])


def star(low: Cut | None, high: Cut | None) -> str | None:
    """``3.12.*`` when the versions between the cuts are those of one minor release."""
    if low is None or high is None or low[1] or high[1]:
        return None
    first, after = _minor(low[0]), _minor(high[0])
    if first is None or after is None or after != (first[0], first[1] + 1):
        return None
    return f"{first[0]}.{first[1]}.*"


def _minor(value: Value) -> Release | None:
    return (*value, 0)[:2] if isinstance(value, tuple) and len(value) <= 2 else None


def _expand(cover: _Cover, path: Clause, found: list[Clause], limit: int) -> None:
    if cover is True:
        if len(found) >= limit:
            raise TooComplex
        found.append(path)
    elif cover is not False:
        for literal, rest in cover:
            for each in (None,) if literal is None else _written(*literal):
                _expand(rest, path if each is None else (*path, each), found, limit)


def _written(variable: Variable, segments: tuple[Segment, ...]) -> Iterator[Literal]:
    """The literals as which one is written: itself, or one for each of its segments."""
    if len(segments) == 1 or excluded(segments) is not None or excluded_star(variable, segments) is not None:
        yield variable, segments
    else:
        yield from ((variable, (segment,)) for segment in segments)


class _Extraction:
    """One run of the recurrence. Diagrams that it met are kept, for they are told apart by their identity."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Diagram, _Cover, Diagram, Diagram]] = {}

    def cover(self, lower: Diagram, upper: Diagram) -> tuple[Diagram, _Cover]:
        """Something between ``lower`` and ``upper``, and the cover of it: what is covered already may be covered again."""
        if isinstance(lower, bool) or isinstance(upper, bool):
            return (False, False) if lower is False else (True, True)
        key = (id(lower), id(upper))
        if key not in self._known:
            self._known[key] = (*self._extracted(lower, upper), lower, upper)
        return self._known[key][:2]

    def _extracted(self, lower: Node, upper: Node) -> tuple[Diagram, _Cover]:
        is_exact = lower is upper
        if is_exact and all(isinstance(branch, bool) for branch in lower.branches):
            held = tuple(segment for segment, branch in _segments(lower) if branch)
            return lower, (((lower.variable, held), True),)
        variable = min(lower.variable, upper.variable)
        parts = _cofactors(lower, upper, variable)
        everywhere: Diagram = True
        for _, _, above in parts:  # a clause can leave the variable out only where every branch permits it
            everywhere = combined(everywhere, above, decided=False)
        rest: Diagram = False
        function: Diagram = False
        found: dict[int, tuple[list[Segment], Diagram, _Cover]] = {}
        for segments, below, above in parts:
            required = combined(below, negated(everywhere), decided=False)
            specific, cover = self.cover(required, above)
            rest = combined(rest, combined(below, negated(specific), decided=False), decided=True)
            if specific is False:
                continue
            function = combined(
                function, combined(_condition(variable, segments), specific, decided=False), decided=True
            )
            found.setdefault(id(specific), ([], specific, cover))[0].extend(segments)
        common, cover = self.cover(rest, everywhere)
        function = lower if is_exact else combined(function, common, decided=True)
        if common is not False:
            found[id(common)] = ([(None, None)], common, cover)
        return function, tuple((_literal(variable, segments), cover) for segments, _, cover in found.values())


def _cofactors(lower: Node, upper: Node, variable: Variable) -> list[tuple[list[Segment], Diagram, Diagram]]:
    """The values of a variable by what is left of both bounds when it has them."""
    cuts = sorted({cut for node in (lower, upper) if node.variable == variable for cut in node.cuts})
    found: dict[tuple[int, int], tuple[list[Segment], Diagram, Diagram]] = {}
    both = zip(spread(lower, variable, cuts), spread(upper, variable, cuts), strict=True)
    for segment, (below, above) in zip(pairwise([None, *cuts, None]), both, strict=True):
        found.setdefault((id(below), id(above)), ([], below, above))[0].append(segment)
    return list(found.values())


def _segments(node: Node) -> Iterator[tuple[Segment, Diagram]]:
    return zip(pairwise([None, *node.cuts, None]), node.branches, strict=True)


def _literal(variable: Variable, segments: Sequence[Segment]) -> Literal | None:
    """The condition that a value is in one of ``segments``; ``None`` where all are."""
    condition = _condition(variable, segments)
    if not isinstance(condition, Node):
        return None
    return variable, tuple(segment for segment, branch in _segments(condition) if branch)


def _condition(variable: Variable, segments: Sequence[Segment]) -> Diagram:
    cuts = sorted({cut for segment in segments for cut in segment if cut is not None})
    pieces = pairwise([None, *cuts, None])
    return make_node(variable, cuts, [any(_is_within(piece, segment) for segment in segments) for piece in pieces])


def _is_within(piece: Segment, segment: Segment) -> bool:
    (start, stop), (low, high) = piece, segment
    return (low is None or (start is not None and low <= start)) and (
        high is None or (stop is not None and stop <= high)
    )
