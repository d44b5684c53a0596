"""The configuration of a run: variables, files and flags, found and read. Reads the process's environment (once, here)."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from cove.config.indexes import Indexes, build
from cove.config.member_globs import folders_of, is_among
from cove.config.merge import Tier, merge
from cove.config.settings import (
    ALIASES,
    NOT_FOR_COVE,
    PIP_ONLY,
    SETTINGS,
    Given,
    Interface,
    Setting,
    Settings,
)
from cove.config.toml_lines import Lines
from cove.errors import ConfigurationError, CoveError, UsageError
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Event, Warned
from cove.model.origin import Kind, Origin

_PIP_KEYS = frozenset(setting.toml for setting in SETTINGS if setting.table == "pip")
_LOCKED = frozenset({"workspace", "dev-dependencies"})
"""Keys of ``[tool.uv]`` that say what is to be locked."""


def environment() -> Mapping[str, str]:
    """The variables of this process, as they are now."""
    return dict(os.environ)


def working_directory() -> Path:
    """The folder this process stands in; raises ``UsageError`` when it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working directory does not exist any more") from None


def load(flags: Mapping[str, object], *, environ: Mapping[str, str], cwd: Path, interface: Interface) -> Settings:
    """All settings for one command.

    ``flags`` has the options that were given, by setting name: text, a list of text for lists, a boolean for switches, a
    number for counts. ``cwd`` is absolute. Raises ``UsageError`` and ``ConfigurationError``.
    """
    first = merge([_command_tier(flags, environ, cwd)], interface=interface)
    directory = cwd / (first.directory or ".")
    if not directory.is_dir():
        raise UsageError(f"{first.origin('directory')}: the folder `{directory}` does not exist")
    command = _command_tier(flags, environ, directory)
    command |= {name: given for name, given in _command_tier(flags, environ, cwd).items() if name == "directory"}
    files, notices = _find_files(merge([command], interface=interface), environ, directory)
    pip_tiers = [file.tier("pip") for file in files] if interface == "pip" else []
    top_tiers = [file.tier("top", pip=interface == "pip") for file in files]
    notices += [notice for file in files for notice in file.unknown_keys()]
    start = Path(first.project or directory)
    members = _member_indexes(start) if interface == "project" and not first.no_config else ()
    return merge(
        [command, *pip_tiers, *top_tiers], interface=interface, notices=tuple(notices), member_indexes=tuple(members)
    )


def indexes(settings: Settings, environ: Mapping[str, str]) -> Indexes:
    """The indexes in force. Raises as ``cove.config.indexes.build`` does, and ``ConfigurationError`` for a folder that is
    not there: an index that silently has nothing would send its names to the next one."""
    built = build(settings, environ)
    for index in (*built.all, *built.find_links):
        for key, file in (("ca-cert", index.ca_cert), ("client-cert", index.client_cert)):
            if file and not Path(file).is_file():
                raise ConfigurationError(
                    f"{index.origin_of(key)}: the file `{file}` (`{key}` of the index `{index.label}`) does not exist",
                    hints=("relative paths start from the folder of the file they are written in",),
                )
        path = _path_of(index.url.path) if index.url.scheme == "file" else None
        if path is not None and not path.exists():
            raise ConfigurationError(
                f"{index.origin_of('url')}: the folder `{path}` of the index `{index.label}` does not exist",
                hints=("relative paths start from the folder of the file they are written in",),
            )
    return built


def find_project(start: Path) -> Path | None:
    """The nearest folder from ``start`` upwards whose ``pyproject.toml`` describes a project or workspace, or has dependency
    groups, if any: a file that has settings of tools alone says nothing of what is to be locked.

    Raises ``ConfigurationError`` when a ``pyproject.toml`` on the way cannot be read.
    """
    for folder in (start, *start.parents):
        file = _read(folder / "pyproject.toml", "project")
        if file is not None and (
            {"project", "dependency-groups"} & file.data.keys() or _LOCKED & file.settings().keys()
        ):
            return folder
    return None


