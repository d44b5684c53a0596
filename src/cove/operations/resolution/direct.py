"""Distributions that a URL or a path leads to, rather than an index."""

from collections.abc import Callable, Mapping
from os.path import relpath
from pathlib import Path

from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import to_path
from cove.formats.git_url import GitUrl
from cove.install.store import StoredWheel
from cove.model.dataclasses import dataclass, field
from cove.model.lock import LockedRequirement, LockedSource
from cove.model.metadata import CoreMetadata
from cove.model.name import Name
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class Stated:
    """What a local project says that it requires, as the lock has it."""

    requires_dist: tuple[LockedRequirement, ...] = ()
    requires_dev: Mapping[Name, tuple[LockedRequirement, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Direct:
    """A distribution whose metadata had to be looked up ahead, because only that tells its version.

    ``url`` is where it came from, as required; ``origin`` is what its installation records (PEP 610). ``make`` gives its
    wheel, built where it must be. ``sha256`` is that of the file, for archives; ``git`` the repository with its commit.
    """

    url: Url
    metadata: CoreMetadata
    origin: DirectUrl
    make: Callable[[], StoredWheel]
    sha256: str = ""
    git: GitUrl | None = None
    stated: Stated | None = None
    is_virtual: bool = False
    is_absolute: bool = False
    has_dynamic_version: bool = False

    def locked_source(self, base: Path) -> LockedSource:
        """How the lock calls the place; paths are relative to ``base`` unless they were given otherwise."""
        if self.git is not None:
            return LockedSource("git", self.git.locked)
        match self.origin.info:
            case Directory(editable):
                path = self._path(self.origin.url, base)
                return LockedSource("virtual" if self.is_virtual else "editable" if editable else "directory", path)
            case _ if self.url.scheme == "file":
                return LockedSource("path", self._path(self.url, base), self.origin.subdirectory)
            case _:
                return LockedSource("url", self.url.without_fragment().public, self.origin.subdirectory)

    def _path(self, url: Url, base: Path) -> str:
        path = to_path(url.path)
        return path if self.is_absolute else relpath(path, base).replace("\\", "/")

    @property
    def digests(self) -> Mapping[str, str]:
        """Those that the requirement states."""
        return self.origin.info.hashes if isinstance(self.origin.info, Archive) else {}


def fragment_digests(url: Url) -> dict[str, str]:
    """``#sha256=…`` of a direct reference (PEP 508 leaves the fragment to installers; pip's form is everybody's)."""
    fragment = url.public.partition("#")[2]
    pairs = (part.partition("=") for part in fragment.split("&"))
    return {name: digest for name, _, digest in pairs if name in ("sha256", "sha384", "sha512")}
