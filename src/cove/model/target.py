"""What is resolved and installed for: an interpreter's version, its markers and its wheel tags."""

from collections.abc import Mapping

from cove.model.dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """``python`` is the full version (``3.11.7``); ``markers`` the PEP 508 environment without ``extra``; ``tags`` the
    wheel tags the interpreter accepts, best first (``cp311-cp311-manylinux_2_36_x86_64``)."""

    python: str
    markers: Mapping[str, str]
    tags: tuple[str, ...]
