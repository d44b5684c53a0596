"""``cove cache dir``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.config.folders import cache_folder

HELP = "Print the folder of the cache."
GROUPS: tuple[str, ...] = ()


def arguments(parser: ArgumentParser) -> None:
    """None of its own."""


def run(context: Context) -> int:
    """Print it."""
    context.console.print(str(cache_folder(context.settings, context.environ)))
    return 0
