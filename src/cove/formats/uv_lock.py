"""``uv.lock``, format version 1: text ↔ ``model.lock``. What is written is what uv 0.13 writes, byte for byte.

Keys that are not known are ignored, as uv does; a higher ``revision`` is compatible by definition, a higher ``version`` is not.
"""

import tomllib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, get_args

from cove.errors import ConfigurationError
from cove.formats.toml_text import fitting as _fitting
from cove.formats.toml_text import flat as _flat
from cove.formats.toml_text import inline as _inline
from cove.formats.toml_text import key as _key
from cove.formats.toml_text import tall as _tall
from cove.formats.toml_text import text as _text
from cove.formats.toml_text import value as _value
from cove.model.conflict import Choice, Exclusion
from cove.model.lock import (
    DEFAULT_GROUPS,
    Lock,
    LockedDependency,
    LockedFile,
    LockedPackage,
    LockedRequirement,
    LockedSource,
    SourceKind,
)
from cove.model.name import Name, is_valid_name

if TYPE_CHECKING:
    from packaging.version import Version

REVISION = 5
"""The revision of format version 1 that ``dump`` writes the features of."""

_REMOVE_HINT = "remove the lock and run `cove lock` to make a new one"


# --- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """Typed access to one lock's tables; errors name the file and where in it the wrong value is."""

    def __init__(self, path: str) -> None:
        self.path = path

    def wrong(self, where: str, expected: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}: {where} must be {expected}", hints=(_REMOVE_HINT,))

    def text(self, table: Mapping[str, object], key: str, where: str, default: str | None = "") -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(f"{where}.{key}", "a text")
        return value

    def texts(self, table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f"{where}.{key}", "an array of texts")
        return tuple(value)

    def names(self, table: Mapping[str, object], key: str, where: str) -> tuple[Name, ...]:
        return tuple(Name(text) for text in self.texts(table, key, where))

    def table(self, table: Mapping[str, object], key: str, where: str) -> Mapping[str, object]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(f"{where}.{key}", "a table")
        return value

    def tables(self, table: Mapping[str, object], key: str, where: str) -> list[Mapping[str, object]]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(f"{where}.{key}", "an array of tables")
        return value

    def source(self, table: Mapping[str, object], where: str) -> LockedSource:
        for kind in get_args(SourceKind):
            if kind in table:
                location = self.text(table, kind, where)
                return LockedSource(kind, location, self.text(table, "subdirectory", where))
        raise self.wrong(where, "one of " + ", ".join(get_args(SourceKind)))

    def file(self, table: Mapping[str, object], where: str) -> LockedFile:
        size = table.get("size")
        if size is not None and (not isinstance(size, int) or size < 0):
            raise self.wrong(f"{where}.size", "a number of bytes")
        return LockedFile(
            self.text(table, "url", where),
            self.text(table, "hash", where),
            size,
            self.text(table, "upload-time", where),
            self.text(table, "path", where) or self.text(table, "filename", where),
        )

    def dependencies(self, table: Mapping[str, object], key: str, where: str) -> tuple[LockedDependency, ...]:
        return tuple(self.dependency(item, f"{where}.{key}") for item in self.tables(table, key, where))

    def dependency(self, table: Mapping[str, object], where: str) -> LockedDependency:
        return LockedDependency(
            Name(self.text(table, "name", where, None)),
            self.names(table, "extra", where),
            self.text(table, "marker", where),
            self.text(table, "version", where),
            self.source(self.table(table, "source", where), f"{where}.source") if "source" in table else None,
        )

    def requirements(self, table: Mapping[str, object], key: str, where: str) -> tuple[LockedRequirement, ...]:
        return tuple(self.requirement(item, f"{where}.{key}") for item in self.tables(table, key, where))

    def requirement(self, table: Mapping[str, object], where: str) -> LockedRequirement:
        return LockedRequirement(
            Name(self.text(table, "name", where, None)),
            self.names(table, "extras", where),
            **{key: self.text(table, key, where) for key in ("specifier", "marker", *_REQUIREMENT_SOURCES)},
            conflict=self.only_for(self.table(table, "conflict", where)),
        )

    def only_for(self, table: Mapping[str, object]) -> str:
        kind = next((kind for kind in ("extra", "group") if kind in table), "")
        where = "requires-dist: conflict"
        if not kind:
            return ""
        texts = (self.text(table, "package", where), kind, self.text(table, kind, where))
        if not all(map(is_valid_name, texts)):
            raise self.wrong(where, "of a package and an extra or group of it")
        return " ".join(texts)

    def conflict(self, members: object) -> Exclusion:
        return tuple(self.choice(table) for table in self.tables({"conflicts": members}, "conflicts", "lock"))

    def choice(self, table: Mapping[str, object]) -> Choice:
        package = Name(self.text(table, "package", "conflicts"))
        extra, group = (Name(self.text(table, kind, "conflicts")) for kind in ("extra", "group"))
        if extra:
            return Choice(package, "extra", extra)
        return Choice(package, "group", group) if group else Choice(package, "project")

    def default_groups(self, table: Mapping[str, object], where: str) -> tuple[Name, ...] | Literal["all"]:
        if table.get("default-groups") == "all":
            return "all"
        return self.names(table, "default-groups", where) if "default-groups" in table else DEFAULT_GROUPS

    def package(self, table: Mapping[str, object]) -> LockedPackage:
        name = self.text(table, "name", "package", None)
        where = f"package {name!r}"
        metadata = self.table(table, "metadata", where)
        optional = self.table(table, "optional-dependencies", where)
        groups = self.table(table, "dev-dependencies", where)
        requires_dev = self.table(metadata, "requires-dev", where)
        pythons = self.table(table, "group-requires-python", where)
        return LockedPackage(
            Name(name),
            self.text(table, "version", where),
            self.source(self.table(table, "source", where), f"{where}: source"),
            self.dependencies(table, "dependencies", where),
            {Name(extra): self.dependencies(optional, extra, where) for extra in optional},
            {Name(group): self.dependencies(groups, group, where) for group in groups},
            self.file(self.table(table, "sdist", where), f"{where}.sdist") if "sdist" in table else None,
            tuple(self.file(item, f"{where}.wheels") for item in self.tables(table, "wheels", where)),
            self.texts(table, "resolution-markers", where),
            self.requirements(metadata, "requires-dist", where),
            {Name(group): self.requirements(requires_dev, group, where) for group in requires_dev},
            self.names(metadata, "provides-extras", where),
            self.default_groups(table, where),
            {Name(group): self.text(pythons, group, where) for group in pythons},
        )


