"""Core metadata: ``METADATA`` of a wheel, ``PKG-INFO`` of an sdist (the core metadata specification, PEPs 566 and 643)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cove.errors import InvalidArtifact
from cove.model.metadata import CoreMetadata
from cove.model.name import is_valid_name, normalize

T = TypeVar("T")

_EXTRA = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_VERSIONS = r"[<>=!~][A-Za-z0-9<>=!~.,*+ -]*"
_PLAIN = re.compile(
    rf"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?) ?(?:\[(?P<extras>{_EXTRA}(?:, ?{_EXTRA})*)\] ?)?"
    rf"(?:\((?P<enclosed>{_VERSIONS})\) ?|(?P<versions>{_VERSIONS}))?(?:; ?(?P<marker>.+))?"
)
"""The form in which requirements are usually written."""

_REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(?<=[<>=!~])\s*["']([^"']*)["'](?=\s*(?:[,;)]|$))"""), r"\1"),  # >='2.7'
    (re.compile(r"=>"), ">="),
    (re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)*)\.\*"), r"\1\2"),  # >=2.7.*
    (re.compile(r"!=\s*~"), "!="),  # !=~5.0
    (re.compile(r"~=\s*(\d+)(?=\s*(?:[,;)]|$))"), r"~=\1.0"),  # ~=3
    (re.compile(r"(?<=[0-9*])\s*(?=(?:[<>!~]=?|==)\s*\d)"), ","),  # >=1.0<2.0
    (re.compile(r"(?<=[0-9])\.(?=\s*(?:[,;)]|$))"), ""),  # >=1.0.
    (re.compile(r",\s*(?=,)"), ""),
    (re.compile(r"\(\s*,\s*"), "("),
    (re.compile(r",\s*(?=\)|;|$)"), ""),
)
"""Forms that older tools wrote and PEP 440 does not allow, each with what was meant."""


def read(data: bytes) -> CoreMetadata:
    """The metadata that resolution and installation need.

    Raises ``InvalidArtifact``, quoting the line: no valid ``Name``, no ``Version``, a metadata version whose major number
    is unknown (the specification: "tools … MUST fail"), or a requirement that cannot be read even after the known
    mistakes of older tools are repaired.
    """
    fields = raw_fields(data)
    metadata_version = _first(fields, "metadata-version") or "1.0"
    if not metadata_version.startswith(("1.", "2.")):
        raise InvalidArtifact(f"the metadata is of version {metadata_version!r}, which is not known")
    name, version = _first(fields, "name"), _first(fields, "version")
    if not is_valid_name(name):
        raise InvalidArtifact(f"the metadata has no valid name: {name!r}")
    if not version:
        raise InvalidArtifact("the metadata has no version")
    requires_python = _first(fields, "requires-python") or None
    if requires_python is not None:
        requires_python = _requires_python(requires_python)
    return CoreMetadata(
        normalize(name),
        version,
        tuple(read_requirement(text) for text in fields.get("requires-dist", ())),
        requires_python,
        tuple(dict.fromkeys(normalize(extra) for extra in fields.get("provides-extra", ()))),
        metadata_version,
        frozenset(text.lower() for text in fields.get("dynamic", ())),
    )


def raw_fields(data: bytes) -> dict[str, list[str]]:
    """Every header by its lower-case name, in order of appearance, continuation lines joined by newlines.

    A body after the headers is the last ``description`` (PEP 566).
    """
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    head, _, body = text.lstrip("\n").partition("\n\n")
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in head.split("\n"):
        if line[:1] in (" ", "\t"):
            if current is not None:
                current[-1] += "\n" + line
            continue
        name, colon, value = line.partition(":")
        current = fields.setdefault(name.strip().lower(), []) if colon else None
        if current is not None:
            current.append(value.strip())
    if body.strip():
        fields.setdefault("description", []).append(body)
    return fields


def read_requirement(text: str) -> Requirement:
    """One ``Requires-Dist``; raises ``InvalidArtifact`` quoting it."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        try:
            return _plain_requirement(plain)
        except (InvalidSpecifier, InvalidMarker, RecursionError):
            pass  # perhaps a form that is repaired below
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        repaired = _repair(text, Requirement, InvalidRequirement)
        if repaired is None:
            raise InvalidArtifact(f"the requirement {text!r} cannot be read") from error
        return repaired
    except RecursionError as error:
        raise InvalidArtifact(f"the requirement {text[:80]!r}… has too many parentheses") from error


def _plain_requirement(parts: re.Match[str]) -> Requirement:
    """What ``Requirement`` makes of the usual form, put together from parts that recur: a quarter of the time."""
    requirement = Requirement.__new__(Requirement)
    requirement.name = parts["name"]
    requirement.url = None
    requirement.extras = {extra.strip() for extra in parts["extras"].split(",")} if parts["extras"] else set()
    requirement.specifier = SpecifierSet(parts["enclosed"] or parts["versions"] or "")
    requirement.marker = _marker(parts["marker"]) if parts["marker"] else None
    return requirement


@lru_cache(maxsize=4096)
def _marker(text: str) -> Marker:
    """Thousands of requirements have one of a few markers, mostly ``extra == "test"``."""
    return Marker(text)


def read_specifiers(text: str) -> SpecifierSet | None:
    """A version range such as ``Requires-Python`` holds, repaired where that is known to help, else ``None``."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return _repair(text, SpecifierSet, InvalidSpecifier)


def _repair(text: str, parse: Callable[[str], T], error: type[ValueError]) -> T | None:
    """Repairs are added one after the other; the first text that can be read counts."""
    clause, semicolon, marker = text.partition(";")  # quotes in a marker are meant
    for pattern, replacement in _REPAIRS:
        clause = pattern.sub(replacement, clause)
        try:
            return parse(clause + semicolon + marker)
        except error:
            continue
    return None


def _requires_python(text: str) -> str:
    specifiers = read_specifiers(text)
    if specifiers is None:
        raise InvalidArtifact(f"the Python range {text!r} cannot be read")
    return str(specifiers)


def _first(fields: dict[str, list[str]], name: str) -> str:
    values = fields.get(name)
    return values[0] if values else ""


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # what tools wrote before metadata was said to be UTF-8
