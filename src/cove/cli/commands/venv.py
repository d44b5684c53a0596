"""``cove venv``."""

import os
from argparse import ArgumentParser
from pathlib import Path

from cove.cli.context import Context
from cove.cli.options import declare
from cove.cli.selecting import add_settings
from cove.config.settings import BY_NAME
from cove.operations.environment.make import Wishes, activation, make_environment
from cove.wiring import Session

HELP = """Make a virtual environment.

Without a path it is the project's own (`.venv`). What is there and is no environment is never touched."""
GROUPS = ("python", "index", "cache", "output")


def arguments(parser: ArgumentParser) -> None:
    """Where, and how it should be."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="Where to make it")
    parser.add_argument("--prompt", help="What an activated shell shows; `.` for the working folder's name")
    parser.add_argument("--system-site-packages", action="store_true", help="Let it see the packages of its base")
    there = parser.add_mutually_exclusive_group()
    declare(there.add_argument, BY_NAME["venv-clear"])
    there.add_argument("--allow-existing", action="store_true", help="Keep the packages of one that is there")
    add_settings(parser, "venv-seed", "no-project")


def run(context: Context) -> int:
    """Make it, and say where it is and how to use it."""
    given, settings = context.arguments, context.settings
    clears = settings.venv_clear and not given.allow_existing  # which outranks what a variable says of all runs
    wishes = Wishes(given.prompt, given.system_site_packages, clears, given.allow_existing, settings.venv_seed)
    path = context.cwd / given.path if given.path else None
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        made = make_environment(session, path, wishes, no_project=settings.no_project)
    if context.settings.output_format == "json":
        context.console.json({"path": str(made.prefix), "python": made.version, "base": str(made.base_executable)})
        return 0
    shown = _shown(made.prefix, context.cwd)
    context.console.say(f"Using Python {made.version} at {made.base_executable}")
    context.console.say(f"Made the environment {shown}")
    context.console.say(f"Activate it with: {activation(shown, context.environ)}")
    return 0


def _shown(path: Path, cwd: Path) -> Path:
    return path.relative_to(cwd) if path.is_relative_to(cwd) and path != cwd else Path(os.path.abspath(path))
