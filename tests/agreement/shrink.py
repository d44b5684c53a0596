"""Cases made smaller, while they stay as interesting as they are."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from agreement.cases import Case

_Path = tuple[str | int, ...]
_KEPT = {"index", "name", "version", "url", "requires-python"}
_ROOT = ("projects", "")
_WHOLE = {("projects",), ("indexes",), _ROOT, (*_ROOT, "project"), (*_ROOT, "tool"), (*_ROOT, "tool", "uv")}
_NO_REQUIREMENTS = {"tags", "environments", "required-environments", "members", "argv", "conflicts", "index"}
_NAME = re.compile(r"[a-z]+")
_JOINED = re.compile(r" (and|or) ")


def shrunk(case: Case, is_interesting: Callable[[Case], bool], budget: int = 400) -> Case:
    """The smallest case that was found by leaving out one thing after the other."""
    tries, absent = 0, _absent(case)
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(case):
            tries += 1
            if tries > budget:
                return case
            if _absent(smaller) <= absent and is_interesting(smaller):
                case, progress = smaller, True
                break
    return case


def _absent(case: Case) -> set[str]:
    """The projects that something requires and no index has: a case that lacks more is another one."""
    there = {key.split()[0] for packages in case["indexes"].values() for key in packages}
    there |= {table["project"]["name"] for table in case["projects"].values() if "project" in table}
    return {match[0] for text in _texts(case) if (match := _NAME.match(text))} - there


def _texts(value: Any) -> Iterator[str]:
    """The requirements."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in _NO_REQUIREMENTS:
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from (each,) if isinstance(each, str) else _texts(each)


def _smaller(case: Case) -> Iterator[Case]:
    paths = sorted(_paths(case, ()), key=len)
    for path in paths:
        if not _KEPT & set(path) and path not in _WHOLE:
            yield _changed(case, path, None)
    for path in paths:
        value = _at(case, path)
        if isinstance(value, str) and path[-1] not in ("name", "url"):
            for simpler in _simpler(value):
                yield _changed(case, path, simpler)


def _paths(value: Any, path: _Path) -> Iterator[_Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*path, key)
        yield from _paths(each, (*path, key))


def _at(value: Any, path: _Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _changed(case: Case, path: _Path, value: str | None) -> Case:
    made = copy.deepcopy(case)
    owner = _at(made, path[:-1])
    if value is None:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    return made


def _simpler(text: str) -> Iterator[str]:
    """A requirement with less of a marker, without its specifier, without extras."""
    bare, found, marker = text.partition(" ; ")
    if found:
        yield bare
        for parts in (_JOINED.split(marker),):
            if len(parts) > 1:
                yield f"{bare} ; {parts[0].strip('()')}"
                yield f"{bare} ; {parts[-1].strip('()')}"
    name = re.match(r"[a-z]+(\[[^]]*\])?", bare)
    if name and name[0] != bare:
        yield name[0] + found + marker
    if "[" in bare:
        yield re.sub(r"\[[^]]*\]", "", bare) + found + marker
