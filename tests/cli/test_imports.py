"""What is imported for what: the start-up time of a Python program is the sum of its imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox

SCRIPT = """
import json, sys
from cove.cli.main import main
status = main(sys.argv[1:])
print("\\n" + json.dumps([status, sorted(sys.modules)]))
"""

NETWORK = {"pyreqwest", "ssl", "asyncio", "socket", "http.client", "urllib.request", "concurrent.futures"}
HEAVY = {"rich", "tomlkit", "msgspec", "zipfile", "cove.resolve", "cove.http", "cove.index", "cove.auth"}


def modules(sandbox: Sandbox, *argv: str) -> set[str]:
    """The modules that a process has imported at the end of ``cove *argv``."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *argv],
        env=sandbox.environ,
        cwd=sandbox.work,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    status, names = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return set(names)


@pytest.mark.parametrize("argv", [("--version",), ("-V",)])
def test_the_version_needs_next_to_nothing(sandbox: Sandbox, argv: tuple[str, ...]) -> None:
    imported = modules(sandbox, *argv)
    assert {name for name in imported if name.split(".")[0] == "cove"} == {"cove", "cove.cli", "cove.cli.main"}


@pytest.mark.parametrize(
    "argv", [("sync",), ("sync", "--locked"), ("sync", "--frozen"), ("lock",), ("lock", "--check")]
)
def test_a_no_op_imports_no_network_and_nothing_that_resolves_or_edits(
    sandbox: Sandbox, tmp_path: Path, wheel_factory: PackageFactory, argv: tuple[str, ...]
) -> None:
    with RunningIndex(tmp_path / "index") as index:
        wheel_factory.wheel("leaf", "1.0").write_to(index.store.root / "leaf")
        sandbox.project(
            '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["leaf"]\n'
            f'[[tool.uv.index]]\nname = "corp"\nurl = "{index.simple_url.public}"\ndefault = true\n'
        )
        sandbox.cove("sync").ok()
    imported = modules(sandbox, *argv)
    assert sorted(imported & (NETWORK | HEAVY)) == []
