"""Resolving requirements against the configured indexes: questions of the solver become searches, pages and metadata."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import BuildFailed, InvalidArtifact, NoCompatibleFile, NoSolution, ProjectNotFound, PythonIncompatible
from cove.formats import simple_html, simple_json
from cove.formats.marker_sets import MarkerSet, TooComplex
from cove.formats.python_range import wheel_may_run
from cove.formats.wheel_markers import suits
from cove.index.candidates import Releases, Rules
from cove.index.chain import Router, Search
from cove.index.metadata import MetadataReader
from cove.model.candidate import Candidate
from cove.model.dataclasses import dataclass, field, replace
from cove.model.dist import WheelName, parse_filename
from cove.model.event import Listener, Noted, Warned
from cove.model.index import Index
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize
from cove.model.outcome import Found, Unavailable
from cove.operations.build.unbuilt import unbuilt
from cove.operations.resolution.direct import Direct
from cove.operations.resolution.parts import Part
from cove.operations.resolution.provide import Driver
from cove.registries import recognise
from cove.resolve.questions import (
    Answer,
    AskVersions,
    Dependencies,
    Question,
    Solution,
    Versions,
    is_url,
)
from cove.resolve.request import Request
from cove.resolve.universal import Known

_READERS = simple_html, simple_json
"""Loaded here, while the first answers are on their way, and not by the thread that has the first of them to read."""

__all__ = ["Division", "Resolution", "Universe", "resolve", "resolve_everywhere"]

Origin = tuple[Name, str]
"""A project, and the place it must come from, if that is said: a URL, or the name of an index."""

_JUDGED_AHEAD = 1
"""How many usable versions of a project are looked for before the others are taken for usable."""


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
    project whose place is a URL has that one version and no other. ``present`` are distributions that are there already:
    they can be chosen beside what indexes offer. Without ``follow`` no version requires anything. ``doubt`` has pages from
    the cache looked up anew and tells whether there are any. ``everywhere`` are the environments of a universal resolution,
    whose solver judges Pythons itself.
    """

    def __init__(
        self,
        router: Router,
        metadata: MetadataReader,
        rules: Callable[[Name], Rules],
        direct: Callable[[Name, str], Direct],
        *,
        present: Mapping[Name, CoreMetadata] | None = None,
        follow: bool = True,
        doubt: Callable[[], bool] = lambda: False,
        everywhere: Part | None = None,
    ) -> None:
        self._doubt = doubt
        self._beyond: dict[Name, tuple[Index, tuple[Index, ...]]] = {}
        self._everywhere = everywhere
        self._present = present or {}
        self._follow = follow
        self._router = router
        self._metadata = metadata
        self._rules = rules
        self._direct = direct
        self.statuses: dict[Name, str] = {}
        """Of projects that are not active (PEP 792): where and why, in words."""
        self.directs: dict[Origin, Direct] = {}
        self._releases: dict[Origin, Releases] = {}
        self.chosen: dict[tuple[Origin, Version], Candidate] = {}
        self.read: dict[tuple[Origin, Version], CoreMetadata] = {}

    def doubt(self) -> bool:
        """Forget everything, if some of it may be outdated: then it is worth asking once more. Not while it is asked."""
        if not self._doubt():
            return False
        for known in (self.statuses, self.directs, self._releases, self.chosen, self.read):
            known.clear()
        return True

    def elsewhere(self, lacking: Iterable[tuple[str, str]]) -> Iterable[str]:
        """Where else there may be what is lacking, as hints: on indexes that were not asked.

        Only those of a server that was asked for the project already are looked at: a name is told to nobody new.
        """
        for text, specifier in lacking:
            name = normalize(text)
            if name not in self._beyond:
                continue
            here, beyond = self._beyond[name]
            unasked = [index.label for index in beyond if index.url.realm != here.url.realm]
            if unasked:
                yield (
                    f"{here.label} has {name}, and therefore {' and '.join(unasked)} was not asked: "
                    "a pin in tool.uv.sources takes it from there; `--index-strategy unsafe-best-match` looks everywhere, "
                    "and lets anyone who can publish there put a package in the place of yours"
                )
            for index in beyond:
                fitting = self._fitting(name, specifier, index) if index.url.realm == here.url.realm else ()
                if fitting:
                    yield (
                        f"{index.label} has {name} {fitting[-1]}, but {here.label} comes before it and has {name}, too: "
                        f'a pin takes it from there, `{name} = {{ index = "{index.name}" }}` in tool.uv.sources'
                    )

    def unsearched(self, project: str) -> Iterable[str]:
        """Why a project that was not found may be on an index nevertheless, as hints. None is asked for that."""
        if not self._router.searched:
            yield "no index is searched: `--no-index` leaves only what `--find-links` names"
        explicit = [index.name for index in self._router.explicit if index.name]
        if explicit:
            yield (
                f"{' and '.join(explicit)} {'is' if len(explicit) == 1 else 'are'} explicit, and asked only for what is "
                f'pinned there: `{project} = {{ index = "{explicit[0]}" }}` in tool.uv.sources'
            )

    def _fitting(self, name: Name, specifier: str, index: Index) -> list[Version]:
        outcome = self._router.look(name, index)
        if not isinstance(outcome, Found):
            return []
        versions = Releases(name, [outcome], self._rules(name)).versions
        return list(SpecifierSet(specifier).filter(versions))

    def answer(self, question: Question, *, in_earnest: bool = True) -> Answer | None:
        """Answer the solver; raises what an index or a build that cannot answer raises.

        What is only asked ahead of time is no reason to build anything: ``None`` then stands for the answer.
        """
        if isinstance(question, AskVersions):
            origin = (question.name, question.place)
            if is_url(question.place):
                return self._version_at(origin)
            return self._with_present(question.name, self._versions(origin))
        if not self._follow:
            return self._requiring_nothing((question.name, question.place), question.version)
        return self._dependencies((question.name, question.place), question.version, in_earnest=in_earnest)

    def _with_present(self, name: Name, found: Versions) -> Versions:
        present = self._present.get(name)
        if present is None:
            return found
        version = Version(present.version)
        self.read[(name, ""), version] = present
        return replace(
            found,
            versions=tuple(sorted({*found.versions, version})),
            yanked={other: why for other, why in found.yanked.items() if other != version},
            rejected=tuple(each for each in found.rejected if each[0] != version),
            absent="",
        )

    def _requiring_nothing(self, name: Origin, version: Version) -> Dependencies:
        if (name, version) not in self.read and self._candidate(name, version) is None:
            return self._unusable(name, version)
        known = self.read.setdefault((name, version), CoreMetadata(name[0], str(version)))
        return Dependencies((), known.requires_python, known.provides_extra)

    def _version_at(self, origin: Origin) -> Versions:
        direct = self.directs[origin] = self._direct(*origin)
        version = Version(direct.metadata.version)
        self.read[origin, version] = direct.metadata
        return Versions((version,), origin=str(direct.url))

    def _versions(self, origin: Origin) -> Versions:
        name, place = origin
        search = self._router.search(name, place)
        if search.found and search.beyond:
            self._beyond[name] = (search.found[0].index, search.beyond)
        if isinstance(search.outcome, Unavailable):
            raise search.outcome.error
        if search.absent:
            if search.nowhere_else:
                raise _not_where_it_must_be(search)
            return Versions((), absent=f"not found on {search.absent}")
        for answer in search.found:
            if answer.page.status != "active":
                self.statuses.setdefault(name, _told(answer))
        releases = self._releases[origin] = Releases(name, search.found, self._rules(name), links=search.found_links)
        variants = _variants(releases) if self._everywhere is not None else frozenset()
        known = _judged_ahead(releases, variants, whole=len(search.found) > 1, fits=self._fits)
        usable = [candidate for candidate in known.values() if candidate is not None]
        return Versions(
            tuple(version for version in releases.versions if known.get(version, True) is not None),
            yanked={candidate.version: candidate.yanked for candidate in usable if candidate.yanked is not None},
            rejected=releases.reasons(),
            origin=releases.index.label,
            tiers=search.tiers(usable),
            pythons=self._pythons(usable),
            regions=self._regions(usable, variants),
        )

    def _fits(self, candidate: Candidate) -> bool:
        """Whether a candidate will do for every Python, which a universal resolution does not leave to the rules."""
        text, everywhere = candidate.file.requires_python, self._everywhere
        if everywhere is None:
            return True
        if text and not everywhere.python_ok(text):
            return False
        region = self._region(candidate)
        return region is None or not everywhere.raises_python(region)

    def _regions(self, usable: Iterable[Candidate], variants: Collection[Version]) -> dict[Version, MarkerSet]:
        regions = ((each.version, self._region(each, by_python=each.version in variants)) for each in usable)
        return {version: region for version, region in regions if region is not None}

    def _region(self, candidate: Candidate, *, by_python: bool = False) -> MarkerSet | None:
        """Where a version can be used that has neither a sdist nor, without ``by_python``, a wheel for every platform."""
        if self._everywhere is None:
            return None
        rules = self._rules(candidate.name)
        parsed = [parse_filename(file.filename, candidate.name) for file in candidate.files]
        wheels = [each for each in parsed if isinstance(each, WheelName)]
        has_sdist = not candidate.is_wheel or (len(wheels) < len(parsed) and not rules.no_build)
        if has_sdist or (not by_python and any("any" in wheel.platforms for wheel in wheels)):
            return None
        pythons = rules.requires_python or SpecifierSet()
        try:
            return suits(wheel for wheel in wheels if wheel_may_run(wheel, pythons))
        except TooComplex:  # then it is taken for usable everywhere
            return None

    def _pythons(self, usable: Iterable[Candidate]) -> dict[Version, str]:
        if self._everywhere is None:
            return {}
        return {each.version: each.file.requires_python for each in usable if each.file.requires_python}

    def _candidate(self, name: Origin, version: Version) -> Candidate | None:
        candidate = self._releases[name].judge(version)
        if candidate is not None:
            self.chosen[name, version] = candidate
        return candidate

    def _unusable(self, name: Origin, version: Version) -> Dependencies:
        """The answer for a version that was taken for usable until it was looked at."""
        return Dependencies(unusable=self._releases[name].reason(version) or "has no file that can be used")

    def _dependencies(self, name: Origin, version: Version, *, in_earnest: bool) -> Dependencies | None:
        metadata, region = self.read.get((name, version)), None
        if metadata is None:
            candidate = self._candidate(name, version)
            if candidate is None:
                return self._unusable(name, version)
            try:
                metadata = self._metadata.stated(candidate)
                if metadata is None and not in_earnest:
                    return None
                metadata = metadata or self._metadata.read(candidate)
            except InvalidArtifact as error:
                return Dependencies(unusable=f"has no usable metadata ({error.causes[0]})")
            except BuildFailed as error:
                raise unbuilt(error, candidate, self._releases[name]) from error
            self.read[name, version] = metadata
            region = self._region(candidate)
        return Dependencies(metadata.requires_dist, metadata.requires_python, metadata.provides_extra, region=region)


