"""What will probably be asked soon: the newest compatible candidates and all they depend on, breadth first.

A driver that expands every answer the moment it arrives keeps a ``Walk`` of its own and passes it to ``solve``; then the
order in which the solver thinks never holds a request back.
"""

from collections import deque
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.version import Version

from cove.model.name import Name, normalize
from cove.resolve.catalogue import Catalogue, Listing, read
from cove.resolve.preferences import choose, forbidden_prereleases, forbidden_yanked
from cove.resolve.questions import Answer, AskDependencies, AskVersions, Dependencies, Question
from cove.resolve.request import Request
from cove.resolve.term import UNSELECTED


class Walk:
    """Guesses ahead of the solver. Every question is given out once."""

    def __init__(self, request: Request, parent: "Walk | None" = None) -> None:
        self.catalogue = Catalogue(request)
        self._given: set[Question] = parent._given if parent is not None else set()
        self._told: dict[Question, Listing | Dependencies] = parent._told if parent is not None else {}
        """All answers, whichever part they are for."""
        self._parts: list[Walk] = []
        self._out: list[Question] = []
        self._wanted: dict[Name, list[Requirement]] = {}
        """Requirements that ``_possible`` does not yet respect."""
        self._possible: dict[Name, int] = {}
        self._allowed: dict[Name, int] = {}
        """What constraints and the mode for pre-releases leave."""
        self._extras: dict[Name, list[Name]] = {}
        self._expanded: set[tuple[Name, Version, Name | None]] = set()
        self._review: deque[Name] = deque()
        for question, told in self._told.items():
            self._note(question, told)
        self._require(self.catalogue.roots())

    def narrowed(self, request: Request) -> "Walk":
        """A walk for a part of the environments, which knows what this one knows and will be told what this one is told."""
        part = Walk(request, self)
        self._parts.append(part)
        return part

    def forget(self, part: "Walk") -> None:
        """Tell a part nothing more: it is solved, or parted itself."""
        self._parts.remove(part)

    def start(self) -> tuple[Question, ...]:
        """The first questions."""
        return self._take()

    def answered(self, question: Question, answer: Answer) -> tuple[Question, ...]:
        """Note an answer; the questions that follow from it. Nothing follows from hearing the same again."""
        self._given.add(question)
        if question in self._told:
            return ()
        told = self._told[question] = read(question, answer)
        found = self._learned(question, told)
        for part in self._parts:
            found += part._learned(question, told)
        return found

    def _learned(self, question: Question, told: Listing | Dependencies) -> tuple[Question, ...]:
        if self._note(question, told):
            self._review.append(question.name)
        return self._take()

    def _note(self, question: Question, told: Listing | Dependencies) -> bool:
        """Take over an answer, if it is about the place that counts here."""
        if question.place != self.catalogue.place(question.name):
            return False
        self.catalogue.record(question, told)
        return True

    def _take(self) -> tuple[Question, ...]:
        while self._review:
            self._expand(self._review.popleft())
        out, self._out = self._out, []
        return tuple(out)

    def give(self, questions: Iterable[Question]) -> tuple[Question, ...]:
        """Those of the questions that have not been given out."""
        fresh = tuple(one for one in questions if one not in self._given)
        self._given.update(fresh)
        return fresh

    def _ask(self, question: Question) -> None:
        self._out.extend(self.give((question,)))

    def _require(self, requirements: Iterable[Requirement]) -> None:
        for requirement in requirements:
            name = normalize(requirement.name)
            wanted, extras = self._wanted.setdefault(name, []), self._extras.setdefault(name, [])
            wanted.append(requirement)
            extras.extend(extra for extra in self.catalogue.extras(requirement) if extra not in extras)
            if name in self.catalogue.listings:
                self._review.append(name)
            else:
                self._ask(AskVersions(name, self.catalogue.place(name)))

    def _expand(self, name: Name) -> None:
        """Look for the best candidate as far as requirements are known, and for what it requires."""
        catalogue = self.catalogue
        listing = catalogue.listings.get(name)
        if listing is None or name not in self._wanted:
            return
        possible = self._possible.get(name)
        if possible is None:
            possible = listing.full & ~UNSELECTED & ~forbidden_prereleases(catalogue, name)
            for constraint in catalogue.constraints.get(name, ()):
                possible = possible & catalogue.accepted(constraint)[0]
            self._allowed[name] = possible
        is_met = True
        for requirement in self._wanted[name]:
            accepted = catalogue.accepted(requirement)[0] & self._allowed[name]
            is_met = is_met and accepted != 0
            # Requirements that contradict each other are the solver's business; the first ones stand.
            possible = possible & accepted or possible
        self._wanted[name].clear()
        self._possible[name] = possible
        if not is_met:  # who requires it will not be chosen
            return
        possible = possible & listing.usable & ~forbidden_yanked(catalogue, name)
        parting = 0
        for candidates in listing.parting.values():
            parting |= candidates
        while possible:
            favourite = choose(catalogue, name, possible)
            self._follow(name, listing.versions[favourite.bit_length() - 2])
            if not favourite & parting:
                return
            possible &= ~parting  # the older Pythons will get the best of the others

    def _follow(self, name: Name, version: Version) -> None:
        catalogue = self.catalogue
        known = catalogue.dependencies.get((name, version))
        if known is None:
            self._ask(AskDependencies(name, version, catalogue.place(name)))
            return
        for extra in (None, *self._extras[name]):
            if (name, version, extra) not in self._expanded:
                self._expanded.add((name, version, extra))
                self._require(catalogue.requirements(name, version, extra))
