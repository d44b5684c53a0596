"""``cove pip uninstall``."""

from argparse import ArgumentParser

from cove.cli import pip_options
from cove.cli.context import Context
from cove.errors import UsageError
from cove.operations.environment.install import uninstall
from cove.wiring import Session

HELP = """Remove packages from an environment."""
GROUPS = ("pip", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """What to remove."""
    parser.add_argument("requirements", nargs="*", metavar="PACKAGE", help="The name of a package")
    parser.add_argument(
        "-r", "--requirements", "--requirement", action="append", default=[], dest="files", metavar="FILE",
        help="A requirements file",
    )  # fmt: skip
    parser.add_argument("-y", "--yes", action="store_true", help="For those used to pip; nothing is asked anyway")
    parser.add_argument("--dry-run", action="store_true", help="Say what would go; change nothing")


def run(context: Context) -> int:
    """Remove, and say what went."""
    arguments_ = context.arguments
    wanted = pip_options.inputs(arguments_)
    if not (wanted.arguments or wanted.files):
        raise UsageError("there is nothing to uninstall", hints=("name a package, or a file of them with `-r`",))
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        done = uninstall(session, wanted, dry_run=arguments_.dry_run)
    pip_options.report(context, done)
    return 0
