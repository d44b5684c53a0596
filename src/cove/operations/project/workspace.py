"""Workspaces: several projects with one lock and one environment."""

from collections.abc import Iterable, Iterator, Sequence
from os.path import relpath
from pathlib import Path

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from cove.config.member_globs import folders_of, is_among
from cove.errors import ConfigurationError
from cove.formats.pyproject import SourceSpec
from cove.model.dataclasses import replace
from cove.model.name import Name
from cove.operations.project.project import Place, Workspace, read


def workspace_at(root: Place) -> Workspace:
    """The workspace that ``root`` defines: what its globs lead to, and itself where it is a project.

    Raises ``ConfigurationError`` naming both files when two members have one name, and for a folder of ``members`` that
    holds no project.
    """
    members: dict[Name, Place] = {root.project.name: root} if root.project.name else {}
    for folder in _folders(root):
        member = read(folder)
        if not member.project.name:
            raise ConfigurationError(f"{member.pyproject_path} is a member of the workspace and has no [project] table")
        if not member.project.managed:
            continue
        if member.project.is_workspace:
            raise ConfigurationError(
                f"{member.pyproject_path} is a member of the workspace {root.pyproject_path}, and a workspace itself",
                hints=("workspaces do not nest: exclude it, or remove its [tool.uv.workspace]",),
            )
        other = members.setdefault(member.project.name, member)
        if other is not member:
            raise ConfigurationError(
                f"two members of the workspace are called `{member.project.name}`",
                causes=(str(other.pyproject_path), str(member.pyproject_path)),
                hints=("rename one of them, or exclude it",),
            )
    return Workspace(root, tuple(_with_sources(root, members[name]) for name in sorted(members)))


def _with_sources(root: Place, member: Place) -> Place:
    """A member with the sources of the root for what it gives none itself."""
    if member is root or not root.project.sources:
        return member

    def seen(source: SourceSpec) -> SourceSpec:
        if source.target != "path" or Path(source.location).is_absolute():
            return source
        return replace(source, location=relpath(root.folder / source.location, member.folder))

    inherited = {name: tuple(map(seen, several)) for name, several in root.project.sources.items()}
    return replace(member, project=replace(member.project, sources={**inherited, **member.project.sources}))


def _folders(root: Place) -> Iterator[Path]:
    """The folders that the globs lead to, or that a pattern names outright; which need not be there, for uv either."""
    seen: set[Path] = set()
    for pattern in root.project.workspace_members:
        for folder in _named(root, pattern):
            if folder in seen or folder == root.folder:
                continue
            seen.add(folder)
            if is_among(folder.relative_to(root.folder).parts, root.project.workspace_exclude):
                continue
            if (folder / "pyproject.toml").is_file():
                yield folder
            elif folder.is_dir() and not folder.name.startswith(".") and _has_something(folder):
                raise ConfigurationError(
                    f"{root.pyproject_path}: the member {folder} has no pyproject.toml",
                    hints=("exclude it with `exclude` in [tool.uv.workspace], or make a project of it",),
                )


def _named(root: Place, pattern: str) -> list[Path]:
    try:
        return folders_of(root.folder, pattern)
    except ConfigurationError as error:
        error.message = f"{root.pyproject_path}: {error.message}"
        raise


def _has_something(folder: Path) -> bool:
    """What only has caches in it was a member on another branch."""
    return any(not each.name.startswith(".") and each.name != "__pycache__" for each in folder.iterdir())


def narrowed(members: Sequence[Place]) -> SpecifierSet:
    """The Pythons that all of them admit: of several lower bounds the highest, of upper ones the lowest.

    Raises ``ConfigurationError`` naming the files when there are none.
    """
    lower: list[tuple[tuple[Version, bool], str, Place]] = []
    upper: list[tuple[tuple[Version, bool], str, Place]] = []
    rest: dict[Specifier, None] = {}
    for place in members:
        for specifier in place.project.requires_python or ():
            if specifier.operator in (">=", ">"):
                lower.append(((Version(specifier.version), specifier.operator == ">"), str(specifier), place))
            elif specifier.operator in ("<", "<="):
                upper.append(((Version(specifier.version), specifier.operator == "<="), str(specifier), place))
            else:
                rest[specifier] = None
    highest = max(lower, key=lambda bound: bound[0], default=None)
    lowest = min(upper, key=lambda bound: bound[0], default=None)
    if (
        highest is not None
        and lowest is not None
        and highest[0][0] >= lowest[0][0]
        and not _touch(highest[1], lowest[1])
    ):
        raise ConfigurationError(
            "there is no Python that all members of the workspace are for",
            causes=tuple(f"{place.pyproject_path}: requires-python {text}" for _, text, place in (highest, lowest)),
        )
    bounds = SpecifierSet(",".join(bound[1] for bound in (highest, lowest) if bound is not None))
    within = [str(each) for each in rest if each.operator != "!=" or bounds.contains(each.version.removesuffix(".*"))]
    return SpecifierSet(",".join([*map(str, bounds), *within]))


def _touch(lower: str, upper: str) -> bool:
    """Whether the bounds meet in the one version that both admit."""
    return lower.startswith(">=") and upper.startswith("<=") and lower[2:] == upper[2:]


def member(place: Place, name: Name) -> Place:
    """A member of the workspace by name. Raises ``ConfigurationError``."""
    found = next((each for each in place.members if each.project.name == name), None)
    if found is None:
        raise ConfigurationError(
            f"the workspace at {place.base} has no member `{name}`", hints=(_listed(place.members),)
        )
    return found


def _listed(members: Iterable[Place]) -> str:
    return "it has " + (", ".join(f"`{each.project.name}`" for each in members) or "none")
