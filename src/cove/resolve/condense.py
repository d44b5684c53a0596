"""The few facts that a failure comes down to.

The proof the search found mentions versions in the order they were tried. It is not told as it is: the external facts it
rests on are merged as far as they go, and those that are not needed are dropped.
"""

from collections.abc import Callable, Iterable, Sequence

from cove.model.dataclasses import replace
from cove.resolve.failure import Failure
from cove.resolve.incompatibility import Incompatibility, Requires, Unusable, externals
from cove.resolve.reasons import kind_of, told
from cove.resolve.search import refute
from cove.resolve.term import version_at

_MINIMISED = 120
"""Up to so many facts each is tried to be left out; it takes as many refutations."""

_TELLABLE = 400
"""More facts than these are not worth the refutations that make them fewer: only the end of their proof will be told."""


def condensed(failure: Failure) -> list[Incompatibility]:
    """Facts that contradict each other, each true; up to ``_MINIMISED`` of them none can be left out."""
    fulls = failure.fulls
    facts = _merged(externals(failure.proof), lambda fact, cause: fact.terms.get(cause.target, fulls[cause.target]))
    facts = _weakened(facts, fulls)
    if len(facts) <= _MINIMISED:
        for fact in list(facts):
            fewer = [other for other in facts if other is not fact]
            if refute(fulls, fewer) is not None:
                facts = fewer
    return facts


def _weakened(facts: list[Incompatibility], fulls: Sequence[int]) -> list[Incompatibility]:
    """The facts with all that a project requires of another as one, what its versions have in common, where that will do."""
    weaker = _merged(facts, lambda _fact, _cause: None)
    if refute(fulls, weaker) is not None:
        return weaker
    several = {(cause.owner, cause.target) for cause in map(_required, facts) if cause is not None}
    for pair in sorted(several) if len(several) <= _MINIMISED and len(facts) <= _TELLABLE else ():
        weaker = [
            *(fact for fact in facts if not _is_about(fact, pair)),
            *_merged([fact for fact in facts if _is_about(fact, pair)], lambda _fact, _cause: None),
        ]
        if len(weaker) < len(facts) and refute(fulls, weaker) is not None:
            facts = weaker
    return facts


def _is_about(fact: Incompatibility, pair: tuple[int, int]) -> bool:
    cause = _required(fact)
    return cause is not None and (cause.owner, cause.target) == pair


def by_kind(facts: Iterable[Incompatibility]) -> "list[list[tuple[Incompatibility, Unusable]]]":
    """Those of the facts that rule versions out, together where project and kind of reason are the same, ascending."""
    groups: dict[object, list[tuple[Incompatibility, Unusable]]] = {}
    for fact in facts:
        if isinstance(fact.cause, Unusable):
            groups.setdefault((fact.cause.project, kind_of(fact.cause.why)), []).append((fact, fact.cause))
    for several in groups.values():
        several.sort(key=lambda pair: pair[0].terms[pair[1].project])
    return list(groups.values())


def gathered(failure: Failure, facts: Sequence[Incompatibility]) -> list[Incompatibility]:
    """The facts with one in the place of each group of ``by_kind``; these first, which makes a story begin with them."""
    found: list[Incompatibility] = []
    for several in by_kind(facts):
        variable, candidates = failure.variables[several[0][1].project], 0
        for fact, cause in several:
            candidates |= fact.terms[cause.project]
        newest = f"{variable.name} {version_at(variable, 1 << candidates.bit_length() - 1)}"
        why = told([cause.why for _, cause in several], newest)
        found.append(Incompatibility({cause.project: candidates}, Unusable(cause.project, why)))
    return found + [fact for fact in facts if not isinstance(fact.cause, Unusable)]


def _required(fact: Incompatibility) -> Requires | None:
    """What a fact says to be required, if it does; not of a project that requires itself."""
    cause = fact.cause
    return cause if isinstance(cause, Requires) and cause.target not in (cause.owner, cause.extra) else None


def _merged(
    facts: Iterable[Incompatibility], violated: Callable[[Incompatibility, Requires], object]
) -> list[Incompatibility]:
    """Facts that say the same of different versions as one; ``violated`` tells what of a requirement has to be the same."""
    merged: dict[object, Incompatibility] = {}
    for fact in facts:
        cause = _required(fact)
        key: object = fact.cause if isinstance(fact.cause, Unusable) else id(fact)
        if cause is not None:
            key = (cause.owner, cause.extra, cause.target, cause.conflict, violated(fact, cause))
        known = merged.get(key)
        merged[key] = fact if known is None else _merge(known, fact)
    return list(merged.values())


def _merge(first: Incompatibility, second: Incompatibility) -> Incompatibility:
    cause, other = first.cause, second.cause
    if isinstance(cause, Requires) and isinstance(other, Requires):
        terms = {**first.terms, cause.owner: first.terms[cause.owner] | second.terms[cause.owner]}
        violated = second.terms.get(cause.target)
        if violated is not None:
            terms[cause.target] = terms.get(cause.target, violated) & violated
        return Incompatibility(terms, replace(cause, texts=tuple(dict.fromkeys(cause.texts + other.texts))))
    assert isinstance(cause, Unusable), "nothing else is merged"
    return Incompatibility({cause.project: first.terms[cause.project] | second.terms[cause.project]}, cause)