def _not_where_it_must_be(search: Search) -> ProjectNotFound:
    """Absence on the one index that may have a name: older versions of what requires it must not get round that."""
    hints = [hint for answer in search.answers for hint in recognise(answer.index.url).hints(404)]
    return ProjectNotFound(
        f"`{search.name}` was not found on {search.absent}",
        causes=(f"no other index may have it: it is {search.rule}",),
        hints=(*hints, f"`cove index why {search.name}` shows where that is said and what the index answered"),
    )


def _variants(releases: Releases) -> frozenset[Version]:
    """Local versions, and what they are variants of."""
    local = [version for version in releases.versions if version.local is not None]
    return frozenset((*local, *(Version(version.public) for version in local)))


def _judged_ahead(
    releases: Releases, variants: Collection[Version], *, whole: bool, fits: Callable[[Candidate], bool]
) -> dict[Version, Candidate | None]:
    """The newest versions, judged until enough can be used; with ``whole`` all of them.

    Of the hundreds of versions of a project a few are ever looked at. The others are taken for usable until they are; but
    those with a yanked file are judged too, because the solver must know which it may choose only when they are pinned, and
    ``variants``, which are chosen by where they can be used.
    """
    known: dict[Version, Candidate | None] = {}
    enough = 0
    for version in reversed(releases.versions):
        if whole or enough < _JUDGED_AHEAD or version in variants or releases.is_partly_yanked(version):
            candidate = known[version] = releases.judge(version)
            is_plain = candidate is not None and candidate.yanked is None and not version.is_prerelease
            enough += is_plain and candidate is not None and fits(candidate)
    return known


