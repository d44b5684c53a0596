"""``cove build``."""

from argparse import ArgumentParser
from pathlib import Path

from cove.cli.context import Context
from cove.operations.build.project import Wishes, build_project, members_to_build
from cove.wiring import Session

HELP = """Build the source distribution and the wheel of a project.

The wheel is built from the source distribution, which shows that this one is whole; --wheel and --sdist build from the
folder."""
GROUPS = ("python", "index", "resolver", "build", "build-limits", "binary", "cache", "output")


def arguments(parser: ArgumentParser) -> None:
    """What to build, and where to put it."""
    parser.add_argument("source", nargs="?", metavar="SRC", help="A project's folder, or an sdist; the working folder")
    parser.add_argument("--package", default="", metavar="PACKAGE", help="This member of the workspace")
    parser.add_argument("--all-packages", action="store_true", help="All members of the workspace")
    parser.add_argument("--sdist", action="store_true", help="Build the source distribution")
    parser.add_argument("--wheel", action="store_true", help="Build the wheel, from the folder itself")
    parser.add_argument("-o", "--out-dir", metavar="FOLDER", help="Where to put what is built; `dist` in the project")


def run(context: Context) -> int:
    """Build, and say what was made."""
    given, settings, cwd = context.arguments, context.settings, context.cwd
    source = cwd / given.source if given.source else Path(settings.project or cwd)
    out = cwd / given.out_dir if given.out_dir else None
    wishes = Wishes(given.sdist, given.wheel, out)
    with Session(settings, environ=context.environ, cwd=cwd, listener=context.listener) as session:
        made: list[Path] = []
        for each in members_to_build(source, given.package, all_packages=given.all_packages) or [source]:
            made += build_project(session, each, wishes)
    if settings.output_format == "json":
        context.console.json({"built": [str(path) for path in made]})
    for path in made:
        context.console.say(f"Successfully built {path.relative_to(cwd) if path.is_relative_to(cwd) else path}")
    return 0
