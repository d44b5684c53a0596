"""Changes to ``pyproject.toml`` that keep what people wrote: comments, order, spacing."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Self

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Table

from cove.config.atomic import write_whole
from cove.errors import ConfigurationError
from cove.model.index import Index
from cove.model.name import Name, normalize


class ProjectFile:
    """A ``pyproject.toml`` being changed; nothing is written before ``write``."""

    def __init__(self, path: Path, before: bytes) -> None:
        """Raises ``ConfigurationError`` when ``before`` is not TOML."""
        self.path = path
        self.before = before
        try:
            text = before.decode("utf-8")
            self._document = tomlkit.parse(text)
        except (TOMLKitError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: the file cannot be read: {error}") from None

        self._headings = _tight_headings(text)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file at ``path``; raises ``ConfigurationError`` when it cannot be read."""
        try:
            return cls(path, path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"{path}: the file cannot be read: {error.strerror}") from error

    @property
    def text(self) -> str:
        """The file as it would be written: a table that is new gets a blank line before it, the others stay as they are."""
        return _spaced(tomlkit.dumps(self._document), self._headings)

    # -- dependencies

    def add_dependency(self, requirement: str, *, group: str = "", extra: str = "") -> None:
        """Add ``requirement`` to the project, a dependency group or an extra; one for the same name is replaced in place.

        Requirements that differ in their markers stand beside each other. A list that was sorted stays sorted.
        """
        new = Requirement(requirement)
        array = self._list(group, extra, create=True)
        assert array is not None
        same = [place for place, text in _requirements(array) if _replaces(new, text)]
        if same:
            array[same[0]] = requirement
            for place in reversed(same[1:]):
                del array[place]
            return
        array.insert(_place_for(array, normalize(new.name)), requirement)
        if len(array) > 1 or "\n" not in array.as_string():
            array.multiline(multiline=True)

    def remove_dependency(self, name: Name, *, group: str = "", extra: str = "") -> bool:
        """Remove every requirement of ``name``; whether there was one. An emptied list stays, empty."""
        array = self._list(group, extra, create=False)
        if array is None:
            return False
        places = [place for place, text in _requirements(array) if _name_of(text) == name]
        for place in reversed(places):
            del array[place]
        return bool(places)

    def _list(self, group: str, extra: str, *, create: bool) -> Array | None:
        if group:
            parent, key = self._table("dependency-groups", create=create), _existing_key(self._document, group)
        elif extra:
            parent, key = self._table("project", "optional-dependencies", create=create), extra
        else:
            parent, key = self._table("project", create=create), "dependencies"
        if parent is None or (key not in parent and not create):
            return None
        if key not in parent:
            parent[key] = tomlkit.array()
        array = parent[key]
        if not isinstance(array, Array):
            raise ConfigurationError(f"{self.path}: `{key}` must be a list")
        return array

    # -- indexes and sources

    def add_index(self, index: Index) -> None:
        """Add ``[[tool.uv.index]]`` without credentials, above those that are there.

        A table with the same name, the same URL, or that is the default where ``index`` is, is changed in place instead:
        its URL (and ``default``) follow, its other keys stay.
        """
        url = index.written_url or index.url.public
        uv = self._table("tool", "uv", create=True)
        assert uv is not None
        tables = uv.get("index")
        if tables is not None and not isinstance(tables, AoT):
            raise ConfigurationError(f"{self.path}: `tool.uv.index` must be written as `[[tool.uv.index]]` tables")
        for table in tables or ():
            if _is_same(table, index, url):
                table["url"] = url
                if index.default:
                    table["default"] = True
                if index.name and not table.get("name"):
                    table["name"] = index.name
                return
        fresh = tomlkit.table()
        if index.name:
            fresh["name"] = index.name
        fresh["url"] = url
        if index.default:
            fresh["default"] = True
        if tables is None:
            uv["index"] = tomlkit.aot()
            tables = uv["index"]
        tables.insert(0, fresh)

    def pin(self, name: Name, index_name: str) -> None:
        """Set ``tool.uv.sources.<name> = { index = "<index_name>" }``."""
        self._set_source(name, {"index": index_name})

    def take_from_workspace(self, name: Name) -> None:
        """Set ``tool.uv.sources.<name> = { workspace = true }``."""
        self._set_source(name, {"workspace": True})

    def _set_source(self, name: Name, said: Mapping[str, object]) -> None:
        sources = self._table("tool", "uv", "sources", create=True)
        assert sources is not None
        source = tomlkit.inline_table()
        source.update(said)
        key = next((key for key in sources if normalize(key) == name), name)
        sources[key] = source

    def unpin(self, name: Name) -> bool:
        """Remove ``tool.uv.sources.<name>``; whether it was there."""
        sources = self._table("tool", "uv", "sources", create=False)
        keys = [key for key in sources or () if normalize(key) == name]
        for key in keys:
            assert sources is not None
            del sources[key]
        return bool(keys)

    # -- writing

    def write(self) -> bytes:
        """Write the file, whole or not at all; returns what it held before, for ``restore``."""
        write_whole(self.path, self.text.encode())
        return self.before

    def restore(self) -> None:
        """Put back what the file held when it was opened."""
        write_whole(self.path, self.before)

    def _table(self, *path: str, create: bool) -> MutableMapping[str, Any] | None:
        table: MutableMapping[str, Any] = self._document
        for depth, key in enumerate(path):
            if key not in table:
                if not create:
                    return None
                # `[tool.uv]` itself is not written where only tables below it are
                table[key] = tomlkit.table(is_super_table=depth < len(path) - 1 or path == ("tool", "uv"))
            table = table[key]
            if not isinstance(table, MutableMapping):
                raise ConfigurationError(f"{self.path}: `{'.'.join(path[: depth + 1])}` must be a table")
        return table


