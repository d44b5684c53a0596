"""Facts that rule out combinations: external ones with their cause, and those derived by resolution."""

from cove.model.dataclasses import dataclass

IS_PRERELEASE = "is a pre-release that is not allowed"
IS_YANKED = "was yanked"
"""Reasons that versions are ``Unusable`` for; others come with the answers."""


@dataclass(frozen=True, slots=True)
class RootSelected:
    """The root is part of every solution."""


@dataclass(frozen=True, slots=True)
class Requires:
    """``owner`` (its ``extra``, if given) requires ``target``; ``texts`` are the specifiers, as written, each once.

    ``conflict`` says in words why no version at all can satisfy it, where that is not about versions (two URLs); ``where``
    who says so, where it is not simply the owner (``override in limits.txt``).
    """

    owner: int
    extra: int | None
    target: int
    texts: tuple[str, ...]
    conflict: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Constrained:
    """A constraint of the user forbids these versions; ``text`` is its specifier, ``where`` what says so if it is known."""

    project: int
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """These versions exist but cannot be chosen; ``why`` continues the sentence "foo 2.0 …"."""

    project: int
    why: str


External = RootSelected | Requires | Constrained | Unusable


class Incompatibility:
    """Terms, by variable number, that cannot all hold. Values that a term does not exclude are in its set.

    ``cause`` is an external fact, or the two incompatibilities this one was derived from.
    """

    __slots__ = ("cause", "terms")

    def __init__(self, terms: dict[int, int], cause: "External | tuple[Incompatibility, Incompatibility]") -> None:
        self.terms = terms
        self.cause = cause


def resolve(first: Incompatibility, second: Incompatibility, variable: int, full: int) -> Incompatibility:
    """What follows from both when ``variable`` is eliminated: the rule of resolution, for sets.

    Whatever value ``variable`` has in the union of both sets, one of the two is met as soon as the remaining terms of both
    are; a union that holds every value says nothing and is left out.
    """
    terms = dict(first.terms)
    for other, candidates in second.terms.items():
        if other != variable:
            known = terms.get(other)
            terms[other] = candidates if known is None else known & candidates
    union = first.terms[variable] | second.terms[variable]
    if union == full:
        del terms[variable]
    else:
        terms[variable] = union
    return Incompatibility(terms, (first, second))


def externals(proof: Incompatibility) -> list[Incompatibility]:
    """The external incompatibilities a derived one rests on, each once, in the order of the derivation."""
    found: list[Incompatibility] = []
    seen: set[int] = set()
    stack = [proof]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node.cause, tuple):
            stack.extend(reversed(node.cause))
        else:
            found.append(node)
    return found
