"""Locks for all environments as uv writes them, on small indexes made at random."""

import sys
from pathlib import Path

import pytest

from cove.formats import uv_lock
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program
from support.scenarios import at_random, served

SAME = (1, 2, 8, 10, 12, 13, 21, 22, 26, 28, 29, 31, 32, 33, 34, 37, 38)
PHRASED_OTHERWISE = (6, 11, 19, 23, 39)
"""The same versions; a marker of many parts, or their order, is written in another way."""


@pytest.mark.parametrize("seed", [*SAME, *PHRASED_OTHERWISE])
def test_the_same_lock(seed: int, sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    with served(at_random(seed), tmp_path) as place:
        theirs = sandbox.project(place.toml, "theirs")
        done = run_program([program("uv"), "lock"], environ, theirs)
        ours = sandbox.project(place.toml, "ours")
        ran = sandbox.cove("lock", cwd=ours)
        assert (ran.ok().status, done.returncode) == (0, 0), done.stderr
        written = [(folder / "uv.lock").read_text() for folder in (ours, theirs)]
        if seed in SAME:
            assert written[0] == written[1]
        chosen = [{(each.name, each.version) for each in uv_lock.parse(text, "uv.lock").packages} for text in written]
        assert chosen[0] == chosen[1]
        accepted = run_program([program("uv"), "lock", "--check"], environ, ours)
        assert accepted.returncode == 0, accepted.stderr
        assert sandbox.cove("lock", "--check", cwd=theirs).ok().requests == ()
