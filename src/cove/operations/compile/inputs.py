"""What was typed for a pip command, and what it asks for at first sight."""

import re
from typing import TYPE_CHECKING

from cove.model.dataclasses import dataclass
from cove.model.name import Name, normalize

if TYPE_CHECKING:
    from cove.operations.compile.remembered import Remembered
    from cove.wiring import Session

_NOTHING = re.compile(r"\s*(?:#.*)?")
_PLAIN = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\]\s*)?"
    r"(?:[<>=!~(][^;@#\\]*)?(?P<marker>;[^#\\]*)?(?:#.*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was typed. Paths are relative to the working folder; ``-`` among ``files`` means ``stdin``, the text of it.

    ``extras`` are those of the ``pyproject.toml`` files among ``files``; ``groups`` are names, or ``PATH:NAME``.
    """

    arguments: tuple[str, ...] = ()
    editables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    extras: tuple[Name, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    stdin: str = ""


def ask_ahead(session: "Session", inputs: Inputs) -> "Remembered | None":
    """Ask for the pages of what ``inputs`` require without doubt, and of what that came to last time, before anything that
    reads requirements is loaded. What is known of last time, ``None`` where the inputs do not tell.

    Only plain files count: one with an option may change the indexes, a ``pyproject.toml`` may pin names to them, and a
    marker may exclude what it follows. Whoever reads the files properly says what is wrong with them.
    """
    names: list[Name] = []
    for path in inputs.files:
        found = _plain_names(session, path, inputs.stdin)
        if found is None:
            return None
        names += found
    if any((inputs.arguments, inputs.editables, inputs.groups, inputs.overrides, inputs.excludes)):
        return None
    if session.settings.override_dependencies or session.settings.exclude_dependencies:
        return None
    from cove.operations.compile.remembered import Remembered

    remembered = Remembered(session, names)
    if remembered.names:
        session.ask_ahead(remembered.names, {}, remembered.check)
    else:
        session.ask_ahead(names, {})
    return remembered


def texts(session: "Session", inputs: Inputs) -> tuple[str, ...] | None:
    """The files of ``inputs`` as they are, ``None`` if they include others or cannot be read."""
    if any(_plain_names(session, path, inputs.stdin) is None for path in inputs.constraints):
        return None
    try:
        return tuple(
            _text(session, path, inputs.stdin)
            for path in (*inputs.files, *inputs.constraints, *inputs.build_constraints)
        )
    except (OSError, UnicodeDecodeError):
        return None


def _plain_names(session: "Session", path: str, stdin: str) -> list[Name] | None:
    """The names in a requirements file that holds nothing but requirements; those with markers are left out."""
    if "://" in path or path.endswith(".toml"):
        return None
    try:
        text = _text(session, path, stdin)
    except (OSError, UnicodeDecodeError):
        return None
    names = []
    for line in text.splitlines():
        if _NOTHING.fullmatch(line):
            continue
        requirement = _PLAIN.fullmatch(line)
        if requirement is None:
            return None
        if not requirement["marker"]:
            names.append(normalize(requirement["name"]))
    return names


def _text(session: "Session", path: str, stdin: str) -> str:
    return stdin if path == "-" else (session.cwd / path).read_text(encoding="utf-8")
