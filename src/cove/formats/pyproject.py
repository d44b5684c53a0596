"""``pyproject.toml``: the project itself (PEP 621), its dependency groups (PEP 735) and what ``[tool.uv]`` says of its
dependencies. Settings and indexes are ``config``'s; editing is done on the text, elsewhere.
"""

import tomllib
from collections.abc import Mapping
from itertools import combinations
from typing import Literal

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.errors import ConfigurationError
from cove.formats.marker_text import disjoint
from cove.model.conflict import Choice, Exclusion
from cove.model.dataclasses import dataclass, field
from cove.model.lock import DEFAULT_GROUPS
from cove.model.name import Name, is_valid_name, normalize

CacheKey = tuple[Literal["file", "dir", "git", "env"], str]
"""A file or pattern, a folder, ``commit`` or ``tags`` of the repository, or the name of a variable."""

SourceTarget = Literal["index", "path", "git", "url", "workspace"]
_TARGETS: tuple[SourceTarget, ...] = ("index", "path", "git", "url", "workspace")

_DEEPEST = 100
"""How many groups may include each other in a row."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One entry of ``[tool.uv.sources]``: where a requirement comes from, and when.

    ``location`` is the index's name, the path as written, or the URL; empty for ``workspace``. ``editable`` and ``package``
    are ``None`` when nothing is said. ``reference`` is the git ``rev``, ``tag`` or ``branch`` as ``(kind, name)``.
    """

    target: SourceTarget
    location: str = ""
    marker: Marker | None = None
    extra: Name | None = None
    group: Name | None = None
    editable: bool | None = None
    package: bool | None = None
    subdirectory: str = ""
    reference: tuple[str, str] | None = None
    lfs: bool = False