def parse(text: str, path: str) -> Lock:
    """The lock in ``text``; ``path`` names it in errors. Raises ``ConfigurationError``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}", hints=(_REMOVE_HINT,)) from error
    reader = _Reader(path)
    version, revision = document.get("version"), document.get("revision", 0)
    if not isinstance(version, int) or not isinstance(revision, int):
        raise reader.wrong("version and revision", "numbers")
    if version != 1:
        raise ConfigurationError(
            f"{path}: lock format version {version} is not supported, only version 1 is",
            hints=("it was written by a newer program: upgrade cove, or " + _REMOVE_HINT,),
        )
    conflicts = document.get("conflicts", [])
    if not isinstance(conflicts, list):
        raise reader.wrong("conflicts", "an array")
    return Lock(
        reader.text(document, "requires-python", "lock"),
        tuple(reader.package(table) for table in reader.tables(document, "package", "lock")),
        reader.texts(document, "resolution-markers", "lock"),
        reader.texts(document, "supported-markers", "lock"),
        reader.texts(document, "required-markers", "lock"),
        reader.table(document, "options", "lock"),
        reader.table(document, "manifest", "lock"),
        tuple(reader.conflict(members) for members in conflicts),
        version,
        revision,
    )


# --- writing ---------------------------------------------------------------------------------------------------------

_REQUIREMENT_SOURCES = ("url", "git", "subdirectory", "path", "directory", "editable", "virtual", "index")


def dump(lock: Lock) -> str:
    """The text of ``lock``. Order is kept for extras and markers as given; packages, edges and files are sorted as uv does."""
    lines = [f"version = {lock.version}"]
    if lock.revision:
        lines.append(f"revision = {lock.revision}")
    lines.append(f"requires-python = {_text(lock.requires_python)}")
    lines += _tall("resolution-markers", map(_text, lock.resolution_markers))
    lines += _tall("supported-markers", map(_text, lock.supported_markers))
    lines += _tall("required-markers", map(_text, lock.required_markers))
    lines += _conflicts(lock.conflicts)
    lines += _section("options", lock.options)
    lines += _section("manifest", lock.manifest)
    for package in sorted(lock.packages, key=package_order):
        lines += _package(package)
    return "\n".join(lines) + "\n"


def package_order(package: LockedPackage) -> tuple[str, "Version", tuple[int, str]]:
    """Where a package stands in a lock, as a key for sorting: by name, version and source."""
    return (package.name, _version(package.version), _source_order(package.source))


_SOURCES = ("registry", "git", "url", "path", "directory", "editable", "virtual")


def _source_order(source: LockedSource | None) -> tuple[int, str]:
    return (-1, "") if source is None else (_SOURCES.index(source.kind), source.location)


def _version(text: str) -> "Version":
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - a no-op sync reads a lock without packaging

    try:
        return Version(text or "0.dev0")  # a project with a dynamic version has none
    except InvalidVersion:  # locks made by others are rewritten as they are
        return Version("0.dev0")


def _package(package: LockedPackage) -> list[str]:
    lines = ["", "[[package]]", f"name = {_text(package.name)}"]
    if package.version:
        lines.append(f"version = {_text(package.version)}")
    lines.append(f"source = {_source(package.source)}")
    lines += _tall("resolution-markers", map(_text, package.resolution_markers))
    if package.default_groups == "all":
        lines.append('default-groups = "all"')
    elif package.default_groups != DEFAULT_GROUPS:
        lines.append(f"default-groups = {_flat(map(_text, package.default_groups))}")
    lines += _edges("dependencies", package.dependencies)
    key = "path" if package.source.kind == "registry" else "filename"
    if package.sdist is not None:
        lines.append(f"sdist = {_file(package.sdist, key)}")
    lines += _tall("wheels", (_file(wheel, key) for wheel in sorted(package.wheels, key=lambda wheel: wheel.filename)))
    lines += _edge_table("package.optional-dependencies", package.optional_dependencies)
    lines += _edge_table("package.dev-dependencies", package.dev_dependencies)
    if package.group_requires_python:
        lines += ["", "[package.group-requires-python]"]
        lines += [f"{_key(group)} = {_text(python)}" for group, python in sorted(package.group_requires_python.items())]
    return lines + _metadata(package)


def _metadata(package: LockedPackage) -> list[str]:
    if not (package.requires_dist or package.requires_dev or package.provides_extras):
        return []
    lines = ["", "[package.metadata]"]
    if package.requires_dist:
        lines += _fitting("requires-dist", requirement_lines(package.requires_dist))
    if package.provides_extras:
        lines.append(f"provides-extras = {_flat(map(_text, package.provides_extras))}")
    if package.requires_dev:
        lines += ["", "[package.metadata.requires-dev]"]
        for group, requirements in sorted(package.requires_dev.items()):
            lines += _fitting(group, requirement_lines(requirements))
    return lines


def requirement_lines(requirements: Iterable[LockedRequirement]) -> list[str]:
    """The requirements as inline tables, in the order of the lock."""
    return [_requirement(requirement) for requirement in in_order(requirements)]


def in_order(requirements: Iterable[LockedRequirement]) -> list[LockedRequirement]:
    """The requirements in the order of the lock, each once."""
    several = list(dict.fromkeys(requirements))
    if len(several) > 1:  # one needs no order, and no markers read
        several.sort(key=_requirement_key)
    return several


def _requirement_key(requirement: LockedRequirement) -> tuple[object, ...]:
    specifiers, marker = _specifiers_order(requirement.specifier), _marker_order(requirement.marker)
    return (requirement.name, requirement.extras, marker, specifiers, requirement.index)


_OPERATORS = ("==", "==*", "===", "!=", "!=*", "~=", "<", "<=", ">", ">=")


def _specifiers_order(text: str) -> list[tuple[int, "Version"]]:
    """By operators in the order of uv's, then by their versions."""
    found: list[tuple[int, Version]] = []
    for each in text.split(",") if text else ():
        version = each.lstrip("=!~<>")
        operator = each[: len(each) - len(version)] + ("*" if version.endswith(".*") else "")
        place = _OPERATORS.index(operator) if operator in _OPERATORS else len(_OPERATORS)
        found.append((place, _version(version.removesuffix(".*"))))
    return found


