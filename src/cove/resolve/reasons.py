"""Why versions cannot be used: kinds of reasons, how they are told of one version and of several, and what may be done.

A reason continues the sentence "foo 2.0 …". Those of one kind differ in a detail: a date, a Python, a platform.
"""

import re
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from cove.model.dataclasses import dataclass
from cove.resolve.catalogue import NO_WHEEL
from cove.resolve.incompatibility import IS_PRERELEASE, IS_YANKED
from cove.resolve.questions import PYTHON_REASON


@dataclass(frozen=True, slots=True)
class Kind:
    """Reasons that begin as ``pattern`` says; its group ``detail`` is where they differ.

    ``alone`` tells one of a version, ``together`` several: ``newest`` is the last version, ``detail`` and ``why`` are of that.
    Empty, they are told as they are. ``advice`` says what has to be done before ``versions`` of ``name``, which is on
    ``origin``, can be used.
    """

    pattern: "re.Pattern[str]"
    alone: str = ""
    together: str = ""
    advice: str = ""


PYTHON = Kind(re.compile(re.escape(PYTHON_REASON) + r"(?P<detail>.+?)(?P<here>, and (?:this is|the project) .*)?$"))

_LISTS = "`cove index why {name}` lists what there is"

_KINDS = (
    PYTHON,
    Kind(
        re.compile(re.escape(IS_PRERELEASE)),
        advice="Allow pre-releases with `--prerelease allow` to use {versions}",
    ),
    Kind(
        re.compile(IS_YANKED + r"(?: \(reason: (?P<detail>.*)\))?$", re.DOTALL),
        together="was yanked ({newest}: {detail})",
        advice="A yanked version is used only where a requirement pins it with ==: {versions}",
    ),
    Kind(
        re.compile(r"was uploaded on (?P<detail>\S+), after exclude-newer"),
        together="was uploaded after exclude-newer ({newest} on {detail})",
        advice="`--exclude-newer-package {name}={detail}` allows {versions}",
    ),
    Kind(
        re.compile(r"has no upload time, which exclude-newer needs"),
        advice="`--exclude-newer-package {name}=false` allows files without a known time, those of {versions} among them",
    ),
    Kind(
        re.compile(re.escape(NO_WHEEL)),
        advice="`required-environments` in [tool.uv] is what asks for a wheel of {versions} there: " + _LISTS,
    ),
    Kind(
        re.compile(r"has no wheel for (?P<here>\w+ [\d.]+ on [^,]*), but for (?P<detail>.*)"),
        together="has no wheel for {here} ({newest} has one for {detail})",
        advice="{origin} would need a wheel of {versions} for this platform and Python, or an sdist: " + _LISTS,
    ),
    Kind(
        re.compile(r"has no wheel for .*, which the project supports, but for (?P<detail>.*)"),
        together="has no wheel for a Python that the project supports ({newest} has one for {detail})",
        advice="{origin} would need a wheel of {versions} for one of these Pythons, or an sdist: " + _LISTS,
    ),
    Kind(
        re.compile(r"is an sdist, and building is forbidden"),
        alone="has no wheel that fits, and building is forbidden (--no-build, --only-binary)",
        advice="Without --no-build or --only-binary for {name}, {versions} would be built from its sdist",
    ),
    Kind(
        re.compile(r"is a wheel, and wheels are forbidden"),
        alone="has no sdist, and wheels are forbidden (--no-binary)",
        advice="Without --no-binary for {name}, there would be a wheel of {versions}",
    ),
    Kind(
        re.compile(r"has another digest than those that are required"),
        advice="Compare the hashes of {versions} in the requirements with those on the index: the file was replaced, "
        "or the hashes are of another one",
    ),
)

_OTHERWISE = Kind(re.compile(""), together="cannot be used ({newest} {why})")


def kind_of(why: str) -> Kind:
    """The first kind that a reason is of."""
    return next((kind for kind in _KINDS if kind.pattern.match(why)), _OTHERWISE)


def told(reasons: Sequence[str], newest: str) -> str:
    """Reasons of one kind, ascending by version, as one of all these versions; the last is that of ``newest``."""
    why = reasons[-1]
    kind, detail = kind_of(why), detail_of(why)
    if len(set(reasons)) == 1:
        return kind.alone or why
    if kind is PYTHON:
        return f"{PYTHON_REASON}{lowest_python(reasons)} or newer{kind.pattern.match(why)['here'] or ''}"  # type: ignore[index]
    told_as = kind.together if detail or kind is _OTHERWISE else kind.alone or why
    found = kind.pattern.match(why)
    return told_as.format(newest=newest, why=why, **(found.groupdict() if found else {}))


def advice(reasons: Sequence[str], name: str, versions: str, origin: str) -> str:
    """What has to be done before the versions can be used whose reasons, of one kind and ascending, these are."""
    return kind_of(reasons[-1]).advice.format(
        name=name, versions=versions, origin=origin or "the index", detail=detail_of(reasons[-1])
    )


def detail_of(why: str) -> str:
    """Where a reason differs from others of its kind; empty if it cannot."""
    found = kind_of(why).pattern.match(why)
    return (found.groupdict().get("detail") if found else "") or ""


def lowest_python(reasons: Sequence[str]) -> str:
    """Of reasons of the kind ``PYTHON`` the ``Requires-Python`` that asks for the lowest one."""
    return min((detail_of(why) for why in reasons), key=lower_bound)


def lower_bound(text: str) -> Version:
    """The lowest Python that a ``Requires-Python`` admits; 0 if it does not say."""
    try:
        bounds = [
            one.version.removesuffix(".*") for one in SpecifierSet(text) if one.operator in (">=", ">", "~=", "==")
        ]
    except InvalidSpecifier:
        bounds = []
    return max(map(Version, bounds), default=Version("0"))
