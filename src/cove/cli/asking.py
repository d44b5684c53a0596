"""Asking the person at the terminal, or reading what a program was given to read."""

import sys

from cove.errors import UsageError


def line_of_stdin() -> str:
    """The first line of stdin, without its end."""
    return sys.stdin.readline().rstrip("\r\n")


def all_of_stdin() -> str:
    """Everything."""
    return sys.stdin.read()


def somebody_is_there() -> bool:
    """Whether stdin and stderr are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask(prompt: str) -> str:
    """What is typed, shown as it is typed; the prompt is on stderr, for stdout has results."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return line_of_stdin()


def ask_secret(prompt: str) -> str:
    """What is typed, not shown. Raises ``UsageError`` when the terminal cannot hide it."""
    import warnings
    from getpass import GetPassWarning, getpass

    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            return getpass(prompt, sys.stderr)
        except GetPassWarning:
            raise UsageError("this terminal would show the password", hints=("give it on stdin, as `-`",)) from None
