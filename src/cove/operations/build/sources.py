"""What is built once, because its sources do not change: sdists, and repositories at a commit."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from cove.errors import CoveError
from cove.formats import core_metadata
from cove.model.dataclasses import dataclass

if TYPE_CHECKING:  # most of what is kept needs no build
    from cove.install.build import Builder
    from cove.install.store import Store, StoredWheel


@dataclass(frozen=True, slots=True)
class Opened:
    """Sources that may be written to, what builds them, and a folder for what it makes."""

    builder: "Builder"
    folder: Path
    out: Path


@dataclass(frozen=True, slots=True)
class SourceBuild:
    """The build of one project: ``digest`` tells its sources apart, ``settings`` all else that the result depends on.

    Both methods raise what opening and building raise.
    """

    label: str
    digest: str
    settings: str
    opened: Callable[[], AbstractContextManager[Opened]]
    store: "Store"
    cache_dir: Path

    def wheel(self) -> "StoredWheel":
        """Its wheel: the one that is in the store, or a new one."""
        known = self.store.built(self.digest, self.settings)
        if known is not None:
            return known
        with self.opened() as source:
            made = source.builder.build_wheel(source.folder, source.out, self.label)
            return self.store.add_built(self.digest, self.settings, made)

    def metadata(self) -> bytes:
        """The text of its core metadata. The backend is asked for no more than that, if it can be: what cannot be built here
        may well say what it requires."""
        known = self.store.built(self.digest, self.settings)
        if known is not None:
            return metadata_text(known)
        return kept_metadata(self.cache_dir, f"{self.digest} {self.settings}", self._prepared)

    def _prepared(self) -> bytes:
        with self.opened() as source:
            prepared = source.builder.prepare_metadata(source.folder, source.out, self.label)
            if prepared.wheel is not None:
                self.store.add_built(self.digest, self.settings, prepared.wheel)
            return prepared.metadata


def metadata_text(wheel: "StoredWheel") -> bytes:
    """The core metadata of a wheel in the store."""
    return (wheel.files / wheel.manifest.dist_info / "METADATA").read_bytes()


def kept_metadata(cache: Path, key: str, build: Callable[[], bytes]) -> bytes:
    """The text of core metadata that was kept in the ``cache`` under ``key``, else what ``build`` gives, which is kept."""
    path = cache / "local" / hashlib.sha256(key.encode()).hexdigest()[:32]
    try:
        text = path.read_bytes()
        core_metadata.read(text)
    except (OSError, CoveError, ValueError):  # never built, or damaged: building again is right
        text = build()
        _keep(path, text)
    return text


def _keep(path: Path, text: bytes) -> None:
    from cove.config.atomic import write_whole

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text)
