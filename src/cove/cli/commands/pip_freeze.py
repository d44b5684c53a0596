"""``cove pip freeze``."""

from argparse import ArgumentParser

from cove.cli import pip_options
from cove.cli.context import Context
from cove.operations.environment.listing import listing
from cove.wiring import Session

HELP = """List what is installed in an environment as requirements."""
GROUPS = ("pip", "python")


def arguments(parser: ArgumentParser) -> None:
    """Which."""
    parser.add_argument("--exclude-editable", action="store_true", help="Leave out what is installed in place")
    parser.add_argument("--exclude", action="append", default=[], metavar="PACKAGE", help="Leave out this package")


def run(context: Context) -> int:
    """Print one line for each distribution."""
    arguments_ = context.arguments
    excluded = pip_options.names(arguments_.exclude, "excluded package")
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = listing(session)
    for each in found:
        if each.name not in excluded and not (arguments_.exclude_editable and each.editable_location):
            context.console.print(each.requirement)
    return 0
