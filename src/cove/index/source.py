"""The one interface of everything that answers "which files has project X": leaves, combiners and filters share it."""

from typing import Protocol

from cove.model.name import Name
from cove.model.outcome import Outcome


class Source(Protocol):
    """Answers for projects. Thread-safe: the driver asks from many threads at once."""

    def project(self, name: Name) -> Outcome:
        """``Found``, ``Absent`` or ``Unavailable``; never raises for what a server or the network did."""
        ...


class Marked(Source, Protocol):
    """A source whose answers can be told from each other without being read."""

    def mark(self, name: Name) -> str:
        """What tells the answer for ``name`` from any other, asked for if it is not known; empty if nothing does."""
        ...

    def marks(self) -> dict[Name, str]:
        """The marks of all answers that were given in this run, by project."""
        ...