_MAY_BE_OUTDATED = (NoSolution, ProjectNotFound, NoCompatibleFile, PythonIncompatible)


def _told(answer: Found) -> str:
    reason = f" (reason: {answer.page.status_reason})" if answer.page.status_reason else ""
    return f"`{answer.page.name}` is {answer.page.status} on {answer.index.label}{reason}"


def _warn_of_statuses(statuses: Mapping[Name, str], listener: Listener) -> None:
    for _, told in sorted(statuses.items()):
        if told:
            listener(Warned(told))


def resolve(request: Request, universe: Universe, *, workers: int, listener: Listener) -> Resolution:
    """The versions that meet ``request``. Raises ``NoSolution`` and its like, and what an index that failed raised.

    What cannot be met with pages from the cache is tried once more with those that the indexes have now.
    """
    solution = _driven(lambda driver: driver.resolve(request), universe, workers, listener)
    return _resolution(solution, universe, _Teller(universe, listener))


@dataclass(frozen=True, slots=True)
class Division:
    """What was chosen for a part of all environments."""

    part: Part
    resolution: Resolution


def resolve_everywhere(
    request: Request,
    initial: Sequence[Part],
    universe: Universe,
    *,
    known: Sequence[Known] = (),
    workers: int,
    listener: Listener,
) -> tuple[Division, ...]:
    """The versions that meet ``request`` in all environments: in those of ``initial``, as few parts of them as will do.

    ``known`` are the versions of a lock. Otherwise as ``resolve``.
    """
    branches = _driven(lambda driver: driver.resolve_everywhere(request, initial, known), universe, workers, listener)
    teller = _Teller(universe, listener)
    found: list[Division] = []
    for branch in branches:
        assert isinstance(branch.here, Part), "parts divide into parts"
        found.append(Division(branch.here, _resolution(branch.solution, universe, teller)))
    return tuple(found)


