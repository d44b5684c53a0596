"""Resolving requirements against the configured indexes: questions of the solver become searches, pages and metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from packaging.version import Version

from cove.errors import InvalidArtifact, ProjectNotFound
from cove.index.candidates import Rules, gather
from cove.index.chain import Router, Search
from cove.index.metadata import MetadataReader
from cove.model.candidate import Candidate, Candidates
from cove.model.event import Listener, Warned
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize
from cove.model.outcome import Unavailable
from cove.operations.direct import Direct
from cove.operations.provide import Driver
from cove.registries import recognise
from cove.resolve.questions import PYTHON_REASON, Answer, AskVersions, Dependencies, Question, Solution, Versions
from cove.resolve.request import Request

__all__ = ["Resolution", "Universe", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was chosen, with everything that is needed to lock or install it. ``directs`` come from URLs and paths."""

    solution: Solution
    candidates: Mapping[Name, Candidate]
    metadata: Mapping[Name, CoreMetadata]
    directs: Mapping[Name, Direct] = field(default_factory=dict)


class Universe:
    """Everything that can be chosen: pages, candidates and metadata, each looked up when the solver asks. Thread-safe.

    ``rules`` tells what makes a file of a project usable. ``direct`` prepares the distribution that a URL leads to; a
    project that is required by URL has that one version and no other. ``present`` are distributions that are there already:
    they can be chosen beside what indexes offer. Without ``follow`` no version requires anything.
    """

    def __init__(
        self,
        router: Router,
        metadata: MetadataReader,
        rules: Callable[[Name], Rules],
        direct: Callable[[Name, str], Direct],
        urls: Mapping[Name, str],
        *,
        present: Mapping[Name, CoreMetadata] | None = None,
        follow: bool = True,
    ) -> None:
        self._present = present or {}
        self._follow = follow
        self._router = router
        self._metadata = metadata
        self._rules = rules
        self._direct = direct
        self._urls = dict(urls)
        self.directs: dict[Name, Direct] = {}
        self.chosen: dict[tuple[Name, Version], Candidate] = {}
        self.read: dict[tuple[Name, Version], CoreMetadata] = {}

    def answer(self, question: Question) -> Answer:
        """Answer the solver; raises what an index or a build that cannot answer raises."""
        if isinstance(question, AskVersions):
            return self._with_present(question.name, self._versions(question.name))
        if not self._follow:
            return self._requiring_nothing(question.name, question.version)
        return self._dependencies(question.name, question.version)

    def _with_present(self, name: Name, found: Versions) -> Versions:
        present = self._present.get(name)
        if present is None or name in self.directs:
            return found
        version = Version(present.version)
        self.read[name, version] = present
        return replace(
            found,
            versions=tuple(sorted({*found.versions, version})),
            yanked=found.yanked - {version},
            rejected=tuple(each for each in found.rejected if each[0] != version),
            absent="",
        )

    def _requiring_nothing(self, name: Name, version: Version) -> Dependencies:
        known = self.read.setdefault((name, version), CoreMetadata(name, str(version)))
        return Dependencies((), known.requires_python, known.provides_extra)

    def _versions(self, name: Name) -> Versions:
        if name in self._urls:
            direct = self.directs[name] = self._direct(name, self._urls[name])
            version = Version(direct.metadata.version)
            self.read[name, version] = direct.metadata
            return Versions((version,), origin=str(direct.url))
        search = self._router.search(name)
        if isinstance(search.outcome, Unavailable):
            raise search.outcome.error
        if search.absent:
            if search.nowhere_else:
                raise _not_where_it_must_be(search)
            return Versions((), absent=f"not found on {search.absent}")
        candidates = self._candidates(search)
        for candidate in candidates.candidates:
            self.chosen[name, candidate.version] = candidate
        return Versions(
            tuple(candidate.version for candidate in candidates.candidates),
            yanked=frozenset(each.version for each in candidates.candidates if each.yanked is not None),
            rejected=_rejected(candidates),
            origin=candidates.index.label,
            tiers=search.tiers(candidates.candidates),
        )

    def _candidates(self, search: Search) -> Candidates:
        return gather(search.name, search.found, self._rules(search.name), links=search.found_links)

    def _dependencies(self, name: Name, version: Version) -> Dependencies:
        metadata = self.read.get((name, version))
        if metadata is None:
            try:
                metadata = self._metadata.read(self.chosen[name, version])
            except InvalidArtifact as error:
                return Dependencies(unusable=error.message)
            self.read[name, version] = metadata
        for requirement in metadata.requires_dist:
            if requirement.url:
                self._urls.setdefault(normalize(requirement.name), requirement.url)
        return Dependencies(metadata.requires_dist, metadata.requires_python, metadata.provides_extra)


def _not_where_it_must_be(search: Search) -> ProjectNotFound:
    """Absence on the one index that may have a name: older versions of what requires it must not get round that."""
    hints = [hint for answer in search.answers for hint in recognise(answer.index.url).hints(404)]
    return ProjectNotFound(
        f"`{search.name}` was not found on {search.absent}",
        causes=(f"no other index may have it: it is {search.rule}",),
        hints=(*hints, f"`cove index why {search.name}` shows where that is said and what the index answered"),
    )


def _rejected(candidates: Candidates) -> tuple[tuple[Version, str], ...]:
    """One reason for each version of which no file can be used: that of its last file, wheels before the sdist."""
    usable = {candidate.version for candidate in candidates.candidates}
    reasons: dict[Version, str] = {}
    for each in candidates.rejected:
        version = _version(each.version)
        if version is not None and version not in usable and not reasons.get(version, "").startswith(PYTHON_REASON):
            reasons[version] = each.why
    return tuple(sorted(reasons.items()))


def _version(text: str) -> Version | None:
    from packaging.version import InvalidVersion

    try:
        return Version(text)
    except InvalidVersion:
        return None


def resolve(request: Request, universe: Universe, *, workers: int, listener: Listener) -> Resolution:
    """The versions that meet ``request``. Raises ``NoSolution`` and its like, and what an index that failed raised."""
    with Driver(universe.answer, workers=workers, listener=listener) as driver:
        solution = driver.resolve(request)
    candidates = {}
    for name, resolved in solution.packages.items():
        candidate = universe.chosen.get((name, resolved.version))
        if candidate is not None and name not in universe.directs:
            candidates[name] = candidate
            if candidate.yanked is not None:
                reason = f" (reason: {candidate.yanked})" if candidate.yanked else ""
                listener(Warned(f"`{name}=={resolved.version}` is yanked{reason}"))
    metadata = {name: universe.read[name, resolved.version] for name, resolved in solution.packages.items()}
    directs = {name: universe.directs[name] for name in solution.packages if name in universe.directs}
    return Resolution(solution, candidates, metadata, directs)
