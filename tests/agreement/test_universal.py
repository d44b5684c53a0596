"""Locks for all environments as uv writes them, on small indexes made at random."""

import sys
from pathlib import Path

import pytest

from cove.formats import uv_lock
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program
from support.scenarios import at_random, served

SEEDS = (1, 2, 6, 8, 10, 11, 12, 13, 19, 21, 22, 26, 28, 29, 31, 32, 33, 34, 37, 38, 39)
"""Those whose requirements can be met."""
OTHERWISE = {23: "two edges to one package, one of them for an extra that it does not have, in another order"}


@pytest.mark.parametrize("seed", [*SEEDS, *OTHERWISE])
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
        assert (written[0] == written[1]) is (seed not in OTHERWISE)
        chosen = [{(each.name, each.version) for each in uv_lock.parse(text, "uv.lock").packages} for text in written]
        assert chosen[0] == chosen[1]
        accepted = run_program([program("uv"), "lock", "--check"], environ, ours)
        assert accepted.returncode == 0, accepted.stderr
        assert sandbox.cove("lock", "--check", cwd=theirs).ok().requests == ()
