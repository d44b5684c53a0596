"""``entry_points.txt``: the commands a distribution brings (PyPA specification "Entry points")."""

import configparser
import keyword
import re
from typing import Literal

from cove.model.dataclasses import dataclass

_GROUPS: dict[str, Literal["console", "gui"]] = {"console_scripts": "console", "gui_scripts": "gui"}
_REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*:\s*(?P<attribute>[\w.]+)\s*(\[[^\]]*\])?")
_IN_NO_FILE_NAME = frozenset('/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A command ``name`` that calls ``attribute`` (dotted) of ``module`` (dotted); both are sound Python names."""

    name: str
    module: str
    attribute: str
    group: Literal["console", "gui"]


def parse_scripts(text: str) -> tuple[EntryPoint, ...]:
    """The commands in the order of the file.

    Names become file names and references become code, so both are judged: raises ``ValueError`` when a name could leave
    its folder, or a reference is anything but dotted Python identifiers.
    """
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), strict=False, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(f"entry_points.txt cannot be read: {str(error).splitlines()[0]}") from error
    return tuple(
        _entry_point(name, reference, kind)
        for group, kind in _GROUPS.items()
        if parser.has_section(group)
        for name, reference in parser.items(group)
    )


def _entry_point(name: str, reference: str, group: Literal["console", "gui"]) -> EntryPoint:
    if not name or name.startswith((".", "-")) or not _IN_NO_FILE_NAME.isdisjoint(name) or not name.isprintable():
        raise ValueError(f"{name!r} cannot be the name of a command")
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None or not (_is_dotted_name(match["module"]) and _is_dotted_name(match["attribute"])):
        raise ValueError(f"command {name!r} refers to {reference!r}, which is not of the form module:function")
    return EntryPoint(name, match["module"], match["attribute"], group)


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
