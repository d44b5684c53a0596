"""What a lock says of cutoffs, excludes and limits of builds: byte for byte as uv has it."""

import sys
import tomllib
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.compilations import compiling
from support.programs import program
from support.programs import run as run_program

PROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["a"]

[tool.uv]
exclude-dependencies = ["b"]
build-constraint-dependencies = ["setuptools<70"]
{cutoff}
prerelease = "disallow"
prerelease-package = {{ h = "allow", c = "if-necessary-or-explicit" }}
exclude-newer-package = {{ e = "2025-02-01", f = false, g = "7 days" }}

[[tool.uv.index]]
name = "main"
url = "{{main}}"
default = true
"""


@pytest.mark.parametrize("cutoff", ['exclude-newer = "7 days"', 'exclude-newer = "2025-01-01T12:00:00+02:00"', ""])
def test_the_same_lock(cutoff: str, sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    late = {"uploaded": "2999-01-01T00:00:00Z", "tags": ["cp312-cp312-win_amd64"]}  # to a version that was there
    packages = {"a 1.0": {"requires": ["b", "c"]}, "c 1": {}, "C 1": late, "c 2rc1": {}}
    with compiling({"files": {"pyproject.toml": PROJECT.format(cutoff=cutoff)}, "index": {"main": packages}}) as place:
        place.write_to(sandbox.work)
        sandbox.cove("lock").ok()
        lock = sandbox.work / "uv.lock"
        ours = lock.read_text()
        lock.unlink()
        done = run_program([program("uv"), "lock"], environ, sandbox.work)
        assert (done.returncode, lock.read_text()) == (0, ours), done.stderr
        assert sandbox.cove("lock", "--check").ok().requests == ()
        assert [path for path in (request.path for request in place.server.log) if "/b/" in path] == []


GROUPS = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["other{limit}"]

[dependency-groups]
dev = ["web{limit}", "leaf{limit}"]
more = [{{ include-group = "dev" }}, "other{limit}"]

[[tool.uv.index]]
name = "main"
url = "{{main}}"
default = true
"""


@pytest.mark.parametrize("group, newer", [("dev", {"web", "leaf"}), ("more", {"web", "leaf", "other"}), ("nope", None)])
def test_what_groups_require_is_upgraded(group: str, newer: set[str] | None, sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    packages: dict[str, dict[str, object]] = {
        f"{name} {version}": {} for name in ("leaf", "other", "below") for version in (1, 2)
    }
    packages |= {f"web {version}": {"requires": ["below"]} for version in (1, 2)}
    pyproject, lock = sandbox.work / "pyproject.toml", sandbox.work / "uv.lock"
    with compiling({"files": {"pyproject.toml": GROUPS.format(limit="<2")}, "index": {"main": packages}}) as place:
        place.write_to(sandbox.work)
        sandbox.cove("lock").ok()
        pyproject.write_text(pyproject.read_text().replace("<2", ""))
        sandbox.cove("lock").ok()
        before = lock.read_text()
        ran = sandbox.cove("lock", "--upgrade-group", group)
        ours = lock.read_text()
        lock.write_text(before)
        done = run_program([program("uv"), "lock", "--upgrade-group", group], environ, sandbox.work)
    assert (done.returncode, lock.read_text()) == (2 if newer is None else 0, ours), done.stderr
    if newer is None:
        assert (ran.status, f"no group `{group}`" in ran.stderr) == (2, True), ran.stderr
        return
    ran.ok()
    versions = {each["name"]: each["version"] for each in tomllib.loads(ours)["package"]}
    assert {name for name in ("web", "leaf", "other") if versions[name] == "2"} == newer
