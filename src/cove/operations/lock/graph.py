"""The solutions for all parts of the environments as one graph, whose edges have the markers under which they hold."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Literal

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, TooComplex, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.model.candidate import Candidate
from cove.model.conflict import Choice
from cove.model.dataclasses import dataclass, field
from cove.model.lock import LockedDependency, LockedSource
from cove.model.name import Name, normalize
from cove.operations.lock.exclusions import Exclusions, Way
from cove.operations.resolution.direct import Direct
from cove.operations.resolution.parts import Part
from cove.operations.resolution.resolution import Division
from cove.resolve.catalogue import belongs_to
from cove.resolve.questions import Resolved

_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Key:
    """What a package is told apart by. ``version`` is written as in the lock."""

    name: Name
    version: str
    source: LockedSource


@dataclass(frozen=True, slots=True)
class Section:
    """Requirements of the project that stand side by side: its own, those of an extra, those of a group."""

    kind: Literal["project", "extra", "group"]
    name: Name
    of: Name = Name("")
    """The project, where there are several."""
    condition: str = ""
    """The marker under which they count, where something excludes them."""

    @property
    def choice(self) -> Choice:
        """What is chosen with them."""
        return Choice(self.of, self.kind, self.name)


End = tuple[Key, Name | None]
"""A package, or one of its extras."""


SourceOf = Callable[[Name, Candidate | None, Direct | None], LockedSource]
"""How the lock names the source of a project; one of the candidate and the direct reference is there."""


@dataclass(slots=True)
class Node:
    """A package of the lock: what was chosen, and the parts for which it was. ``reached`` are the environments that need it."""

    resolved: Resolved
    candidate: Candidate | None
    direct: Direct | None
    parts: list[Part] = field(default_factory=list)
    extras: set[Name] = field(default_factory=set)
    offered: frozenset[Name] = frozenset()
    reached: MarkerSet = NOTHING


@dataclass(slots=True)
class _Edges:
    """The ends of the edges of a node, extra or section, with their markers, and with what these were ``joined`` from."""

    markers: dict[End, MarkerSet] = field(default_factory=dict)
    joined: dict[End, list[tuple[Marker | None, Name | None, Part]]] = field(default_factory=dict)


class Graph:
    """All packages that some environment needs. ``sections`` are the project's requirements, in the order of the lock."""

    def __init__(
        self,
        divisions: Sequence[Division],
        sections: Mapping[Section, Sequence[Requirement]],
        requires_python: SpecifierSet,
        source_of: SourceOf,
        *,
        exclusions: Exclusions | None = None,
        overrides: Iterable[Requirement] = (),
        excludes: frozenset[Name] = frozenset(),
    ) -> None:
        self._excludes = excludes
        self._overrides: dict[Name, list[Requirement]] = {}
        for override in overrides:
            self._overrides.setdefault(normalize(override.name), []).append(override)
        self._requires_python = requires_python
        self._exclusions = exclusions or Exclusions()
        self._possible = python_set(requires_python) & self._exclusions.allowed
        self._source_of = source_of
        self.nodes: dict[Key, Node] = {}
        self._members = {
            (section.of, section.name if section.kind == "extra" else None): section
            for section in sections
            if section.of and section.kind != "group"
        }
        """What packages may require of the projects that are locked."""
        self._edges: dict[End | Section, _Edges] = defaultdict(_Edges)
        self._reached: dict[End | Section, MarkerSet] = {}
        for division in divisions:
            self._add(division, sections)
        environment = NOTHING
        for division in divisions:
            environment |= division.part.markers.without_extras
        self._environment = environment.assuming_python(requires_python)
        self._reach()
        self._ways: dict[End | Section, set[Way]] = {}
        if self._exclusions:
            self._find_ways(sections)
        else:  # uv keeps what no environment needs where something excludes something else
            self.nodes = {key: node for key, node in self.nodes.items() if not (node.reached & self._possible).is_empty}
        self._several = {name for name, count in Counter(key.name for key in self.nodes).items() if count > 1}

    def is_ambiguous(self, name: Name) -> bool:
        """Whether there is more than one package of that name."""
        return name in self._several

    def edges(self, start: End | Section) -> tuple[LockedDependency, ...]:
        """The edges of a package, an extra of one or a section, as the lock has them.

        Their markers say nothing that the start of the edge, or the project's range of Pythons, says already.
        """
        edges = (self._edge(*each) for each in self._asked(start))
        return tuple(sorted(edges, key=lambda edge: (edge.name, edge.version, edge.marker)))

    def _asked(self, start: End | Section) -> list[tuple[Key, str, frozenset[Name]]]:
        """For each end and marker, the extras that are asked for, those that the version does not have included."""
        edges, known = self._edges[start], self.known(start)
        extras: dict[tuple[Key, str], set[Name]] = {}
        for (key, extra), marker in edges.markers.items():
            if key in self.nodes:  # whether or not there are environments that come to its start and go on there, as uv
                told = self._undoubted(start, key, marker)
                text = self._text(told, known, edges.joined[key, extra])
                extras.setdefault((key, text), set()).update(() if extra is None else (extra,))
        return [(key, text, frozenset(several)) for (key, text), several in extras.items()]

    def known(self, start: End | Section) -> MarkerSet:
        """What is known of the environments where one has come there."""
        return self._exclusions.informed(self._reached.get(start, EVERYTHING)).without_extras

    def _text(
        self, marker: MarkerSet, known: MarkerSet, joined: Iterable[tuple[Marker | None, Name | None, Part]]
    ) -> str:
        """The marker of an edge; what is too complex to be simplified is written as it was found."""
        if all(_is_simple(stated) for stated, _, _ in joined):
            with suppress(TooComplex):
                return self._spelled(marker, known)
        alternatives = [" and ".join(_conditions(*each)) for each in joined]
        return "" if "" in alternatives else " or ".join(dict.fromkeys(alternatives))

    def requirers(self, key: Key) -> frozenset[Name]:
        """The names of the packages that have an edge to this one, with or without an extra of theirs."""
        return frozenset(
            start[0].name
            for start, edges in self._edges.items()
            if not isinstance(start, Section) and start[0] in self.nodes and any(end[0] == key for end in edges.markers)
        )

    def markers_of(self, parts: Iterable[Part]) -> tuple[str, ...]:
        """How the lock writes which parts these are."""
        whole = [part.markers.assuming_python(self._requires_python) for part in parts]
        found = list(dict.fromkeys(each.without_extras for each in whole))
        if any(not (one & other).is_empty for one, other in combinations(found, 2)):
            found = whole  # only what is asked for tells them apart
        return tuple(text for text in dict.fromkeys(map(spelled, found)) if text)

    def _spelled(self, marker: MarkerSet, known: MarkerSet) -> str:
        """A marker without what is known, and without what all parts have in common."""
        python = self._requires_python
        found = marker.assuming_python(python).assuming(known.assuming_python(python))
        return spelled((found & self._environment).assuming(self._environment))

    def _undoubted(self, start: End | Section, key: Key, marker: MarkerSet) -> MarkerSet:
        """The marker of an edge without what is known, and what every way to its start decides.

        An edge that has an alternative keeps its conditions.
        """
        if not self._exclusions:
            return marker
        whole = self._exclusions.informed(marker)
        alternatives = [end for end in self._edges[start].markers if end[0].name == key.name]
        return whole if len(alternatives) > 1 else self._exclusions.simplified(whole, self._ways.get(start, ()))

    def _find_ways(self, sections: Iterable[Section]) -> None:
        """By which of the choices that exclude others each package is reached."""
        queue: list[End | Section] = [*sections]
        for section in sections:
            self._ways[section] = {self._chosen(frozenset(), section.choice)}
        while queue:
            start = queue.pop()
            for end in self._edges[start].markers:
                (key, extra) = end
                chosen = Choice(key.name, "extra", extra) if extra is not None else None
                found = {self._chosen(way, chosen) for way in self._ways[start]}
                for each in self._same(end):
                    known = self._ways.setdefault(each, set())
                    if not found <= known:
                        known |= found
                        queue.append(each)

    def _chosen(self, way: Way, choice: Choice | None) -> Way:
        is_noted = choice is not None and choice.kind != "project" and choice in self._exclusions
        return way | {choice} if is_noted and choice is not None else way

    def _same(self, end: End) -> Iterator[End | Section]:
        """The end of an edge, and the section that it is where it is a project of the workspace."""
        yield end
        section = self._members.get((end[0].name, end[1]))
        if section is not None:
            yield section

    def _edge(self, key: Key, marker: str, asked: frozenset[Name]) -> LockedDependency:
        # Extras that the version does not have, or that need nothing, are not named.
        named = {extra: self._members.get((key.name, extra), (key, extra)) for extra in asked & self.nodes[key].offered}
        extras = tuple(extra for extra in sorted(named) if self._asked(named[extra]))
        if key.name in self._several:
            return LockedDependency(key.name, extras, marker, key.version, key.source)
        return LockedDependency(key.name, extras, marker)

    def _add(self, division: Division, sections: Mapping[Section, Sequence[Requirement]]) -> None:
        resolution, part = division.resolution, division.part
        ends: dict[Name, Key] = {}
        for name, resolved in resolution.solution.packages.items():
            candidate, direct = resolution.candidates.get(name), resolution.directs.get(name)
            key = ends[name] = Key(name, str(resolved.version), self._source_of(name, candidate, direct))
            node = self.nodes.setdefault(key, Node(resolved, candidate, direct))
            node.parts.append(part)
            node.offered = frozenset(resolution.metadata[name].provides_extra)
            node.extras |= resolved.extras & node.offered
        for section, stated in sections.items():
            if self._begins(section, part):
                self._reached[section] = self._reached.get(section, NOTHING) | part.markers
            elif not _is_required(section, resolution.solution.packages.get(section.of)):
                continue
            self._connect(section, list(self._overridden(stated, None, is_stated=True)), None, part, ends)
        for name, key in ends.items():
            resolved = resolution.solution.packages[name]
            self._connect((key, None), list(self._overridden(resolved.requires, None)), None, part, ends)
            for extra in sorted(resolved.extras & self.nodes[key].offered):
                flat = flattened(key.name, list(with_extras(resolved.requires)), extra)
                of_extra = list(self._overridden(flat, extra))
                self._connect((key, extra), of_extra, extra, part, ends)

    def _begins(self, section: Section, part: Part) -> bool:
        """Whether a section counts in a part, whoever else requires it."""
        marker = Marker(section.condition) if section.condition else None
        return part.divided(part.region(marker, None))[0] is not None

    def _overridden(
        self, requirements: Iterable[Requirement], extra: Name | None, *, is_stated: bool = False
    ) -> Iterator[Requirement]:
        """The requirements with overrides in the place of what they override, each once.

        Extras in the markers of what ``is_stated``, by the project itself, are not extras of its own.
        """
        replaced: set[Name] = set()
        for requirement in requirements:
            name = normalize(requirement.name)
            if name in self._excludes:
                continue
            if name not in self._overrides:
                yield requirement
            elif name not in replaced and (is_stated or belongs_to(requirement, extra)):
                replaced.add(name)
                yield from self._overrides[name]

    def _connect(
        self,
        start: End | Section,
        requirements: Iterable[Requirement],
        extra: Name | None,
        part: Part,
        ends: Mapping[Name, Key],
    ) -> None:
        edges = self._edges[start]
        for requirement in requirements:
            key = ends.get(normalize(requirement.name))
            if key is not None and self._is_left_out(start, requirement, part):
                continue
            within = part.divided(part.region(requirement.marker, extra))[0] if key is not None else None
            if key is None or within is None:
                continue
            wanted_extras = sorted(map(normalize, requirement.extras))
            for wanted in (None, *(each for each in wanted_extras if not part.leaves_out(key.name, each))):
                known = edges.markers.get((key, wanted), NOTHING)
                edges.markers[key, wanted] = known | within.markers
                edges.joined.setdefault((key, wanted), []).append((requirement.marker, extra, part))

    def _is_left_out(self, start: End | Section, requirement: Requirement, part: Part) -> bool:
        """Whether what an extra or a group requires does not count in a part, for something excludes it."""
        section = (
            start
            if isinstance(start, Section)
            else Section("project" if start[1] is None else "extra", start[1] or Name(""))
        )
        return any(part.excludes(choice) for choice in needed(section, requirement, self._exclusions))

    def _reach(self) -> None:
        queue: list[End | Section] = [*self._reached]
        while queue:
            start = queue.pop()
            for end, marker in self._edges[start].markers.items():
                for each in self._same(end):
                    before = self._reached.get(each, NOTHING)
                    after = before | (marker & self._reached[start])
                    if after != before or each not in self._reached:
                        self._reached[each] = after
                        queue.append(each)
        for key, node in self.nodes.items():
            node.reached = self._reached.get((key, None), NOTHING)
            node.parts = [part for part in node.parts if not (part.markers & node.reached).is_empty]
            node.extras = {extra for extra in node.extras if (key, extra) in self._reached}


