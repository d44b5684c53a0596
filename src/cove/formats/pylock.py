"""``pylock.toml`` (PEP 751): text ↔ ``packaging.pylock.Pylock``. What is written is laid out as uv lays it out.

``packaging`` holds the values and the rules of the standard; here are the text, errors that name file and package, the
sentences that it does not check, and what never gets into a file: user info of URLs.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)
from packaging.tags import Tag
from packaging.version import InvalidVersion, Version

from cove.errors import ConfigurationError, NoCompatibleFile, PythonIncompatible
from cove.formats import toml_text
from cove.formats.python_range import requires_python_text
from cove.formats.requirements_txt import ending, heading
from cove.model.name import Name
from cove.model.target import Target

Chosen = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist
"""Where one package is installed from."""

_ENTRY = re.compile(r"packages\[(\d+)\]\.?")
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)@")
_DIGEST = re.compile(r"[0-9A-Fa-f]+")
_HINT = "it is made by `cove export` and `cove pip compile`: make it anew"

_TOP = (
    "lock-version",
    "created-by",
    "environments",
    "requires-python",
    "extras",
    "dependency-groups",
    "default-groups",
)
_PACKAGE = (
    "name", "version", "marker", "requires-python", "dependencies", "index", "vcs", "directory", "archive", "sdist", "wheels",
    "attestation-identities", "tool",
)  # fmt: skip
_FILE = ("name", "url", "path", "upload-time", "size", "hashes")
_TABLES: Mapping[str, Sequence[str]] = {
    "vcs": ("type", "url", "path", "requested-revision", "commit-id", "subdirectory"),
    "directory": ("path", "editable", "subdirectory"),
    "archive": ("url", "path", "size", "upload-time", "subdirectory", "hashes"),
    "sdist": _FILE,
    "wheels": _FILE,
}


# --- reading ---------------------------------------------------------------------------------------------------------


def parse(text: str, path: str, *, warn: Callable[[str], None] = lambda _: None) -> Pylock:
    """The lock in ``text``; ``path`` names it in messages. Raises ``ConfigurationError``.

    ``warn`` is told of a newer minor version: "If a tool doesn't support the minor version, it SHOULD warn".
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}", hints=(_HINT,)) from None
    try:
        lock = Pylock.from_dict(_of_known_version(document, path, warn))
    except PylockValidationError as error:
        raise _wrong(document, path, error.context or "", error.message) from None
    for number, package in enumerate(lock.packages):
        _check(document, path, number, package)
    return lock


def _of_known_version(document: dict[str, Any], path: str, warn: Callable[[str], None]) -> Mapping[str, Any]:
    try:
        version = Version(str(document.get("lock-version")))
    except InvalidVersion:
        return document  # which is reported with the rest
    if not Version("1.0") < version < Version("2"):
        return document
    warn(f"{path} has the format version {version}, and 1.0 is known: what is new in it is ignored")
    return {**document, "lock-version": "1.0"}


def _wrong(document: Mapping[str, Any], path: str, context: str, reason: str) -> ConfigurationError:
    found = _ENTRY.match(context)
    where = context
    if found is not None:
        entry = document["packages"][int(found[1])]
        name = entry.get("name") if isinstance(entry, Mapping) else None
        label = f"package `{name}`" if isinstance(name, str) else f"package {int(found[1]) + 1}"
        rest = context[found.end() :]
        where = f"{label}: {rest}" if rest else label
    return ConfigurationError(f"{path}: {where + ': ' if where else ''}{reason}", hints=(_HINT,))


def _check(document: Mapping[str, Any], path: str, number: int, package: Package) -> None:
    """What the standard demands of an entry besides what ``packaging`` looks at."""
    files: list[tuple[str, PackageArchive | PackageSdist | PackageWheel]] = [
        *((key, file) for key, file in (("archive", package.archive), ("sdist", package.sdist)) if file is not None),
        *((f"wheels[{place}]", wheel) for place, wheel in enumerate(package.wheels or ())),
    ]
    for key, file in files:
        where = f"packages[{number}].{key}"
        if file.size is not None and file.size < 0:
            raise _wrong(document, path, f"{where}.size", "a number of bytes is not negative")
        for algorithm, digest in file.hashes.items():
            if not _DIGEST.fullmatch(digest):
                raise _wrong(document, path, f"{where}.hashes.{algorithm}", "not a hexadecimal digest")
    for place, wanted in enumerate(package.dependencies or ()):
        # "It MUST be specified with enough information to refer to a single entry."
        ends = sum(1 for entry in document["packages"] if _matches(wanted, entry))
        if ends != 1:
            reason = "it refers to no entry of the file" if ends == 0 else f"it refers to {ends} entries of the file"
            raise _wrong(document, path, f"packages[{number}].dependencies[{place}]", reason)


def _matches(wanted: object, entry: object) -> bool:
    """Whether all that ``wanted`` says is so in ``entry``."""
    if isinstance(wanted, Mapping):
        return isinstance(entry, Mapping) and all(key in entry and _matches(wanted[key], entry[key]) for key in wanted)
    return wanted == entry


