"""What is locked for all environments, scenario by scenario: each file holds an index, a project, and the lock.

The locks are those that uv writes, where nothing else is said; ``requests`` is the most that a cold lock may take.
"""

import tomllib
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.scenarios import Scenario, served

FILES = sorted((Path(__file__).parent / "universal").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_lock(path: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    told = tomllib.loads(path.read_text())
    with served(Scenario(told["project"], told["index"]), tmp_path) as place:
        project = sandbox.project(place.toml)
        ran = sandbox.cove("lock")
        if "error" in told:
            assert (ran.status, told["error"] in ran.stderr) == (1, True), ran.stderr
            return
        ran.ok()
        assert place.stable((project / "uv.lock").read_text()) == told["lock"]
        assert len(ran.requests) <= told["requests"]
        written = (project / "uv.lock").read_bytes()
        assert sandbox.cove("lock", "--check").ok().requests == ()
        sandbox.cove("lock", "--upgrade").ok()
        assert (project / "uv.lock").read_bytes() == written


def test_there_are_enough() -> None:
    assert len(FILES) >= 40
