"""Why there is no solution, as an error that a person can act on.

The facts that the failure comes down to are refuted once more. That second proof is short, and it is the one that is told.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from cove.errors import NoSolution, ProjectNotFound, PythonIncompatible, Unmet
from cove.model.name import Name
from cove.resolve import advice, reasons
from cove.resolve.condense import by_kind, condensed, gathered
from cove.resolve.failure import Failure
from cove.resolve.incompatibility import Incompatibility, Requires, Unusable
from cove.resolve.phrases import and_list
from cove.resolve.search import refute
from cove.resolve.story import sentences
from cove.resolve.wording import Link, Wording, was_absent

_E = TypeVar("_E", bound=Unmet)

_LISTED = 3
"""Up to so many Pythons are told with the versions that need them."""


def explain(failure: Failure) -> Unmet:
    """The error to raise: ``ProjectNotFound`` or ``PythonIncompatible`` where that alone is the reason, else ``NoSolution``."""
    facts = condensed(failure)
    wording = Wording(failure)
    return _not_found(wording, facts) or _wrong_python(wording, facts) or _no_solution(failure, wording, facts)


def _no_solution(failure: Failure, wording: Wording, facts: Sequence[Incompatibility]) -> NoSolution:
    proof = refute(failure.fulls, gathered(failure, facts))
    assert proof is not None, "condensed facts contradict each other"
    error = NoSolution("\n".join(sentences(proof, wording)), hints=tuple(advice.hints(facts, wording)))
    error.lacking = tuple(dict.fromkeys(advice.lacking(facts, wording)))
    involved = {variable for fact in facts for variable in fact.terms}
    involved |= {fact.cause.target for fact in facts if isinstance(fact.cause, Requires)}
    return _about(
        error, {failure.variables[each].name for each in involved if not failure.variables[each].is_root}, wording
    )


def _about(error: _E, names: Iterable[Name], wording: Wording) -> _E:
    """The error with what it is about, for programs."""
    several, listings = sorted(names), wording.catalogue.listings
    error.packages = tuple(several)
    error.indexes = tuple(sorted({listings[name].origin for name in several} - {""}))
    return error


# Failures with a single reason.


def _not_found(wording: Wording, facts: Sequence[Incompatibility]) -> ProjectNotFound | None:
    chain = _chain(facts)
    if chain is None or len(chain) != len(facts) - 1:
        return None
    absent = [cause.target for _, cause in chain if wording.absence(cause.target)]
    impossible = [fact for fact, cause in chain if wording.is_impossible(fact, cause)]
    if len(absent) != 1 or len(impossible) != 1:
        return None
    name = wording.variables[absent[0]].name
    error = ProjectNotFound(
        f"{name} {was_absent(wording.absence(absent[0]))}",
        causes=wording.requirers(chain),
        hints=tuple(advice.absent(name, wording)),
    )
    return _about(error, [name], wording)


def _wrong_python(wording: Wording, facts: Sequence[Incompatibility]) -> PythonIncompatible | None:
    chain, groups = _chain(facts), by_kind(facts)
    if chain is None or len(groups) != 1 or len(chain) + len(groups[0]) != len(facts) - 1:
        return None
    unusable, project = groups[0], groups[0][0][1].project
    if reasons.kind_of(unusable[0][1].why) is not reasons.PYTHON:
        return None
    name, request = wording.variables[project].name, wording.catalogue.request
    present = f", but the target is Python {request.python}" if request.python else ", which the target's Python is not"
    origin = wording.catalogue.listings[name].origin
    where = f" on {origin}" if origin else ""
    error = PythonIncompatible(
        f"No usable version of {name}{where} supports this Python: {_needs(unusable, wording)}{present}",
        causes=wording.requirers(chain),
        hints=tuple(advice.python(unusable, wording)),
    )
    return _about(error, [name], wording)


def _needs(unusable: Sequence[tuple[Incompatibility, Unusable]], wording: Wording) -> str:
    project, candidates = unusable[0][1].project, 0
    if len(unusable) <= _LISTED:
        return and_list(
            [
                f"{wording.versions(project, fact.terms[project])} requires Python {reasons.detail_of(cause.why)}"
                for fact, cause in unusable
            ]
        )
    for fact, _ in unusable:
        candidates |= fact.terms[project]
    lowest = reasons.lowest_python([cause.why for _, cause in unusable])
    return f"{wording.versions(project, candidates)} requires Python {lowest} or newer"


def _chain(facts: Sequence[Incompatibility]) -> list[Link] | None:
    """The requirements among the facts, if no two of them are about the same project."""
    chain = [(fact, fact.cause) for fact in facts if isinstance(fact.cause, Requires)]
    targets = [cause.target for _, cause in chain]
    return chain if len(set(targets)) == len(targets) else None
