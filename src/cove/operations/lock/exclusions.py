"""What excludes each other, in the markers of a lock: they say only what is not known already where they stand."""

from collections.abc import Iterable, Sequence

from cove.formats.marker_sets import MarkerSet
from cove.model.conflict import Choice, Exclusion
from cove.operations.resolution.parts import allowed

Way = frozenset[Choice]
"""What must have been asked for where somebody came along a way through the graph."""


class Exclusions:
    """The ``conflicts`` of a lock."""

    def __init__(self, conflicts: Sequence[Exclusion] = ()) -> None:
        self._conflicts = conflicts
        self._choices = frozenset(choice for members in conflicts for choice in members)
        self.allowed = allowed(conflicts)

    def __bool__(self) -> bool:
        return bool(self._conflicts)

    def __contains__(self, choice: Choice) -> bool:
        return choice in self._choices

    def simplified(self, marker: MarkerSet, ways: Iterable[Way]) -> MarkerSet:
        """The marker of an edge without what every way to its start decides: what is asked for, and what that excludes.

        Where one of the ways leaves open whether it holds, it is simplified only if all of them come to the same.
        """
        several = sorted(ways, key=sorted)
        if all(self._on(way, marker).is_everything for way in several):
            for way in several:
                marker = self._given(way, marker)
            return marker
        found = {self._given(way, marker) for way in several}
        return found.pop() if len(found) == 1 else marker

    def informed(self, marker: MarkerSet) -> MarkerSet:
        """``marker`` without what is known of what may be asked for: where it does not depend on that, it says nothing of it;
        else it does not rule out what is ruled out already."""
        possible = marker & self.allowed
        platforms = possible.without_extras
        is_independent = platforms & self.allowed == possible and not possible.is_empty
        return platforms if is_independent or not self else marker | ~self.allowed

    def _given(self, way: Way, marker: MarkerSet) -> MarkerSet:
        """``marker`` when what is on the way is asked for, and nothing that it excludes."""
        for choice in sorted(way):
            others = {other for members in self._conflicts if choice in members for other in members} - {choice}
            for other in sorted(others):
                marker = marker.given(other.code, asked=False)
        for choice in way:
            marker = marker.given(choice.code, asked=True)
        return marker

    def _on(self, way: Way, marker: MarkerSet) -> MarkerSet:
        """``marker`` when exactly what is on the way is asked for."""
        return marker.with_extras({choice.code for choice in way})
