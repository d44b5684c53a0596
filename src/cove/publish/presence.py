"""Whether an index has a file already, judged by digest."""

import hashlib
from enum import Enum

from cove.model.dataclasses import dataclass
from cove.model.page import Page
from cove.publish.artifacts import Artifact


class Presence(Enum):
    """The two answers that need no explanation."""

    NOT_THERE = "not there"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Conflict:
    """The index has the name with other bytes, or (``remote`` empty) gives no digest this Python can compute."""

    algorithm: str
    local: str
    remote: str


def presence(page: Page, artifact: Artifact) -> Presence | Conflict:
    """What ``page`` says of the artifact. Reads the file again where the page's digest is not SHA-256."""
    hashes = next((file.hashes for file in page.files if file.filename == artifact.filename), None)
    if hashes is None:
        return Presence.NOT_THERE
    if "sha256" in hashes:
        return _compare("sha256", artifact.facts.sha256, hashes["sha256"])
    # shake_* have no fixed length; weak ones are fine here, since a wrong "same" sends nothing
    usable = [kind for kind in hashes if kind in hashlib.algorithms_guaranteed and not kind.startswith("shake")]
    if not usable:
        return Conflict("sha256", artifact.facts.sha256, "")
    with artifact.path.open("rb") as file:
        return _compare(usable[0], hashlib.file_digest(file, usable[0]).hexdigest(), hashes[usable[0]])


def _compare(algorithm: str, local: str, remote: str) -> Presence | Conflict:
    return Presence.SAME if local == remote.lower() else Conflict(algorithm, local, remote)
