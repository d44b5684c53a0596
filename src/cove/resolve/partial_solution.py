"""The assignments made so far, in order, with their decision levels."""

from cove.model.dataclasses import dataclass
from cove.resolve.incompatibility import Incompatibility


@dataclass(slots=True, eq=False)
class Assignment:
    """``variable`` is in ``asserted``; together with all before it, in ``accumulated``.

    ``cause`` is the incompatibility it was derived from, ``None`` for a decision. ``index`` is its place on the trail.
    """

    variable: int
    asserted: int
    accumulated: int
    level: int
    cause: Incompatibility | None
    index: int


class PartialSolution:
    """A trail of assignments and, for each variable, the set of values still possible (``current``)."""

    __slots__ = ("_full", "_history", "_trail", "current", "decided", "level")

    def __init__(self) -> None:
        self.current: list[int] = []
        self.decided: dict[int, int] = {}
        self.level = 0
        self._full: list[int] = []
        self._history: list[list[Assignment]] = []
        self._trail: list[Assignment] = []

    def add_variable(self, full: int) -> int:
        """A new variable that may have any value in ``full``; its number."""
        self.current.append(full)
        self._full.append(full)
        self._history.append([])
        return len(self.current) - 1

    def full(self, variable: int) -> int:
        """All values of a variable."""
        return self._full[variable]

    def decide(self, variable: int, value: int) -> None:
        """Assume a value; begins a new level."""
        self.level += 1
        self.decided[variable] = value
        self._assign(variable, value, None)

    def derive(self, variable: int, asserted: int, cause: Incompatibility) -> None:
        """Note what follows from ``cause``."""
        self._assign(variable, asserted, cause)

    def _assign(self, variable: int, asserted: int, cause: Incompatibility | None) -> None:
        accumulated = self.current[variable] & asserted
        assignment = Assignment(variable, asserted, accumulated, self.level, cause, len(self._trail))
        self.current[variable] = accumulated
        self._history[variable].append(assignment)
        self._trail.append(assignment)

    def backtrack(self, level: int) -> None:
        """Forget everything above ``level``."""
        trail = self._trail
        while trail and trail[-1].level > level:
            gone = trail.pop()
            history = self._history[gone.variable]
            history.pop()
            self.current[gone.variable] = history[-1].accumulated if history else self._full[gone.variable]
            if gone.cause is None:
                del self.decided[gone.variable]
        self.level = level

    def decided_at(self, variable: int) -> int:
        """The level that the decision for a variable began."""
        return next(assignment.level for assignment in self._history[variable] if assignment.cause is None)

    def satisfier(self, variable: int, candidates: int) -> Assignment | None:
        """The first assignment with which ``variable`` is in ``candidates`` for certain; ``None`` if it always was."""
        outside = self._full[variable] & ~candidates
        if not outside:
            return None
        for assignment in self._history[variable]:
            if not assignment.accumulated & outside:
                return assignment
        raise AssertionError("only terms that hold are looked up")
