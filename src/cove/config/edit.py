"""Changes to ``pyproject.toml`` that keep what people wrote: comments, order, spacing."""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Item, Table

from cove.config.atomic import write_whole
from cove.config.toml_arrays import TomlArray
from cove.errors import ConfigurationError, UsageError
from cove.formats import toml_text
from cove.formats.marker_text import stated
from cove.formats.requirement_text import merged, spelled
from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.name import Name, normalize

Items = MutableMapping[str, Any]

_MARK = "\ufeff"
"""What some editors begin a file with, to say that it is UTF-8."""


@dataclass(frozen=True, slots=True)
class Section:
    """A list of requirements in a project: that of a dependency group or an extra, else its dependencies.

    ``is_dev`` is for the group ``dev``, which may also be written as ``tool.uv.dev-dependencies``.
    """

    group: str = ""
    extra: str = ""
    is_dev: bool = False

    def __str__(self) -> str:
        if self.group:
            return f"the group `{self.group}`"
        return f"the extra `{self.extra}`" if self.extra else "its dependencies"


DEPENDENCIES = Section()
DEV = Section("dev", is_dev=True)


class ProjectFile:
    """A ``pyproject.toml`` being changed; nothing is written before ``write``."""

    def __init__(self, path: Path, before: bytes) -> None:
        """Raises ``ConfigurationError`` when ``before`` is not TOML."""
        self.path = path
        self.before = before
        try:
            written = before.decode("utf-8")
            text = written.removeprefix(_MARK).replace("\r\n", "\n")
            self._document = tomlkit.parse(text)
        except (TOMLKitError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: the file cannot be read: {error}") from None
        self._headings = _tight_headings(text)
        self._most_blank = max(map(len, re.findall(r"\n(\n+)(?=\[)", text)), default=1)
        self._mark = _MARK if written.startswith(_MARK) else ""
        self._is_crlf = "\r\n" in written

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file at ``path``; raises ``ConfigurationError`` when it cannot be read."""
        try:
            return cls(path, path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"{path}: the file cannot be read: {error.strerror}") from error

    @property
    def text(self) -> str:
        """The file as it would be written: a table that is new gets a blank line before it, the others stay as they are. One
        that moved leaves no gap that is wider than those that were there."""
        text = _spaced(tomlkit.dumps(self._document), self._headings)
        text = re.sub(rf"(\n{{{self._most_blank + 1}}})\n+(?=\[)", r"\1", text)
        if not self.before.endswith((b"\n\n", b"\n\r\n")):
            text = text.rstrip("\n")
        text += "" if text.endswith("\n") else "\n"
        return self._mark + (text.replace("\n", "\r\n") if self._is_crlf else text)

    # -- dependencies

    def add_dependency(
        self, requirement: Requirement, section: Section = DEPENDENCIES, *, has_source: bool = False
    ) -> bool:
        """Add ``requirement`` to a list of the project; whether it is new there.

        One for the same name in the same environments gets the new extras beside its own, and the new version or URL in the
        place of its own. A list that was sorted stays sorted. With ``has_source`` a source says where it comes from, and no
        URL stays. Raises ``UsageError`` when several stand there that it could change.
        """
        name = normalize(requirement.name)
        parent, key = self._list_for(section, name)
        array, items = self._opened(parent, key)
        same = [place for place, item in enumerate(items) if _is_for(item, name, requirement)]
        if len(same) > 1:
            raise UsageError(
                f"{self.path} has several requirements for `{name}`, and it is not clear which of them is meant",
                causes=tuple(str(items[place]) for place in same),
                hints=("remove what is not wanted, or edit the file",),
            )
        if same:
            found = merged(Requirement(str(items[same[0]])), requirement, has_source=has_source)
            array.replace(same[0], toml_text.text(spelled(found)))
        else:
            text = spelled(requirement)
            array.insert(_place_for(items, text), toml_text.text(text))
        _set(parent, key, str(array))
        return not same

    def remove_dependency(self, name: Name, section: Section = DEPENDENCIES) -> bool:
        """Remove every requirement of ``name``; whether there was one. An emptied list stays, empty."""
        found = False
        for parent, key in self._lists(section):
            array, items = self._opened(parent, key)
            places = [place for place, item in enumerate(items) if _name_of(item) == name]
            for place in reversed(places):
                array.remove(place)
            if places:
                _set(parent, key, str(array))
                found = True
        return found

    def _list_for(self, section: Section, name: Name) -> tuple[Items, str]:
        """The table and key of the list that a requirement of ``name`` goes to, which is made when it is missing."""
        known = self._lists(section)
        for parent, key in known:
            if any(_name_of(item) == name for item in self._opened(parent, key)[1]):
                return parent, key
        if known:
            return known[0]
        table, key = self._place_of(section, create=True)
        assert table is not None
        _insert(table, key, "[]", in_order=bool(section.group))
        return table, key

    def _lists(self, section: Section) -> list[tuple[Items, str]]:
        """The lists of ``section`` that are there: of one that is also written in the old way, both."""
        places = [self._place_of(section, create=False)]
        if section.is_dev:
            places.append((self._table("tool", "uv", create=False), "dev-dependencies"))
        return [(parent, key) for parent, key in places if parent is not None and key in parent]

    def _place_of(self, section: Section, *, create: bool) -> tuple[Items | None, str]:
        if section.group:
            groups = self._table("dependency-groups", create=create)
            return groups, _key(groups, section.group)
        if section.extra:
            extras = self._table("project", "optional-dependencies", create=create)
            return extras, _key(extras, section.extra)
        return self._table("project", create=create), "dependencies"

    # -- the workspace

    def add_member(self, folder: str) -> None:
        """Add a folder, relative to the file's, to the members of the workspace; one is made of the project if it is none."""
        workspace = self._table("tool", "uv", "workspace", create=True)
        assert workspace is not None
        if "members" not in workspace:
            workspace["members"] = tomlkit.array()
        array, items = self._opened(workspace, "members")
        array.insert(len(items), toml_text.text(folder))
        _set(workspace, "members", str(array))

    # -- indexes and sources

    def add_index(self, index: Index) -> None:
        """Add ``[[tool.uv.index]]`` without credentials, above those that are there.

        One with the same name or URL, or that is the default where ``index`` is, is taken up and changed instead; its other
        keys stay.
        """
        url = index.written_url or index.url.public
        uv = self._table("tool", "uv", create=True)
        assert uv is not None
        tables = uv.get("index")
        if tables is not None and not isinstance(tables, AoT):
            raise ConfigurationError(f"{self.path}: `tool.uv.index` must be written as `[[tool.uv.index]]` tables")
        same = [place for place, table in enumerate(tables or ()) if _is_same(table, index, url)]
        if tables is not None and same == [0]:
            _describe(tables[0], index, url)
            return
        moved = [tables.pop(place) for place in reversed(same)] if tables is not None else []
        table = moved[-1] if moved else tomlkit.table()
        _describe(table, index, url)
        if not tables:
            uv["index"] = tables = tomlkit.aot()
        tables.insert(0, table)

    def set_source(self, name: Name, said: Mapping[str, object]) -> None:
        """Set ``tool.uv.sources.<name>``."""
        sources = self._table("tool", "uv", "sources", create=True)
        assert sources is not None
        _set(sources, _key(sources, name), toml_text.value(said))

    def remove_source(self, name: Name) -> bool:
        """Remove ``tool.uv.sources.<name>``, and the table if it is the last; whether it was there."""
        uv, sources = self._table("tool", "uv", create=False), self._table("tool", "uv", "sources", create=False)
        keys = [key for key in sources or () if normalize(key) == name]
        if not keys or uv is None or sources is None:
            return False
        for key in keys:
            del sources[key]
        if not sources:
            del uv["sources"]
        return True

    def _opened(self, table: Items, key: str) -> tuple[TomlArray, list[object]]:
        """A list as text, and its values."""
        array = table[key]
        if not isinstance(array, Array):
            raise ConfigurationError(f"{self.path}: `{key}` must be a list")
        return TomlArray.parse(array.as_string()), list(array)

    # -- writing

    def write(self) -> bytes:
        """Write the file, whole or not at all; returns what it held before, for ``restore``."""
        write_whole(self.path, self.text.encode())
        return self.before

    def restore(self) -> None:
        """Put back what the file held when it was opened."""
        write_whole(self.path, self.before)

    def _table(self, *path: str, create: bool) -> Items | None:
        table: Items = self._document
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


def _key(table: Items | None, name: str) -> str:
    """``name`` as it is spelled in the table (names compare normalised), normalised where it is new."""
    wanted = normalize(name)
    return next((key for key in table or () if normalize(key) == wanted), wanted)


def _set(table: Items, key: str, text: str) -> None:
    table[key] = _parsed(text)


def _parsed(text: str) -> Item:
    return cast("Item", tomlkit.parse(f"value = {text}\n").item("value"))


def _insert(table: Items, key: str, text: str, *, in_order: bool = False) -> None:
    """Give a table a new key, above the comments that belong to what follows: where the alphabet has it, if it is to be
    ``in_order`` and all others are, else behind the last value."""
    names = list(table)
    is_sorted = in_order and names == sorted(names)
    before = [name for name in names if not isinstance(table[name], Table | AoT) and not (is_sorted and name > key)]
    if isinstance(table, Table) and before:
        table.value._insert_after(before[-1], key, _parsed(text))
    elif isinstance(table, Table) and names and is_sorted:
        table.value._insert_at(0, key, _parsed(text))
    else:
        _set(table, key, text)


def _name_of(item: object) -> Name | None:
    requirement = _requirement(item)
    return None if requirement is None else normalize(requirement.name)


def _requirement(item: object) -> Requirement | None:
    """An item of a list; a group may also hold ``{include-group = "…"}``."""
    try:
        return Requirement(item) if isinstance(item, str) else None
    except InvalidRequirement:
        return None


def _is_for(item: object, name: Name, new: Requirement) -> bool:
    """Whether an item requires ``name`` in the environments in which ``new`` does."""
    old = _requirement(item)
    return old is not None and normalize(old.name) == name and stated(old.marker) == stated(new.marker)


def _place_for(items: Sequence[object], text: str) -> int:
    """Where a requirement goes: by the alphabet if the list follows it, in one way or another, else behind the last."""
    texts = [(place, str(item)) for place, item in enumerate(items) if isinstance(item, str)]
    for order in (_by_name_in_any_case, str.lower, _by_name, str, _by_normal_name):
        key: Callable[[str], Any] = order
        ordered = [key(other) for _, other in texts]
        if ordered == sorted(ordered):
            later = [place for place, other in texts if key(other) > key(text)]
            return later[0] if later else _behind(texts, items)
    return _behind(texts, items)


def _behind(texts: Sequence[tuple[int, str]], items: Sequence[object]) -> int:
    return texts[-1][0] + 1 if texts else len(items)


def _by_name(text: str) -> tuple[str, str]:
    name = re.split(r"[<>=~!@]", text, maxsplit=1)[0]
    return name.strip(), text[len(name) :].strip()


def _by_name_in_any_case(text: str) -> tuple[str, str]:
    return _by_name(text.lower())


def _by_normal_name(text: str) -> tuple[str, str]:
    name, rest = _by_name(text)
    return normalize(name), rest


def _is_same(table: Table, index: Index, url: str) -> bool:
    if (index.name and table.get("name") == index.name) or (index.default and table.get("default")):
        return True
    return str(table.get("url", "")).rstrip("/") == url.rstrip("/")


def _describe(table: Table, index: Index, url: str) -> None:
    said = {"name": index.name, "url": url, "default": index.default}
    for key, value in said.items():
        if value and table.get(key) != value:
            table[key] = value
