"""Facts and conclusions in words."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.model.dataclasses import dataclass
from cove.model.name import Name
from cove.resolve.failure import Failure
from cove.resolve.incompatibility import Constrained, Incompatibility, Requires, Unusable
from cove.resolve.phrases import and_list, or_list, requirement_phrase, versions_phrase
from cove.resolve.request import YOU
from cove.resolve.term import SELECTED, UNSELECTED, Variable

_EVERY = "every version of "

Link = tuple[Incompatibility, Requires]
"""A requirement: the fact, and its cause."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence without its full stop; what ``who does`` may be said once for two of them."""

    who: str
    does: str = ""
    what: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.who, self.does, self.what)))


def both(first: Clause, second: Clause) -> str:
    """Two clauses as one."""
    one, other = str(first), str(second)
    if first.does and (first.who, first.does) == (second.who, second.does) and " and " not in one + other:
        return f"{one} and {second.what}"
    return f"{one}, and {other}" if " and " in one + other or ", " in one else f"{one} and {other}"


class Wording:
    """How the variables of a failure, facts about them, and what follows from these are called."""

    def __init__(self, failure: Failure) -> None:
        self.variables = failure.variables
        self.catalogue = failure.catalogue
        self.root = failure.catalogue.request.root_name

    # Facts.

    def absence(self, variable: int) -> str:
        """Why there is no such project, empty if there is."""
        named = self.variables[variable]
        return self.catalogue.listings[named.name].absent if named.is_project else ""

    def is_impossible(self, fact: Incompatibility, cause: Requires) -> bool:
        """Whether no version at all satisfies the requirement."""
        return cause.target not in fact.terms

    def versions(self, project: int, candidates: int) -> str:
        """A set of versions as the subject of a sentence."""
        return versions_phrase(self.variables[project], candidates)

    def requirers(self, chain: Iterable[Link]) -> tuple[str, ...]:
        """Who requires what, from the root downwards, extras left out where the project itself is named."""
        owners: dict[int, list[Link]] = {}
        for link in chain:
            if self.variables[link[1].target].extra is None:
                owners.setdefault(link[1].owner, []).append(link)
        roots = [variable for variable in owners if self.variables[variable].is_root]
        ordered: list[str] = []
        while roots:
            for fact, cause in owners.pop(roots.pop(0), ()):
                ordered.append(str(self.requires(fact, cause)))
                roots.append(cause.target)
        return tuple(ordered)

    def fact(self, fact: Incompatibility) -> Clause:
        """An external fact; of a requirement that nothing can satisfy with the reason."""
        match fact.cause:
            case Requires() as cause:
                clause = self.requires(fact, cause)
                if self.variables[cause.target].is_project and self.is_impossible(fact, cause):
                    return Clause(f"{clause} and {cause.conflict or self._available(cause)}")
                return clause
            case Constrained(project, text, where):
                return self._constrained(fact, project, text, where or "a constraint")
            case Unusable(project, why):
                return Clause(f"{self.versions(project, fact.terms[project])} {why}")
            case _:
                return Clause(f"{self.root} is what is resolved")

    def requires(self, fact: Incompatibility, cause: Requires) -> Clause:
        """Who requires what."""
        owner = self.variables[cause.owner]
        extra = None if cause.extra is None else self.variables[cause.extra].extra
        who = self.root if owner.is_root else versions_phrase(owner, fact.terms[cause.owner], extra)
        target = self.variables[cause.target]
        what = f"{target.name}[{target.extra}]" if target.extra else target.name
        if (target.is_project and self.is_impossible(fact, cause)) or len(cause.texts) == 1:
            wanted = _alternatives([f"{what}{text}" for text in cause.texts])
        else:
            wanted = requirement_phrase(target, target.full & ~fact.terms[cause.target])
        return Clause(who, self._verb([who]), f"{wanted} ({cause.where})" if cause.where else wanted)

    def _constrained(self, fact: Incompatibility, project: int, text: str, where: str) -> Clause:
        variable = self.variables[project]
        origin = self.catalogue.listings[variable.name].origin
        nothing_left = not variable.full & ~fact.terms[project] & ~UNSELECTED
        none = f", of which {origin} has none" if origin and nothing_left else ""
        return Clause(f"{where} allows only {variable.name}{text}{none}")

    def _verb(self, who: Sequence[str]) -> str:
        if who == [YOU]:
            return "require"
        return "depends on" if len(who) == 1 else "together depend on"

    def _available(self, cause: Requires) -> str:
        project = self.variables[cause.target]
        listing = self.catalogue.listings[project.name]
        if listing.absent:
            return f"{project.name} {was_absent(listing.absent)}"
        has = f"{listing.origin} has" if listing.origin else "there is"
        if not project.versions:
            return f"{has} no version of {project.name}"
        texts = [str(version) for version in project.versions]
        if len(texts) <= 4:
            return f"{has} only {project.name} {and_list(texts)}"
        gap = _gap(cause.texts, project)
        if gap:
            return f"{has} {project.name} {texts[gap - 1]} and {texts[gap]}, but nothing between"
        return f"{has} only {project.name} {texts[0]} to {texts[-1]}"

    # Conclusions.

    @property
    def unmet(self) -> str:
        """The last conclusion of all."""
        whose = "your requirements" if self.root == YOU else f"the requirements of {self.root}"
        return f"{whose} cannot be met"

    def conclusion(self, node: Incompatibility) -> Clause:
        """What a derived incompatibility says."""
        by_root = any(self.variables[variable].is_root for variable in node.terms)
        positive, negative = self._positive(node), []
        for variable, candidates in node.terms.items():
            named = self.variables[variable]
            if candidates & UNSELECTED and not named.is_root:
                negative.append(requirement_phrase(named, named.full & ~candidates))
        if negative:
            who = [self.root, *positive] if by_root else positive
            return Clause(and_list(who), self._verb(who), or_list(negative))
        if not positive:
            return Clause(self.unmet)
        return Clause(_excluded(positive, self.root if by_root else ""))

    def _positive(self, node: Incompatibility) -> list[str]:
        extras: dict[Name, str] = {}
        for variable, candidates in node.terms.items():
            name, extra = self.variables[variable].name, self.variables[variable].extra
            if extra and candidates == SELECTED:
                extras[name] = f"{extras[name]},{extra}" if name in extras else extra
        positive = [
            versions_phrase(self.variables[variable], candidates, extras.pop(self.variables[variable].name, None))
            for variable, candidates in node.terms.items()
            if self.variables[variable].is_project and not candidates & UNSELECTED
        ]
        return positive + [f"{name}[{extra}]" for name, extra in extras.items()]


