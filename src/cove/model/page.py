"""A project's page on an index: the answer to one Simple API request."""

from dataclasses import dataclass

from cove.model.dist import File
from cove.model.name import Name


@dataclass(frozen=True, slots=True)
class Page:
    """Every file an index lists for a project, in the order of the page.

    ``versions`` is PEP 700's list, empty when the index gives none; ``status`` and ``status_reason`` are PEP 792's.
    """

    name: Name
    files: tuple[File, ...]
    versions: tuple[str, ...] = ()
    status: str = "active"
    status_reason: str = ""
