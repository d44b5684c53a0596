"""One solution for each part of the environments, as few parts as the requirements allow.

The parts are solved one after the other, and each takes what the earlier ones chose where it can.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from packaging.version import Version

from cove.errors import NoSolution, PythonIncompatible
from cove.model.dataclasses import dataclass, replace
from cove.model.name import Name
from cove.resolve.catalogue import given_place
from cove.resolve.forks import Environments, Parting
from cove.resolve.questions import Answer, Ask, Solution
from cove.resolve.request import Request
from cove.resolve.solver import solve
from cove.resolve.walk import Walk

_MOST_PARTS = 500
"""A safeguard: nobody wants a lock of so many parts."""


@dataclass(frozen=True, slots=True)
class Known:
    """A version that was locked or chosen; ``meets`` tells of environments whether it was for some of them.

    ``place`` is where it was chosen from: another index need not have it, nor mean the same by it. ``None`` is any place.
    """

    name: Name
    version: Version
    meets: Callable[[Environments[Any]], bool]
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The solution for some environments."""

    here: Environments[Any]
    solution: Solution


UniversalConversation = Generator[Ask, Answer, tuple[Branch, ...]]


def solve_everywhere(
    request: Request, initial: Sequence[Environments[Any]], walk: Walk, known: Sequence[Known] = ()
) -> UniversalConversation:
    """The conversation that finds the versions for all environments: those in ``initial``, apart, first things first.

    ``request`` is for all of them; its ``walk`` is kept by the driver. Those with the newest Pythons (else with the oldest)
    come before others. ``known`` are the versions of a lock. Otherwise as
    ``solver.solve``.
    """
    open_parts: list[tuple[Environments[Any], Mapping[Name, Version]]] = [(here, {}) for here in reversed(initial)]
    open_parts.sort(key=lambda each: each[0].lowest_python, reverse=not request.newest_first)
    found: list[Branch] = []
    chosen = list(known)
    while open_parts:
        here, inherited = open_parts.pop()
        part = _request(request, here, inherited, chosen)
        narrowed = walk.narrowed(part)
        try:
            solution = yield from solve(part, narrowed)
        except Parting as parting:
            if len(open_parts) + len(found) > _MOST_PARTS:
                raise NoSolution(
                    f"markers divide the environments into more than {_MOST_PARTS} parts",
                    hints=("`environments` in [tool.uv] limits a lock to those that matter",),
                ) from None
            open_parts += [(each, {**inherited, **parting.decided}) for each in parting.parts]
        except (NoSolution, PythonIncompatible) as error:
            if here.label:
                error.hints = (*error.hints, f"this is for the environments where {here.label}")
            raise
        else:
            found.append(Branch(here, solution))
            if request.resolution != "lowest-direct":  # what is direct in one part may not be in another
                chosen += _known(here, solution, request)
        finally:
            walk.forget(narrowed)
    return tuple(found)


def _known(here: Environments[Any], solution: Solution, request: Request) -> list[Known]:
    """What was chosen, to be taken elsewhere, too: but of pre-releases that were necessary in one part none."""
    chosen = ((name, resolved.version) for name, resolved in solution.packages.items())
    return [
        Known(name, version, here.meets)
        for name, version in chosen
        if request.prereleases_of(name) == "allow" or not version.is_prerelease
    ]


def _request(
    request: Request, here: Environments[Any], inherited: Mapping[Name, Version], known: Sequence[Known]
) -> Request:
    """The request for one part: first what was chosen before it was parted, then what is known of it, then of others."""
    part = replace(
        request,
        environments=here,
        applies=here.applies,
        python_ok=here.python_ok,
        python=here.python,
        preferences=inherited,
    )
    ranked: dict[Name, list[tuple[bool, Version]]] = {}
    answers: dict[Callable[[Environments[Any]], bool], bool] = {}  # what was chosen together meets together
    for each in known:
        if each.place not in (None, given_place(part, each.name)):
            continue
        if each.meets not in answers:
            answers[each.meets] = each.meets(here)
        ranked.setdefault(each.name, []).append((answers[each.meets], each.version))
    lowest = request.resolution == "lowest"
    fallbacks: dict[Name, tuple[Version, ...]] = {}
    for name, several in ranked.items():
        several.sort(key=lambda pair: pair[1], reverse=not lowest)
        several.sort(key=lambda pair: not pair[0])
        fallbacks[name] = tuple(dict.fromkeys(version for _, version in several))
    return replace(part, fallbacks=fallbacks)
