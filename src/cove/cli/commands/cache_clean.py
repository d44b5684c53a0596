"""``cove cache clean``."""

import shutil
from argparse import ArgumentParser
from pathlib import Path

from cove.cli.context import Context
from cove.config.folders import cache_folder
from cove.errors import EnvironmentRefused

HELP = "Remove everything from the cache."
GROUPS: tuple[str, ...] = ()


def arguments(parser: ArgumentParser) -> None:
    """None of its own."""


def run(context: Context) -> int:
    """Remove the folder and say what went."""
    folder = cache_folder(context.settings, context.environ)
    if not folder.exists():
        context.console.say(f"No cache found at: {folder}")
        return 0
    if folder.is_symlink():
        raise EnvironmentRefused(
            f"the cache `{folder}` is a symbolic link", hints=("remove what it points to by hand",)
        )
    files, size = _measure(folder)
    shutil.rmtree(folder)
    context.console.say(f"Removed {files} files ({size / 1_000_000:.1f} MB) from {folder}")
    return 0


def _measure(folder: Path) -> tuple[int, int]:
    sizes = [path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    return len(sizes), sum(sizes)
