"""Distributions that a URL or a path leads to, rather than an index."""

from cove.formats.direct_url import DirectUrl
from cove.install.store import StoredWheel
from cove.model.dataclasses import dataclass
from cove.model.metadata import CoreMetadata
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class Direct:
    """A distribution that was fetched or built ahead, because only that tells its version.

    ``url`` is where it came from, as required; ``origin`` is what its installation records (PEP 610).
    """

    url: Url
    wheel: StoredWheel
    metadata: CoreMetadata
    origin: DirectUrl


def fragment_digests(url: Url) -> dict[str, str]:
    """``#sha256=…`` of a direct reference (PEP 508 leaves the fragment to installers; pip's form is everybody's)."""
    fragment = url.public.partition("#")[2]
    pairs = (part.partition("=") for part in fragment.split("&"))
    return {name: digest for name, _, digest in pairs if name in ("sha256", "sha384", "sha512")}
