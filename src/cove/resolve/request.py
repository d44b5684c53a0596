"""What is to be resolved: every input of the solver as one value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from cove.model.dataclasses import dataclass, field
from cove.model.name import Name
from cove.resolve.forks import Environments, Region

Prereleases = Literal["if-necessary-or-explicit", "if-necessary", "explicit", "allow", "disallow"]
Resolution = Literal["highest", "lowest", "lowest-direct"]

Places = Mapping[Name, Sequence[tuple[Marker | None, str]]]
"""Where projects must come from, names of indexes or URLs as requirements write them: the first whose marker holds counts."""

Applies = Callable[[Marker, frozenset[Name]], bool]
"""Whether a marker holds when these extras of the parent are asked for."""


YOU = "you"
"""How messages call the person whose requirements are resolved, where there is no project to be named."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Where requirements are written, for explanations: roots as ``group dev`` or ``requirements.in``, constraints as the
    subject of a sentence (``the constraint in limits.txt``), overrides as ``override in overrides.txt``."""

    roots: Mapping[Requirement, str] = field(default_factory=dict)
    constraints: Mapping[Requirement, str] = field(default_factory=dict)
    overrides: Mapping[Requirement, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The inputs of one resolution.

    ``applies`` decides markers and ``python_ok`` decides ``Requires-Python`` texts, so that the solver knows nothing of
    environments; ``python`` is how messages call the target's Python (``3.11.7``). ``preferences`` are tried first (a
    lock's versions). ``constraints`` limit a project without asking for it. ``overrides`` replace every requirement for
    the projects they name, whoever asks; what ``excludes`` names is required by nobody. ``places`` are in force besides the
    direct references of the roots, constraints and overrides. ``root_name`` is how messages call whoever states the ``roots``,
    ``origins`` where they are written. ``package_prereleases`` are modes of single projects.

    With ``environments`` the resolution is a universal one, and may have to be parted (``universal.solve_everywhere``);
    ``sections`` are then the roots as they stand side by side, and ``by_python`` tells whether a newer version for newer
    Pythons is a reason to part. ``required`` are environments that a version without an sdist must have a wheel for.
    ``fallbacks`` are tried after the preferences. (``if-necessary-or-explicit`` is an old name of ``if-necessary``.)
    """

    roots: Sequence[Requirement]
    applies: Applies
    python_ok: Callable[[str], bool]
    python: str = ""
    preferences: Mapping[Name, Version] = field(default_factory=dict)
    constraints: Sequence[Requirement] = ()
    overrides: Sequence[Requirement] = ()
    excludes: frozenset[Name] = frozenset()
    prereleases: Prereleases = "if-necessary"
    package_prereleases: Mapping[Name, Prereleases] = field(default_factory=dict)
    resolution: Resolution = "highest"
    root_name: str = YOU
    origins: Origins = Origins()
    environments: Environments[Any] | None = None
    sections: Sequence[Sequence[Requirement]] = ()
    by_python: bool = True
    required: Sequence[Region] = ()
    places: Places = field(default_factory=dict)
    fallbacks: Mapping[Name, Sequence[Version]] = field(default_factory=dict)

    def prereleases_of(self, name: Name) -> Prereleases:
        """The mode for a project: its own, or the general one."""
        return self.package_prereleases.get(name, self.prereleases)

    @property
    def newest_first(self) -> bool:
        """Whether the parts with the newest Pythons are solved first: else what is chosen for the oldest may do for others."""
        return self.by_python and self.resolution != "lowest"
