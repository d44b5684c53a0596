"""Groups that say which Pythons they are for."""

import sys
from pathlib import Path

import pytest

from support.commandline import Sandbox

TOML = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"

[dependency-groups]
dev = []
new = []

[tool.uv.dependency-groups]
new = { requires-python = ">=3.99" }
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    places = {"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri(), "UV_PYTHON": sys.executable}
    return Sandbox(tmp_path).using(places)


def test_a_group_is_not_installed_for_a_python_that_it_is_not_for(sandbox: Sandbox) -> None:
    sandbox.project(TOML)
    sandbox.cove("sync").ok()
    ran = sandbox.cove("sync", "--group", "new")
    assert (ran.status, "the group `new` of `app` requires Python >=3.99" in ran.stderr) == (1, True), ran.stderr
    sandbox.cove("sync", "--all-groups", "--no-group", "new").ok()
