"""How results, errors and warnings look: on a terminal, in a pipe, as JSON. The only module that writes to the streams."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TextIO

from cove.config.settings import Settings
from cove.errors import CoveError, Unmet

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_RED = "1;31"
_YELLOW = "1;33"
_CYAN = "1;36"
_DIM = "2"


class Console:
    """Where a command writes: ``print`` and ``table`` and ``json`` are results, all others are talk on stderr.

    Before settings are known it behaves as without any; ``expect`` and ``configure`` say more. ``above`` is set while
    something is being drawn: lines of talk go through it, so that they do not tear the drawing.
    """

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.out = out
        self.err = err
        self.quiet = 0
        self.verbose = 0
        self.as_json = False
        self.out_color = False
        self.err_color = False
        self.above: Callable[[str], None] | None = None

    @property
    def out_is_terminal(self) -> bool:
        """Whether a person is reading results as they come."""
        return self.out.isatty()

    @property
    def err_is_terminal(self) -> bool:
        """Whether a person is watching: the condition for progress bars."""
        return self.err.isatty()

    def expect(self, flags: Mapping[str, object]) -> None:
        """Take note of raw flags, for errors that come before there are settings."""
        self.as_json = flags.get("output-format") == "json"
        self.verbose = _count(flags.get("verbose"))

    def configure(self, settings: Settings) -> None:
        """Take the settings that concern output."""
        self.quiet = settings.quiet
        self.verbose = settings.verbose
        self.as_json = settings.output_format == "json"
        self.out_color = _colored(settings, self.out)
        self.err_color = _colored(settings, self.err)

    # -- results

    def print(self, text: str) -> None:
        """A result, on stdout."""
        self.out.write(_harmless(text) + "\n")

    def verbatim(self, text: str) -> None:
        """A result that is of use only as it is, on stdout: a password."""
        self.out.write(text + "\n")

    def json(self, value: object) -> None:
        """A result for programs, on stdout."""
        self.out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows in columns, on stdout."""
        for line in table_lines(headings, rows):
            self.print(line)

    # -- talk

    def say(self, text: str) -> None:
        """A line of talk, silenced by ``-q``."""
        if not self.quiet:
            self._talk(_harmless(text))

    def detail(self, text: str) -> None:
        """A line of talk that only ``-v`` shows."""
        if self.verbose and not self.quiet:
            self._talk(self._styled(_harmless(text), _DIM))

    def warning(self, message: str, hint: str = "") -> None:
        """A warning, silenced by ``-q``."""
        if self.quiet:
            return
        self._talk(f"{self._styled('warning', _YELLOW)}: {_indented(message, 9)}")
        if hint:
            self._talk(f"{self._styled('hint', _CYAN)}: {_indented(hint, 6)}")

    def error(self, error: CoveError) -> None:
        """An error: shown even with ``-q``; an object on stdout where JSON is wanted."""
        if self.as_json:
            self.json(error_object(error))
            return
        self._talk("\n".join(self._error_lines(error)))

    def defect(self, error: BaseException) -> None:
        """An exception that nobody meant: one line; with ``-v`` also where it came from."""
        from cove.model.url import with_masked_users

        text = with_masked_users(f"{type(error).__name__}: {error}")
        self._talk(f"{self._styled('error', _RED)}: unexpected {_harmless(text)}")
        if self.verbose:
            import traceback

            frames = traceback.extract_tb(error.__traceback__)
            self._talk("".join(traceback.format_list(frames)).rstrip())
        else:
            self._talk(
                f"\n{self._styled('hint', _CYAN)}: this is a defect of cove; please report it with what `-v` shows"
            )

    def _error_lines(self, error: CoveError) -> Iterable[str]:
        yield f"{self._styled('error', _RED)}: {_indented(error.message, 7)}"
        for cause in error.causes:
            yield f"  {self._styled('cause', _RED)}: {_indented(cause, 9)}"
        for hint in dict.fromkeys(error.hints):
            yield ""
            yield f"{self._styled('hint', _CYAN)}: {_indented(hint, 6)}"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.err_color else text

    def _talk(self, text: str) -> None:
        if self.above is not None:
            self.above(text)
        else:
            self.err.write(text + "\n")
            self.err.flush()


def error_object(error: CoveError) -> dict[str, object]:
    """An error as JSON: ``{"error": {"code", "message", "causes", "hints"}}``, with the ``packages`` and ``indexes`` of what
    cannot be met."""
    found: dict[str, object] = {
        "code": error.code,
        "message": error.message,
        "causes": list(error.causes),
        "hints": list(dict.fromkeys(error.hints)),
    }
    if isinstance(error, Unmet) and error.packages:
        found |= {"packages": list(error.packages), "indexes": list(error.indexes)}
    return {"error": found}


def table_lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Left-aligned columns under headings and a rule, as ``pip list`` prints them; no trailing blanks."""
    body = [[_harmless(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in (headings, *body)) for column in range(len(headings))]
    lines = (headings, ["-" * width for width in widths], *body)
    return [" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _colored(settings: Settings, stream: TextIO) -> bool:
    if settings.color != "auto":
        return settings.color == "always"
    if settings.no_color:
        return False
    return settings.force_color or stream.isatty()


def _count(raw: object) -> int:
    return raw if isinstance(raw, int) else 0


def _harmless(text: str) -> str:
    """Without control characters: what servers and packages say must not be able to move the cursor or turn text around."""
    return _CONTROL.sub("�", text)


def _indented(text: str, width: int) -> str:
    return _harmless(text).replace("\n", "\n" + " " * width)
