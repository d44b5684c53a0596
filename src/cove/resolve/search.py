"""Unit propagation and conflict resolution: the part of PubGrub that asks nothing.

The solver feeds it what indexes say; the report feeds it the few facts of a failure once more, for a shorter proof.
"""

from collections.abc import Iterable

from cove.resolve.incompatibility import Incompatibility, resolve
from cove.resolve.partial_solution import PartialSolution
from cove.resolve.term import UNSELECTED

TROUBLED = 8
"""From so many conflicts on a project is decided before others: what is decided early is what its rivals yield to. Uv says 5;
8 costs less on sets of projects that have many."""


class Contradiction(Exception):
    """There is no solution; ``proof`` is derived from external facts alone and has no terms left."""

    def __init__(self, proof: Incompatibility) -> None:
        super().__init__()
        self.proof = proof


class Search:
    """Incompatibilities, and the partial solution that agrees with them as far as propagation sees."""

    __slots__ = ("_changed", "_fresh", "_pending", "_watch", "conflicts", "solution")

    def __init__(self) -> None:
        self.solution = PartialSolution()
        self.conflicts: list[int] = []
        """How often each variable was part of a conflict, or a value of it was rejected before it was decided."""
        self._watch: list[list[tuple[int, Incompatibility]]] = []
        """For each variable, its incompatibilities, each with the values that keep it from being met."""
        self._changed: dict[int, None] = {}
        self._pending: list[Incompatibility] = []
        self._fresh: list[tuple[int, Incompatibility]] = []
        """Incompatibilities that were added above level 0, with the lowest level they have been looked at on."""

    def add_variable(self, full: int) -> int:
        """A new variable with these values; its number."""
        self._watch.append([])
        self.conflicts.append(0)
        return self.solution.add_variable(full)

    def add(self, incompatibility: Incompatibility) -> None:
        """Take note of a fact; ``propagate`` draws the conclusions."""
        for variable, candidates in incompatibility.terms.items():
            outside = self.solution.full(variable) & ~candidates
            self._watch[variable].append((outside, incompatibility))
        self._pending.append(incompatibility)
        if self.solution.level:
            self._fresh.append((self.solution.level, incompatibility))

    def discard(self, incompatibility: Incompatibility) -> None:
        """Stop watching a fact that a wider one replaces."""
        for variable in incompatibility.terms:
            watched = self._watch[variable]
            for position, (_, other) in enumerate(watched):
                if other is incompatibility:
                    del watched[position]
                    break
        self._fresh = [entry for entry in self._fresh if entry[1] is not incompatibility]
        self._pending = [other for other in self._pending if other is not incompatibility]

    def decide(self, variable: int, value: int) -> None:
        """Assume a value that is still possible."""
        self.solution.decide(variable, value)
        self._changed[variable] = None

    def reject(self, variable: int, by: int) -> None:
        """Note that a value is ruled out by what was decided for another variable.

        When that has happened often enough, the decision is taken back: the one in trouble comes first, and its rival yields.
        Otherwise it would be tried down to its oldest value for the sake of the other's newest.
        """
        if by not in self.solution.decided:
            return
        self.conflicts[variable] += 1
        if self.conflicts[variable] == TROUBLED:
            self._go_back(self.solution.decided_at(by) - 1)

    def propagate(self) -> None:
        """Draw every conclusion; on a conflict learn from it, go back and continue.

        Raises ``Contradiction`` when a conflict depends on no decision.
        """
        current = self.solution.current
        while True:
            conflict: Incompatibility | None = None
            if self._pending:
                conflict = self._look_at(self._pending.pop())
            elif self._changed:
                variable = next(iter(self._changed))
                del self._changed[variable]
                possible = current[variable]
                for outside, incompatibility in reversed(self._watch[variable]):
                    if not possible & outside:
                        conflict = self._look_at(incompatibility)
                        if conflict is not None:
                            break
            else:
                return
            if conflict is not None:
                self._learn(conflict)

    def _look_at(self, incompatibility: Incompatibility) -> Incompatibility | None:
        """Draw the conclusion if all terms but one hold; return the incompatibility itself if all do."""
        current = self.solution.current
        open_variable = -1
        for variable, candidates in incompatibility.terms.items():
            possible = current[variable]
            if not possible & ~candidates:
                continue
            if open_variable >= 0 or not possible & candidates:
                return None
            open_variable = variable
        if open_variable < 0:
            return incompatibility
        allowed = self.solution.full(open_variable) & ~incompatibility.terms[open_variable]
        self.solution.derive(open_variable, allowed, incompatibility)
        self._changed[open_variable] = None
        return None

    def _learn(self, conflict: Incompatibility) -> None:
        """Derive from the conflict the incompatibility that prevents it earlier, and go back to where that applies."""
        solution = self.solution
        while conflict.terms:
            latest, before = None, 0
            for variable, candidates in conflict.terms.items():
                satisfier = solution.satisfier(variable, candidates)
                assert satisfier is not None, "terms that always hold are left out"
                if latest is None or satisfier.index > latest.index:
                    before = max(before, latest.level if latest else 0)
                    latest = satisfier
                else:
                    before = max(before, satisfier.level)
            assert latest is not None, "there is a term"
            cause, variable = latest.cause, latest.variable
            if cause is not None:
                # What the assertion alone leaves open was excluded by an earlier assignment of the same variable.
                earlier = solution.satisfier(variable, conflict.terms[variable] | cause.terms[variable])
                before = max(before, earlier.level if earlier else 0)
            if cause is None or before < latest.level:
                self._go_back(before)
                for variable in conflict.terms:
                    self.conflicts[variable] += 1
                self.add(conflict)
                return
            conflict = resolve(conflict, cause, variable, solution.full(variable))
        raise Contradiction(conflict)

    def _go_back(self, level: int) -> None:
        self.solution.backtrack(level)
        self._changed.clear()
        fresh = self._fresh
        again: list[Incompatibility] = []
        while fresh and fresh[-1][0] > level:
            again.append(fresh.pop()[1])
        # They were first looked at above this level and may have something to say here, too.
        self._pending.extend(again)
        if level:
            fresh.extend((level, incompatibility) for incompatibility in reversed(again))


def refute(fulls: Iterable[int], facts: Iterable[Incompatibility]) -> Incompatibility | None:
    """A proof that the facts contradict each other, or ``None`` if they do not."""
    search = Search()
    for full in fulls:
        search.add_variable(full)
    for fact in facts:
        search.add(fact)
    solution = search.solution
    try:
        while True:
            search.propagate()
            undecided = (
                variable
                for variable, possible in enumerate(solution.current)
                if not possible & UNSELECTED and variable not in solution.decided
            )
            variable = next(undecided, None)
            if variable is None:
                return None
            search.decide(variable, 1 << solution.current[variable].bit_length() - 1)
    except Contradiction as contradiction:
        return contradiction.proof