@dataclass(frozen=True, slots=True)
class BuildSystem:
    """``[build-system]`` (PEP 518, PEP 517). ``backend`` is setuptools' legacy one when none is named."""

    requires: tuple[Requirement, ...]
    backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What a ``pyproject.toml`` says. ``name`` is empty when there is no ``[project]`` table.

    ``version`` is ``None`` when it is dynamic. ``dependency_groups`` are expanded (``include-group`` followed), the legacy
    ``tool.uv.dev-dependencies`` joined to ``dev``. ``default_groups`` is ``"all"`` or sorted names.
    ``optional_dependencies`` keep their order. ``group_includes`` has what groups include, which is in them already.
    ``conflicts`` are what may not be installed together; they may name other projects of the workspace.
    """

    name: Name
    version: Version | None = None
    requires_python: SpecifierSet | None = None
    dependencies: tuple[Requirement, ...] = ()
    optional_dependencies: Mapping[Name, tuple[Requirement, ...]] = field(default_factory=dict)
    dependency_groups: Mapping[Name, tuple[Requirement, ...]] = field(default_factory=dict)
    dynamic: frozenset[str] = frozenset()
    scripts: Mapping[str, str] = field(default_factory=dict)
    gui_scripts: Mapping[str, str] = field(default_factory=dict)
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    build_system: BuildSystem | None = None
    sources: Mapping[Name, tuple[SourceSpec, ...]] = field(default_factory=dict)
    managed: bool = True
    package: bool | None = None
    default_groups: tuple[Name, ...] | Literal["all"] = DEFAULT_GROUPS
    group_requires_python: Mapping[Name, SpecifierSet] = field(default_factory=dict)
    constraint_dependencies: tuple[Requirement, ...] = ()
    override_dependencies: tuple[Requirement, ...] = ()
    build_constraint_dependencies: tuple[Requirement, ...] = ()
    exclude_dependencies: tuple[Name, ...] = ()
    environments: tuple[Marker, ...] = ()
    required_environments: tuple[Marker, ...] = ()
    cache_keys: tuple[CacheKey, ...] | None = None
    is_workspace: bool = False
    workspace_members: tuple[str, ...] = ()
    workspace_exclude: tuple[str, ...] = ()
    group_includes: Mapping[Name, tuple[Name, ...]] = field(default_factory=dict)
    conflicts: tuple[Exclusion, ...] = ()

    @property
    def leaves_requirements_open(self) -> bool:
        """Whether its build says what it requires (``dynamic``, PEP 621)."""
        return not self.dynamic.isdisjoint({"dependencies", "optional-dependencies"})

    @property
    def is_package(self) -> bool:
        """Whether the project itself is built and installed: as ``tool.uv.package`` says, else if it has a build system."""
        return self.build_system is not None if self.package is None else self.package

    @property
    def selected_by_default(self) -> tuple[Name, ...]:
        """The groups that are installed when none are named: the default ones that exist."""
        if self.default_groups == "all":
            return tuple(self.dependency_groups)
        return tuple(group for group in self.default_groups if group in self.dependency_groups)

    def source_of(
        self, requirement: Requirement, extra: Name | None = None, group: Name | None = None
    ) -> tuple[SourceSpec, ...]:
        """The sources that apply to ``requirement`` where it stands: of an extra, of a group, or of the project itself.

        A source with a marker applies as far as that holds; the caller intersects it with the requirement's own.
        """
        return tuple(
            source
            for source in self.sources.get(normalize(requirement.name), ())
            if (source.extra is None or source.extra == extra) and (source.group is None or source.group == group)
        )


def parse(content: bytes | str, path: str) -> Project:
    """The project in ``content``; ``path`` names the file in errors. Raises ``ConfigurationError``."""
    try:
        text = (content.decode() if isinstance(content, bytes) else content).removeprefix("\ufeff")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8: byte {error.start} cannot be decoded") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    return _Reader(text, path).project(document)


class _Reader:
    """Typed access to the document; errors name the file, the line where it can be found, and the key."""

    def __init__(self, text: str, path: str) -> None:
        self.lines = text.splitlines()
        self.path = path

    def wrong(self, key: str, problem: str, value: str = "") -> ConfigurationError:
        place = f"{self.path}:{line}" if (line := self._line(key, value)) else self.path
        return ConfigurationError(f"{place}: `{key}` {problem}")

    def _line(self, key: str, value: str) -> int:
        """The line that holds ``value`` as a string, else the one that assigns ``key``'s last part; 0 when unsure."""
        if value:
            found = [
                number for number, line in enumerate(self.lines, 1) if f'"{value}"' in line or f"'{value}'" in line
            ]
            if len(found) == 1:
                return found[0]
        last = key.rpartition(".")[2]
        found = [
            number for number, line in enumerate(self.lines, 1) if line.partition("=")[0].strip().strip("\"'") == last
        ]
        return found[0] if len(found) == 1 else 0

    def project(self, document: Mapping[str, object]) -> Project:
        project = self.table(document, "project", "")
        uv = self.table(self.table(document, "tool", ""), "uv", "tool")
        name = self.text(project, "name", "project")
        if "project" in document and not is_valid_name(name):
            raise self.wrong("project.name", "must be a name of letters, digits, `-`, `_` and `.`", name)
        dynamic = frozenset(self.texts(project, "dynamic", "project"))
        groups, group_includes = self._groups(document, uv), self._group_includes(document)
        return Project(
            name=normalize(name),
            version=self._version(project, dynamic),
            requires_python=self._specifiers(project, "requires-python", "project"),
            dependencies=self.requirements(project, "dependencies", "project"),
            optional_dependencies=self._requirement_table(project, "optional-dependencies", "project"),
            dependency_groups=groups,
            group_includes=group_includes,
            dynamic=dynamic,
            scripts=self.text_table(project, "scripts", "project"),
            gui_scripts=self.text_table(project, "gui-scripts", "project"),
            entry_points=self._entry_points(project),
            build_system=self._build_system(document),
            sources=self._sources(uv),
            managed=self.flag(uv, "managed", "tool.uv") is not False,
            package=self.flag(uv, "package", "tool.uv"),
            default_groups=self._default_groups(uv, groups),
            group_requires_python=self._group_pythons(self._stated_group_pythons(uv), group_includes),
            constraint_dependencies=self.requirements(uv, "constraint-dependencies", "tool.uv"),
            override_dependencies=self.requirements(uv, "override-dependencies", "tool.uv"),
            build_constraint_dependencies=self.requirements(uv, "build-constraint-dependencies", "tool.uv"),
            exclude_dependencies=tuple(map(normalize, self.texts(uv, "exclude-dependencies", "tool.uv"))),
            environments=self._markers(uv, "environments"),
            required_environments=self._markers(uv, "required-environments"),
            conflicts=self._conflicts(uv, normalize(name)),
            cache_keys=self._cache_keys(uv),
            is_workspace="workspace" in uv,
            workspace_members=self.texts(self.table(uv, "workspace", "tool.uv"), "members", "tool.uv.workspace"),
            workspace_exclude=self.texts(self.table(uv, "workspace", "tool.uv"), "exclude", "tool.uv.workspace"),
        )

    # typed values

    def table(self, table: Mapping[str, object], key: str, where: str) -> Mapping[str, object]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(_joined(where, key), "must be a table")
        return value

    def text(self, table: Mapping[str, object], key: str, where: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(_joined(where, key), "must be a string")
        return value

    def texts(self, table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, str) or not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(_joined(where, key), "must be a list of strings")
        return tuple(value)

    def text_table(self, table: Mapping[str, object], key: str, where: str) -> Mapping[str, str]:
        found = self.table(table, key, where)
        return {name: self.text(found, name, _joined(where, key)) for name in found}

    def flag(self, table: Mapping[str, object], key: str, where: str) -> bool | None:
        value = table.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(_joined(where, key), "must be true or false")
        return value

    def requirement(self, text: str, key: str) -> Requirement:
        try:
            found = Requirement(text)
        except RecursionError as error:
            raise self.wrong(key, "holds a requirement with too many parentheses") from error
        except InvalidRequirement as error:
            if "://" in text:  # may hold a credential: neither quoted nor chained
                name = text.partition("@")[0].partition("://")[0].strip()
                raise self.wrong(key, f"holds a requirement that cannot be read, near {name!r}", text) from None
            reason = str(error).partition("\n")[0]
            raise self.wrong(key, f"holds {text!r}, which is not a requirement: {reason}", text) from error
        if found.url and "://" not in found.url and not found.url.startswith("file:/"):
            raise self.wrong(key, f"holds {text!r}, which leads to no URL: a path belongs into `tool.uv.sources`", text)
        return found

    def requirements(self, table: Mapping[str, object], key: str, where: str) -> tuple[Requirement, ...]:
        return tuple(self.requirement(text, _joined(where, key)) for text in self.texts(table, key, where))

    def marker(self, text: str, key: str) -> Marker:
        try:
            return Marker(text)
        except InvalidMarker as error:
            raise self.wrong(key, f"holds {text!r}, which is not an environment marker", text) from error

    def name(self, text: str, key: str) -> Name:
        if not is_valid_name(text):
            raise self.wrong(key, f"holds {text!r}, which is not a name", text)
        return normalize(text)

    def _cache_keys(self, uv: Mapping[str, object]) -> tuple[CacheKey, ...] | None:
        if "cache-keys" not in uv:
            return None
        raw = uv["cache-keys"]
        if not isinstance(raw, list):
            raise self.wrong("tool.uv.cache-keys", "must be a list")
        return tuple(key for each in raw for key in self._cache_key(each))

    def _cache_key(self, raw: object) -> list[CacheKey]:
        match raw:
            case str():
                return [("file", raw)]
            case {"file": str(file), **rest} if not rest:
                return [("file", file)]
            case {"dir": str(folder), **rest} if not rest:
                return [("dir", folder)]
            case {"env": str(name), **rest} if not rest:
                return [("env", name)]
            case {"git": bool(wanted), **rest} if not rest:
                return [("git", "commit")] if wanted else []
            case {"git": dict(parts), **rest} if not rest and parts.keys() <= {"commit", "tags"}:
                return [("git", part) for part in ("commit", "tags") if parts.get(part) is True]
        raise self.wrong("tool.uv.cache-keys", "holds what is neither a file nor { file, dir, git or env = … }")

    # [project] and [build-system]

    def _version(self, project: Mapping[str, object], dynamic: frozenset[str]) -> Version | None:
        text = self.text(project, "version", "project")
        if not text:
            # PEP 621: "A build back-end MUST raise an error if … the version is neither given nor dynamic."
            if project and "version" not in dynamic:
                raise self.wrong("project.version", "is missing, and `project.dynamic` does not list it")
            return None
        try:
            return Version(text)
        except InvalidVersion as error:
            raise self.wrong("project.version", f"is {text!r}, which is not a version", text) from error

    def _specifiers(self, table: Mapping[str, object], key: str, where: str) -> SpecifierSet | None:
        text = self.text(table, key, where)
        if not text:
            return None
        try:
            return SpecifierSet(text)
        except InvalidSpecifier as error:
            raise self.wrong(_joined(where, key), f"is {text!r}, which is not a version specifier", text) from error

    def _requirement_table(
        self, table: Mapping[str, object], key: str, where: str
    ) -> Mapping[Name, tuple[Requirement, ...]]:
        found: dict[Name, tuple[Requirement, ...]] = {}
        place = _joined(where, key)
        entries = self.table(table, key, where)
        for written in entries:
            name = self.name(written, f"{place}.{written}")
            if name in found:
                raise self.wrong(f"{place}.{written}", f"is given twice (both names normalise to `{name}`)")
            found[name] = self.requirements(entries, written, place)
        return found

    def _entry_points(self, project: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
        groups = self.table(project, "entry-points", "project")
        return {group: self.text_table(groups, group, "project.entry-points") for group in groups}

    def _build_system(self, document: Mapping[str, object]) -> BuildSystem | None:
        if "build-system" not in document:
            return None
        table = self.table(document, "build-system", "")
        if "requires" not in table:
            raise self.wrong("build-system.requires", "is missing")
        backend = self.text(table, "build-backend", "build-system")
        paths = self.texts(table, "backend-path", "build-system")
        requires = self.requirements(table, "requires", "build-system")
        return BuildSystem(requires, backend, paths) if backend else BuildSystem(requires, backend_path=paths)

    # [dependency-groups]

    def _groups(
        self, document: Mapping[str, object], uv: Mapping[str, object]
    ) -> Mapping[Name, tuple[Requirement, ...]]:
        written = self.table(document, "dependency-groups", "")
        entries: dict[Name, list[object]] = {}
        for group, value in written.items():
            key = f"dependency-groups.{group}"
            name = self.name(group, key)
            if name in entries:
                raise self.wrong(key, f"is given twice (both names normalise to `{name}`)")
            if not isinstance(value, list):
                raise self.wrong(key, "must be a list")
            entries[name] = value
        groups: dict[Name, tuple[Requirement, ...]] = {}
        pythons = self._stated_group_pythons(uv)
        for name in entries:
            self._expand(entries, pythons, name, groups, ())
        legacy = self.requirements(uv, "dev-dependencies", "tool.uv")
        if "dev-dependencies" in uv:
            groups[Name("dev")] = (*groups.get(Name("dev"), ()), *legacy)
        return {name: groups[name] for name in dict.fromkeys((*entries, *groups))}

    def _group_includes(self, document: Mapping[str, object]) -> Mapping[Name, tuple[Name, ...]]:
        """Which groups each group includes, by itself."""
        found: dict[Name, tuple[Name, ...]] = {}
        for group, entries in self.table(document, "dependency-groups", "").items():
            tables = (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
            included = tuple(normalize(entry["include-group"]) for entry in tables)
            if included:
                found[normalize(group)] = included
        return found

    def _expand(
        self,
        entries: Mapping[Name, list[object]],
        pythons: Mapping[Name, SpecifierSet],
        group: Name,
        done: dict[Name, tuple[Requirement, ...]],
        path: tuple[Name, ...],
    ) -> tuple[Requirement, ...]:
        """Every requirement of ``group``, each once, with included groups in the place of their inclusion; for the Pythons
        that the group is for."""
        key = f"dependency-groups.{group}"
        if group in path:
            circle = " → ".join((*path[path.index(group) :], group))
            raise self.wrong(key, f"includes itself: {circle}")
        if group in done:
            return done[group]
        if len(path) > _DEEPEST:
            raise self.wrong(f"dependency-groups.{path[0]}", f"includes groups more than {_DEEPEST} deep")
        found: dict[Requirement, None] = {}
        for entry in entries[group]:
            if isinstance(entry, str):
                found[self.requirement(entry, key)] = None
            elif (
                isinstance(entry, dict) and list(entry) == ["include-group"] and isinstance(entry["include-group"], str)
            ):
                included = self.name(entry["include-group"], key)
                if included not in entries:
                    raise self.wrong(
                        key, f"includes the group {included!r}, which does not exist", entry["include-group"]
                    )
                found |= dict.fromkeys(self._expand(entries, pythons, included, done, (*path, group)))
            else:
                raise self.wrong(key, 'may hold requirements and { include-group = "…" } only')
        done[group] = tuple(_on(pythons[group], each) if group in pythons else each for each in found)
        return done[group]

    def _default_groups(
        self, uv: Mapping[str, object], groups: Mapping[Name, tuple[Requirement, ...]]
    ) -> tuple[Name, ...] | Literal["all"]:
        if uv.get("default-groups") == "all":
            return "all"
        if "default-groups" not in uv:
            return DEFAULT_GROUPS
        names = tuple(self.name(text, "tool.uv.default-groups") for text in self.texts(uv, "default-groups", "tool.uv"))
        for name in names:
            if name not in groups and name != "dev":
                raise self.wrong("tool.uv.default-groups", f"names the group {name!r}, which does not exist", name)
        return tuple(sorted(set(names)))

    def _group_pythons(
        self, stated: Mapping[Name, SpecifierSet], includes: Mapping[Name, tuple[Name, ...]]
    ) -> Mapping[Name, SpecifierSet]:
        """The Pythons of each group: those that are stated of it, and of what it includes."""
        done: dict[Name, SpecifierSet] = {}

        def whole(group: Name) -> SpecifierSet:
            if group not in done:
                found = stated.get(group, SpecifierSet())
                for included in includes.get(group, ()):
                    found &= whole(included)
                done[group] = found
            return done[group]

        return {group: python for group in {*stated, *includes} if (python := whole(group))}

    def _stated_group_pythons(self, uv: Mapping[str, object]) -> Mapping[Name, SpecifierSet]:
        settings = self.table(uv, "dependency-groups", "tool.uv")
        found: dict[Name, SpecifierSet] = {}
        for group in settings:
            table = self.table(settings, group, "tool.uv.dependency-groups")
            python = self._specifiers(table, "requires-python", f"tool.uv.dependency-groups.{group}")
            if python:  # what is blank says nothing
                found[self.name(group, "tool.uv.dependency-groups")] = python
        return found

    # [tool.uv]

    def _markers(self, uv: Mapping[str, object], key: str) -> tuple[Marker, ...]:
        value = uv.get(key)
        texts = (value,) if isinstance(value, str) else self.texts(uv, key, "tool.uv")
        return tuple(self.marker(text, f"tool.uv.{key}") for text in texts)

    def _conflicts(self, uv: Mapping[str, object], project: Name) -> tuple[Exclusion, ...]:
        key, stated = "tool.uv.conflicts", uv.get("conflicts", [])
        if not isinstance(stated, list) or not all(isinstance(members, list) for members in stated):
            raise self.wrong(key, "must be a list of lists")
        found = []
        for members in stated:
            exclusion = tuple(sorted({self._choice(member, project) for member in members}))
            if len(exclusion) < 2:
                raise self.wrong(key, "must name at least two in each list")
            found.append(exclusion)
        return tuple(found)

    def _choice(self, member: object, project: Name) -> Choice:
        key = "tool.uv.conflicts"
        if not isinstance(member, dict) or member.keys() - {"package", "extra", "group"}:
            raise self.wrong(
                key, 'must hold tables such as `{ extra = "gpu" }` or `{ package = "other", group = "docs" }`'
            )
        texts = {kind: self.name(self.text(member, kind, key), key) for kind in member}
        if not project and "package" not in texts:
            raise self.wrong(key, "must name a `package` in each table where there is no [project]")
        package = texts.get("package", project)
        if "extra" in texts and "group" in texts:
            raise self.wrong(key, "may name an extra or a group in a table, not both")
        if "extra" in texts:
            return Choice(package, "extra", texts["extra"])
        if "group" in texts:
            return Choice(package, "group", texts["group"])
        if "package" not in texts:
            raise self.wrong(key, "must name an extra, a group or a package in each table")
        return Choice(package, "project")

    def _sources(self, uv: Mapping[str, object]) -> Mapping[Name, tuple[SourceSpec, ...]]:
        found: dict[Name, tuple[SourceSpec, ...]] = {}
        for written, value in self.table(uv, "sources", "tool.uv").items():
            key = f"tool.uv.sources.{written}"
            entries = value if isinstance(value, list) else [value]
            tables = [entry for entry in entries if isinstance(entry, dict)]
            if not tables or len(tables) != len(entries):
                raise self.wrong(key, "must be a table or a list of tables")
            specs = tuple(self._source(table, key) for table in tables)
            self._check_disjoint(specs, key)
            found[self.name(written, key)] = specs
        return found

    def _source(self, table: Mapping[str, object], key: str) -> SourceSpec:
        targets = [target for target in _TARGETS if target in table]
        if len(targets) != 1:
            raise self.wrong(key, f"must have exactly one of {', '.join(_TARGETS)}")
        [target] = targets
        if target == "workspace":
            if self.flag(table, target, key) is not True:
                raise self.wrong(f"{key}.workspace", "must be true")
            location = ""
        else:
            location = self.text(table, target, key)
            if not location:
                raise self.wrong(f"{key}.{target}", "must not be empty")
        references = [(kind, self.text(table, kind, key)) for kind in ("rev", "tag", "branch") if kind in table]
        if len(references) > 1 or (references and target != "git"):
            raise self.wrong(key, "may have one of rev, tag, branch, and with git only")
        marker, extra, group = (self.text(table, kind, key) for kind in ("marker", "extra", "group"))
        if extra and group:
            raise self.wrong(key, "may have extra or group, not both")
        return SourceSpec(
            target,
            location,
            self.marker(marker, f"{key}.marker") if marker else None,
            self.name(extra, f"{key}.extra") if extra else None,
            self.name(group, f"{key}.group") if group else None,
            self.flag(table, "editable", key),
            self.flag(table, "package", key),
            self.text(table, "subdirectory", key),
            references[0] if references else None,
            self.flag(table, "lfs", key) is True,
        )

    def _check_disjoint(self, specs: tuple[SourceSpec, ...], key: str) -> None:
        """Several sources must never hold at once; an extra or a group of its own tells them apart as a marker does."""
        for one, other in combinations(specs, 2):
            if (one.extra, one.group) != (other.extra, other.group):
                continue
            if one.marker is None or other.marker is None:
                raise self.wrong(key, "has several sources, so each needs a `marker`")
            if not disjoint(one.marker, other.marker):
                raise self.wrong(key, f"has two sources whose markers overlap: `{one.marker}` and `{other.marker}`")


def _on(pythons: SpecifierSet, requirement: Requirement) -> Requirement:
    """The requirement for these Pythons alone."""
    marker = Marker(
        " and ".join(f"python_full_version {each.operator} '{each.version}'" for each in sorted(pythons, key=str))
    )
    found = Requirement(str(requirement))
    found.marker = marker if found.marker is None else found.marker & marker
    return found


def _joined(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
