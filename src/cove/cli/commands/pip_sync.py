"""``cove pip sync``."""

from argparse import ArgumentParser

from cove.cli import pip_options
from cove.cli.context import Context
from cove.formats.pylock_name import is_pylock
from cove.operations.environment.install import sync
from cove.wiring import Session

HELP = """Make an environment have exactly what requirements files list.

What these packages require is not looked for, and everything else is removed: the files are best made by `cove pip compile`."""
GROUPS = (
    "index",
    "resolver",
    "limits",
    "build-limits",
    "installer",
    "build",
    "pip-binary",
    "pip",
    "cache",
    "python",
    "output",
)


def arguments(parser: ArgumentParser) -> None:
    """The files."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="A requirements file, pyproject.toml or pylock.toml")
    pip_options.add_parts(parser)
    parser.add_argument("--allow-empty-requirements", action="store_true", help="Empty files mean an empty environment")
    parser.add_argument("--dry-run", action="store_true", help="Say what would change; change nothing")


def run(context: Context) -> int:
    """Sync, and say what changed."""
    arguments_ = context.arguments
    wanted = pip_options.inputs(arguments_, context.settings)
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        is_empty_meant, is_dry = arguments_.allow_empty_requirements, arguments_.dry_run
        if any(map(is_pylock, wanted.files)):
            from cove.operations.environment.install_pylock import install_lock

            done = install_lock(session, wanted, exact=True, allow_empty=is_empty_meant, dry_run=is_dry)
        else:
            done = sync(session, wanted, allow_empty=is_empty_meant, dry_run=is_dry)
    pip_options.report(context, done)
    return 0
