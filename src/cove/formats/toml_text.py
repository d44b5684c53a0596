"""The pieces that TOML files of ours are written from, spelled as uv spells them: the same value always gives the same text."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime


def value(thing: object) -> str:
    """What stands behind ``=``: text, numbers, truth, moments, arrays and inline tables."""
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, int | float):
        return str(thing)
    if isinstance(thing, datetime):
        return moment(thing)
    if isinstance(thing, list | tuple):
        return flat(map(value, thing))
    if isinstance(thing, Mapping):
        return inline([(name, value(item)) for name, item in thing.items()])
    return text(str(thing))


def moment(when: datetime) -> str:
    """An offset date-time, in UTC where it has an offset at all."""
    return when.isoformat() if when.tzinfo is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def tall(name: str, items: Iterable[str]) -> list[str]:
    """The lines of an array with one line for each item; none when it is empty."""
    lines = [f"    {item}," for item in items]
    return [f"{key(name)} = [", *lines, "]"] if lines else []


def fitting(name: str, items: list[str]) -> list[str]:
    """The lines of an array: one while it has at most one item."""
    return tall(name, items) if len(items) > 1 else [f"{key(name)} = {flat(items)}"]


def flat(items: Iterable[str]) -> str:
    """An array on one line."""
    return f"[{', '.join(items)}]"


def inline(pairs: Iterable[tuple[str, str]]) -> str:
    """An inline table."""
    written = ", ".join(f"{key(name)} = {thing}" for name, thing in pairs)
    return f"{{ {written} }}" if written else "{}"


def key(name: str) -> str:
    """A key, in quotes where it must be."""
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isascii() and bare.isalnum() else text(name)


def text(thing: str) -> str:
    """A string in the form that needs no escapes, where there is one."""
    if all(character >= " " and character != "\x7f" for character in thing):
        if '"' not in thing and "\\" not in thing:
            return f'"{thing}"'
        if "'" not in thing:
            return f"'{thing}'"
        if '""' not in thing and "\\" not in thing and not thing.endswith('"'):
            return f'"""{thing}"""'
    escaped = thing.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
