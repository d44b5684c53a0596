"""A place for each scenario."""

from pathlib import Path

import pytest

from support.commandline import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A place of its own for one test."""
    return Sandbox(tmp_path)