def find_workspace(project: Path) -> Path:
    """The root of the workspace that the project in this folder belongs to: the nearest folder from there upwards with a
    ``[tool.uv.workspace]`` that counts it among its members; the folder itself where there is none.

    Raises ``ConfigurationError`` when a ``pyproject.toml`` on the way cannot be read.
    """
    for folder in (project, *project.parents):
        file = _read(folder / "pyproject.toml", "project") if _speaks_of_workspaces(folder) else None
        of = _workspace_patterns(file) if file is not None else {}
        if not of:
            continue
        way = project.relative_to(folder).parts
        is_member = not way or (is_among(way, of["members"]) and not is_among(way, of["exclude"]))
        return folder if is_member else project
    return project


def _workspace_patterns(file: "_File") -> dict[str, list[str]]:
    """The globs of ``members`` and ``exclude``; nothing where the file defines no workspace."""
    table = file.table("tool", "uv").get("workspace")
    if not isinstance(table, Mapping):
        return {}
    patterns = {key: table.get(key) for key in ("members", "exclude")}
    return {
        key: [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
        for key, found in patterns.items()
    }


def _speaks_of_workspaces(folder: Path) -> bool:
    """Whether it is worth the time to read a ``pyproject.toml`` for its workspace; one that cannot be read is."""
    try:
        return b"workspace" in (folder / "pyproject.toml").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


# -- flags and variables ---------------------------------------------------------------------------------------------


def _command_tier(flags: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> dict[str, tuple[Given, ...]]:
    """What flags say, and variables where the same setting's flag is not given (uv: a variable is its flag's fallback)."""
    folder = _folder_url(cwd)
    tier: dict[str, tuple[Given, ...]] = {}
    for setting in SETTINGS:
        if setting.name in flags:
            origin = Origin("flag", setting.negative if flags[setting.name] is False else setting.flag)
            tier[setting.name] = tuple(_typed(setting, flags[setting.name], origin, folder, cwd))
            continue
        for variable in setting.env:
            text = environ.get(variable, "")
            if text:
                tier[setting.name] = tuple(_typed(setting, text, Origin("variable", variable), folder, cwd))
                break
    return tier


def _typed(setting: Setting[object], raw: object, origin: Origin, folder: str, cwd: Path) -> Iterator[Given]:
    if setting.form != "list":
        value = setting.text(raw) if isinstance(raw, str) else raw
        yield Given(_absolute(setting, value, cwd), origin, folder)
        return
    for text in raw if isinstance(raw, list) else [raw]:
        split = setting.text(text) if isinstance(text, str) else text
        for item in split if isinstance(split, list) else [split]:
            yield Given(item, origin, folder)


def _absolute(setting: Setting[object], value: object, base: Path) -> object:
    return str(base / value) if setting.path and isinstance(value, str) else value


# -- files -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    kind: Kind
    data: Mapping[str, object]
    lines: Lines

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("tool", "uv") if self.path.name == "pyproject.toml" else ()

    @property
    def cove(self) -> tuple[str, ...] | None:
        """Where the settings are that only cove knows; ``None`` for a ``uv.toml``, which uv would refuse with them."""
        return {"pyproject.toml": ("tool", "cove"), "cove.toml": ()}.get(self.path.name)

    def settings(self, *keys: str) -> Mapping[str, object]:
        """The table of uv's settings, or one below it; raises ``ConfigurationError`` when it is no table."""
        return self.table(*self.prefix, *keys)

    def table(self, *path: str) -> Mapping[str, object]:
        table = self.data
        for depth, key in enumerate(path, 1):
            inner = table.get(key, {})
            if not isinstance(inner, dict):
                raise ConfigurationError(f"{self.origin(*path[:depth])}: `{'.'.join(path[:depth])}` must be a table")
            table = inner
        return table

    def origin(self, *path: str | int) -> Origin:
        return Origin(self.kind, str(self.path), self.lines.of(path))

    def tier(self, which: Literal["top", "pip"], *, pip: bool = False) -> Tier:
        """The settings of this file: ``top`` those of the main tables, ``pip`` those of uv's ``pip`` table.

        ``pip`` says that a command of the pip interface asks.
        """
        tier: dict[str, tuple[Given, ...]] = {}
        for setting in SETTINGS:
            where = self._where(setting, which, pip=pip)
            if where is None:
                continue
            table = self.table(*where)
            for key in (setting.toml, *(old for old, new in ALIASES.items() if new == setting.toml)):
                if key in table:
                    tier[setting.name] = tuple(self._given(setting, table[key], (*where, key)))
                    break
        return tier

    def _where(self, setting: Setting[object], which: Literal["top", "pip"], *, pip: bool) -> tuple[str, ...] | None:
        if not setting.toml:
            return None
        if self.path.name == "cove.toml":
            return () if setting.table == "cove" and which == "top" else None
        if which == "pip":
            belongs = setting.table == "pip" or (setting.table == "uv" and setting.toml not in _PIP_KEYS)
            return (*self.prefix, "pip") if belongs else None
        if setting.table == "cove":
            return self.cove
        return self.prefix if setting.table == "uv" and not (pip and setting.group == "binary") else None

    def _given(self, setting: Setting[object], raw: object, path: tuple[str, ...]) -> Iterator[Given]:
        folder = _folder_url(self.path.parent)
        if setting.form != "list":
            yield Given(_absolute(setting, raw, self.path.parent), self.origin(*path), folder)
            return
        if not isinstance(raw, list):
            yield Given(raw, self.origin(*path), folder, self.lines, path)
            return
        for number, item in enumerate(raw):
            yield Given(item, self.origin(*path, number), folder, self.lines, (*path, number))

    def unknown_keys(self) -> Iterator[Warned]:
        """A warning for every key that neither cove nor uv knows."""
        if self.path.name == "cove.toml":
            yield from self._unknown((), {setting.toml for setting in SETTINGS if setting.table == "cove"})
            return
        ours = {setting.toml for setting in SETTINGS if setting.table == "uv"} | set(ALIASES)
        pip = {setting.toml for setting in SETTINGS if setting.table == "pip"}
        yield from self._unknown(self.prefix, ours | NOT_FOR_COVE)
        yield from self._unknown((*self.prefix, "pip"), ours | pip | NOT_FOR_COVE | PIP_ONLY)
        if self.cove is not None:
            yield from self._unknown(self.cove, {setting.toml for setting in SETTINGS if setting.table == "cove"})

    def _unknown(self, where: tuple[str, ...], known: set[str]) -> Iterator[Warned]:
        for key in self.table(*where):
            if key not in known:
                near = get_close_matches(key.replace("_", "-"), known, n=1, cutoff=0.8)
                hint = f"did you mean `{near[0]}`?" if near else ""
                yield Warned(f"{self.origin(*where, key)}: the setting `{key}` is not known", hint)


def _find_files(settings: Settings, environ: Mapping[str, str], directory: Path) -> tuple[list[_File], list[Event]]:
    """The files that apply, those that outrank others first."""
    if settings.config_file is not None:
        return [_named_file(Path(settings.config_file), settings)], []
    if settings.no_config:
        return [], []
    files: list[_File | None] = []
    notices: list[Event] = []
    if settings.interface != "tool":
        files.extend(_project_files(Path(settings.project or directory), notices))
    user = _user_folder(environ)
    for name in (Path("cove", "cove.toml"), Path("uv", "uv.toml")):
        if user is not None:
            files.append(_read(user / name, "user"))
        if not settings.no_system_config:
            system = (_read(folder / name, "system") for folder in _system_folders(environ))
            files.append(next((file for file in system if file is not None), None))
    return [file for file in files if file is not None], notices


def _named_file(path: Path, settings: Settings) -> _File:
    origin = settings.origin("config-file")
    if path.name == "pyproject.toml":
        raise UsageError(
            f"{origin}: `{path}` is not a `uv.toml`", hints=("to work on another project, use `--project`",)
        )
    file = _read(path, "file")
    if file is None:
        raise ConfigurationError(f"{origin}: the file `{path}` does not exist")
    return file


def _project_files(start: Path, notices: list[Event]) -> list[_File]:
    """The nearest ``uv.toml``, or ``pyproject.toml`` that says something to uv or cove, from ``start`` upwards (as uv).

    Beside a ``uv.toml``, the ``[tool.uv]`` of a ``pyproject.toml`` does not count; its ``[tool.cove]`` does. What is set for
    a member of a workspace is set at its root.
    """
    if any(map(_speaks_of_workspaces, (start, *start.parents))):
        project_folder = find_project(start)
        start = find_workspace(project_folder) if project_folder is not None else start
    for folder in (start, *start.parents):
        project = _read(folder / "pyproject.toml", "project")
        own = _read(folder / "uv.toml", "project")
        if own is None:
            if project is not None and (project.settings() or project.table("tool", "cove")):
                return [project]
            continue
        if project is None:
            return [own]
        if _has_settings(project):
            notices.append(
                Warned(
                    f"{project.origin('tool', 'uv')}: `[tool.uv]` is ignored because there is a `uv.toml` beside it",
                    "keep the settings in one of the two",
                )
            )
        return [own, replace(project, data={"tool": {"cove": project.table("tool", "cove")}})]
    return []


def _member_indexes(start: Path) -> Iterator[Given]:
    """The indexes that the projects of the workspace around ``start`` define for their own ``tool.uv.sources``.

    What is wrong with a member is said by whoever reads all of it.
    """
    if not any(map(_speaks_of_workspaces, (start, *start.parents))) or (project := find_project(start)) is None:
        return
    root = find_workspace(project)
    file = _read(root / "pyproject.toml", "project")
    patterns = _workspace_patterns(file) if file is not None else {}
    for pattern in patterns.get("members", ()):
        for folder in _folders_or_none(root, pattern):
            path = folder / "pyproject.toml"
            if folder == root or is_among(folder.relative_to(root).parts, patterns["exclude"]) or not path.is_file():
                continue
            member = _read(path, "project") if b"index" in path.read_bytes() else None
            if member is not None:
                yield from member.tier("top").get("index", ())


def _folders_or_none(root: Path, pattern: str) -> list[Path]:
    try:
        return folders_of(root, pattern)
    except ConfigurationError:
        return []


def _has_settings(project: _File) -> bool:
    """Whether ``[tool.uv]`` holds settings, not only what belongs to the project itself (``sources``, ``workspace``)."""
    return any(key in {setting.toml for setting in SETTINGS} for key in project.settings())


def _user_folder(environ: Mapping[str, str]) -> Path | None:
    if os.name == "nt":
        return Path(environ["APPDATA"]) if environ.get("APPDATA") else None
    if environ.get("XDG_CONFIG_HOME"):
        return Path(environ["XDG_CONFIG_HOME"])
    return Path(environ["HOME"]) / ".config" if environ.get("HOME") else None


def _system_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if os.name == "nt":
        yield from [Path(environ["PROGRAMDATA"])] if environ.get("PROGRAMDATA") else []
        return
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        if folder:
            yield Path(folder)
    yield Path("/etc")


def _read(path: Path, kind: Kind) -> _File | None:
    """A TOML file, ``None`` when it does not exist; raises ``ConfigurationError`` naming file and line."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
        return _File(path, kind, tomllib.loads(text), Lines(text))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: the file is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, str(error), text) from None


def _syntax_error(path: Path, message: str, text: str) -> CoveError:
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return ConfigurationError(f"{path}:{found[1]}:{found[2]}: the file is not TOML: {message[: found.start()]}")
    reason = message.removesuffix(" (at end of document)")
    return ConfigurationError(f"{path}:{text.count(chr(10)) + 1}: the file is not TOML: {reason}")


def _folder_url(folder: Path) -> str:
    return folder.absolute().as_uri().removesuffix("/") + "/"


def _path_of(url_path: str) -> Path:
    path = unquote(url_path)
    return Path(path.lstrip("/") if os.name == "nt" else path)
