"""``cove remove``."""

from argparse import ArgumentParser

from cove.cli import selecting
from cove.cli.commands.add import section, tell, where
from cove.cli.context import Context
from cove.operations.project.add import remove
from cove.wiring import Session

HELP = """Remove requirements from the project, lock, and uninstall what nothing needs any more."""
GROUPS = ("index", "resolver", "lock", "installer", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """What to remove, and from where."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="The name of a requirement")
    where(parser)
    selecting.add_settings(parser, "no-sync")


def run(context: Context) -> int:
    """Remove, and say what changed."""
    arguments_ = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        edited = remove(
            session,
            arguments_.names,
            section(arguments_),
            package=arguments_.package,
            installs=not context.settings.no_sync,
        )
    tell(context, edited)
    return 0
