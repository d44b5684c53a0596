"""Where ``tool.uv.sources`` sends what comes from no index: to a folder, a file, a URL, a repository, the workspace."""

from collections.abc import Mapping
from os.path import relpath
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from cove.errors import ConfigurationError
from cove.formats import git_url
from cove.formats.file_url import from_path, to_path
from cove.formats.git_url import GitUrl
from cove.formats.pyproject import Project, SourceSpec
from cove.model.dataclasses import dataclass
from cove.model.lock import SourceKind
from cove.model.name import Name
from cove.model.url import Url
from cove.operations.project.project import Place

_ABSOLUTE = {"path": "absolute"}
_MARKS = frozenset({"kind", "path"})
"""What is said behind ``#`` of a local place that is no business of others."""


@dataclass(frozen=True, slots=True)
class Local:
    """A requirement that comes from a path, a URL or a repository.

    ``url`` is what takes the place of its version (``flags`` reads what follows ``#``); ``kind``, ``location`` and
    ``subdirectory`` are how the lock calls it, without user info.
    """

    url: str
    kind: SourceKind
    location: str
    subdirectory: str = ""

    @property
    def is_editable(self) -> bool:
        """Whether it is installed in place."""
        return self.kind == "editable"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of a repository, in ``folder``: what paths of its projects lead to belongs to the repository."""

    folder: Path
    git: GitUrl


@dataclass(frozen=True, slots=True)
class Locator:
    """Resolves the sources of the project at ``place``; ``base`` is the folder that paths in the lock are relative to."""

    place: Place
    base: Path
    checkout: Checkout | None = None

    def locate(self, name: Name, source: SourceSpec) -> Local:
        """Where ``source`` sends ``name``. Raises ``ConfigurationError`` for a place that is not there or not allowed."""
        if source.target == "git":
            return self._repository(name, source)
        if source.target == "url":
            return self._url(name, source)
        if source.target == "workspace":
            return self._member(name, source)
        return self._path(name, source)

    def stated(self, text: str | None) -> Local | None:
        """Where a requirement itself sends what comes from this machine: a folder or a file. The lock has the whole path."""
        if text is None or not text.startswith("file:"):
            return None
        root = "${PROJECT_ROOT}"
        bare, _, fragment = text.replace(f"///{root}", f"//{root}").partition("#")
        path = Path(
            to_path(urlsplit(bare.replace(root, from_path(str(self.place.folder)).removeprefix("file://"))).path)
        )
        seen = self._seen(path.resolve()) if root in bare else str(path)
        given = dict(parse_qsl(fragment))
        mark = _marked(given | ({} if root in bare else _ABSOLUTE))
        kind: SourceKind = "directory" if path.is_dir() else "path"
        return Local(from_path(str(path)) + mark, kind, seen, given.get("subdirectory", ""))

    def _repository(self, name: Name, source: SourceSpec) -> Local:
        kind, reference = source.reference or ("", "")
        try:
            git = git_url.make(source.location, kind, reference, source.subdirectory, lfs=source.lfs)
        except ValueError as error:
            raise self._unusable(name, "repository", str(error)) from None
        location = source.location.partition("#")[0]
        text = git_url.written(location, kind, reference, git.subdirectory, lfs=source.lfs)
        return Local(text, "git", git.requested)

    def _url(self, name: Name, source: SourceSpec) -> Local:
        try:
            public = Url.parse(source.location).public
        except ValueError as error:
            raise self._unusable(name, "URL", str(error)) from None
        below = _plain(source.subdirectory)
        if below is None:
            raise self._unusable(name, "URL", "its subdirectory lies outside the archive")
        mark = ("&" if "#" in source.location else "#") + urlencode({"subdirectory": below}) if below else ""
        return Local(source.location + mark, "url", public.partition("#")[0], below)

    def _path(self, name: Name, source: SourceSpec) -> Local:
        path = (self.place.folder / source.location).resolve()
        is_absolute = Path(source.location).is_absolute()
        if not path.exists():
            raise ConfigurationError(f"{self.place.pyproject_path}: the source of `{name}` does not exist: {path}")
        if self.checkout is not None:
            return self._in_checkout(name, path)
        if path.is_file():
            below = _plain(source.subdirectory)
            if below is None:
                raise self._unusable(name, "path", "its subdirectory lies outside the archive")
            mark = _marked(({"subdirectory": below} if below else {}) | (_ABSOLUTE if is_absolute else {}))
            return Local(from_path(str(path)) + mark, "path", str(path) if is_absolute else self._seen(path), below)
        if source.package is False or (source.package is None and _says_no_package(path)):
            return self._folder(path, "virtual", is_absolute=is_absolute)
        return self._folder(path, "editable" if source.editable else "directory", is_absolute=is_absolute)

    def _member(self, name: Name, source: SourceSpec) -> Local:
        found = next((each for each in self.place.members if each.project.name == name), None)
        if found is None:
            raise ConfigurationError(
                f"{self.place.pyproject_path}: `{name}` shall come from the workspace, which has no member of that name",
                hints=("members are listed in [tool.uv.workspace] of the root",),
            )
        if self.checkout is not None:
            return self._in_checkout(name, found.folder.resolve())
        if name in (self.place.project.name, self.place.root.project.name):
            other = _stated_by_others(
                found
            )  # its own source, which members have from the root, does not say that it is required
            if other is None:
                return self._folder(found.folder.resolve(), locked_kind(found.project, is_required=False))
            source = other
        return self.member(found, is_editable=source.editable is not False)

    def member(self, found: Place, *, is_editable: bool = True) -> Local:
        """A member of the workspace, as others require it: it is installed even if it has no build system."""
        if found.project.package is False:
            return self._folder(found.folder.resolve(), "virtual")
        return self._folder(found.folder.resolve(), "editable" if is_editable else "directory")

    def _folder(self, path: Path, kind: SourceKind, *, is_absolute: bool = False) -> Local:
        mark = _marked(({} if kind == "directory" else {"kind": kind}) | (_ABSOLUTE if is_absolute else {}))
        return Local(from_path(str(path)) + mark, kind, str(path) if is_absolute else self._seen(path))

    def _in_checkout(self, name: Name, path: Path) -> Local:
        assert self.checkout is not None
        root = self.checkout.folder.resolve()
        if not path.is_relative_to(root):
            raise ConfigurationError(f"{self.checkout.git}: the source of `{name}` lies outside the repository")
        git = self.checkout.git.within(path.relative_to(root).as_posix())
        user = Url(self.checkout.git.url.public, self.checkout.git.url.username, self.checkout.git.url.password)
        text = git_url.written(full_text(user), git.kind, git.reference, git.subdirectory, lfs=git.lfs)
        return Local(text, "git", git.requested)

    def _seen(self, path: Path) -> str:
        return relpath(path, self.base).replace("\\", "/")

    def _unusable(self, name: Name, what: str, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"{self.place.pyproject_path}: the {what} that tool.uv.sources gives `{name}` cannot be used: {why}"
        )


def flags(url: Url) -> dict[str, str]:
    """What stands behind ``#`` of a direct reference."""
    return dict(parse_qsl(url.public.partition("#")[2]))


