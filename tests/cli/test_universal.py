"""What a lock of several parts installs here, and what universal compilations write."""

import sys
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program
from support.scenarios import Package, Place, Scenario, served

CONFLICT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["c", "n; python_version >= '3.11'"]

[project.optional-dependencies]
x = ["a<2"]
y = ["a>=2"]

[tool.uv]
conflicts = [[{ extra = "x" }, { extra = "y" }]]
"""
PACKAGES: dict[str, Package] = {
    "a 1.0": {"requires": ["b==1"]},
    "a 2.0": {"requires": ["b==2"]},
    "b 1": {},
    "b 2": {},
    "c 1": {"requires": ["b"]},
    "n 1": {"python": ">=3.10"},
    "n 2": {"python": ">=3.11"},
    "n 3": {"python": ">=3.13"},
}


def installed(project: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in project.glob(".venv/lib/*/site-packages/*.dist-info")}


def uv(sandbox: Sandbox, place: Place, *argv: str) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(sandbox.root / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
    done = run_program([program("uv"), *argv], {**environ, "UV_PYTHON": sys.executable}, sandbox.work)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("by", ["cove", "uv"])
def test_extras_that_exclude_each_other_are_installed_apart(by: str, sandbox: Sandbox, tmp_path: Path) -> None:
    with served(Scenario(CONFLICT, {"main": PACKAGES}), tmp_path) as place:
        project = sandbox.project(place.toml)
        if by == "cove":
            sandbox.cove("lock").ok()
            uv(sandbox, place, "lock", "--check")
        else:
            uv(sandbox, place, "lock")
        for extras, expected in (
            ((), {"b-2", "c-1"}),
            (("--extra", "x"), {"a-1.0", "b-1", "c-1"}),
            (("--extra", "y"), {"a-2.0", "b-2", "c-1"}),
        ):
            sandbox.cove("sync", "--locked", *extras).ok()
            found = installed(project)
            assert {each for each in found if not each.startswith("n-")} == expected, extras
            assert len([each for each in found if each.startswith("n-")]) == 1
        both = sandbox.cove("sync", "--locked", "--extra", "x", "--extra", "y")
        assert both.status != 0
        assert "exclude each other" in both.stderr


def test_a_change_of_environments_or_conflicts_makes_the_lock_stale(sandbox: Sandbox, tmp_path: Path) -> None:
    with served(Scenario(CONFLICT, {"main": PACKAGES}), tmp_path) as place:
        project = sandbox.project(place.toml)
        sandbox.cove("lock").ok()
        toml = project / "pyproject.toml"
        written = toml.read_text()
        for change, reason in (
            (("[tool.uv]\n", "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"), "`environments` changed"),
            (("[tool.uv]\n", "[tool.uv]\nrequired-environments = [\"os_name == 'nt'\"]\n"), "`required-environments`"),
            (("[tool.uv]\n", '[tool.uv]\nfork-strategy = "fewest"\n'), "`fork-strategy` changed"),
            (('conflicts = [[{ extra = "x" }, { extra = "y" }]]', ""), "`conflicts` changed"),
        ):
            toml.write_text(written.replace(*change))
            ran = sandbox.cove("lock", "--check")
            assert (ran.status, reason in ran.stderr) == (1, True), ran.stderr
        assert "a>=2 (extra y) and a<2 (extra x)" in sandbox.cove("lock").stderr


def test_a_universal_file_has_a_line_for_each_version(sandbox: Sandbox, tmp_path: Path) -> None:
    (sandbox.work / "in.txt").write_text("n\na>=2; sys_platform == 'win32'\na<2; sys_platform != 'win32'\n")
    with served(Scenario("", {"main": PACKAGES}), tmp_path) as place:
        index = ("--default-index", place.addresses["main"], "--universal", "--python-version", "3.11", "--no-header")
        ran = sandbox.cove("pip", "compile", "in.txt", *index, "--no-annotate").ok()
        assert ran.stdout.splitlines() == [
            "a==1.0 ; sys_platform != 'win32'",
            "a==2.0 ; sys_platform == 'win32'",
            "b==1 ; sys_platform != 'win32'",
            "b==2 ; sys_platform == 'win32'",
            "n==2 ; python_full_version < '3.13'",
            "n==3 ; python_full_version >= '3.13'",
        ]
        fewest = sandbox.cove("pip", "compile", "in.txt", *index, "--no-annotate", "--fork-strategy", "fewest").ok()
        assert "n==2\n" in fewest.stdout


def test_markers_beyond_measure_are_kept_as_they_were_found(sandbox: Sandbox, tmp_path: Path) -> None:
    wild = " or ".join(
        f"(platform_version == 'v{n}' and platform_release == 'r{n}' and platform_machine != 'm{n}')" for n in range(40)
    )
    packages: dict[str, Package] = {
        "a 1.0": {"requires": [f"b; {wild}"], "extras": {"x": [f"c; {wild}"]}},
        "b 1.0": {},
        "b 2.0": {"python": ">=3.12"},
        "c 1.0": {},
    }
    project_toml = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["a[x]"]\n'
    with served(Scenario(project_toml, {"main": packages}), tmp_path) as place:
        project = sandbox.project(place.toml)
        sandbox.cove("lock").ok()
        sandbox.cove("lock", "--check").ok()
        sandbox.cove("sync", "--frozen").ok()
        uv(sandbox, place, "lock", "--check")
    assert installed(project) == {"a-1.0"}


def test_several_versions_that_stay_are_no_update(sandbox: Sandbox, tmp_path: Path) -> None:
    toml = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.10"
dependencies = ["n>=3; python_version >= '3.13'", "n<2; python_version < '3.13'"]
"""
    with served(Scenario(toml, {"main": PACKAGES}), tmp_path) as place:
        project = sandbox.project(place.toml)
        sandbox.cove("lock").ok()
        written = project / "pyproject.toml"
        written.write_text(written.read_text().replace("dependencies = [", 'dependencies = ["c", '))
        stderr = sandbox.cove("lock").ok().stderr
        assert "Added c v1" in stderr
        assert "Updated" not in stderr
