"""The part of a distribution's core metadata that resolution and installation need."""

from packaging.requirements import Requirement

from cove.model.dataclasses import dataclass
from cove.model.name import Name


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """Read from ``METADATA`` or ``PKG-INFO``. ``dynamic`` holds lower-case field names (PEP 643)."""

    name: Name
    version: str
    requires_dist: tuple[Requirement, ...] = ()
    requires_python: str | None = None
    provides_extra: tuple[Name, ...] = ()
    metadata_version: str = "2.1"
    dynamic: frozenset[str] = frozenset()