# --- choosing --------------------------------------------------------------------------------------------------------


def select(
    lock: Pylock,
    path: str,
    target: Target,
    *,
    extras: Collection[Name] = (),
    groups: Collection[Name] = (),
    from_source: Callable[[str], bool] = lambda _: False,
) -> list[tuple[Package, Chosen]]:
    """What is to be installed on ``target``, and from which of its sources ("Installation" in PEP 751).

    ``groups`` come besides the default ones; ``from_source`` tells whose sdist is preferred. Raises ``PythonIncompatible``,
    ``NoCompatibleFile`` for a lock that does not fit the target, and ``ConfigurationError`` for extras and groups that the lock
    does not have.
    """
    for kind, wanted, offered in (("extra", extras, lock.extras), ("group", groups, lock.dependency_groups)):
        for name in wanted:
            if name not in (offered or ()):
                listed = ", ".join(f"`{each}`" for each in offered or ()) or "none"
                raise ConfigurationError(f"{path} has no {kind} `{name}`", hints=(f"it has {listed}",))
    if lock.requires_python is not None and not lock.requires_python.contains(target.python, prereleases=True):
        raise PythonIncompatible(
            f"{path} requires Python {requires_python_text(lock.requires_python)}, and the environment has {target.python}",
            hints=("choose another environment with `--python`, or make the lock for this one",),
        )
    environment: Any = dict(target.markers)
    try:
        return list(
            lock.select(
                environment=environment,
                tags=[Tag(*tag.split("-", 2)) for tag in target.tags],
                extras=extras,
                dependency_groups=[*(lock.default_groups or ()), *groups],
                prefer_sdist_predicate=from_source,
            )
        )
    except PylockSelectError as error:
        raise NoCompatibleFile(
            f"{path} cannot be installed here: {error}", hints=("make the lock for this platform and Python too",)
        ) from None


# --- writing ---------------------------------------------------------------------------------------------------------


def dump(lock: Pylock, *, header: str = "", left_out: Iterable[str] = ()) -> str:
    """The text of ``lock``, its packages by name, those of one name in their order. ``header`` is the command that makes it,
    without secrets; ``left_out`` are names of which the end tells."""
    document = dict(lock.to_dict())
    lines = heading(header)
    for key in _TOP:
        if key == "requires-python" and lock.requires_python is not None:
            lines.append(f"{key} = {toml_text.text(requires_python_text(lock.requires_python))}")
        elif key == "environments" and lock.environments is not None:
            lines.append(f"{key} = {toml_text.flat(toml_text.text(_marker(each)) for each in lock.environments)}")
        elif key in document:
            lines.append(f"{key} = {toml_text.value(document[key])}")
    if lock.tool:
        lines.append(f"tool = {toml_text.value(lock.tool)}")
    if not lock.packages:
        lines.append("packages = []")
    for package in sorted(lock.packages, key=lambda package: package.name):
        lines += ["", "[[packages]]", *_package(package)]
    return "".join(f"{line}\n" for line in (*lines, *ending(left_out)))


def _package(package: Package) -> Iterator[str]:
    table = Pylock(lock_version=Version("1.0"), created_by="", packages=[package]).to_dict()["packages"][0]
    for key in _PACKAGE:
        if key not in table:
            continue
        match key:
            case "marker" if package.marker is not None:
                yield f"marker = {toml_text.text(_marker(package.marker))}"
            case "requires-python" if package.requires_python is not None:
                yield f"{key} = {toml_text.text(requires_python_text(package.requires_python))}"
            case "index":
                yield f"index = {toml_text.text(without_user_info(table[key]))}"
            case "wheels":
                if table[key]:
                    wheels = sorted(
                        zip(package.wheels or (), table[key], strict=True), key=lambda pair: pair[0].filename
                    )
                    yield from toml_text.fitting(key, [_table(key, wheel) for _, wheel in wheels])
            case _ if key in _TABLES:
                yield f"{key} = {_table(key, table[key])}"
            case "dependencies" | "attestation-identities":
                yield from toml_text.fitting(key, [toml_text.value(each) for each in table[key]])
            case _:
                yield f"{key} = {toml_text.value(table[key])}"


def _table(kind: str, table: Mapping[str, Any]) -> str:
    pairs = []
    for key in _TABLES[kind]:
        if key in table:
            thing: object = table[key]
            if key == "url":
                thing = without_user_info(table[key])
            elif key == "hashes":
                thing = dict(sorted(table[key].items()))
            pairs.append((key, toml_text.value(thing)))
    return toml_text.inline(pairs)


def without_user_info(url: str) -> str:
    """The URL as it may stand in a file that is shared. Of one for SSH the user stays, who is part of the address there."""
    found = _USER_INFO.match(url)
    if found is None:
        return url
    user = found[2].partition(":")[0] + "@" if "ssh" in found[1].lower() else ""
    return f"{found[1]}{user}{url[found.end() :]}"


def _marker(marker: Marker) -> str:
    """In the quotes that ``uv.lock`` has, which TOML need not escape."""
    text = str(marker)
    return text if "'" in text else text.replace('"', "'")
