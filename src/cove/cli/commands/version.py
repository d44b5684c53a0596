"""``cove version``."""

from argparse import ArgumentParser

from cove import __version__
from cove.cli.context import Context

HELP = "Print the version of cove."
GROUPS = ("output",)


def arguments(parser: ArgumentParser) -> None:
    """``--short``."""
    parser.add_argument("--short", action="store_true", help="Print the number alone")


def run(context: Context) -> int:
    """Print it."""
    if context.settings.output_format == "json":
        context.console.json({"package_name": "cove", "version": __version__})
    else:
        context.console.print(__version__ if context.arguments.short else f"cove {__version__}")
    return 0
