"""What can be chosen for a project, and what was left out and why."""

from typing import TYPE_CHECKING

from cove.model.dataclasses import dataclass
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name

if TYPE_CHECKING:  # questions are asked before versions are read
    from packaging.version import Version


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version of a project on one index.

    ``file`` is the one that would be installed (the best wheel, else the sdist); ``files`` are all files of the version
    that the page lists, usable here or not, because a lock records them all. ``yanked`` is the reason when every usable
    file is yanked, else ``None``.
    """

    name: Name
    version: "Version"
    file: File
    files: tuple[File, ...]
    index: Index
    yanked: str | None = None

    @property
    def is_wheel(self) -> bool:
        """Whether ``file`` is a wheel; otherwise it must be built."""
        return self.file.filename.endswith(".whl")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot be chosen, with the reason in words (``has no wheel for this target``, ``requires Python >=3.12``)."""

    filename: str
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """All of a project's candidates on one index, lowest version first, and every file that was rejected."""

    name: Name
    index: Index
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
