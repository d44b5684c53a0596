"""PubGrub over what indexes say: asks by yielding, never fetches.

N. Weizenbaum, "PubGrub: Next-Generation Version Solving" (2018), with finite sets of candidates for terms, extras as
variables of their own, and any number of terms in an incompatibility.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from cove.errors import CoveError
from cove.model.dataclasses import replace
from cove.model.name import Name, normalize
from cove.resolve.catalogue import NO_WHEEL, Listing, exact_versions, masked
from cove.resolve.failure import Failure
from cove.resolve.forks import Environments, Parting, Region, parts
from cove.resolve.incompatibility import (
    IS_PRERELEASE,
    IS_YANKED,
    Constrained,
    External,
    Incompatibility,
    Requires,
    RootSelected,
    Unusable,
    externals,
)
from cove.resolve.preferences import choose, forbidden_prereleases, forbidden_yanked, most_urgent
from cove.resolve.questions import (
    PYTHON_REASON,
    Answer,
    Ask,
    AskDependencies,
    AskVersions,
    Conversation,
    Question,
    Resolved,
    Solution,
    is_url,
)
from cove.resolve.remarks import missing_extras, unbounded
from cove.resolve.request import Request
from cove.resolve.search import Contradiction, Search
from cove.resolve.term import SELECTED, UNSELECTED, Variable, positions, version_at
from cove.resolve.walk import Walk

_LOOK_AHEAD = 8
"""How many further versions of a project that is tried again and again are asked for at once, at most."""

Asking = Generator[Ask, Answer, None]


def solve(request: Request, walk: Walk | None = None) -> Conversation:
    """The conversation that finds the versions to choose.

    It yields ``Ask``, is sent ``Answer`` and returns ``Solution``. A driver that expands answers as they arrive passes its
    ``walk``: what that has recorded is not asked again. A universal request may end with ``Parting``. Raises ``NoSolution``,
    or ``ProjectNotFound`` or ``PythonIncompatible`` where that is the whole reason, each with an explanation; ``TypeError``
    if an answer does not belong to the question.
    """
    return _explained(search(request, walk or Walk(request)))


def _explained(conversation: Conversation) -> Conversation:
    try:
        return (yield from conversation)
    except Failure as failure:
        from cove.resolve.report import explain  # costs time that only a failure may take

        raise explain(failure) from None


def search(request: Request, walk: Walk) -> Conversation:
    """As ``solve``, but ends in a ``Failure`` that has not been put into words."""
    while True:
        attempt = _Attempt(request, walk)
        try:
            return (yield from attempt.run())
        except Contradiction as contradiction:
            attempt.part_at(contradiction.proof)
            raise Failure(contradiction.proof, attempt.variables, walk.catalogue) from None
        except _NewPin:
            # Facts that were derived while the yanked version was out of reach no longer hold. All answers are kept.
            continue


class _NewPin(Exception):
    """A requirement pins a yanked version, which may be chosen from now on."""


class _Attempt:
    """One search; a second one is needed only when a yanked version turns out to be pinned."""

    def __init__(self, request: Request, walk: Walk) -> None:
        self.variables: list[Variable] = []
        self._request = request
        self._walk = walk
        self._catalogue = walk.catalogue
        self._search = Search()
        self._projects: dict[Name, int] = {}
        self._extras: dict[tuple[Name, Name], int] = {}
        self._rejected: set[tuple[int, int]] = set()
        self._facts: dict[tuple[object, ...], Incompatibility] = {}
        self._open: dict[tuple[int, int, int | None], list[Requirement]] = {}
        """By value and extra, the requirements that have not become facts yet; empty when all have."""
        self._tried: dict[Name, int] = {}
        self._needed: dict[Name, set[Any]] = {}
        """The regions of the requirements of each project, where there are environments."""
        self._soon = walk.start()
        self._root = self._add(Variable(normalize(request.root_name), is_root=True))

    def run(self) -> Conversation:
        search = self._search
        for section in self._request.sections:
            self._part(self._catalogue.overridden(section, None, stated=True), None)
        search.add(Incompatibility({self._root: UNSELECTED}, RootSelected()))
        self._open[self._root, SELECTED, None] = list(self._catalogue.roots())
        while True:
            search.propagate()
            if (yield from self._complete(self._root, SELECTED, None)):
                continue
            if (yield from self._complete_decided()):
                continue
            undecided = self._undecided()
            if not undecided:
                return self._solution()
            project = most_urgent(search, undecided)
            favourite = choose(self._catalogue, self.variables[project].name, search.solution.current[project])
            value = yield from self._expand(project, favourite)
            if value:
                search.decide(project, value)

    def _undecided(self) -> list[int]:
        solution = self._search.solution
        return [
            project
            for project in self._projects.values()
            if not solution.current[project] & UNSELECTED and project not in solution.decided
        ]

    # What is learned of a candidate. Those that return a bool say whether there is something new to propagate.

    def _complete_decided(self) -> Generator[Ask, Answer, bool]:
        """Requirements of extras that were asked for only after their project was decided."""
        solution = self._search.solution
        for (name, _), extra in list(self._extras.items()):
            if solution.current[extra] == SELECTED:
                project = self._projects[name]
                value = solution.decided.get(project)
                if value is not None and (yield from self._complete(project, value, extra)):
                    return True
        return False

    def _expand(self, project: int, value: int) -> Generator[Ask, Answer, int]:
        """Make facts of what a favourite requires, for the extras in force. The candidate to decide: that, or what it is a
        variant of; 0 if there is something new to propagate."""
        variable = self.variables[project]
        name, version = variable.name, version_at(variable, value)
        self._part_by_python(name, version)
        if why := self._part_by_wheels(name, value):
            self._fact({project: value}, Unusable(project, why))
            return 0
        value = self._widest(project, value)
        version = version_at(variable, value)
        question = AskDependencies(name, version, self._catalogue.place(name))
        if not self._catalogue.is_known(question):
            tried = self._tried[name] = self._tried.get(name, 0) + 1
            if tried > 2:
                self._look_ahead(project, value, min(tried, _LOOK_AHEAD))
            try:
                yield from self._ask(question)
            except CoveError as error:
                error.causes = tuple(dict.fromkeys((*error.causes, *self._requirers(project))))
                raise
        self._part_by_python(name, version)
        why = self._catalogue.unusable_because(name, version)
        if why:
            self._fact({project: value}, Unusable(project, why))
            return 0
        extras = [variable for (owner, _), variable in self._extras.items() if owner == name]
        wanted = [extra for extra in extras if self._search.solution.current[extra] == SELECTED]
        for extra in (None, *wanted):
            if (yield from self._complete(project, value, extra)):
                return 0
        return value

    def _look_ahead(self, project: int, value: int, count: int) -> None:
        variable, possible = self.variables[project], self._search.solution.current[project] & ~value
        questions: list[Question] = []
        while possible and len(questions) < count:
            following = choose(self._catalogue, variable.name, possible)
            possible &= ~following
            place = self._catalogue.place(variable.name)
            questions.append(AskDependencies(variable.name, version_at(variable, following), place))
        self._soon += self._walk.give(questions)

    def _complete(self, owner: int, value: int, extra: int | None) -> Generator[Ask, Answer, bool]:
        """Make facts of requirements whose projects are known, or else ask for one that is not."""
        key = (owner, value, extra)
        left = self._open.get(key)
        if left is None:
            variable = self.variables[owner]
            extra_name = None if extra is None else self.variables[extra].extra
            version = version_at(variable, value)
            requirements = self._catalogue.requirements(variable.name, version, extra_name)
            self._part(requirements, extra_name, (variable.name, version))
            left = self._open[key] = list(requirements)
        if not left:
            return False
        # Only what this search has met counts as known, whatever else a walk may have recorded: the result must not depend
        # on the order in which answers arrive.
        known: list[Requirement] = []
        unknown: list[Requirement] = []
        for one in left:
            (known if normalize(one.name) in self._projects else unknown).append(one)
        if not known:
            # One at a time: the next fact may make the others unnecessary. All were asked for "soon" long since.
            name = normalize(left[0].name)
            self._part_by_place(name)
            try:
                yield from self._ask(AskVersions(name, self._catalogue.place(name)))
            except CoveError as error:
                error.causes = tuple(dict.fromkeys((*error.causes, *self._requirer(owner, value, left[0]))))
                raise
            known, unknown = left[:1], left[1:]
        self._open[key] = unknown
        for requirement in known:
            self._require(owner, value, extra, requirement)
        return True

    def _requirer(self, owner: int, value: int, requirement: Requirement) -> Iterable[str]:
        """Whose requirement it is; for the root it goes without saying."""
        variable = self.variables[owner]
        if not variable.is_root:
            yield f"{variable.name} {version_at(variable, value)} depends on {normalize(requirement.name)}"

    def _requirers(self, project: int) -> Iterable[str]:
        """Which of the chosen versions require a project; if the root does, nothing need be said."""
        decided = self._search.solution.decided
        for fact in self._facts.values():
            cause = fact.cause
            if not isinstance(cause, Requires) or cause.target != project or cause.extra is not None:
                continue
            owner, value = self.variables[cause.owner], decided.get(cause.owner, 0)
            if owner.is_root:
                return
            if value & fact.terms[cause.owner]:
                yield f"{owner.name} {version_at(owner, value)} depends on {self.variables[project].name}"

    def _ask(self, question: Question) -> Asking:
        if not self._catalogue.is_known(question):
            soon, self._soon = self._soon, ()
            answer = yield Ask(question, tuple(one for one in soon if one != question))
            self._soon = self._walk.answered(question, answer)

    # Where the environments part.

    def _part(
        self, requirements: Sequence[Requirement], extra: Name | None, owner: tuple[Name, Version] | None = None
    ) -> None:
        here, newest = self._request.environments, self._request.newest_first
        if here is not None:
            divided = parts(here, requirements, extra, self._catalogue.constraints, newest_first=newest)
            if len(divided) > 1:
                raise Parting(divided, {**self._chosen(), **dict((owner,) if owner else ())})

    def _part_by_python(self, name: Name, version: Version) -> None:
        """Part where a favourite needs a newer Python than the lowest."""
        here, catalogue = self._request.environments, self._catalogue
        if here is None or not self._request.by_python:
            return
        known, value = catalogue.dependencies.get((name, version)), catalogue.listings[name].value(version)
        texts = [text for text, candidates in catalogue.listings[name].parting.items() if candidates & value]
        if known is not None and known.requires_python:
            texts.append(known.requires_python)
        for text in texts:
            divided = here.divided_by_python(text)
            if divided is not None:
                raise Parting(divided, self._chosen())

    def _part_by_place(self, name: Name) -> None:
        """Part where markers send a project to one index or another. Direct references stand in requirements, which part
        the environments where they differ."""
        here = self._request.environments
        for marker, place in self._request.places.get(name, ()) if here is not None else ():
            assert here is not None, "there are environments"
            if marker is None or is_url(place):
                continue
            inside, outside = here.divided(here.region(marker, None))
            if inside is not None and outside is not None:
                raise Parting((outside, inside), self._chosen())

    def _part_by_wheels(self, name: Name, value: int) -> str:
        """Part where a favourite has no wheel for environments that must have one; why it cannot be had in any of these."""
        here, required_ones = self._request.environments, self._request.required
        if here is None or not required_ones:
            return ""
        for region, candidates in self._catalogue.listings[name].regions.items():
            for required in required_ones if candidates & value else ():
                inside = here.divided(required)[0]
                needed = inside is not None and any(inside.divided(one)[0] is not None for one in self._needed[name])
                if inside is None or inside.divided(region)[0] is not None or not needed:
                    continue
                inside, outside = here.divided(here.lacking(required, region))
                if inside is None or outside is None:
                    return NO_WHEEL
                raise Parting((inside, outside), self._chosen())
        return ""

    def _widest(self, project: int, value: int) -> int:
        """A candidate, or what it is a local variant of, where only that can be used: part where that is so in places."""
        here, variable = self._request.environments, self.variables[project]
        listing = self._catalogue.listings[variable.name]
        plain = listing.plain(version_at(variable, value)) & self._search.solution.current[project]
        region = listing.region(value)
        if here is None or not plain or region is None:
            return value
        by_plain, by_variant = here.by_variant(region, listing.region(plain))
        if by_plain is None:
            return value
        if by_variant is None:
            return plain
        raise Parting((by_plain, by_variant), self._chosen())

    def part_at(self, proof: Incompatibility) -> None:
        """Part where a proof that nothing fits rests on what does not hold in all environments."""
        here = self._request.environments
        if here is None:
            return
        for fact in externals(proof):
            if isinstance(fact.cause, Unusable) and fact.cause.why.startswith(PYTHON_REASON):
                divided = here.divided_by_python(fact.cause.why.removeprefix(PYTHON_REASON))
                if divided is not None:
                    raise Parting(divided, {})
            for region in self._regions(fact, here):
                inside, outside = here.divided(region)
                if inside is not None and outside is not None:
                    raise Parting((outside, inside), {})

    def _regions(self, fact: Incompatibility, here: Environments[Any]) -> Iterable[Region]:
        """What the markers of the requirements behind a fact mean."""
        cause = fact.cause
        if not isinstance(cause, Requires):
            return
        owner, name = self.variables[cause.owner], self.variables[cause.target].name
        extra = None if cause.extra is None else self.variables[cause.extra].extra
        if owner.is_root:
            stated: list[Sequence[Requirement]] = [self._catalogue.roots()]
        else:
            versions = [owner.versions[position] for position in positions(fact.terms.get(cause.owner, 0))]
            known = self._catalogue.dependencies
            several = (version for version in versions if (owner.name, version) in known)
            stated = [self._catalogue.requirements(owner.name, version, extra) for version in several]
        for requirements in stated:
            for requirement in requirements:
                if normalize(requirement.name) == name and requirement.marker is not None:
                    yield here.region(requirement.marker, extra)

    def _chosen(self) -> dict[Name, Version]:
        decided = self._search.solution.decided
        return {
            name: version_at(self.variables[project], decided[project])
            for name, project in self._projects.items()
            if project in decided
        }

    # Facts.

    def _add(self, variable: Variable) -> int:
        self.variables.append(variable)
        return self._search.add_variable(variable.full)

    def _project(self, name: Name) -> int:
        """The variable of a project whose page is known; on its first use, with all that is known of its versions."""
        known = self._projects.get(name)
        if known is not None:
            return known
        catalogue, listing = self._catalogue, self._catalogue.listings[name]
        project = self._projects[name] = self._add(Variable(name, listing.versions))
        reasons = dict(listing.unusable)
        reasons[IS_PRERELEASE] = forbidden_prereleases(catalogue, name)
        forbidden = forbidden_yanked(catalogue, name)
        for told, candidates in listing.yanked_because.items():
            reasons[f"{IS_YANKED} (reason: {told})" if told else IS_YANKED] = candidates & forbidden
        for why, candidates in reasons.items():
            if candidates:
                self._fact({project: candidates}, Unusable(project, why))
        for constraint in catalogue.constraints.get(name, ()):
            excluded = listing.full & ~UNSELECTED & ~catalogue.accepted(constraint)[0]
            if excluded:
                where = self._request.origins.constraints.get(constraint, "")
                self._fact({project: excluded}, Constrained(project, str(constraint.specifier), where))
        return project

    def _extra(self, name: Name, extra: Name) -> int:
        known = self._extras.get((name, extra))
        if known is None:
            known = self._extras[name, extra] = self._add(Variable(name, extra=extra))
        return known

    def _require(self, owner: int, value: int, extra: int | None, requirement: Requirement) -> None:
        name = normalize(requirement.name)
        listing = self._catalogue.listings[name]
        if self._request.environments is not None:
            region = self._request.environments.region(
                requirement.marker, self.variables[extra].extra if extra else None
            )
            self._needed.setdefault(name, set()).add(region)
        self._allow_pinned(listing, requirement)
        given = {owner: value} if extra is None else {owner: value, extra: SELECTED}
        accepted, conflict = self._catalogue.accepted(requirement)
        text = f" @ {masked(requirement.url)}" if requirement.url else str(requirement.specifier)
        where = self._where(owner, name, requirement)
        cause = Requires(owner, extra, self._project(name), (text,), conflict, where)
        self._imply(given, listing.full & ~accepted, cause)
        for wanted in self._catalogue.extras(requirement):
            self._imply(given, UNSELECTED, Requires(owner, extra, self._extra(name, wanted), ("",)))

    def _imply(self, given: Mapping[int, int], violated: int, cause: Requires) -> None:
        """The fact that a value (with an extra) and a target that violates the requirement exclude each other."""
        terms, target = dict(given), cause.target
        if target in terms:  # a project that requires itself, or an extra that asks for another of its own project
            terms[target] &= violated
            if terms[target]:
                self._fact(terms, cause)
            return
        if violated != self._search.solution.full(target):
            terms[target] = violated
        self._fact(terms, cause, (cause.owner, cause.extra, target, violated, cause.conflict))
        self._note_rejection(cause.owner, given[cause.owner], target, violated)

    def _note_rejection(self, owner: int, value: int, target: int, violated: int) -> None:
        """A favourite may be ruled out before it is decided: each is counted once, as in uv."""
        solution = self._search.solution
        is_favourite = owner not in solution.decided and (owner, value) not in self._rejected
        if is_favourite and not solution.current[target] & ~violated:
            self._rejected.add((owner, value))
            self._search.reject(owner, target)

    def _where(self, owner: int, name: Name, requirement: Requirement) -> str:
        """Who states a requirement, where that is not simply its owner."""
        origins = self._request.origins
        if name in self._catalogue.overrides:
            return origins.overrides.get(requirement, "override")
        return origins.roots.get(requirement, "") if owner == self._root else ""

    def _fact(self, terms: dict[int, int], cause: External, key: tuple[object, ...] | None = None) -> bool:
        """Add a fact, or widen the one that says the same of other versions of the same project."""
        if isinstance(cause, Unusable):
            key = (cause,)
        known = self._facts.get(key) if key is not None else None
        if known is not None:
            owner = cause.owner if isinstance(cause, Requires) else next(iter(terms))
            if not terms[owner] & ~known.terms[owner]:
                return False
            self._search.discard(known)
            terms = {**terms, owner: terms[owner] | known.terms[owner]}
            if isinstance(cause, Requires) and isinstance(known.cause, Requires):
                texts = tuple(dict.fromkeys(known.cause.texts + cause.texts))
                cause = replace(cause, texts=texts)
        fact = Incompatibility(terms, cause)
        if key is not None:
            self._facts[key] = fact
        self._search.add(fact)
        return True

    def _allow_pinned(self, listing: Listing, requirement: Requirement) -> None:
        if not listing.yanked:
            return
        pinned = self._catalogue.pinned
        for version in exact_versions(requirement.specifier):
            pin = (listing.name, version)
            if listing.value(version) & listing.yanked and pin not in pinned:
                pinned.add(pin)
                if listing.name in self._projects:
                    raise _NewPin

    # The end.

    def _solution(self) -> Solution:
        current, decided = self._search.solution.current, self._search.solution.decided
        packages: dict[Name, Resolved] = {}
        warnings = list(unbounded(self._catalogue))
        for name in sorted(name for name, project in self._projects.items() if project in decided):
            project = self._projects[name]
            version = version_at(self.variables[project], decided[project])
            extras = frozenset(
                extra
                for (owner, extra), wanted in self._extras.items()
                if owner == name and current[wanted] == SELECTED
            )
            requires = self._catalogue.dependencies[name, version].requires
            packages[name] = Resolved(name, version, extras, requires, self._catalogue.place(name))
            warnings.extend(missing_extras(self._catalogue, name, version, sorted(extras)))
        return Solution(packages, tuple(warnings))
