"""Parts of all environments, told apart by markers and Pythons: what a universal resolution divides (``resolve.forks``)."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Self

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, TooComplex, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.index.candidates import lowest_admitted, readable
from cove.model.conflict import Choice, Exclusion
from cove.model.name import Name
from cove.operations.lock.conflicts import Fork, too_many

_SYSTEMS = tuple(Marker(f"sys_platform == '{system}'") for system in ("darwin", "linux", "win32"))


class Part:
    """The environments that meet ``markers``, with a Python in ``requires_python``.

    What two parts are told apart by is in ``markers``; the range of Pythons is common to all of them.
    """

    def __init__(
        self,
        requires_python: SpecifierSet,
        markers: MarkerSet = EVERYTHING,
        facts: MarkerSet = EVERYTHING,
        meanings: dict[tuple[int, Name | None], tuple[MarkerSet, Marker]] | None = None,
        *,
        asked: frozenset[str] = frozenset(),
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        """``facts`` hold in every environment that counts: what is outside of them does not exist, or is not supported.

        Of what excludes each other ``asked`` is what may be asked for here, as markers spell it, and ``left_out`` the rest.
        """
        self.markers = markers
        self._requires_python = requires_python
        self._facts = facts
        self._asked = asked
        self._left_out = left_out
        self._meanings = meanings if meanings is not None else {}
        """By the identity of a marker, which is kept, for its text costs more than its meaning."""
        self._whole = markers & facts & python_set(requires_python)
        self._lowest = self._whole.lowest_python
        self._applies: dict[MarkerSet, bool] = {}
        self._divided: dict[MarkerSet, tuple[Part | None, Part | None]] = {}
        self._by_python: dict[str, tuple[Part, Part] | None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no such environment."""
        return self._whole.is_empty

    def applies(self, marker: Marker, extras: frozenset[Name]) -> bool:
        """Whether ``marker`` holds somewhere here."""
        return any(self._applies_for(marker, extra) for extra in (sorted(extras) or (None,)))

    def _applies_for(self, marker: Marker, extra: Name | None) -> bool:
        region = self.region(marker, extra)
        known = self._applies.get(region)
        if known is None:
            try:
                known = not (region & self._whole).is_empty
            except TooComplex:
                known = True
            self._applies[region] = known
        return known

    def region(self, marker: Marker | None, extra: Name | None) -> MarkerSet:
        """What ``marker`` means when ``extra`` is asked for."""
        if marker is None:
            return EVERYTHING
        known = self._meanings.get((id(marker), extra))
        if known is None:
            try:
                known = marker_set(marker).with_extras({*self._asked, extra or ""} - self._left_out), marker
            except TooComplex:
                known = EVERYTHING, marker
            self._meanings[id(marker), extra] = known
        return known[0]

    def python_ok(self, text: str) -> bool:
        """Whether a ``Requires-Python`` admits the lowest Python here; its upper bounds are not looked at."""
        if not readable(text):
            return False
        needed = lowest_admitted(text)
        return needed is None or (self._lowest is not None and self._lowest >= (_trimmed(needed), 0))

    def divided_by_python(self, text: str) -> tuple["Part", "Part"] | None:
        """The parts below and from the lowest Python on that a ``Requires-Python`` admits."""
        if text not in self._by_python:
            self._by_python[text] = self._halves(text)
        return self._by_python[text]

    def _halves(self, text: str) -> tuple["Part", "Part"] | None:
        needed = lowest_admitted(text) if readable(text) else None
        if needed is None:
            return None
        within = Part(
            self._requires_python,
            self.markers & python_set(self._requires_python),
            self._facts,
            self._meanings,
            asked=self._asked,
            left_out=self._left_out,
        )
        above, below = within.divided(python_set(SpecifierSet(f">={'.'.join(map(str, needed))}")))
        return (below, above) if below is not None and above is not None else None

    def leaves_out(self, name: Name, extra: Name | None) -> bool:
        """Whether an extra of a project, or without one that project, is not asked for here: something else excludes it."""
        return self.excludes(Choice(name, "project") if extra is None else Choice(name, "extra", extra))

    def excludes(self, choice: Choice) -> bool:
        """Whether a choice is not made here."""
        return bool(self._left_out) and choice.code in self._left_out

    def choosing(self, fork: Fork) -> "Part | None":
        """The part where what ``fork`` includes is asked for, and nothing that it excludes."""
        markers = EVERYTHING
        for choice in fork.included:
            markers &= asked_for(choice)
        for choice in fork.excluded:
            markers &= ~asked_for(choice)
        if (self._whole & markers).is_empty:
            return None
        left_out = frozenset(choice.code for choice in fork.left_out)
        return Part(
            self._requires_python,
            self.markers & markers,
            self._facts,
            asked=self._asked - left_out,
            left_out=self._left_out | left_out,
        )

    def raises_python(self, region: MarkerSet) -> bool:
        """Whether the Pythons of ``region`` begin above the lowest one here."""
        lowest = region.lowest_python
        return lowest is not None and (self._lowest is None or lowest > self._lowest)

    def lacking(self, required: MarkerSet, region: MarkerSet) -> MarkerSet:
        """What tells the environments in ``required`` from those here in ``region``: others may fall on either side."""
        return required.assuming(required | (region & self.markers))

    def by_variant(self, variant: MarkerSet, plain: MarkerSet | None) -> tuple["Part | None", "Part | None"]:
        """Where a version is to be chosen, which can be used in ``plain`` (``None``: everywhere), and where its local variant.

        A system on which only the plain version can be used is its own as a whole: machines that neither has a wheel for need
        no part of their own.
        """
        try:
            beyond = (EVERYTHING if plain is None else plain) & ~variant
            if (self.markers & beyond).is_empty:
                return None, self
            if (self.markers & variant).is_empty:
                return self, None
            for system in map(marker_set, _SYSTEMS):
                if (variant & system).is_empty and not (beyond & system).is_empty:
                    beyond |= system
        except TooComplex:
            return None, self
        inside, outside = self.divided(beyond)
        return (inside, outside) if inside is not None and outside is not None else (None, self)

    def admits(self, region: MarkerSet) -> bool:
        """Whether ``region`` has environments with one of the Pythons here or an older one, on whatever platform that is
        supported: what there is for a Python of today may come for those of tomorrow.
        """
        try:
            return not ((region & self._facts).pythons_from_the_lowest & self._whole).is_empty
        except TooComplex:
            return True

    def divided(self, region: MarkerSet) -> tuple["Part | None", "Part | None"]:
        """The part within ``region`` and the one outside; this one, undivided, where that is too hard to tell."""
        if region not in self._divided:
            try:
                parts = (self._narrowed(region), self._narrowed(~region))
            except TooComplex:
                parts = (self, None)
            self._divided[region] = parts
        return self._divided[region]

    def _narrowed(self, region: MarkerSet) -> "Part | None":
        if (self._whole & region).is_empty:
            return None
        markers = self.markers & region
        if markers == self.markers:
            return self
        return Part(
            self._requires_python, markers, self._facts, self._meanings, asked=self._asked, left_out=self._left_out
        )

    def meets(self, other: Self) -> bool:
        """Whether there are environments in both."""
        return not (self.markers & other._whole).is_empty

    @property
    def lowest_python(self) -> tuple[object, ...]:
        """The lower bound that ``markers`` sets."""
        return self.markers.lowest_python or ((), 0)

    @property
    def python(self) -> str:
        """Its range in words."""
        simple = self.markers.python_only
        if simple.is_everything:
            return str(self._requires_python)
        text = spelled(simple & python_set(self._requires_python))
        return re.sub(r"python_full_version (\S+) '([^']*)'", r"\1\2", text).replace(" and ", ",")

    @property
    def label(self) -> str:
        """In words which environments these are; empty for all."""
        try:
            return spelled(self.markers.assuming_python(self._requires_python))
        except TooComplex:
            return "a marker holds that is too long to be shown"


