"""On which line of a TOML file a table or key stands: what ``tomllib`` does not say and messages need.

This is no parser: it is meant for text that ``tomllib`` has accepted, and skips over values.
"""

from typing import Final

Path = tuple[str | int, ...]

_OPENING: Final = "[{"
_CLOSING: Final = "]}"


class Lines:
    """Lines by path, for example ``("tool", "uv", "index", 0, "url")``: array tables are numbered from 0."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._scan()

    def of(self, path: Path) -> int:
        """The 1-based line of ``path``, or of the nearest table around it; 0 when neither is written anywhere."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return 0

    def _scan(self) -> None:
        text, at, line = self._text, 0, 1
        table: Path = ()
        while at < len(text):
            start = at
            character = text[at]
            if character in " \t\n\ufeff":
                at += 1
            elif character == "#":
                at = _end_of_line(text, at)
            elif character == "[":
                is_array = text.startswith("[[", at)
                keys, at = _dotted(text, at + (2 if is_array else 1))
                table = self._enter(keys, line, is_array=is_array)
                at = _end_of_line(text, at)
            else:
                keys, at = _dotted(text, at)
                self._note((*table, *keys), line)
                at = _after_value(text, at + 1)
            line += text.count("\n", start, at)

    def _enter(self, keys: list[str], line: int, *, is_array: bool) -> Path:
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            is_last = position == len(keys) - 1
            if is_last and is_array:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                self._lines.setdefault(path, line)
                path = (*path, self._counts[path])
        self._note(path, line)
        return path

    def _note(self, path: Path, line: int) -> None:
        for end in range(1, len(path) + 1):
            self._lines.setdefault(path[:end], line)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _dotted(text: str, at: int) -> tuple[list[str], int]:
    """The parts of a dotted key that begins at ``at``, and the position of what follows it (``=`` or ``]``)."""
    parts: list[str] = []
    bare = ""
    while at < len(text) and text[at] not in "=]\n":
        character = text[at]
        if character in "\"'":
            end = _after_string(text, at)
            parts.append(_unquoted(text[at:end]))
            at = end
            continue
        if character == "." or character in " \t":
            if bare:
                parts.append(bare)
            bare = ""
        else:
            bare += character
        at += 1
    return ([*parts, bare] if bare else parts), at


def _unquoted(quoted: str) -> str:
    if quoted[0] == "'":
        return quoted[1:-1]
    import tomllib  # noqa: PLC0415 - quoted keys are rare

    value = tomllib.loads(f"key = {quoted}")["key"]
    assert isinstance(value, str)
    return value


def _after_string(text: str, at: int) -> int:
    """The position after the string that begins at ``at``."""
    quote = text[at]
    triple = quote * 3
    if text.startswith(triple, at):
        at += 3
        while not text.startswith(triple, at):
            at += 2 if text[at] == "\\" and quote == '"' else 1
        at += 3
        while at < len(text) and text[at] == quote:  # up to two quotes may stand before the closing three
            at += 1
        return at
    at += 1
    while text[at] != quote:
        at += 2 if text[at] == "\\" and quote == '"' else 1
    return at + 1


def _after_value(text: str, at: int) -> int:
    """The end of the line on which the value that begins at ``at`` ends."""
    depth = 0
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = _after_string(text, at)
            continue
        if character == "#":
            at = _end_of_line(text, at)
            continue
        if character == "\n" and depth == 0:
            return at
        depth += (character in _OPENING) - (character in _CLOSING)
        at += 1
    return at
