"""``python -m cove``."""

from cove.cli.main import program

program()
