"""What a person types to name a tool: ``name``, ``name==1.0``, ``name@1.0``, ``name@latest``, a URL or a path."""

import re
from collections.abc import Sequence

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from cove.errors import UsageError
from cove.install import discovery
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass
from cove.model.name import Name, is_valid_name, normalize
from cove.operations.compile.inputs import Inputs
from cove.operations.compile.requirement_files import read
from cove.operations.project.locations import full_text
from cove.wiring import Session

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


def parse_tool(session: Session, text: str, *, source: str | None = None) -> Asked:
    """The tool that ``text`` names; with ``source`` (``--from``) that says where it is from, and ``text`` is its name.

    The name of what is given by a URL or a path is learnt from there. Raises ``UsageError`` when it is no such text, or when
    the two name different projects, and what fetching and building raise.
    """
    asked = _parse(session, text if source is None else source)
    if source is None or (is_valid_name(text) and normalize(text) == asked.name):
        return asked
    named = _parse(session, text)
    if named.name != asked.name:
        raise UsageError(f"`--from` gives the project `{asked.name}`, but `{named.name}` is to be installed")
    if named.requirement.specifier or named.requirement.url or named.latest:
        raise UsageError("a version is said once: either in the tool's name or in `--from`")
    return asked


def parse_several(session: Session, texts: Sequence[str]) -> list[Requirement]:
    """Requirements, several in one text parted by commas."""
    parts = [
        part.strip() for text in texts for part in ([text] if "://" in text or " @ " in text else _BETWEEN.split(text))
    ]
    return [_requirement(session, part) for part in parts if part]


def python_request(session: Session) -> discovery.Request | None:
    """Which Python is asked for. Tools belong to no project: ``.python-version`` is not asked."""
    settings = session.settings
    if settings.python is None:
        return None
    return discovery.parse_request(settings.python, settings.origin("python"), session.cwd)


def _parse(session: Session, text: str) -> Asked:
    match = _AT.fullmatch(text)
    if match is None:
        return Asked(_requirement(session, text))
    project = _requirement(session, match["project"])
    if match["version"] == "latest":
        return Asked(project, latest=True)
    try:
        return Asked(Requirement(f"{project}=={Version(match['version'])}"))
    except InvalidVersion:
        raise UsageError(f"`{match['version']}` is no version", hints=(_HINT,)) from None


def _requirement(session: Session, text: str) -> Requirement:
    """A requirement, or the URL or path of a wheel, an sdist, a project or a repository."""
    roots = read(session, Inputs(arguments=(text,)), lambda: _interpreter(session)).roots
    if len(roots) != 1:
        raise UsageError("there is no requirement where one is expected", hints=(_HINT,))
    [root] = roots
    found = Requirement(str(root.requirement))
    if root.url is not None:
        found.url = full_text(root.url)
    return found


def _interpreter(session: Session) -> Interpreter:
    """The one that builds what has to be built to learn its name."""
    return discovery.find_base(
        python_request(session), environ=session.environ, cache_dir=session.cache_dir, report=session.listener
    )
