"""``cove init``."""

import os
from argparse import ArgumentParser
from pathlib import Path

from cove.cli.context import Context
from cove.cli.selecting import add_settings
from cove.operations.project.init import Wishes, init_project
from cove.wiring import Session

HELP = """Start a project in a folder.

No file that is there is changed. Indexes given by --index or --default-index are written into the project, without
credentials."""
GROUPS = ("python", "index", "output")


def arguments(parser: ArgumentParser) -> None:
    """Where, and what kind of project."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="The project's folder; the working folder")
    parser.add_argument("--name", default="", help="The project's name, in place of the folder's")
    kind = parser.add_mutually_exclusive_group()
    for option, line in (
        ("app", "An application that is run from its folder (the default)"),
        ("package", "An application that can be built and installed"),
        ("lib", "A library"),
    ):
        kind.add_argument(f"--{option}", dest="kind", action="store_const", const=option, help=line)
    add_settings(parser, "init-bare")
    parser.add_argument("--description", default="", help="What the project is")
    parser.add_argument("--no-readme", action="store_true", help="Write no README.md")
    parser.add_argument("--no-pin-python", action="store_true", help="Write no .python-version")


def run(context: Context) -> int:
    """Start it, and say where."""
    given, settings = context.arguments, context.settings
    wishes = Wishes(
        kind=given.kind or "app",
        name=given.name,
        description=given.description,
        bare=settings.init_bare,
        readme=not given.no_readme,
        pins_python=not given.no_pin_python,
    )
    folder = Path(os.path.abspath(context.cwd / given.path if given.path else settings.project or context.cwd))
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        started = init_project(session, folder, wishes)
    if settings.output_format == "json":
        written = [str(path.relative_to(folder)) for path in started.written]
        context.console.json({"name": started.name, "folder": str(folder), "written": written})
        return 0
    if started.inside is not None:
        context.console.say(f"It lies inside the project {started.inside} and stands on its own")
    where = f" at {folder}" if given.path else ""
    context.console.say(f"Started the project `{started.name}`{where}")
    return 0
