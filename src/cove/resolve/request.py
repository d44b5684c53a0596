"""What is to be resolved: every input of the solver as one value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from cove.model.dataclasses import dataclass, field
from cove.model.name import Name

Prereleases = Literal["if-necessary-or-explicit", "if-necessary", "explicit", "allow", "disallow"]
Resolution = Literal["highest", "lowest", "lowest-direct"]

Applies = Callable[[Marker, frozenset[Name]], bool]
"""Whether a marker holds when these extras of the parent are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The inputs of one resolution.

    ``applies`` decides markers and ``python_ok`` decides ``Requires-Python`` texts, so that the solver knows nothing of
    environments; ``python`` is how messages call the target's Python (``3.11.7``). ``preferences`` are tried first (a
    lock's versions). ``constraints`` limit a project without asking for it. ``overrides`` replace every requirement for
    the projects they name, whoever asks. ``urls`` are the direct references that are in force besides those of the roots,
    constraints and overrides: the project's name to the URL as a requirement writes it. ``root_name`` is how messages
    call whoever states the ``roots``.
    """

    roots: Sequence[Requirement]
    applies: Applies
    python_ok: Callable[[str], bool]
    python: str = ""
    preferences: Mapping[Name, Version] = field(default_factory=dict)
    constraints: Sequence[Requirement] = ()
    overrides: Sequence[Requirement] = ()
    prereleases: Prereleases = "if-necessary-or-explicit"
    resolution: Resolution = "highest"
    urls: Mapping[Name, str] = field(default_factory=dict)
    root_name: str = "your project"