def was_absent(reason: str) -> str:
    """Absence as the rest of a sentence about a project."""
    return f"was {reason}" if reason.startswith("not found") else f"was not found: {reason}"


def _excluded(what: Sequence[str], by: str) -> str:
    """That these cannot be used together; ``by`` whom, if that matters."""
    whole = [each.removeprefix(_EVERY) for each in what if each.startswith(_EVERY)]
    others = [each for each in what if not each.startswith(_EVERY)]
    if not whole:
        together = " together" if len(others) > 1 else ""
        return f"{by} cannot use {and_list(others)}{together}" if by else f"{and_list(others)} cannot be used{together}"
    none = f"no version{'s' if len(whole) > 1 else ''} of {and_list(whole)}"
    rest = f" together with {and_list(others)}" if others else " together" if len(whole) > 1 else ""
    return f"{by} can use {none}{rest}" if by else f"{none} can be used{rest}"


def _alternatives(words: Sequence[str]) -> str:
    return or_list(words if len(words) <= 3 else [*words[:3], "others"])


def _gap(texts: Iterable[str], project: Variable) -> int:
    """The position of the version above everything that specifiers ask for, where that is between two; else 0."""
    places = set()
    for text in texts:
        for one in SpecifierSet(text) if "@" not in text else ():
            try:
                places.add(bisect_left(project.versions, Version(one.version.removesuffix(".*"))))
            except InvalidVersion:
                return 0
    place = places.pop() if len(places) == 1 else 0
    return place if place < len(project.versions) else 0
