"""What excludes each other: extras, groups and whole projects, of which no two of a set are installed together."""

from typing import Literal

from cove.model.dataclasses import dataclass
from cove.model.name import Name


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """An extra or a group of a project, or (kind ``project``, without a name) what it requires by itself.

    They sort as a lock lists them.
    """

    package: Name
    kind: Literal["extra", "group", "project"]
    name: Name = Name("")

    @property
    def code(self) -> str:
        """How markers on edges spell that it is asked for: ``extra == 'extra-4-demo-gpu'``."""
        name = f"-{self.name}" if self.name else ""
        return f"{self.kind}-{len(self.package)}-{self.package}{name}"


Exclusion = tuple[Choice, ...]
"""Choices of which no two are made together, sorted."""
