"""What is to be added to a project: requirements with their names, and the sources that say where they come from."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.errors import UsageError
from cove.formats import git_url
from cove.formats.file_url import to_path
from cove.formats.git_url import GitUrl
from cove.formats.requirement_text import spelled
from cove.model.dataclasses import dataclass, field
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.compile.requirement_files import Root
from cove.operations.project.locations import flags
from cove.operations.project.project import Place, read
from cove.operations.resolution.direct import fragment_digests

_VARIABLE = re.compile(r"\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What options say of everything that is added.

    ``reference`` is a kind (``rev``, ``tag`` or ``branch``) and its name. ``editable`` and ``workspace`` are ``None`` where
    nobody said anything. ``is_raw`` leaves URLs in requirements. ``index`` is the name of the one that all come from.
    """

    extras: tuple[str, ...] = ()
    marker: Marker | None = None
    reference: tuple[str, str] | None = None
    lfs: bool = False
    editable: bool | None = None
    workspace: bool | None = None
    is_raw: bool = False
    index: str = ""


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Addition:
    """A requirement as it is written, and with its URL as ``text``.

    ``source`` is its entry in ``tool.uv.sources``, if it gets one; ``member`` a folder that becomes a member of the
    workspace with it.
    """

    requirement: Requirement
    text: str
    source: Mapping[str, object] = field(default_factory=dict)
    member: Path | None = None

    @property
    def name(self) -> Name:
        """The project that is added."""
        return normalize(self.requirement.name)


def addition(place: Place, root: Root, wishes: Wishes) -> Addition:
    """How ``root`` is added to the project at ``place``. Raises ``UsageError`` for wishes that do not fit it."""
    requirement = _asked(root, wishes)
    if wishes.is_raw or _stays(root):
        return Addition(requirement, spelled(requirement))
    source, text = _Source(place, root, wishes).find(), spelled(requirement)
    requirement.url = None
    folder = _folder(root) if source.get("workspace") else None
    return Addition(requirement, text, source, None if folder in _members(place) else folder)


def _members(place: Place) -> set[Path]:
    return {each.folder.resolve() for each in place.members} if place.workspace is not None else set()


def _asked(root: Root, wishes: Wishes) -> Requirement:
    requirement = Requirement(str(root.requirement))
    requirement.extras |= set(wishes.extras)
    if wishes.marker is not None:
        requirement.marker = wishes.marker if requirement.marker is None else requirement.marker & wishes.marker
    if _stays(root):
        requirement.url = root.written
    return requirement


def has_variable(text: str) -> bool:
    """Whether something in a requirement as it is written stands for the value of a variable."""
    return _VARIABLE.search(text) is not None


def _stays(root: Root) -> bool:
    """Whether the URL says what a source cannot: variables, which are replaced in requirements only, and digests."""
    url = root.url
    return url is not None and (has_variable(root.written) or bool(fragment_digests(url)))


def _folder(root: Root) -> Path | None:
    """The folder of a project that is required by its path."""
    if root.url is None or root.url.scheme != "file":
        return None
    path = Path(to_path(root.url.path))
    return path if path.is_dir() else None


class _Source:
    """Where one thing comes from."""

    def __init__(self, place: Place, root: Root, wishes: Wishes) -> None:
        self._place = place
        self._root = root
        self._wishes = wishes

    def find(self) -> dict[str, object]:
        url, folder = self._root.url, _folder(self._root)
        repository = self._repository()
        if self._wishes.reference is not None and repository is None:
            kind, reference = self._wishes.reference
            raise UsageError(
                f"`{self._root.name}` comes from no repository, and `--{kind} {reference}` names part of one"
            )
        found = self._in_general(url, folder, repository)
        editable = True if self._root.editable else self._wishes.editable
        if editable and "workspace" not in found and folder is None:
            raise UsageError(
                f"`{self._root.name}` does not come from a folder, and only folders can be editable",
                hints=("a folder is named by its path: `./lib`",),
            )
        is_told = editable is not None and (folder is not None or "workspace" in found)
        return found | ({"editable": editable} if is_told else {})

    def _in_general(self, url: Url | None, folder: Path | None, repository: GitUrl | None) -> dict[str, object]:
        if repository is not None:
            return _written(repository, lfs=repository.lfs or self._wishes.lfs)
        if url is None:
            return self._by_name()
        if folder is not None and self._is_member(folder):
            return {"workspace": True}
        if url.scheme == "file":
            return {"path": self._path(url)} | _below(url)
        return {"url": url.public.partition("#")[0]} | _below(url)

    def _by_name(self) -> dict[str, object]:
        name, place = self._root.name, self._place
        is_member = any(each.project.name == name for each in place.members)
        if is_member and (self._wishes.editable is not None or name not in place.project.sources):
            return {"workspace": True}
        return {"index": self._wishes.index} if self._wishes.index else {}

    # -- repositories

    def _repository(self) -> GitUrl | None:
        """The repository with what is wanted of it; of a known one only where something new is wanted."""
        url, reference = self._root.url, self._wishes.reference
        try:
            if url is not None:
                found = git_url.parse(url.public) if git_url.is_git(url.public) else None
            else:
                found = self._known() if reference is not None else None
            if found is None or reference is None:
                return found
            kind, name = reference
            return git_url.make(found.url.public, kind, name, found.subdirectory, lfs=found.lfs)
        except ValueError as error:
            raise UsageError(f"the repository of `{self._root.name}` cannot be used: {error}") from None

    def _known(self) -> GitUrl | None:
        sources = self._place.project.sources.get(self._root.name, ())
        if len(sources) != 1 or sources[0].target != "git":
            return None
        return git_url.make(sources[0].location, subdirectory=sources[0].subdirectory, lfs=sources[0].lfs)

    # -- paths

    def _path(self, url: Url) -> str:
        """Absolute where it was typed so, else as seen from the project."""
        path, typed = to_path(url.path), self._root.written
        if "://" in typed or Path(typed.removeprefix("file:")).expanduser().is_absolute():
            return path
        return os.path.relpath(path, self._place.folder.resolve()).replace("\\", "/")

    def _is_member(self, folder: Path) -> bool:
        """Whether a folder is a member of the workspace, or becomes one: what lies within does, unless it is excluded."""
        place, wanted = self._place, self._wishes.workspace
        if folder in _members(place):
            return True
        base = place.base.resolve()
        if not folder.is_relative_to(base):
            if wanted:
                raise UsageError(
                    f"{folder} lies outside of the workspace {base}", hints=("without `--workspace` it is a path",)
                )
            return False
        if wanted is False or not (folder / "pyproject.toml").is_file():
            return False
        found, parts = read(folder).project, folder.relative_to(base).parts
        return bool(found.name) and not found.is_workspace and (bool(wanted) or not _is_excluded(place, parts))


def _is_excluded(place: Place, parts: tuple[str, ...]) -> bool:
    from cove.config.member_globs import is_among

    return is_among(parts, place.root.project.workspace_exclude)


def _written(git: GitUrl, *, lfs: bool) -> dict[str, object]:
    said = {"git": git.url.public, "subdirectory": git.subdirectory, git.kind: git.reference, "lfs": lfs}
    return {key: value for key, value in said.items() if key and value}


def _below(url: Url) -> dict[str, object]:
    folder = flags(url).get("subdirectory", "")
    return {"subdirectory": folder} if folder else {}


def check_not_itself(place: Place, name: Name) -> None:
    """Refuse to make a project one of its own dependencies."""
    if name == place.project.name:
        raise UsageError(
            f"`{name}` is the project itself, which cannot be among its own dependencies",
            hints=("if another project of that name is meant, rename this one",),
        )
