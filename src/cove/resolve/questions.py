"""What the solver asks and what it is told: plain values, so that a dictionary can answer in tests."""

from collections.abc import Generator, Mapping

from packaging.requirements import Requirement
from packaging.version import Version

from cove.model.dataclasses import dataclass, field
from cove.model.name import Name


@dataclass(frozen=True, slots=True)
class AskVersions:
    """Which versions of a project are there? ``place`` is where it must come from, if that is said: see ``is_url``."""

    name: Name
    place: str = ""


@dataclass(frozen=True, slots=True)
class AskDependencies:
    """What does this version of a project require (all extras included)?"""

    name: Name
    version: Version
    place: str = ""


Question = AskVersions | AskDependencies


def is_url(place: str) -> bool:
    """Whether a project's place is a direct reference; else it is the name of an index, or empty."""
    return ":" in place


PYTHON_REASON = "requires Python "
"""How the reason of a rejected version begins when it is ``Requires-Python``; the specifier follows."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The answer to ``AskVersions``.

    ``versions`` are those that may be chosen, ascending, each once. ``yanked`` are among them, with the reason if one is
    given, and may be chosen only by a requirement that pins them exactly (PEP 592). ``rejected`` gives versions that exist
    but cannot be used, each with the reason in words. ``origin`` names the index for explanations. ``absent`` says in words
    why there is nothing at all (``not found on corp (404 Not Found) or pypi (404 Not Found)``), empty when the project was
    found. ``tiers``, where there are any, hold all versions: each of an earlier one is tried before all of a later one.
    ``pythons`` are the ``Requires-Python`` of versions that the solver has to judge itself, as far as they are known: in a
    universal resolution. So are ``regions``, the environments (``forks.Region``) in which a version can be used, where these
    are not all.
    """

    versions: tuple[Version, ...]
    yanked: Mapping[Version, str] = field(default_factory=dict)
    rejected: tuple[tuple[Version, str], ...] = ()
    origin: str = ""
    absent: str = ""
    tiers: tuple[frozenset[Version], ...] = ()
    pythons: Mapping[Version, str] = field(default_factory=dict)
    regions: Mapping[Version, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The answer to ``AskDependencies``: ``requires`` as in ``Requires-Dist``; ``requires_python`` as in the metadata.

    ``unusable`` says in words why the version turned out not to be usable (its metadata cannot be had or read), else empty.
    ``region`` is where it can be used, as in ``Versions.regions``, for a version of which that was not known before.
    """

    requires: tuple[Requirement, ...] = ()
    requires_python: str | None = None
    provides_extra: tuple[Name, ...] = ()
    unusable: str = ""
    region: object = None


Answer = Versions | Dependencies


@dataclass(frozen=True, slots=True)
class Ask:
    """One question that must be answered ``now``, and those that will probably follow ``soon`` (for prefetching)."""

    now: Question
    soon: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """One chosen version. ``extras`` are those that something asked for; ``requires`` is its whole ``Requires-Dist``."""

    name: Name
    version: Version
    extras: frozenset[Name]
    requires: tuple[Requirement, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Solution:
    """The whole answer, by name; ``warnings`` are sentences (an extra that a version does not have)."""

    packages: dict[Name, Resolved]
    warnings: tuple[str, ...] = ()


Conversation = Generator[Ask, Answer, Solution]
"""What ``solver.solve`` returns: it yields ``Ask``, is sent ``Answer``, returns ``Solution`` or raises ``NoSolution``."""
