"""The one interface of everything that answers "which files has project X": leaves, combiners and filters share it."""

from typing import Protocol

from cove.model.name import Name
from cove.model.outcome import Outcome


class Source(Protocol):
    """Answers for projects. Thread-safe: the driver asks from many threads at once."""

    def project(self, name: Name) -> Outcome:
        """``Found``, ``Absent`` or ``Unavailable``; never raises for what a server or the network did."""
        ...