def is_absolute(text: str) -> bool:
    """Whether the lock calls a local place, given as a requirement's URL, by its whole path."""
    return flags(Url.parse(text)).items() >= _ABSOLUTE.items()


def without_marks(url: Url) -> Url:
    """The URL of a local place as others may read it."""
    bare, _, _ = url.public.partition("#")
    told = {key: value for key, value in flags(url).items() if key not in _MARKS}
    return Url(bare + _marked(told), url.username, url.password)


def _marked(marks: Mapping[str, str]) -> str:
    return "#" + urlencode(marks) if marks else ""


def full_text(url: Url) -> str:
    """The URL with its user info, for those who fetch."""
    from urllib.parse import quote

    if url.username is None:
        return url.public
    secret = ":" + quote(url.password.reveal(), safe="") if url.password is not None else ""
    scheme, separator, rest = url.public.partition("://")
    return f"{scheme}{separator}{quote(url.username, safe='')}{secret}@{rest}"


def locked_kind(project: Project, *, is_required: bool) -> SourceKind:
    """How a project of the workspace is locked: in place, or not installed at all."""
    if project.package is None and is_required:
        return "editable"
    return "editable" if project.is_package else "virtual"


def _stated_by_others(place: Place) -> SourceSpec | None:
    """The source that another member of the workspace states for the project at ``place``."""
    from cove.operations.project.project import read

    name = place.project.name
    others = [each.folder for each in place.members if each.project.name != name and name in each.project.sources]
    stated = (
        read(folder).project.sources.get(name, ()) for folder in others
    )  # a member has those of the root as its own
    return next((source for several in stated for source in several if source.target == "workspace"), None)


def _plain(subdirectory: str) -> str | None:
    """The path in its simplest form; ``None`` when it leads out of where it begins."""
    parts = [part for part in subdirectory.split("/") if part not in ("", ".")]
    return None if ".." in parts or subdirectory.startswith("/") or "\\" in subdirectory else "/".join(parts)


def _says_no_package(folder: Path) -> bool:
    from cove.operations.project.project import read

    return (folder / "pyproject.toml").is_file() and read(folder).project.package is False
