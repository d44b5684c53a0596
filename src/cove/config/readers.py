"""How raw values are read: from the text of flags and variables to what TOML would hold, and from there to values.

Every reader raises ``ValueError`` with a reason that does not quote what it was given, which may be a secret.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

from cove.model.name import Name, is_valid_name, normalize
from cove.model.secret import Secret
from cove.model.url import Url

T = TypeVar("T")


def _expected(what: str) -> ValueError:
    return ValueError(f"expected {what}")


_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


def bool_of_text(text: str) -> object:
    """Uv's words for true and false; any other text is handed on, for the reader to refuse."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else text


def present(text: str) -> object:
    """True for any text, as ``NO_COLOR`` has it."""
    return bool(text)


def int_of_text(text: str) -> object:
    """The number a text holds; any other text is handed on, for the reader to refuse."""
    try:
        return int(text)
    except ValueError:
        return text


def read_bool(raw: object) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise _expected("true or false")
    return raw


def read_int(low: int) -> Callable[[object], int]:
    """A reader of whole numbers that are not below ``low``."""

    def read(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or raw < low:
            raise _expected(f"a whole number, {low} or more")
        return raw

    return read


def read_text(raw: object) -> str:
    """Text."""
    if not isinstance(raw, str):
        raise _expected("text")
    return raw


def read_secret(raw: object) -> Secret:
    """Text that must never be shown."""
    return Secret(read_text(raw))


def read_url(raw: object) -> Url:
    """An absolute URL."""
    return Url.parse(read_text(raw))


def read_proxy(raw: object) -> Url:
    """The URL of a proxy; ``host:port`` means ``http://host:port``."""
    text = read_text(raw)
    return Url.parse(text if "://" in text else f"http://{text}")


def read_anything(raw: object) -> object:
    """The raw value, for those who read it with more knowledge."""
    return raw


def read_table(raw: object) -> Mapping[str, object]:
    """A TOML table."""
    if not isinstance(raw, dict):
        raise _expected("a table")
    return raw


def read_package(raw: object) -> Name:
    """The name of a project, normalised."""
    text = read_text(raw)
    if not is_valid_name(text):
        raise _expected("the name of a package")
    return normalize(text)


def read_package_or_special(raw: object) -> str:
    """The name of a project, or pip's ``:all:`` and ``:none:``."""
    return raw if raw in (":all:", ":none:") and isinstance(raw, str) else read_package(raw)


_DURATION = re.compile(r"P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?|\d+ ?(?:second|minute|hour|day|week)s?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


def read_cutoff(raw: object) -> str:
    """A date, a timestamp (RFC 3339) or a duration (``P7D``, ``7 days``) as text; raises ``ValueError``."""
    text = raw.isoformat() if hasattr(raw, "isoformat") else read_text(raw)
    assert isinstance(text, str)
    if not (_DATE.fullmatch(text) or _DURATION.fullmatch(text)):
        raise _expected("a date (2026-01-31), a timestamp (2026-01-31T12:00:00Z) or a duration (7 days)")
    return text


def read_package_cutoffs(raw: object) -> Mapping[Name, str | Literal[False]]:
    """A table of cutoffs by package, or one of them as ``PACKAGE=DATE``; ``false`` is none."""
    if isinstance(raw, str):
        name, separator, text = raw.partition("=")
        if not separator:
            raise _expected("PACKAGE=DATE")
        raw = {name.strip(): False if text.strip() == "false" else text.strip()}
    return {
        read_package(name): False if value is False else read_cutoff(value) for name, value in read_table(raw).items()
    }


def read_config_settings(raw: object) -> Mapping[str, tuple[str, ...]]:
    """What build backends are told: a table of texts and lists of them, or one as ``KEY=VALUE``."""
    if isinstance(raw, str):
        key, separator, value = raw.partition("=")
        if not key or not separator:
            raise _expected("KEY=VALUE")
        return {key: (value,)}
    return {key: list_of(read_text)(value) for key, value in read_table(raw).items()}


def read_package_config_settings(raw: object) -> Mapping[Name, Mapping[str, tuple[str, ...]]]:
    """The same by package, or one as ``PACKAGE:KEY=VALUE``."""
    if isinstance(raw, str):
        name, separator, rest = raw.partition(":")
        if not separator:
            raise _expected("PACKAGE:KEY=VALUE")
        raw = {name.strip(): rest}
    return {read_package(name): read_config_settings(value) for name, value in read_table(raw).items()}


def read_build_dependencies(raw: object) -> Mapping[Name, tuple[tuple[str, bool], ...]]:
    """Requirements by package: a text, or a table with ``requirement`` and ``match-runtime``."""
    return {read_package(name): list_of(_build_dependency)(several) for name, several in read_table(raw).items()}


def _build_dependency(raw: object) -> tuple[str, bool]:
    if isinstance(raw, str):
        return raw, False
    table = read_table(raw)
    if not table.keys() <= {"requirement", "match-runtime"}:
        raise _expected("a table of `requirement` and `match-runtime`")
    return read_text(table.get("requirement")), read_bool(table.get("match-runtime", False))


_OF_METADATA = frozenset({"name", "version", "requires-dist", "requires-python", "provides-extra", "provides-extras"})


def read_dependency_metadata(raw: object) -> Mapping[str, object]:
    """One table of what a package requires: its ``name``, and of the rest what is to be said."""
    table = read_table(raw)
    if not table.keys() <= _OF_METADATA:
        raise _expected(f"a table of {', '.join(f'`{key}`' for key in sorted(_OF_METADATA))}")
    read_package(table.get("name"))
    for key in ("version", "requires-python"):
        read_text(table.get(key, ""))
    for key in ("requires-dist", "provides-extra", "provides-extras"):
        several = table.get(key, [])
        if not isinstance(several, list):
            raise _expected(f"a list of texts as `{key}`")
        for each in several:
            (read_text if key == "requires-dist" else read_package)(each)
    return table


def read_build_variables(raw: object) -> Mapping[Name, Mapping[str, str]]:
    """Variables with their values by package."""
    return {
        read_package(name): {key: read_text(value) for key, value in read_table(table).items()}
        for name, table in read_table(raw).items()
    }


_UPGRADED = re.compile(r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?P<specifier>(?:(?:[<>!=]=|[<>]|~=|===)[^;@\[\]]+)?)")


def read_upgraded(raw: object) -> Name:
    """The name of a project that may be followed by a specifier, which whoever upgrades reads (``resolution.policy``)."""
    found = _UPGRADED.fullmatch(read_text(raw))
    if found is None:
        raise _expected("the name of a package, alone or with a specifier (name<3)")
    return read_package(found["name"])


def requirements(text: str) -> object:
    """A list of requirements, separated by commas or white space, which specifiers hold, too: the next name starts one."""
    return re.split(r"[,\s]+(?=[A-Za-z])", text.strip())


def one_of(*choices: str, aliases: Mapping[str, str] | None = None) -> Callable[[object], str]:
    """A reader of words: ``aliases`` are older spellings."""

    def read(raw: object) -> str:
        word = (aliases or {}).get(raw, raw) if isinstance(raw, str) else raw
        if word not in choices or not isinstance(word, str):
            raise _expected(f"one of {', '.join(choices)}")
        return word

    return read


_prereleases = one_of("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")


def read_package_prereleases(raw: object) -> Mapping[Name, str]:
    """A table of modes for pre-releases by package, or one of them as ``PACKAGE=MODE``."""
    if isinstance(raw, str):
        name, separator, mode = raw.partition("=")
        if not separator:
            raise _expected("PACKAGE=MODE")
        raw = {name.strip(): mode.strip()}
    return {read_package(name): _prereleases(mode) for name, mode in read_table(raw).items()}


def list_of(item: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Read a TOML array, or a single value where uv takes one for a list."""

    def read(raw: object) -> tuple[T, ...]:
        return tuple(item(element) for element in raw) if isinstance(raw, list) else (item(raw),)

    return read


def words(text: str) -> object:
    """A list separated by white space."""
    return text.split()


def commas(text: str) -> object:
    """A list separated by commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def commas_or_words(text: str) -> object:
    """A list separated by commas or white space."""
    return text.replace(",", " ").split()


def maybe(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same reader, for a setting whose default is ``None``."""
    return read