_T = TypeVar("_T")


def _driven(work: Callable[[Driver], _T], universe: Universe, workers: int, listener: Listener) -> _T:
    try:
        with Driver(universe.answer, workers=workers, listener=listener) as driver:
            return work(driver)
    except _MAY_BE_OUTDATED as error:
        failure = error
    try:
        if not universe.doubt():
            raise failure
        listener(Noted("nothing fits on pages from the cache: the indexes are asked whether these have changed"))
        with Driver(universe.answer, workers=workers, listener=listener) as driver:
            return work(driver)
    except _MAY_BE_OUTDATED as error:
        _warn_of_statuses(universe.statuses, listener)
        if isinstance(error, NoSolution):
            error.hints = (*error.hints, *universe.elsewhere(error.lacking))
        elif isinstance(error, ProjectNotFound):
            error.hints = (*(hint for name in error.packages for hint in universe.unsearched(name)), *error.hints)
        raise


class _Teller:
    """Says once what is to be known of what was chosen."""

    def __init__(self, universe: Universe, listener: Listener) -> None:
        self._statuses = universe.statuses
        self._listener = listener
        self._said: set[str] = set()

    def tell(self, names: Iterable[Name], yanked: Iterable[str]) -> None:
        statuses = [self._statuses[name] for name in sorted(names) if self._statuses.get(name)]
        for text in (*statuses, *yanked):
            if text not in self._said:
                self._said.add(text)
                self._listener(Warned(text))


def _resolution(solution: Solution, universe: Universe, teller: _Teller) -> Resolution:
    candidates = {}
    yanked: list[str] = []
    for name, resolved in solution.packages.items():
        candidate = universe.chosen.get(((name, resolved.place), resolved.version))
        if candidate is not None:
            candidates[name] = candidate
            if candidate.yanked is not None:
                reason = f" (reason: {candidate.yanked})" if candidate.yanked else ""
                yanked.append(f"`{name}=={resolved.version}` is yanked{reason}")
    teller.tell(solution.packages, yanked)
    metadata = {
        name: universe.read[(name, resolved.place), resolved.version] for name, resolved in solution.packages.items()
    }
    directs = {
        name: universe.directs[name, resolved.place]
        for name, resolved in solution.packages.items()
        if (name, resolved.place) in universe.directs
    }
    return Resolution(solution, candidates, metadata, directs)
