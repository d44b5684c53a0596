"""Which indexes are asked for a name, in which order, and when the search ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from cove.errors import UnknownIndex
from cove.index.source import Source
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.url import Url

NOWHERE = Index(Url("file:///"), name="(no index)")
"""Stands in outcomes where no index may be asked at all (``--no-index``)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked and answered for one name, kept so that it can be explained.

    ``rule`` says in words why these indexes were asked; ``answers`` are theirs, in the order of asking; ``links`` those of
    the lists that are merged on top.
    """

    name: Name
    rule: str
    answers: tuple[Outcome, ...]
    links: tuple[Outcome, ...] = ()

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

    @property
    def absent(self) -> str:
        """Where it is not, for a message: ``corp (404 Not Found) or public (404 Not Found)``; empty if it is somewhere."""
        if not isinstance(self.outcome, Absent):
            return ""
        absences = [answer for answer in (*self.answers, *self.links) if isinstance(answer, Absent)]
        return " or ".join(f"{a.index.label} ({a.reason})" for a in absences) or "any index: there is none to ask"


class Strategy(Protocol):
    """How several sources are asked for one name."""

    def __call__(self, name: Name, sources: Sequence[Source]) -> tuple[Outcome, ...]:
        """Their answers, in order, as far as they were asked."""
        ...


def first_index(name: Name, sources: Sequence[Source]) -> tuple[Outcome, ...]:
    """Ask in order and go on only after ``Absent``: a name that an earlier index has is never taken from a later one, and
    an index that cannot answer never gives way to one that can."""
    answers: list[Outcome] = []
    for source in sources:
        answers.append(source.project(name))
        if not isinstance(answers[-1], Absent):
            break
    return tuple(answers)


def unsafe_best_match(name: Name, sources: Sequence[Source]) -> tuple[Outcome, ...]:
    """Ask all, and let the highest version win, wherever it is (open to dependency confusion, hence the name)."""
    return tuple(source.project(name) for source in sources)


STRATEGIES: Mapping[str, Strategy] = {"first-index": first_index, "unsafe-best-match": unsafe_best_match}
"""By the value of the setting ``index-strategy``."""


class Router:
    """The source of a whole project: chooses the sources for each name and combines their answers.

    A pin (``tool.uv.sources``) or a route (``packages`` of an index) sends a name to one index and nowhere else. All other
    names go through the search order: every index that is not ``explicit``, the default one last. ``links``
    (``--find-links``) are merged on top, except for pinned names.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Index, Source]],
        *,
        links: Sequence[Source] = (),
        pins: Mapping[Name, str] | None = None,
        strategy: str = "first-index",
    ) -> None:
        """``pins`` maps names to index names; raises ``UnknownIndex`` for one that no source has."""
        self._sources = tuple(sources)
        self._links = tuple(links)
        self._strategy = STRATEGIES[strategy]
        self._strategy_name = strategy
        # Of several indexes of one name the first counts: command line and variables stand before the files.
        by_name = {index.name: source for index, source in reversed(self._sources) if index.name}
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
        self._order = tuple(source for _, source in searched)

    def search(self, name: Name) -> Search:
        """Ask for ``name`` and keep the trail. Never raises for what a server or the network did."""
        if name in self._pins:
            index_name, source = self._pins[name]
            return Search(name, f"pinned to {index_name} by tool.uv.sources", (source.project(name),))
        links = tuple(source.project(name) for source in self._links)
        for index, source in self._sources:
            glob = next((glob for glob in index.packages if fnmatchcase(name, normalize(glob))), None)
            if glob is not None:
                rule = f"routed to {index.label} by packages = [{glob!r}]"
                return Search(name, rule, (source.project(name),), links)
        return Search(name, f"search order ({self._strategy_name})", self._strategy(name, self._order), links)

    def project(self, name: Name) -> Outcome:
        """The answer to ``search``; of several pages the first."""
        return self.search(name).outcome
