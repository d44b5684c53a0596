"""``${VAR}`` and ``${VAR:-default}`` in the URLs of index tables.

They are replaced where a URL is used; what is written to files keeps them (``as_written``).
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-[^}]*)?\}")
_ONLY_A_NAME = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class Unset(Exception):
    """A variable without a default has no value; its name is the argument."""


def has_variables(text: str) -> bool:
    """Whether ``text`` names variables, in the right form or not."""
    return "${" in text


def expand(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with the values of its variables, which as in uv are unset when they are empty.

    In the user info of a URL a value stands for itself: ``/``, ``@`` and their like are percent-encoded on the way. Raises
    ``Unset``, and ``ValueError`` for ``${`` that begins no variable.
    """
    parts = _apart(text)
    if any("${" in part for part in parts if not _VARIABLE.fullmatch(part)):
        raise ValueError("`${` begins no variable: they are written `${NAME}` or `${NAME:-default}`")
    end = _end_of_userinfo(parts)
    return "".join(
        quote(_value(part, environ), safe="") if number < end and _VARIABLE.fullmatch(part) else _value(part, environ)
        for number, part in enumerate(parts)
    )


def as_written(text: str) -> str:
    """``text`` as it may be written to another file: without user info that is more than the names of variables."""
    parts = _apart(text)
    end = _end_of_userinfo(parts)
    if not end:
        return text
    joined = "".join(parts[:end])
    head, _, userinfo = joined.rpartition("://")
    userinfo, at, host = userinfo.rpartition("@")
    username, colon, password = _partition(userinfo)
    secret = password if colon else username
    kept = f"{userinfo}{at}" if _ONLY_A_NAME.fullmatch(secret) else ""
    return f"{head}://{kept}{host}" + "".join(parts[end:])


def _value(part: str, environ: Mapping[str, str]) -> str:
    variable = _VARIABLE.fullmatch(part)
    if variable is None:
        return part
    value = environ.get(variable["name"], "")
    if not value and variable["fallback"] is None:
        raise Unset(variable["name"])
    return value or variable["fallback"].removeprefix(":-")


def _apart(text: str) -> list[str]:
    """Variables and what stands between them."""
    parts: list[str] = []
    at = 0
    for variable in _VARIABLE.finditer(text):
        parts += [text[at : variable.start()], variable[0]]
        at = variable.end()
    return [*parts, text[at:]]


def _end_of_userinfo(parts: list[str]) -> int:
    """How many of ``parts`` belong to scheme and user info, with the one that holds ``@``; 0 where there is no user info."""
    is_inside = False
    found = 0
    for number, part in enumerate(parts):
        if _VARIABLE.fullmatch(part):
            continue
        rest = part
        if not is_inside:
            _, separator, rest = part.partition("://")
            is_inside = bool(separator)
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0] if is_inside else ""
        if "@" in authority:
            found = number + 1
        if authority != rest:
            break
    return found


def _partition(userinfo: str) -> tuple[str, str, str]:
    """User name, colon and password; the colon of a variable's default is not it."""
    variable = _VARIABLE.match(userinfo)
    start = variable.end() if variable is not None else 0
    username, colon, password = userinfo[start:].partition(":")
    return userinfo[:start] + username, colon, password
