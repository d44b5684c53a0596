"""Which indexes are asked for a name, in which order, and when the search ends."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cove.errors import IndexChanged, UnknownIndex
from cove.index.source import Source
from cove.model.candidate import Candidate
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.url import Url

if TYPE_CHECKING:  # questions are asked before versions are read
    from packaging.version import Version

NOWHERE = Index(Url("file:///"), name="(no index)")
"""Stands in outcomes where no index may be asked at all (``--no-index``)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked and answered for one name, kept so that it can be explained.

    ``rule`` says in words why these indexes were asked; ``answers`` are theirs, in the order of asking; ``links`` those of
    the lists that are merged on top. ``in_order``: versions of an earlier answer are tried before those of a later one.
    ``nowhere_else``: a pin or a route says that the name may come from no other index. ``beyond`` are the indexes of the
    search order that were not asked, because one before them has the project.
    """

    name: Name
    rule: str
    answers: tuple[Outcome, ...]
    links: tuple[Outcome, ...] = ()
    in_order: bool = False
    nowhere_else: bool = False
    beyond: tuple[Index, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The answer to the whole search: an index that did not say stops it, and its error is the answer."""
        everything = (*self.answers, *self.links)
        for outcome in everything:
            if isinstance(outcome, Unavailable):
                return outcome
        for outcome in everything:
            if isinstance(outcome, Found):
                return outcome
        return everything[-1] if everything else Absent(NOWHERE, "there is no index to ask")

    @property
    def found(self) -> tuple[Found, ...]:
        """The pages of the indexes, in their order; more than one only under an ``unsafe-`` strategy."""
        return tuple(answer for answer in self.answers if isinstance(answer, Found))

    @property
    def found_links(self) -> tuple[Found, ...]:
        """The pages of the lists that are merged on top."""
        return tuple(answer for answer in self.links if isinstance(answer, Found))

    def tiers(self, candidates: Iterable[Candidate]) -> "tuple[frozenset[Version], ...]":
        """The versions of each page, to be tried in this order; empty where the page a version is on does not matter.

        Lists that are merged on top are so everywhere, and therefore in the first.
        """
        if not self.in_order:
            return ()
        indexes = [found.index for found in self.found]
        tiers: list[set[Version]] = [set() for _ in range(max(1, len(indexes)))]
        for candidate in candidates:
            tiers[indexes.index(candidate.index) if candidate.index in indexes else 0].add(candidate.version)
        return tuple(frozenset(tier) for tier in tiers if tier)

    @property
    def absent(self) -> str:
        """Where it is not, for a message: ``corp (404 Not Found) or public (404 Not Found)``; empty if it is somewhere."""
        if not isinstance(self.outcome, Absent):
            return ""
        absences = [answer for answer in (*self.answers, *self.links) if isinstance(answer, Absent)]
        return " or ".join(f"{a.index.label} ({a.reason})" for a in absences) or "any index: there is none to ask"


@dataclass(frozen=True, slots=True)
class Strategy:
    """How several sources are asked for one name, and how their versions stand to each other.

    ``until_found`` ends the search at the first page; otherwise all are asked, and any of them may give a version (open to
    dependency confusion, hence the names). ``in_order`` has every acceptable version of an earlier index tried before those
    of a later one. An index that cannot answer ends the search in all of them: it never gives way to one that can.
    """

    name: str
    until_found: bool = False
    in_order: bool = False

    def ask(self, name: Name, sources: Iterable[Source]) -> tuple[Outcome, ...]:
        """Their answers, in order, as far as they were asked; one is asked only when the one before it has answered."""
        answers: list[Outcome] = []
        for source in sources:
            answers.append(source.project(name))
            if isinstance(answers[-1], Unavailable) or (self.until_found and isinstance(answers[-1], Found)):
                break
        return tuple(answers)


STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy("first-index", until_found=True),
        Strategy("unsafe-first-match", in_order=True),
        Strategy("unsafe-best-match"),
    )
}
"""By the value of the setting ``index-strategy``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a lock has a package from: the URL or path as the lock has it, and the index that this is now, if any."""

    location: str
    index: Index | None

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.index.label if self.index is not None else self.location


