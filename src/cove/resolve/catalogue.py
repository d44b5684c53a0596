"""What is known so far: each project's candidates as bits, and which of them a requirement accepts."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.resolve.questions import (
    PYTHON_REASON,
    Answer,
    AskDependencies,
    AskVersions,
    Dependencies,
    Question,
    Versions,
    is_url,
)
from cove.resolve.request import Applies, Request
from cove.resolve.term import UNSELECTED

NO_WHEEL = "has no wheel for these environments, and no sdist"

_NONE: frozenset[Name] = frozenset()
_EXTRA_IN_MARKER = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']|["']([^"']+)["']\s*==\s*extra\b""")


class Listing:
    """One project's candidates, those that cannot be chosen included: their reasons are part of an explanation.

    Sets are bits as in ``term``. ``unusable`` maps a reason to the set it holds for, as the page gives it; ``broken`` are
    those whose metadata turned out to be unusable. ``parting`` maps a ``Requires-Python`` to the set that has it, where that
    admits only the newer Pythons of the environments: to choose one of these is to part them.
    """

    __slots__ = (
        "_matching",
        "_plain",
        "absent",
        "broken",
        "full",
        "name",
        "origin",
        "parting",
        "prereleases",
        "pythons",
        "regions",
        "tiers",
        "unusable",
        "versions",
        "yanked",
        "yanked_because",
    )

    def __init__(self, name: Name, answer: Versions) -> None:
        usable = frozenset(answer.versions)
        rejected = {version: why for version, why in reversed(answer.rejected) if version not in usable}
        self.name = name
        self.origin = answer.origin
        self.absent = answer.absent
        self.versions = tuple(sorted({*usable, *rejected}))
        self.full = (1 << len(self.versions) + 1) - 1
        self.prereleases = self._bits(lambda version: version.is_prerelease)
        self.yanked = self._bits(lambda version: version in answer.yanked)
        self.yanked_because: dict[str, int] = {}
        for version, told in answer.yanked.items():
            self.yanked_because[told] = self.yanked_because.get(told, 0) | self.value(version)
        self.tiers = tuple(self._bits(tier.__contains__) for tier in answer.tiers)
        self.broken = 0
        self.unusable: dict[str, int] = {}
        self.parting: dict[str, int] = {}
        self.pythons: dict[str, int] = {}
        for version, text in answer.pythons.items():
            self.pythons[text] = self.pythons.get(text, 0) | self.value(version)
        self.regions: dict[Any, int] = {}
        for version, region in answer.regions.items():
            self.regions[region] = self.regions.get(region, 0) | self.value(version)
        for position, version in enumerate(self.versions):
            if version in rejected:
                why = rejected[version]
                self.unusable[why] = self.unusable.get(why, 0) | 2 << position
        # Comparison agrees with the operators of PEP 440 by bisection as long as no local version is involved.
        self._plain = all(version.local is None for version in self.versions)
        self._matching: dict[str, int] = {}

    def judged(self, request: Request) -> "Listing":
        """The listing as ``request`` sees it: its environments decide on ``pythons`` and ``regions``. Nothing is broken yet."""
        here = request.environments
        if here is None:
            return self
        seen = self._copied()
        for text, candidates in self.pythons.items():
            if request.python_ok(text):
                continue
            if request.by_python and here.divided_by_python(text) is not None:
                seen.parting[text] = candidates
            else:
                seen.unusable[PYTHON_REASON + text] = candidates
        # What was chosen for more environments than these stays chosen: a version that is everywhere the same is worth more.
        inherited = request.preferences.get(self.name)
        kept = self.value(inherited) if inherited is not None else 0
        for region, candidates in self.regions.items():
            if candidates & ~kept and not here.admits(region):
                seen.unusable[NO_WHEEL] = seen.unusable.get(NO_WHEEL, 0) | candidates & ~kept
        return seen

    def _copied(self) -> "Listing":
        other = object.__new__(Listing)
        for slot in self.__slots__:
            setattr(other, slot, getattr(self, slot))
        other.broken = 0
        rejected = {NO_WHEEL, *(PYTHON_REASON + text for text in self.pythons)}
        other.unusable = {why: bits for why, bits in self.unusable.items() if why not in rejected}
        other.parting = {}
        return other

    def _bits(self, holds: Callable[[Version], bool]) -> int:
        return sum(2 << position for position, version in enumerate(self.versions) if holds(version))

    @property
    def usable(self) -> int:
        """The versions that were not rejected and are not known to be broken."""
        rejected = UNSELECTED | self.broken
        for candidates in self.unusable.values():
            rejected |= candidates
        return self.full & ~rejected

    def value(self, version: Version) -> int:
        """The bit of a version, 0 if there is none."""
        position = bisect_left(self.versions, version)
        return 2 << position if position < len(self.versions) and self.versions[position] == version else 0

    def plain(self, version: Version) -> int:
        """The bit of the version that a local one is a variant of, 0 if it is none or there is no such."""
        return self.value(Version(version.public)) if version.local is not None else 0

    def variants(self, version: Version) -> int:
        """The local variants of a version."""
        if self._plain or version.local is not None:
            return 0
        return self._bits(lambda other: other.local is not None and other.public == version.public)

    def region(self, value: int) -> Any:
        """Where a candidate can be used; ``None`` is everywhere."""
        return next((region for region, candidates in self.regions.items() if candidates & value), None)

    def matching(self, specifiers: SpecifierSet) -> int:
        """The versions in ``specifiers``, pre-releases included: whether those are wanted is decided elsewhere."""
        matching = self.full & ~UNSELECTED
        for specifier in specifiers:
            text = str(specifier)
            known = self._matching.get(text)
            if known is None:
                known = self._matching[text] = self._match(specifier)
            matching &= known
        return matching

    def _match(self, specifier: Specifier) -> int:
        operator, text = specifier.operator, specifier.version
        everything = self.full & ~UNSELECTED
        if self._plain and operator in (">=", "<=", "<", "==", "!=") and not text.endswith(".*") and "+" not in text:
            version = Version(text)
            if operator == ">=":
                return everything & ~self._below(bisect_left(self.versions, version))
            if operator == "<=":
                return self._below(bisect_right(self.versions, version))
            if operator == "==":
                return self.value(version)
            if operator == "!=":
                return everything & ~self.value(version)
            if not version.is_prerelease and not version.is_postrelease:
                # PEP 440: "<V MUST NOT allow a pre-release of the specified version"; the lowest of those is V.dev0.
                return self._below(bisect_left(self.versions, Version(f"{text}.dev0")))
        return self._bits(lambda version: specifier.contains(version, prereleases=True))

    @staticmethod
    def _below(position: int) -> int:
        return (1 << position + 1) - 1 & ~UNSELECTED


