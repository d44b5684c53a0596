"""What asking an index came to. Only ``Absent`` may let a search go on to the next index."""

from cove.errors import CoveError
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.page import Page


@dataclass(frozen=True, slots=True)
class Found:
    """The index has the project."""

    index: Index
    page: Page


@dataclass(frozen=True, slots=True)
class Absent:
    """The index says that it does not have the project; ``reason`` is a short text such as ``404 Not Found``."""

    index: Index
    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The index did not say: unreachable, refused, or an answer that cannot be read. ``error`` says which."""

    index: Index
    error: CoveError


Outcome = Found | Absent | Unavailable


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The registry took the file."""

    filename: str


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The registry has the file with the same digest; nothing needed to be sent, or sending it changed nothing."""

    filename: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The registry did not take the file."""

    filename: str
    error: CoveError


UploadOutcome = Uploaded | AlreadyThere | Refused