def _is_tight(lines: list[str], place: int) -> bool:
    """Whether a heading follows on something that is neither blank, a comment, nor another heading's."""
    before = lines[place - 1].strip() if place else ""
    return lines[place].startswith("[") and bool(before) and not before.startswith("#")


def _tight_headings(text: str) -> frozenset[str]:
    lines = text.split("\n")
    return frozenset(line for place, line in enumerate(lines) if _is_tight(lines, place))


def _spaced(text: str, accepted: frozenset[str]) -> str:
    lines = text.split("\n")
    spaced: list[str] = []
    for place, line in enumerate(lines):
        if _is_tight(lines, place) and line not in accepted:
            spaced.append("")
        spaced.append(line)
    return "\n".join(spaced)


def _existing_key(document: MutableMapping[str, Any], group: str) -> str:
    """The group as it is spelled in the file (names of groups compare normalised, PEP 735)."""
    return next((key for key in document.get("dependency-groups", ()) if normalize(key) == normalize(group)), group)


def _requirements(array: Array) -> list[tuple[int, str]]:
    """The items that are requirements with their places; a group may also hold ``{include-group = "…"}``."""
    return [(place, str(item)) for place, item in enumerate(array) if isinstance(item, str)]


def _name_of(text: str) -> Name | None:
    try:
        return normalize(Requirement(text).name)
    except InvalidRequirement:
        return None


def _replaces(new: Requirement, text: str) -> bool:
    try:
        old = Requirement(text)
    except InvalidRequirement:
        return False
    return normalize(old.name) == normalize(new.name) and str(old.marker) == str(new.marker)


def _place_for(array: Array, name: Name) -> int:
    """Where a requirement of ``name`` goes: by the alphabet if the list follows it already, else last."""
    names = [_name_of(text) or "" for _, text in _requirements(array)]
    if len(names) != len(array) or names != sorted(names):
        return len(array)
    return sum(1 for other in names if other <= name)


def _is_same(table: Table, index: Index, url: str) -> bool:
    if index.name and table.get("name"):
        return bool(table["name"] == index.name) or bool(index.default and table.get("default"))
    same_url = str(table.get("url", "")).rstrip("/") == url.rstrip("/")
    return same_url or bool(index.default and table.get("default"))
