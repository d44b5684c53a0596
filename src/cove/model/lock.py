"""The lock as a value, in the shape of ``uv.lock`` version 1; ``formats.uv_lock`` reads and writes it."""

from collections.abc import Mapping
from typing import Literal

from cove.model.conflict import Exclusion
from cove.model.dataclasses import dataclass, field
from cove.model.name import Name

SourceKind = Literal["registry", "virtual", "editable", "directory", "path", "url", "git"]

DEFAULT_GROUPS = (Name("dev"),)
"""The dependency groups that are installed by default where a project does not say which."""

DEFAULT_GROUPS_REVISION = 5
"""The revision of the lock format since which a lock tells the groups that a project has by default."""


@dataclass(frozen=True, slots=True)
class LockedSource:
    """Where a locked package comes from: ``{ registry = "https://…/simple" }``, ``{ virtual = "." }`` and the like.

    ``location`` never holds user info. ``subdirectory`` is where the project lies in an archive (``url`` and ``path`` only).
    """

    kind: SourceKind
    location: str
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A wheel or sdist: absolute URL or (path indexes) a path, ``hash`` as ``sha256:…`` or empty, size in bytes.

    The wheel of a ``path`` source has its mere file name as ``path``; the sdist of one has neither (the source says it).
    """

    url: str
    hash: str = ""
    size: int | None = None
    upload_time: str = ""
    path: str = ""

    @property
    def filename(self) -> str:
        """The last segment, percent-decoded."""
        from urllib.parse import unquote  # noqa: PLC0415 - reading a lock for a no-op sync needs no URL parser

        return unquote((self.url or self.path).partition("#")[0].partition("?")[0].rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class LockedDependency:
    """An edge. ``version`` and ``source`` are given only when the name alone would be ambiguous."""

    name: Name
    extras: tuple[Name, ...] = ()
    marker: str = ""
    version: str = ""
    source: LockedSource | None = None


@dataclass(frozen=True, slots=True)
class LockedRequirement:
    """A requirement of the project as written, kept so that a change of ``pyproject.toml`` is noticed.

    ``index`` is the URL of the index the requirement is pinned to, empty when it is not.
    """

    name: Name
    extras: tuple[Name, ...] = ()
    specifier: str = ""
    marker: str = ""
    index: str = ""
    editable: str = ""
    directory: str = ""
    url: str = ""
    path: str = ""
    git: str = ""
    virtual: str = ""
    subdirectory: str = ""
    conflict: str = ""
    """Where the source is for one extra or group only: ``demo extra gpu``."""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One ``[[package]]``. ``requires_dist``, ``requires_dev`` and ``provides_extras`` are filled for local projects only.

    ``version`` is empty for a project whose version is dynamic. ``default_groups`` are sorted, or ``"all"``; locks below
    ``DEFAULT_GROUPS_REVISION`` do not say them.
    """

    name: Name
    version: str
    source: LockedSource
    dependencies: tuple[LockedDependency, ...] = ()
    optional_dependencies: Mapping[Name, tuple[LockedDependency, ...]] = field(default_factory=dict)
    dev_dependencies: Mapping[Name, tuple[LockedDependency, ...]] = field(default_factory=dict)
    sdist: LockedFile | None = None
    wheels: tuple[LockedFile, ...] = ()
    resolution_markers: tuple[str, ...] = ()
    requires_dist: tuple[LockedRequirement, ...] = ()
    requires_dev: Mapping[Name, tuple[LockedRequirement, ...]] = field(default_factory=dict)
    provides_extras: tuple[Name, ...] = ()
    default_groups: tuple[Name, ...] | Literal["all"] = DEFAULT_GROUPS
    group_requires_python: Mapping[Name, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """A whole lock. ``options`` and ``manifest`` are uv's tables as plain values."""

    requires_python: str
    packages: tuple[LockedPackage, ...]
    resolution_markers: tuple[str, ...] = ()
    supported_markers: tuple[str, ...] = ()
    required_markers: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    manifest: Mapping[str, object] = field(default_factory=dict)
    conflicts: tuple[Exclusion, ...] = ()
    version: int = 1
    revision: int = 0