class Router:
    """The source of a whole project: chooses the sources for each name and combines their answers.

    A pin (``tool.uv.sources``) or a route (``packages`` of an index) sends a name to one index and nowhere else. All other
    names go through the search order: every index that is not ``explicit``, the default one last. ``links``
    (``--find-links``) are merged on top, except for pinned names.

    A name that is ``kept`` comes from the index that the lock has it from, or is an error: no index that stands after that
    one is asked for it, and nothing is merged on top. Indexes before it are asked under ``first-index``, for what they have
    would be taken; under the ``unsafe-`` strategies its own is enough.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Index, Source]],
        *,
        links: Sequence[tuple[Index, Source]] = (),
        pins: Mapping[Name, str] | None = None,
        kept: Mapping[Name, Kept] | None = None,
        strategy: str = "first-index",
    ) -> None:
        """``pins`` maps names to index names; raises ``UnknownIndex`` for one that no source has."""
        self._sources = tuple(sources)
        self._links = tuple(links)
        self._kept = dict(kept or {})
        self._strategy = STRATEGIES[strategy]
        # Of several indexes of one name the first counts: command line and variables stand before the files.
        by_name = {index.name: source for index, source in reversed(self._sources) if index.name}
        self._by_name = by_name
        self._pins = {}
        for name, index_name in (pins or {}).items():
            if index_name not in by_name:
                known = ", ".join(sorted(by_name)) or "none"
                raise UnknownIndex(
                    f"`{name}` is pinned to the index {index_name!r}, which is not defined",
                    hints=(f"defined indexes: {known}",),
                )
            self._pins[name] = (index_name, by_name[index_name])
        searched = [(index, source) for index, source in self._sources if not index.explicit]
        searched.sort(key=lambda pair: pair[0].default)
        self._order = tuple(searched)

    def search(self, name: Name, place: str = "") -> Search:
        """Ask for ``name`` and keep the trail. Never raises for what a server or the network did.

        ``place`` is the name of the index that it is pinned to in this case, if its pins depend on markers.
        """
        if place or name in self._pins:
            index_name, source = (place, self._by_name[place]) if place else self._pins[name]
            return Search(
                name, f"pinned to {index_name} by tool.uv.sources", (source.project(name),), nowhere_else=True
            )
        kept = self._kept.get(name)
        for index, source in self._sources:
            glob = next((glob for glob in index.packages if fnmatchcase(name, normalize(glob))), None)
            if glob is not None:
                rule = f"routed to {index.label} by packages = [{glob!r}]"
                if kept is not None and kept.index != index:
                    return Search(name, rule, (_changed(name, kept, index, f"its name is {rule}"),))
                links = () if kept is not None else self._merged(name)
                return Search(name, rule, (source.project(name),), links, nowhere_else=True)
        if kept is not None:
            return self._where_it_was(name, kept)
        answers = self._strategy.ask(name, (source for _, source in self._order))
        rule = f"search order ({self._strategy.name})"
        beyond = tuple(index for index, _ in self._order[len(answers) :])
        return Search(name, rule, answers, self._merged(name), self._strategy.in_order, beyond=beyond)

    @property
    def searched(self) -> tuple[Index, ...]:
        """The indexes that are asked for a name of which nothing is said, in this order."""
        return tuple(index for index, _ in self._order)

    @property
    def explicit(self) -> tuple[Index, ...]:
        """The indexes that are asked only for what is pinned to them."""
        return tuple(index for index, _ in self._sources if index.explicit)

    def look(self, name: Name, index: Index) -> Outcome:
        """What ``index`` says of ``name``, whether or not a search would ask it."""
        return next(source for other, source in self._sources if other == index).project(name)

    def project(self, name: Name) -> Outcome:
        """The answer to ``search``; of several pages the first."""
        return self.search(name).outcome

    def _merged(self, name: Name) -> tuple[Outcome, ...]:
        return tuple(source.project(name) for _, source in self._links)

    def _where_it_was(self, name: Name, kept: Kept) -> Search:
        rule = f"locked from {kept.label}"
        for index, source in self._links:
            if index == kept.index:
                return Search(name, rule, (), (self._still(name, kept, source),))
        position = next((at for at, (index, _) in enumerate(self._order) if index == kept.index), None)
        if position is None:
            why = f"{kept.label} is not searched any more" if kept.index else f"{kept.label} is not configured any more"
            return Search(name, rule, (_changed(name, kept, self._next_after(-1), why),))
        answers: list[Outcome] = []
        for index, source in self._order[:position] if self._strategy.until_found else ():
            answers.append(source.project(name))
            if isinstance(answers[-1], Found):
                answers[-1] = _changed(
                    name, kept, index, f"{index.label}, which stands before {kept.label}, has it now"
                )
            if not isinstance(answers[-1], Absent):
                return Search(name, rule, tuple(answers))
        return Search(name, rule, (*answers, self._still(name, kept, self._order[position][1], position)))

    def _still(self, name: Name, kept: Kept, source: Source, position: int = -1) -> Outcome:
        """The answer of the index that the lock names; absence there is no leave to look elsewhere."""
        outcome = source.project(name)
        following = self._next_after(position)
        if not isinstance(outcome, Absent) or following is None:
            return outcome
        return _changed(name, kept, following, f"{kept.label} does not have it any more ({outcome.reason})")

    def _next_after(self, position: int) -> Index | None:
        return next((index for index, _ in self._order[position + 1 :]), None)


def _changed(name: Name, kept: Kept, other: Index | None, why: str) -> Unavailable:
    elsewhere = f"it would be looked for on {other.label} now" if other is not None else "no other index is searched"
    return Unavailable(
        other or kept.index or NOWHERE,
        IndexChanged(
            f"`{name}` is locked from {kept.label}, and would not come from there any more",
            causes=(why, elsewhere),
            hints=(
                f"a locked package keeps its index: look at its credential and its place with `cove index why {name}`",
                f"if it is meant to move: `--allow-index-change {name}`, or a pin in tool.uv.sources",
            ),
        ),
    )
