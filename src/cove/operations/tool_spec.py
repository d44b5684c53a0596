"""What a person types to name a tool: ``name``, ``name==1.0``, ``name@1.0``, ``name@latest``, a URL or a path."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.request import pathname2url

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from cove.errors import UsageError
from cove.model.dataclasses import dataclass
from cove.model.dist import parse_filename
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.project import read

_AT = re.compile(r"(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)@(?P<version>[^\s@/:]+)")
# A comma between requirements, not one within extras or between the bounds of one.
_BETWEEN = re.compile(r",(?=\s*[A-Za-z0-9])(?![^\[]*\])")
_HINT = "write it as `name`, `name==1.0`, `name@1.0` or `name @ URL`"


@dataclass(frozen=True, slots=True)
class Asked:
    """The tool's own requirement, and whether its newest version is wanted even where another is installed."""

    requirement: Requirement
    latest: bool = False

    @property
    def name(self) -> Name:
        """The project that is the tool."""
        return normalize(self.requirement.name)


def parse_tool(text: str, cwd: Path, *, source: str | None = None) -> Asked:
    """The tool that ``text`` names; with ``source`` (``--from``) that says where it is from, and ``text`` is its name.

    Raises ``UsageError`` when it is no such text, or when the two name different projects.
    """
    asked = _parse(text if source is None else source, cwd)
    if source is None or normalize(text) == asked.name:
        return asked
    named = _parse(text, cwd)
    if named.name != asked.name:
        raise UsageError(f"`--from` gives the project `{asked.name}`, but `{named.name}` is to be installed")
    if named.requirement.specifier or named.requirement.url or named.latest:
        raise UsageError("a version is said once: either in the tool's name or in `--from`")
    return asked


def _parse(text: str, cwd: Path) -> Asked:
    match = _AT.fullmatch(text)
    if match is None:
        return Asked(parse_requirement(text, cwd))
    project = parse_requirement(match["project"], cwd)
    if match["version"] == "latest":
        return Asked(project, latest=True)
    try:
        return Asked(Requirement(f"{project}=={Version(match['version'])}"))
    except InvalidVersion:
        raise UsageError(f"`{match['version']}` is no version", hints=(_HINT,)) from None


def parse_requirement(text: str, cwd: Path) -> Requirement:
    """A requirement, or the URL or path (from ``cwd``) of a wheel, an sdist or a project. Messages quote none of a URL."""
    if " @ " not in text:
        if "://" in text:
            return _at_url(text)
        is_file = text.endswith((".whl", ".tar.gz", ".zip"))
        if is_file or text.startswith((".", "/", "~")) or os.sep in text:
            return _at_path(cwd / Path(text).expanduser())
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise UsageError("a requirement cannot be read", causes=(_reason(error),), hints=(_HINT,)) from None


def _reason(error: InvalidRequirement) -> str:
    """The first line of the message: those below it quote the text."""
    return str(error).splitlines()[0]


def _at_url(text: str) -> Requirement:
    try:
        url = Url.parse(text)
    except ValueError as error:
        raise UsageError("a requirement's URL cannot be read", causes=(str(error),)) from None
    found = parse_filename(url.filename)
    if found is None:
        raise UsageError(f"{url} does not tell which project it is", hints=("write it as `name @ URL`",))
    return Requirement(f"{found.name} @ {text}")


def _at_path(path: Path) -> Requirement:
    path = Path(os.path.abspath(path))
    if not path.exists():
        raise UsageError(f"there is no file or folder {path}")
    found = parse_filename(path.name) if path.is_file() else None
    name = found.name if found is not None else ""
    if path.is_dir() and (path / "pyproject.toml").is_file():
        name = read(path).project.name
    if not name:
        raise UsageError(
            f"{path} does not tell which project it is",
            hints=(f"write it as `name @ file://{pathname2url(str(path))}`",),
        )
    return Requirement(f"{name} @ file://{pathname2url(str(path))}")


def parse_several(texts: Sequence[str], cwd: Path) -> list[Requirement]:
    """Requirements, several in one text parted by commas."""
    parts = [
        part.strip() for text in texts for part in ([text] if "://" in text or " @ " in text else _BETWEEN.split(text))
    ]
    return [parse_requirement(part, cwd) for part in parts if part]