def everything(
    requires_python: SpecifierSet, environments: Iterable[Marker] = (), conflicts: Sequence[Exclusion] = ()
) -> Part:
    """Every environment with such a Python, or those that meet one of ``environments`` where there are any.

    No two choices of one of ``conflicts`` are made together.
    """
    stated = [marker_set(marker) for marker in environments] or [EVERYTHING]
    supported = NOTHING
    for markers in stated:
        supported |= markers
    asked = frozenset(choice.code for members in conflicts for choice in members)
    return Part(requires_python, EVERYTHING, supported & allowed(conflicts), asked=asked)


def begin(whole: Part, environments: Iterable[Marker] = (), forks: Sequence[Fork] = (Fork(),)) -> list[Part]:
    """The parts to begin with: each of ``environments`` for itself, and of these each of ``forks``."""
    stated = [marker_set(marker) for marker in environments]
    found = [part for markers in stated if (part := whole.divided(markers)[0]) is not None] if stated else [whole]
    return [part for each in found for fork in forks if (part := each.choosing(fork)) is not None]


def allowed(conflicts: Iterable[Exclusion]) -> MarkerSet:
    """What may be asked for together: no two of an exclusion. Raises ``ConfigurationError`` for too many of them."""
    found = EVERYTHING
    try:
        for one, other in (pair for members in conflicts for pair in combinations(members, 2)):
            found &= ~(asked_for(one) & asked_for(other))
    except TooComplex as error:
        raise too_many("what is left cannot be written as a marker") from error
    return found


def asked_for(choice: Choice) -> MarkerSet:
    """The environments where ``choice`` is asked for."""
    return marker_set(Marker(f'extra == "{choice.code}"'))


def _trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release