def _marker_order(text: str) -> tuple[object, ...]:
    if not text:
        return (0,)
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - a no-op sync reads a lock without packaging

    from cove.formats.marker_sets import TooComplex, marker_set  # noqa: PLC0415

    try:
        return marker_set(Marker(text)).order
    except (InvalidMarker, TooComplex):
        return (9, text)


def _requirement(requirement: LockedRequirement) -> str:
    pairs = [("name", _text(requirement.name))]
    if requirement.extras:
        pairs.append(("extras", _flat(map(_text, requirement.extras))))
    for key in ("marker", "specifier", *_REQUIREMENT_SOURCES):
        value: str = getattr(requirement, key)
        if value:
            pairs.append((key, _text(value)))
    if requirement.conflict:
        package, kind, name = requirement.conflict.split(" ")
        pairs.append(("conflict", _inline([("package", _text(package)), (kind, _text(name))])))
    return _inline(pairs)


def _edge_table(header: str, groups: Mapping[Name, tuple[LockedDependency, ...]]) -> list[str]:
    filled = [(group, edges) for group, edges in sorted(groups.items()) if edges]
    if not filled:
        return []
    lines = ["", f"[{header}]"]
    for group, edges in filled:
        lines += _edges(group, edges)
    return lines


def _edges(key: str, edges: Iterable[LockedDependency]) -> list[str]:
    ordered = list(edges)
    if len(ordered) > 1:
        ordered.sort(
            key=lambda edge: (
                edge.name,
                _version(edge.version),
                _source_order(edge.source),
                sorted(edge.extras),
                _marker_order(edge.marker),
            )
        )
    return _tall(key, map(_edge, ordered))


