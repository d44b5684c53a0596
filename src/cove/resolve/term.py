"""Sets of candidates as the bits of one integer, the terms of PubGrub's incompatibilities.

The candidates of a project are finite and known once its page has arrived, so a set of them is an integer: bit 0 means
"not selected at all", bit ``i + 1`` the project's ``i``-th version, lowest first. A positive term is a set without bit 0,
a negative term one with it; intersection, union, complement and inclusion are single operations on integers.

An extra is a variable of its own with two values, 0 "nobody asks for it" and 1 "somebody does": what version 2 of ``foo``
requires for the extra ``x`` is then the incompatibility of *foo is 2*, *foo[x] is asked for* and *bar is not what it
should be*. No version of the extra has to be kept equal to the project's.
"""

from collections.abc import Iterator

from packaging.version import Version

from cove.model.dataclasses import dataclass
from cove.model.name import Name

UNSELECTED = 1
"""The set that holds only "not selected"."""

SELECTED = 2
"""The one other value of the root and of extras."""


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """Something that has exactly one value in a solution: a project, an extra of one, or the root.

    ``versions`` are a project's, ascending, each once; empty for an extra and the root.
    """

    name: Name
    versions: tuple[Version, ...] = ()
    extra: Name | None = None
    is_root: bool = False

    @property
    def is_project(self) -> bool:
        """Whether its value is a version."""
        return self.extra is None and not self.is_root

    @property
    def full(self) -> int:
        """The set of all values."""
        return (1 << len(self.versions) + 1) - 1 if self.is_project else UNSELECTED | SELECTED


def version_at(variable: Variable, value: int) -> Version:
    """The version that the single bit ``value`` stands for."""
    return variable.versions[value.bit_length() - 2]


def positions(candidates: int) -> Iterator[int]:
    """The indices into ``versions`` of a set, ascending; "not selected" has none."""
    candidates >>= 1
    while candidates:
        lowest = candidates & -candidates
        yield lowest.bit_length() - 1
        candidates ^= lowest
