"""Lists in a TOML file, changed as text: what people wrote in and beside them stays."""

import re

from cove.model.dataclasses import dataclass, field

_STRING = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_SPACE = re.compile(r"\s*")
_COMMENT = re.compile(r"#[^\r\n]*")
_INDENTATION = "    "


@dataclass(frozen=True, slots=True)
class _Piece:
    """A value or a comment. ``before`` are the blanks between a comment and what stands on the same line; ``None`` for what
    begins a line."""

    text: str
    before: str | None = None

    @property
    def is_comment(self) -> bool:
        return self.text.startswith("#")


@dataclass(slots=True)
class TomlArray:
    """The array that a file has as text, with its comments. Written again, each value has a line."""

    _pieces: list[_Piece] = field(default_factory=list)
    _indentation: str = _INDENTATION

    @classmethod
    def parse(cls, text: str) -> "TomlArray":
        """That of a text from ``[`` to ``]``, which is known to be TOML."""
        pieces: list[_Piece] = []
        indentation = ""
        place, end = 1, len(text) - 1
        while True:
            blank = _SPACE.match(text, place, end)
            assert blank is not None
            place = blank.end()
            if place >= end:
                return cls(pieces, indentation or _INDENTATION)
            begins_line = "\n" in blank.group()
            if text[place] == ",":
                place += 1
                continue
            comment = _COMMENT.match(text, place, end)
            stop = comment.end() if comment is not None else _value_end(text, place, end)
            if comment is None and not indentation and begins_line:
                indentation = blank.group().rpartition("\n")[2]
            beside = comment is not None and not begins_line
            found = text[place:stop].rstrip()
            pieces.append(_Piece(found, blank.group() if beside else None))
            place += len(found)

    @property
    def values(self) -> list[str]:
        """The values, as they are written."""
        return [piece.text for piece in self._pieces if not piece.is_comment]

    def insert(self, place: int, value: str) -> None:
        """Put ``value`` before the one at ``place``, below the comments above that; or behind the last."""
        if place == 0 and self.values:
            first = self._pieces[0]
            at = 1 if first.is_comment and first.before is not None else 0
        else:
            at = self._at(place) if place < len(self.values) else len(self._pieces)
        self._pieces.insert(at, _Piece(value))

    def replace(self, place: int, value: str) -> None:
        """Put ``value`` where another is."""
        self._pieces[self._at(place)] = _Piece(value)

    def remove(self, place: int) -> None:
        """Take a value away; a comment beside it gets a line."""
        at = self._at(place)
        del self._pieces[at]
        if at < len(self._pieces) and self._pieces[at].is_comment:
            self._pieces[at] = _Piece(self._pieces[at].text)

    def _at(self, place: int) -> int:
        return [at for at, piece in enumerate(self._pieces) if not piece.is_comment][place]

    def __str__(self) -> str:
        if not self._pieces:
            return "[]"
        lines = ["["]
        for piece in self._pieces:
            if piece.before is not None:
                lines[-1] += piece.before + piece.text
            else:
                lines.append(self._indentation + piece.text + ("" if piece.is_comment else ","))
        return "\n".join([*lines, "]"])


def _value_end(text: str, place: int, end: int) -> int:
    """Where the value that begins at ``place`` ends: at a comma, a comment or a line's end outside strings and brackets."""
    depth = 0
    while place < end:
        string = _STRING.match(text, place, end)
        if string is not None:
            place = string.end()
            continue
        character = text[place]
        if depth == 0 and character in ",#\n":
            break
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
        place += 1
    return place
