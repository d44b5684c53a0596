"""Which interpreter an operation is for, where it needs no environment."""

from pathlib import Path

from cove.install.discovery import find_base, parse_request
from cove.install.environment import executable_in, is_environment
from cove.install.interpreter import Interpreter, probe
from cove.wiring import Session


def to_compile_for(session: Session) -> Interpreter:
    """The interpreter to resolve for: that of the environment that is there, else the first on ``PATH``; what has to be
    built is built with it. Raises ``PythonNotFound``, ``UsageError``."""
    settings, origin = session.settings, session.settings.origin("python")
    request = parse_request(settings.python, origin, session.cwd) if settings.python is not None else None
    if request is None and not settings.system:
        named = session.environ.get("VIRTUAL_ENV")
        for place in [Path(named)] if named else [folder / ".venv" for folder in (session.cwd, *session.cwd.parents)]:
            if is_environment(place) and executable_in(place).exists():
                return probe(executable_in(place), session.cache_dir)
    return find_base(request, environ=session.environ, cache_dir=session.cache_dir, report=session.listener)
