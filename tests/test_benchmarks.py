"""The benchmark of `benchmarks/network.py` runs, and its indexes behave as their profiles say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

NETWORK = Path(__file__).parent.parent / "benchmarks" / "network.py"
RTT = 5


@pytest.mark.parametrize(
    "cell,kinds",
    [
        ("split", {"page": 20, "range": 10, "metadata": 5}),  # ten internal projects, five public, asked for at both
        ("netrc", {"page": 5, "range": 5}),
        ("install-norange", {"page": 5, "file": 5}),
    ],
)
def test_measures_what_its_cells_say(tmp_path: Path, cell: str, kinds: dict[str, int]) -> None:
    command = [
        sys.executable,
        str(NETWORK),
        "--cells",
        f"{cell}:tiny",
        "--rtt",
        str(RTT),
        "--repeats",
        "1",
        "--without-uv",
    ]
    done = subprocess.run([*command, "--output", "json"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["tool"], run["kinds"], run["refused"], run["twice"]) == ("cove", kinds, 0, 0)
    assert run["wall"] > 6 * RTT / 1000  # two round trips for a connection with TLS, two for each of two layers
    assert run["cpu"] > 0
    assert run["memory"] > 0


def test_unknown_cells_are_refused() -> None:
    done = subprocess.run([sys.executable, NETWORK, "--cells", "fastest"], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "cells are private-html" in done.stderr
