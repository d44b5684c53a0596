"""``uv-receipt.toml``: what a tool's environment was made from, and which programs it gave (uv's format)."""

import tomllib
from collections.abc import Mapping, Sequence

import tomlkit

from cove.model.dataclasses import dataclass, field
from cove.model.lock import LockedRequirement
from cove.model.name import Name, is_valid_name, normalize

FILE_NAME = "uv-receipt.toml"

_BUILD_CONSTRAINTS = "build-constraint-dependencies"
_PLACES = ("url", "path", "directory", "editable", "git")


@dataclass(frozen=True, slots=True)
class Program:
    """A program a tool gives: its name, where it was put (absolute), and the project it is from."""

    name: str
    install_path: str
    provider: Name


@dataclass(frozen=True, slots=True)
class Receipt:
    """The first of ``requirements`` is the tool; ``build_constraints`` limit what its builds may be given. ``python`` is what
    was asked for, empty when nothing was; ``options`` are uv's settings by their TOML keys, without any secret."""

    requirements: tuple[LockedRequirement, ...]
    python: str = ""
    programs: tuple[Program, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    build_constraints: tuple[LockedRequirement, ...] = ()


def dump(receipt: Receipt) -> str:
    """The text of the file."""
    programs = tomlkit.array()
    for each in receipt.programs:
        programs.append(_inline({"name": each.name, "install-path": each.install_path, "from": each.provider}))
    tool = tomlkit.table()
    tool["requirements"] = _requirements(receipt.requirements)
    if receipt.build_constraints:
        tool[_BUILD_CONSTRAINTS] = _requirements(receipt.build_constraints)
    if receipt.python:
        tool["python"] = receipt.python
    tool["entrypoints"] = programs.multiline(multiline=True)
    if receipt.options:
        options = tomlkit.table()
        for key, value in receipt.options.items():
            options[key] = _value(value)
        tool["options"] = options
    document = tomlkit.document()
    document["tool"] = tool
    return tomlkit.dumps(document)


def _requirements(several: Sequence[LockedRequirement]) -> object:
    array = tomlkit.array()
    for requirement in several:
        array.append(_inline(_requirement(requirement)))
    return array.multiline(multiline=len(several) > 1)


def _requirement(requirement: LockedRequirement) -> dict[str, object]:
    entry: dict[str, object] = {"name": requirement.name}
    if requirement.extras:
        entry["extras"] = list(requirement.extras)
    texts = ("specifier", "marker", *_PLACES, "subdirectory")
    entry |= {key: getattr(requirement, key) for key in texts if getattr(requirement, key)}
    return entry


def _inline(table: Mapping[str, object]) -> object:
    inline = tomlkit.inline_table()
    for key, value in table.items():
        inline[key] = value
    return inline


def _value(value: object) -> object:
    if not isinstance(value, list | tuple) or not any(isinstance(item, Mapping) for item in value):
        return list(value) if isinstance(value, tuple) else value
    array = tomlkit.array()
    for item in value:
        array.append(_inline(item) if isinstance(item, Mapping) else item)
    return array


def parse(text: str) -> Receipt:
    """What a receipt says. Raises ``ValueError`` when it is no such file; keys that are not known are passed over."""
    try:
        tool = _table(tomllib.loads(text).get("tool"), "tool")
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from error
    requirements = tuple(_read_requirement(entry) for entry in _list(tool.get("requirements"), "requirements"))
    if not requirements:
        raise ValueError("it has no requirements")
    programs = tuple(_read_program(entry) for entry in _list(tool.get("entrypoints", []), "entrypoints"))
    options = _table(tool.get("options", {}), "options")
    limits = tuple(_read_requirement(entry) for entry in _list(tool.get(_BUILD_CONSTRAINTS, []), _BUILD_CONSTRAINTS))
    return Receipt(requirements, _text(tool.get("python", ""), "python"), programs, options, limits)


def _read_requirement(raw: object) -> LockedRequirement:
    # uv wrote requirements as PEP 508 texts once; such a receipt is made anew by installing the tool again
    entry = _table(raw, "a requirement")
    extras = tuple(_name(extra) for extra in _list(entry.get("extras", []), "extras"))
    texts = {key: _text(entry[key], key) for key in ("specifier", "marker", *_PLACES, "subdirectory") if key in entry}
    return LockedRequirement(_name(entry.get("name")), extras, **texts)


def _read_program(raw: object) -> Program:
    entry = _table(raw, "an entry point")
    name = _text(entry.get("name"), "name")
    return Program(name, _text(entry.get("install-path"), "install-path"), _name(entry.get("from", "unknown")))


def _table(raw: object, what: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise ValueError(f"`{what}` is not a table")  # noqa: TRY004 - one kind of error for every malformed file
    return raw


def _list(raw: object, what: str) -> list[object]:
    if not isinstance(raw, list):
        raise ValueError(f"`{what}` is not a list")  # noqa: TRY004
    return raw


def _text(raw: object, what: str) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"`{what}` is not text")  # noqa: TRY004
    return raw


def _name(raw: object) -> Name:
    text = _text(raw, "name")
    if not is_valid_name(text):
        raise ValueError("a name is none")
    return normalize(text)
