"""The netrc file, as curl, ftp and Python's own module read it."""

from collections.abc import Iterator

from cove.model.dataclasses import dataclass
from cove.model.secret import Secret

_WHITESPACE = " \t\r\n"
_KEYWORDS = frozenset({"machine", "default", "macdef"})


class NetrcError(ValueError):
    """The file cannot be read; ``line`` is where. Never quotes the file, which holds passwords."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True, slots=True)
class NetrcEntry:
    """``machine`` is a host without port, or ``None`` for the ``default`` entry; ``line`` is where the entry begins.

    ``password`` is ``None`` when the entry gives none, which is not the same as an empty one.
    """

    machine: str | None
    login: str
    password: Secret | None
    line: int


def parse(text: str) -> tuple[NetrcEntry, ...]:
    """All entries in the order of the file; macros are skipped. Raises ``NetrcError``."""
    return tuple(_entries(_Lexer(text)))


def find(entries: tuple[NetrcEntry, ...], host: str, login: str | None = None) -> NetrcEntry | None:
    """The first entry for ``host`` (any case), with that ``login`` if one is given; never the ``default`` entry."""
    for entry in entries:
        if entry.machine is not None and entry.machine.lower() == host.lower() and login in (None, entry.login):
            return entry
    return None


def find_default(entries: tuple[NetrcEntry, ...], login: str | None = None) -> NetrcEntry | None:
    """The ``default`` entry, if its login is the one asked for."""
    return next((entry for entry in entries if entry.machine is None and login in (None, entry.login)), None)


class _Lexer:
    """Words separated by white space; ``"…"`` keeps white space, a backslash keeps the character after it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.line = 1

    def word(self) -> str | None:
        """The next word; ``None`` at the end."""
        while self._at < len(self._text) and self._text[self._at] in _WHITESPACE:
            self._advance()
        if self._at == len(self._text):
            return None
        quoted = self._text[self._at] == '"'
        if quoted:
            self._advance()
        ends = '"' if quoted else _WHITESPACE
        letters = []
        while self._at < len(self._text) and self._text[self._at] not in ends:
            if self._text[self._at] == "\\" and self._at + 1 < len(self._text):
                self._advance()
            letters.append(self._advance())
        if quoted and self._at < len(self._text):
            self._advance()
        return "".join(letters)

    def skip_line(self) -> None:
        """Go on with the next line."""
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def skip_macro(self) -> None:
        """Go on behind the next empty line, which ends a macro."""
        self.skip_line()
        while self._at < len(self._text):
            self._advance()
            begin = self._at
            self.skip_line()
            if not self._text[begin : self._at].strip():
                return

    def _advance(self) -> str:
        character = self._text[self._at]
        self._at += 1
        self.line += character == "\n"
        return character

    def peek(self) -> tuple[int, int]:
        """A place to come back to."""
        return self._at, self.line

    def back(self, place: tuple[int, int]) -> None:
        """Come back to a place."""
        self._at, self.line = place


def _entries(lexer: _Lexer) -> Iterator[NetrcEntry]:
    while (word := lexer.word()) is not None:
        line = lexer.line
        if word.startswith("#"):
            _skip_comment(lexer, word)
        elif word == "macdef":
            lexer.skip_macro()
        elif word == "machine":
            machine = lexer.word()
            if not machine:
                raise NetrcError(line, "`machine` without a name")
            yield _entry(lexer, machine, line)
        elif word == "default":
            yield _entry(lexer, None, line)
        else:
            raise NetrcError(line, "neither `machine`, `default` nor `macdef`")


def _entry(lexer: _Lexer, machine: str | None, line: int) -> NetrcEntry:
    values: dict[str, str | None] = {"login": None, "account": None, "password": None}
    while True:
        place = lexer.peek()
        word = lexer.word()
        if word is None or word in _KEYWORDS:
            lexer.back(place)
            password = values["password"]
            return NetrcEntry(machine, values["login"] or "", None if password is None else Secret(password), line)
        if word.startswith("#"):
            _skip_comment(lexer, word)
            continue
        key = "login" if word == "user" else word
        value = lexer.word() if key in values else None
        if value is None:
            raise NetrcError(lexer.line, "an entry holds `login`, `password` and `account`, each with a value")
        values[key] = value


def _skip_comment(lexer: _Lexer, word: str) -> None:
    if "\n" not in word:
        lexer.skip_line()
