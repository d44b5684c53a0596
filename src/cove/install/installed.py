"""What is installed, read from folder names alone: a few directory listings, no parsing of metadata (PEP 376, PEP 627)."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from cove.errors import EnvironmentRefused, InvalidArtifact
from cove.formats import direct_url, wheel_record
from cove.install.plan import UNREADABLE, Installed, source_key
from cove.model.name import Name, is_valid_name, normalize

__all__ = ["Installed", "direct_url_of", "files_of", "installer_of", "metadata_of", "scan"]


def scan(sites: Iterable[str]) -> dict[Name, Installed]:
    """Everything installed in ``sites`` (``Interpreter.sites``) by name; the first site that has a project wins.

    A folder that does not exist is empty. Where one site holds several of a project, the rest are its ``leftovers``.
    """
    found: dict[Name, Installed] = {}
    for site in sites:
        for name, several in _in_site(site).items():
            first, *rest = several
            if name not in found:
                found[name] = _with_leftovers(first, rest)
    return dict(sorted(found.items()))


def _with_leftovers(first: Installed, rest: list[Installed]) -> Installed:
    if not rest:
        return first
    return Installed(first.name, first.version, first.path, first.source, first.editable, tuple(rest))


def _in_site(site: str) -> dict[Name, list[Installed]]:
    found: dict[Name, list[Installed]] = {}
    try:
        with os.scandir(site) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        path = os.path.join(site, name)
        one = _dist_info(path, name) if name.endswith(".dist-info") else _egg_info(path, name)
        if one is not None:
            found.setdefault(one.name, []).append(one)
    return found


def _dist_info(path: str, folder: str) -> Installed | None:
    name, _, version = folder.removesuffix(".dist-info").partition("-")
    # pip renames what it is removing to "~ame-1.0.dist-info"; such a name is no name.
    if not is_valid_name(name):
        return None
    if not version[:1].isdigit():  # a dash that belongs to the name, or no version at all
        name, version = _named_in(os.path.join(path, "METADATA"))
        if not is_valid_name(name) or not version:
            return None
    source, editable = _source(path)
    # PEP 427 writes "_" where a version has "-".
    return Installed(normalize(name), version.replace("_", "-"), path, source, editable)


def _egg_info(path: str, entry: str) -> Installed | None:
    """Made by ``setup.py install`` (``name-1.0-py3.11.egg-info``) or by an operating system: listed, never removed."""
    name, _, rest = entry.removesuffix(".egg-info").partition("-")
    version = rest.partition("-py")[0]
    if not version[:1].isdigit():
        name, version = _named_in(os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path)
    if not is_valid_name(name) or not version:
        return None
    return Installed(normalize(name), version.replace("_", "-"), path)


def _named_in(metadata: str) -> tuple[str, str]:
    fields = {"name": "", "version": ""}
    try:
        with open(metadata, encoding="utf-8", errors="replace") as file:
            for line in file:
                field, colon, value = line.partition(":")
                if not colon or all(fields.values()):  # the headers end at the first empty line
                    break
                if field.lower() in fields:
                    fields[field.lower()] = value.strip()
    except OSError:
        return "", ""  # a folder without metadata is no distribution
    return fields["name"], fields["version"]


def _source(path: str) -> tuple[str, bool]:
    try:
        direct = _read_direct_url(path)
    except (OSError, ValueError):
        return UNREADABLE, False
    if direct is None:
        return "", False
    return source_key(direct), isinstance(direct.info, direct_url.Directory) and direct.info.editable


def _read_direct_url(path: str) -> direct_url.DirectUrl | None:
    try:
        with open(os.path.join(path, "direct_url.json"), encoding="utf-8") as file:
            return direct_url.parse(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None


def direct_url_of(installed: Installed) -> direct_url.DirectUrl | None:
    """Where it was installed from when that was not an index. Raises ``InvalidArtifact`` when its file cannot be read."""
    try:
        return _read_direct_url(installed.path)
    except (OSError, ValueError) as error:
        raise InvalidArtifact(
            f"{installed.name} {installed.version}: its direct_url.json cannot be read",
            causes=(str(error),),
            hints=(f"Install it anew with --reinstall-package {installed.name}.",),
        ) from error


def installer_of(installed: Installed) -> str:
    """The tool that installed it (``pip``, ``cove``), empty when none is recorded."""
    try:
        return Path(installed.path, "INSTALLER").read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def metadata_of(installed: Installed) -> bytes:
    """Its core metadata. Raises ``InvalidArtifact`` when there is none."""
    path = Path(installed.path)
    places = (path / "METADATA", path / "PKG-INFO", path)
    for place in places:
        if place.is_file():
            return place.read_bytes()
    raise InvalidArtifact(
        f"{installed.name} {installed.version}: no metadata in {installed.path}",
        hints=(f"Install it anew with --reinstall-package {installed.name}.",),
    )


def files_of(installed: Installed, roots: Iterable[Path]) -> list[Path]:
    """Every file its ``RECORD`` names, absolute, whether it still exists or not, in the order of ``RECORD``.

    Raises ``EnvironmentRefused`` without a ``RECORD`` (the specification of installed projects: then tools "must not attempt
    to uninstall or upgrade the package") and ``InvalidArtifact`` when ``RECORD`` is malformed or names a file outside
    ``roots`` (``Interpreter.roots``), symbolic links on the way followed: what is deleted by this list lies in the
    environment.
    """
    label = f"{installed.name} {installed.version}"
    try:
        text = Path(installed.path, "RECORD").read_text(encoding="utf-8")
        entries = wheel_record.parse(text)
    except (FileNotFoundError, NotADirectoryError) as error:
        by = installer_of(installed)
        raise EnvironmentRefused(
            f"{label} cannot be removed: it has no RECORD of its files" + (f" (installed by {by})" if by else ""),
            hints=(f"Remove {installed.path} with the tool that made it.",),
        ) from error
    except ValueError as error:
        raise InvalidArtifact(f"{label}: its RECORD cannot be read", causes=(str(error),)) from error
    site = os.path.dirname(installed.path)
    inside = _Inside(roots)
    files = []
    for entry in entries:
        path = os.path.normpath(os.path.join(site, entry.path))
        if "\0" in path or not inside(os.path.dirname(path)):
            raise InvalidArtifact(
                f"{label}: its RECORD names a file outside the environment",
                causes=(f"{json.dumps(entry.path)} in {installed.path}",),
                hints=("Nothing was removed. The distribution is hostile or broken; look at it before going on.",),
            )
        files.append(Path(path))
    return files


class _Inside:
    """Whether a folder, symbolic links followed, is one of the roots or lies below one; remembers what it looked up."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = tuple(os.path.realpath(root) for root in roots)
        self._known: dict[str, bool] = {}

    def __call__(self, folder: str) -> bool:
        if folder not in self._known:
            real = os.path.realpath(folder)
            self._known[folder] = any(
                real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in self._roots
            )
        return self._known[folder]