def _edge(edge: LockedDependency) -> str:
    pairs = [("name", _text(edge.name))]
    if edge.version:
        pairs.append(("version", _text(edge.version)))
    if edge.source is not None:
        pairs.append(("source", _source(edge.source)))
    if edge.extras:
        pairs.append(("extra", _flat(map(_text, sorted(edge.extras)))))
    if edge.marker:
        pairs.append(("marker", _text(edge.marker)))
    return _inline(pairs)


def _source(source: LockedSource) -> str:
    pairs: list[tuple[str, str]] = [(source.kind, _text(source.location))]
    if source.subdirectory:
        pairs.append(("subdirectory", _text(source.subdirectory)))
    return _inline(pairs)


def _file(file: LockedFile, path_key: str) -> str:
    pairs = []
    if file.url:
        pairs.append(("url", _text(file.url)))
    elif file.path:
        pairs.append((path_key, _text(file.path)))
    if file.hash:
        pairs.append(("hash", _text(file.hash)))
    if file.size is not None:
        pairs.append(("size", str(file.size)))
    if file.upload_time:
        pairs.append(("upload-time", _text(file.upload_time)))
    return _inline(pairs)


def _conflicts(conflicts: tuple[Exclusion, ...]) -> list[str]:
    if not conflicts:
        return []
    sets = ("[\n" + "".join(f"    {_choice(choice)},\n" for choice in members) + "]" for members in conflicts)
    return f"conflicts = [{', '.join(sets)}]".split("\n")


def _choice(choice: Choice) -> str:
    pairs = [("package", _text(choice.package))]
    return _inline([*pairs, (choice.kind, _text(choice.name))] if choice.name else pairs)


_CUTOFFS = "options.exclude-newer-package"
_NO_EFFECT = (
    " # This has no effect and is included for backwards compatibility when using relative exclude-newer values."
)


def _section(header: str, table: Mapping[str, object]) -> list[str]:
    """A table whose plain values come first, then its tables and arrays of tables, each in the order given."""
    plain: list[str] = []
    nested: list[str] = []
    for key, value in table.items():
        name = f"{header}.{_key(key)}"
        if isinstance(value, Mapping) and header == _CUTOFFS:
            plain.append(f"{_key(key)} = {_value(value)}")
        elif isinstance(value, Mapping):
            nested += _section(name, value)
        elif key == "dependency-metadata" and isinstance(value, list):
            for item in value:
                nested += ["", f"[[{name}]]", *(f"{_key(k)} = {_value(v)}" for k, v in item.items())]
        elif key == "members" and isinstance(value, list):
            plain += _tall(key, map(_value, value))
        elif isinstance(value, list | tuple):
            plain += _fitting(key, [_value(item) for item in value])
        else:
            comment = _NO_EFFECT if key == "exclude-newer" and "exclude-newer-span" in table else ""
            plain.append(f"{_key(key)} = {_value(value)}{comment}")
    # Uv writes the header of the options even where they have no values of their own.
    has_head = bool(plain) or (header == "options" and bool(nested))
    return [*(["", f"[{header}]", *plain] if has_head else []), *nested]