def needed(section: Section, requirement: Requirement, exclusions: Exclusions) -> Iterator[Choice]:
    """Without which choices a requirement does not count: what extras and groups require of a project that is excluded, and
    what an extra requires of one of the same name."""
    name, extras = normalize(requirement.name), frozenset(map(normalize, requirement.extras))
    by_extra = section.kind == "extra"
    if section.kind != "project" and (
        by_extra or not extras or any(Choice(name, "extra", each) in exclusions for each in extras)
    ):
        yield Choice(name, "project")
    if by_extra and section.name in extras:
        yield Choice(name, "extra", section.name)


def _is_required(section: Section, resolved: Resolved | None) -> bool:
    """Whether what was chosen requires a section of a project that is locked."""
    if resolved is None or section.kind == "group":
        return False
    return section.kind == "project" or section.name in resolved.extras


def with_extras(requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    """The requirements whose marker speaks of extras."""
    return (each for each in requirements if each.marker is not None and "extra" in str(each.marker))


def flattened(own: Name, requirements: Sequence[Requirement], extra: Name) -> Iterator[Requirement]:
    """The requirements, with what an extra of ``own`` asks for in the place of a requirement of that extra: a lock has the
    packages that an extra comes to, and not by way of which others. What is too complex for that stays as it is."""
    if not any(normalize(each.name) == own and belongs_to(each, extra) for each in requirements):
        yield from requirements
        return
    try:
        found = _asked_within(own, requirements, extra)
    except TooComplex:
        yield from requirements
        return
    for asked, where in found.items():
        condition = f'extra == "{extra}"' + (f" and ({spelled(where)})" if not where.is_everything else "")
        for each in requirements:
            if normalize(each.name) == own or not belongs_to(each, asked):
                continue
            told = Requirement(str(each))
            told.marker = Marker(f"{condition} and ({_decided(str(each.marker), asked)})")
            yield each if asked == extra else told


def _asked_within(own: Name, requirements: Sequence[Requirement], extra: Name) -> dict[Name, MarkerSet]:
    """The extras that one asks for, itself among them, each with where it does."""
    found, queue = {extra: EVERYTHING}, [extra]
    while queue:
        asked = queue.pop()
        for each in requirements:
            if normalize(each.name) != own or not belongs_to(each, asked):
                continue
            where = found[asked] & marker_set(Marker(_decided(str(each.marker), asked)))
            for name in map(normalize, each.extras):
                before = found.get(name, NOTHING)
                if before | where != before:
                    found[name] = before | where
                    queue.append(name)
    return found


def _conditions(stated: Marker | None, extra: Name | None, part: Part) -> Iterator[str]:
    """What a requirement and the part that it is in demand, as they say it; extras are decided."""
    if stated is not None:
        yield f"({_decided(str(stated), extra)})"
    if not part.markers.is_everything:
        yield f"({spelled(part.markers)})"


def _decided(marker: str, extra: Name | None) -> str:
    """A marker when ``extra`` alone is asked for."""

    def decided(match: re.Match[str]) -> str:
        holds = (normalize(match[2] or match[3]) == extra) == (match[1] == "==")
        return "python_version >= '0'" if holds else "python_version < '0'"

    return _EXTRA.sub(decided, marker)


def _is_simple(marker: Marker | None) -> bool:
    try:
        marker_set(marker)
    except TooComplex:
        return False
    return True
