"""What will change in an environment, as a value: the difference between what is wanted and what is there."""

from collections.abc import Iterable, Mapping
from typing import Literal

from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.model.dataclasses import dataclass
from cove.model.name import Name

UNREADABLE = "unreadable"
"""The source of an installed distribution whose ``direct_url.json`` cannot be understood; equal to no wanted one."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution that is there. ``path`` is its ``.dist-info`` (or ``.egg-info``) folder, absolute.

    ``source`` is empty when it came from an index, else ``source_key`` of its ``direct_url.json``. ``leftovers`` are further
    ``.dist-info`` folders of the same project, which an interrupted installation may leave.
    """

    name: Name
    version: str
    path: str
    source: str = ""
    editable: bool = False
    leftovers: tuple["Installed", ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A distribution that should be there; ``source`` as in ``Installed``."""

    name: Name
    version: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One distribution that gives way to another of the same name."""

    old: Installed
    new: Wanted


@dataclass(frozen=True, slots=True)
class Plan:
    """All by name, each name once over the four."""

    install: tuple[Wanted, ...] = ()
    replace: tuple[Replacement, ...] = ()
    remove: tuple[Installed, ...] = ()
    keep: tuple[Installed, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.install or self.replace or self.remove)

    @property
    def incoming(self) -> tuple[Wanted, ...]:
        """Everything that must be fetched, by name."""
        return tuple(sorted((*self.install, *(each.new for each in self.replace)), key=lambda wanted: wanted.name))

    @property
    def outgoing(self) -> tuple[Installed, ...]:
        """Everything whose files go away, by name, leftovers included."""
        leaving = sorted((*self.remove, *(each.old for each in self.replace)), key=lambda installed: installed.name)
        return tuple(each for installed in leaving for each in (installed, *installed.leftovers))

    def __str__(self) -> str:
        lines = [(item.name, "-", item.version, item.source) for item in self.remove]
        lines += [(item.name, "+", item.version, item.source) for item in self.install]
        for item in self.replace:
            same = _same_version(item.old.version, item.new.version) and item.old.source == item.new.source
            if not same:
                lines.append((item.old.name, "-", item.old.version, item.old.source))
            lines.append((item.new.name, "~" if same else "+", item.new.version, item.new.source))
        # A replaced distribution shows its old version first.
        return "\n".join(
            f" {sign} {name}=={version}" + (f" ({source})" if source else "")
            for name, sign, version, source in sorted(lines, key=lambda line: (line[0], line[1] != "-"))
        )


def source_key(direct: DirectUrl) -> str:
    """One text for one place of origin: two distributions of one version are the same when their keys are."""
    below = f" in {direct.subdirectory}" if direct.subdirectory else ""
    match direct.info:
        case Archive(hashes):
            digests = "".join(f" {algorithm}:{digest}" for algorithm, digest in sorted(hashes.items()))
            return f"archive {direct.url.public}{below}{digests}"
        case Directory(editable):
            return f"{'editable' if editable else 'directory'} {direct.url.public}{below}"
        case repository:
            return f"{repository.vcs} {direct.url.public}@{repository.commit_id}{below}"


def plan(
    wanted: Iterable[Wanted],
    installed: Mapping[Name, Installed],
    *,
    keep_extraneous: bool = False,
    reinstall: frozenset[Name] | Literal["all"] = frozenset(),
    spare: frozenset[Name] = frozenset(),
) -> Plan:
    """How to get from ``installed`` to ``wanted``.

    What is installed and not wanted goes, unless ``keep_extraneous`` or its name is in ``spare``. What is wanted and there
    in the same version from the same source stays, unless its name is in ``reinstall``. Raises ``ValueError`` when a name
    is wanted twice.
    """
    ordered = sorted(wanted, key=lambda item: item.name)
    names = {item.name for item in ordered}
    if len(names) != len(ordered):
        raise ValueError("a project is wanted twice")
    install: list[Wanted] = []
    replace: list[Replacement] = []
    remove: list[Installed] = []
    keep: list[Installed] = []
    for item in ordered:
        present = installed.get(item.name)
        if present is None:
            install.append(item)
        elif reinstall == "all" or item.name in reinstall or not _satisfies(present, item):
            replace.append(Replacement(present, item))
        else:
            keep.append(present)
    for name in sorted(installed.keys() - names):
        (keep if keep_extraneous or name in spare else remove).append(installed[name])
    return Plan(tuple(install), tuple(replace), tuple(remove), tuple(sorted(keep, key=lambda item: item.name)))


def _satisfies(present: Installed, item: Wanted) -> bool:
    return not present.leftovers and present.source == item.source and _same_version(present.version, item.version)


def _same_version(one: str, other: str) -> bool:
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - equal texts, the usual case, need no parser

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False
