"""What a command is given, and what it must offer."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cove.cli.render import Console
from cove.config.settings import Settings
from cove.model.dataclasses import dataclass
from cove.model.event import Listener


@dataclass(frozen=True, slots=True)
class Context:
    """All that a command may use.

    ``arguments`` holds what the command's own ``arguments()`` declared; everything that is a setting is in ``settings``.
    ``cwd`` is absolute, with ``--directory`` already applied. ``environ`` is handed on to those that start programs or look up
    credentials; commands read no variables from it.
    """

    settings: Settings
    arguments: Namespace
    console: Console
    listener: Listener
    cwd: Path
    environ: Mapping[str, str]


class Command(Protocol):
    """What each module in ``cli/commands`` offers (the module itself is the object)."""

    HELP: str
    """One or more sentences for the command's own help page."""
    GROUPS: tuple[str, ...]
    """The groups of settings whose flags it takes, besides ``global``: see ``cove.config.settings.GROUPS``."""

    def arguments(self, parser: ArgumentParser) -> None:
        """Declare positional arguments and options that are not settings."""
        ...

    def run(self, context: Context) -> int:
        """Do the work: one operation, one result on ``console``. Returns the exit status; failures are raised."""
        ...