class Catalogue:
    """All answers so far, and what the request says of each project."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.listings: dict[Name, Listing] = {}
        self.dependencies: dict[tuple[Name, Version], Dependencies] = {}
        self.overrides = _by_name(request.overrides)
        limits = (one for one in request.constraints if one.specifier or one.url)
        self.constraints = _by_name(one for one in limits if self.holds(one))
        """Those that hold, or may."""
        self.direct = {normalize(one.name) for one in request.roots if self.holds(one)}
        stated = (*request.roots, *request.constraints, *request.overrides)
        self._urls = {normalize(one.name): one.url for one in reversed(stated) if one.url and self.holds(one)}
        self.explicit = {normalize(one.name) for one in stated if mentions_prerelease(one.specifier)}
        """The projects whose pre-releases are asked for by whoever states the requirements."""
        self.pinned = set(request.preferences.items())
        """What may be chosen although it is yanked: what was chosen or locked before, and what is pinned."""
        self.pinned.update((name, version) for name, several in request.fallbacks.items() for version in several)
        for one in stated:
            self.pinned.update((normalize(one.name), version) for version in exact_versions(one.specifier))
        self._places: dict[Name, str] = {}
        self._applicable: dict[tuple[Name, Version, Name | None], tuple[Requirement, ...]] = {}

    def record(self, question: Question, told: Listing | Dependencies) -> None:
        """Keep an answer, as ``read`` made it."""
        if isinstance(told, Listing):
            self._adopt(told)
        elif isinstance(question, AskDependencies):
            self.dependencies[question.name, question.version] = told
            self._note_broken(question.name, question.version, told)

    def place(self, name: Name) -> str:
        """Where a project must come from here: a URL, or the name of an index; empty where nothing is said."""
        if name not in self._places:
            self._places[name] = self._urls.get(name) or given_place(self.request, name)
        return self._places[name]

    def url(self, name: Name) -> str:
        """The direct reference that a project must come from here, if any."""
        place = self.place(name)
        return place if is_url(place) else ""

    def _adopt(self, listing: Listing) -> None:
        self.listings[listing.name] = listing.judged(self.request)
        for (owner, version), dependencies in self.dependencies.items():
            if owner == listing.name:
                self._note_broken(owner, version, dependencies)

    def _note_broken(self, name: Name, version: Version, dependencies: Dependencies) -> None:
        if name not in self.listings or self.parts_by_python(dependencies.requires_python):
            return
        if self.unusable_because(name, version):
            self.listings[name].broken |= self.listings[name].value(version)

    def unusable_because(self, name: Name, version: Version) -> str:
        """Why a version turned out to be unusable; empty if it did not."""
        is_inherited = self.request.preferences.get(name) == version
        return unusable_because(self.dependencies[name, version], self.request, is_inherited=is_inherited)

    def parts_by_python(self, text: str | None) -> bool:
        """Whether choosing a version with this ``Requires-Python`` parts the environments."""
        here = self.request.environments
        if not text or here is None or not self.request.by_python:
            return False
        return here.divided_by_python(text) is not None

    def is_known(self, question: Question) -> bool:
        """Whether the answer is here."""
        if isinstance(question, AskVersions):
            return question.name in self.listings
        return (question.name, question.version) in self.dependencies

    def holds(self, requirement: Requirement, extras: frozenset[Name] = frozenset()) -> bool:
        """Whether its marker applies."""
        return requirement.marker is None or self.request.applies(requirement.marker, extras)

    def extras(self, requirement: Requirement) -> list[Name]:
        """The extras that a requirement asks for, less those that are left out of these environments."""
        name, here = normalize(requirement.name), self.request.environments
        extras = sorted(map(normalize, requirement.extras))
        return extras if here is None else [extra for extra in extras if not here.leaves_out(name, extra)]

    def _is_left_out(self, requirement: Requirement, by: Name) -> bool:
        """Whether what the extra ``by`` requires does not count, for something excludes that project, or its extra of the
        same name that is required."""
        here, name = self.request.environments, normalize(requirement.name)
        if here is None:
            return False
        return here.leaves_out(name, None) or (by in map(normalize, requirement.extras) and here.leaves_out(name, by))

    def roots(self) -> tuple[Requirement, ...]:
        """What is required to begin with, overrides applied."""
        return self.overridden(self.request.roots, None, stated=True)

    def requirements(self, name: Name, version: Version, extra: Name | None) -> tuple[Requirement, ...]:
        """What a version, whose dependencies are known, requires: by itself, or in addition for an extra."""
        key = (name, version, extra)
        known = self._applicable.get(key)
        if known is None:
            requires = self.dependencies[name, version].requires
            known = self._applicable[key] = self.overridden(requires, extra)
        return known

    def overridden(
        self, requirements: Iterable[Requirement], extra: Name | None, *, stated: bool = False
    ) -> tuple[Requirement, ...]:
        """Those of the requirements that apply, with overrides in the place of what they override.

        Extras in the markers of ``stated`` requirements, those of the user, are not extras of theirs.
        """
        applicable: list[Requirement] = []
        replaced: set[Name] = set()
        for requirement in requirements:
            name = normalize(requirement.name)
            if name in self.request.excludes or (extra is not None and self._is_left_out(requirement, extra)):
                continue
            if name not in self.overrides:
                if self._applies_for(requirement, extra):
                    applicable.append(requirement)
            # An override drops the requirement's own marker, but what only an extra asks for stays with the extra.
            elif name not in replaced and (stated or belongs_to(requirement, extra)):
                replaced.add(name)
                applicable.extend(one for one in self.overrides[name] if self.holds(one))
        if self.request.environments is not None and not stated:
            applicable.sort(key=lambda one: normalize(one.name))  # as uv, whose locks depend on what is met first
        return tuple(applicable)

    def _applies_for(self, requirement: Requirement, extra: Name | None) -> bool:
        if extra is None or requirement.marker is None:
            return extra is None and self.holds(requirement)
        if "extra" not in str(requirement.marker):
            return False
        return self.holds(requirement, frozenset({extra})) and not self.holds(requirement)

    def accepted(self, requirement: Requirement) -> tuple[int, str]:
        """The candidates, of a known project, that a requirement accepts, and why there are none where URLs disagree."""
        name = normalize(requirement.name)
        listing = self.listings[name]
        if not requirement.url:
            return listing.matching(requirement.specifier), ""
        in_force = self.url(name)
        if in_force == requirement.url:
            return listing.full & ~UNSELECTED, ""
        return 0, self.intrudes(requirement) or f"{name} is already required from {masked(in_force)}"

    def intrudes(self, requirement: Requirement) -> str:
        """Why a direct reference is not followed, if it is one that nobody who may introduce it did; else empty."""
        if not requirement.url or self.url(normalize(requirement.name)):
            return ""
        return (
            f"{masked(requirement.url)} is a direct reference that nothing but a requirement of your own may introduce"
        )


def read(question: Question, answer: Answer) -> "Listing | Dependencies":
    """An answer as catalogues keep it. Raises ``TypeError`` if it does not belong to the question."""
    if isinstance(question, AskVersions) and isinstance(answer, Versions):
        return Listing(question.name, answer)
    if isinstance(question, AskDependencies) and isinstance(answer, Dependencies):
        return answer
    raise TypeError(f"{question} was answered with {type(answer).__name__}")


def _by_name(requirements: Iterable[Requirement]) -> dict[Name, list[Requirement]]:
    grouped: dict[Name, list[Requirement]] = {}
    for requirement in requirements:
        grouped.setdefault(normalize(requirement.name), []).append(requirement)
    return grouped


def belongs_to(requirement: Requirement, extra: Name | None) -> bool:
    """Whether a requirement is one of ``extra``, or without one, of none."""
    extras = _mentioned_extras(requirement.marker) if requirement.marker else _NONE
    return extra in extras if extra is not None else not extras


def given_place(request: Request, name: Name) -> str:
    """Where ``request`` sends a project besides its direct references; empty where it says nothing."""
    several = request.places.get(name, ())
    return next((place for marker, place in several if may_hold(marker, request.applies)), "")


def may_hold(marker: Marker | None, applies: Applies) -> bool:
    """Whether a marker holds, whichever extras are asked for."""
    if marker is None or applies(marker, _NONE):
        return True
    extras = _mentioned_extras(marker)
    return bool(extras) and applies(marker, extras)


def _mentioned_extras(marker: Marker) -> frozenset[Name]:
    return frozenset(normalize(left or right) for left, right in _EXTRA_IN_MARKER.findall(str(marker)))


def unusable_because(dependencies: Dependencies, request: Request, *, is_inherited: bool = False) -> str:
    """Why a version turned out to be unusable when its metadata was read; empty if it did not.

    What was chosen for more environments (``is_inherited``) stays chosen.
    """
    if dependencies.unusable:
        return dependencies.unusable
    if dependencies.requires_python and not request.python_ok(dependencies.requires_python):
        return PYTHON_REASON + dependencies.requires_python
    here, region = request.environments, dependencies.region
    if region is not None and here is not None and not is_inherited and not here.admits(region):
        return NO_WHEEL
    return ""


def exact_versions(specifiers: SpecifierSet) -> tuple[Version, ...]:
    """The versions that are named with ``==`` or ``===`` and no wildcard (PEP 592: "pins")."""
    return tuple(
        Version(one.version)
        for one in specifiers
        if (one.operator == "==" and not one.version.endswith(".*"))
        or (one.operator == "===" and _is_version(one.version))
    )


def mentions_prerelease(specifiers: SpecifierSet) -> bool:
    """Whether a pre-release is named by anything but ``!=``."""
    texts = (one.version.removesuffix(".*") for one in specifiers if one.operator != "!=")
    return any(_is_version(text) and Version(text).is_prerelease for text in texts)


def masked(url: str) -> str:
    """A URL as messages show it."""
    try:
        return str(Url.parse(url))
    except ValueError:
        return "a URL that cannot be read"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:
        return False
    return True
