"""The environment that the pip commands look at or change, and what its distributions require."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cove.errors import InvalidArtifact, PythonNotFound
from cove.formats import core_metadata
from cove.install.discovery import Request, find_environment, parse_request
from cove.install.environment import ensure_changeable
from cove.install.installed import Installed, metadata_of
from cove.install.interpreter import Interpreter
from cove.model.event import Warned
from cove.model.metadata import CoreMetadata
from cove.model.name import Name
from cove.wiring import Session

_SEEDS = frozenset({Name("pip"), Name("setuptools"), Name("wheel"), Name("uv")})


def changeable(session: Session) -> Interpreter:
    """The environment to change: a virtual one, unless a flag or a file names another.

    Raises ``PythonNotFound`` and ``EnvironmentRefused``.
    """
    settings = session.settings
    found = _find(session, system=settings.system)
    is_named = settings.python is not None and settings.origin("python").kind != "variable"
    ensure_changeable(found, explicit=settings.system or is_named, break_system_packages=settings.break_system_packages)
    return found


def readable(session: Session) -> Interpreter:
    """The environment to look at: as ``changeable``, else the Python on ``PATH``."""
    try:
        return _find(session, system=session.settings.system)
    except PythonNotFound:
        if session.settings.system or session.settings.python is not None or session.environ.get("VIRTUAL_ENV"):
            raise
        return _find(session, system=True)


def _find(session: Session, *, system: bool) -> Interpreter:
    text, origin = session.settings.python, session.settings.origin("python")
    request = parse_request(text, origin, session.cwd) if text is not None else None
    if request is None or origin.kind != "variable" or system:
        return _search(session, request, system=system)
    # A variable is often set for everything: it chooses among Pythons, but never over an environment that is there.
    try:
        found = _search(session, None, system=False)
    except PythonNotFound:
        return _search(session, request, system=False)
    if not request.fits(found):
        session.listener(
            Warned(
                f"{found.prefix} has Python {found.version} and is used, although {origin} asks for {request.text}",
                f"Pass --python {request.text} to use that one.",
            )
        )
    return found


def _search(session: Session, request: Request | None, *, system: bool) -> Interpreter:
    return find_environment(
        request,
        environ=session.environ,
        folder=session.cwd,
        system=system,
        cache_dir=session.cache_dir,
        report=session.listener,
    )


def seeds(interpreter: Interpreter) -> frozenset[Name]:
    """What an environment has from the tool that made it: ``pip`` and its like, which a sync leaves alone. Ours have none."""
    try:
        configuration = Path(interpreter.prefix, "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return _SEEDS
    keys = {line.partition("=")[0].strip() for line in configuration.splitlines()}
    return frozenset() if keys & {"cove", "uv"} else _SEEDS


class InstalledMetadata(Mapping[Name, CoreMetadata]):
    """The metadata of what is installed, each read when it is asked for; what cannot be read is not there."""

    def __init__(self, installed: Mapping[Name, Installed]) -> None:
        self._installed = installed
        self._known: dict[Name, CoreMetadata | None] = {}

    def __getitem__(self, name: Name) -> CoreMetadata:
        if name not in self._known:
            self._known[name] = _read(self._installed[name])
        found = self._known[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[Name]:
        return (name for name in self._installed if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._installed and self.get(Name(str(name))) is not None


def _read(installed: Installed) -> CoreMetadata | None:
    from packaging.version import InvalidVersion, Version

    try:
        found = core_metadata.read(metadata_of(installed))
        Version(found.version)
    except (InvalidArtifact, InvalidVersion, OSError):
        return None
    return found
