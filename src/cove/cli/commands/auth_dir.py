"""``cove auth dir``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.config.folders import credentials_file

HELP = "Print the folder of the file in which `cove auth login` and `uv auth login` keep credentials."
GROUPS = ()


def arguments(parser: ArgumentParser) -> None:
    """None of its own."""


def run(context: Context) -> int:
    """Print it."""
    context.console.print(str(credentials_file(context.settings, context.environ).parent))
    return 0
