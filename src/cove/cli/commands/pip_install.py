"""``cove pip install``."""

from argparse import ArgumentParser

from cove.cli import pip_options
from cove.cli.context import Context
from cove.errors import UsageError
from cove.formats.pylock_name import is_pylock
from cove.operations.environment.install import install
from cove.wiring import Session

HELP = """Install packages into an environment.

What is installed and will do is kept. When everything that is asked for is there, no index is asked."""
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
    """What to install."""
    pip_options.add_requirements(parser, "A name with versions, a path, or a URL")
    pip_options.add_parts(parser)
    parser.add_argument("--no-deps", action="store_true", help="Leave out what packages require")
    parser.add_argument("--dry-run", action="store_true", help="Say what would change; change nothing")


def run(context: Context) -> int:
    """Install, and say what changed."""
    arguments_ = context.arguments
    wanted = pip_options.inputs(arguments_, context.settings)
    if not (wanted.arguments or wanted.editables or wanted.files or wanted.groups):
        raise UsageError("there is nothing to install", hints=("name a package, or a file of them with `-r`",))
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        if any(map(is_pylock, wanted.files)):
            from cove.operations.environment.install_pylock import install_lock

            done = install_lock(session, wanted, dry_run=arguments_.dry_run)
        else:
            done = install(session, wanted, no_deps=arguments_.no_deps, dry_run=arguments_.dry_run)
    pip_options.report(context, done)
    return 0
