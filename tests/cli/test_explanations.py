"""What people read when there is no answer, through the real command line."""

import json
from pathlib import Path

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.compilations import compiling

MAKE = PackageFactory()
DYNAMIC = """
[project]
name = "n"
dynamic = ["version", "dependencies"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
NOTICED = 'open({place!r}, "w").close()\nraise RuntimeError("built")\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_nothing_is_built_to_tell_what_is_clear_without(sandbox: Sandbox) -> None:
    """The newest of what is required is looked at ahead of time; but not if it would have to be built for that."""
    place, index = sandbox.root / "built", sandbox.root / "index"
    MAKE.wheel("p", "2.0", requires=["n>=2"]).write_to(index)
    old = "Metadata-Version: 2.1\nName: n\nVersion: 1.0\n"
    files = {"backend.py": NOTICED.format(place=str(place)), "pyproject.toml": DYNAMIC}
    MAKE.sdist("n", "1.0", metadata=old, files=files).write_to(index)
    MAKE.wheel("n", "2.0").write_to(index)
    options = ("--no-index", "--find-links", str(index))
    (sandbox.work / "requirements.in").write_text("p\nn<2\n")
    ran = sandbox.cove("pip", "compile", "requirements.in", *options)
    assert ran.stderr.startswith("error: Because p 2.0 depends on n>=2 and you require n<2")
    assert not place.exists()
    (sandbox.work / "requirements.in").write_text("n<2\n")
    assert "built" in sandbox.cove("pip", "compile", "requirements.in", *options).stderr
    assert place.exists()


TWO_PARTS = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["a"]
[project.optional-dependencies]
old = ["b<2"]
[dependency-groups]
new = ["b>=2"]
{tool}
"""


@pytest.fixture
def libraries(sandbox: Sandbox) -> Sandbox:
    """An index with ``a`` and two versions of ``b``."""
    index = sandbox.root / "index"
    for name, version in (("a", "1.0"), ("b", "1.0"), ("b", "2.0")):
        MAKE.wheel(name, version).write_to(index)
    (sandbox.root / "empty").mkdir()
    return sandbox.using({"UV_DEFAULT_INDEX": (sandbox.root / "empty").as_uri(), "UV_FIND_LINKS": str(index)})


def test_extras_and_groups_that_exclude_each_other_are_named(libraries: Sandbox) -> None:
    libraries.project(TWO_PARTS.format(tool=""))
    said = libraries.cove("lock").stderr
    assert "`app` depends on b>=2 (group new) and b<2 (extra old), the requirements of `app` cannot be met" in said
    assert "hint: extra old and group new may exclude each other: `conflicts` in [tool.uv] says so" in said
    conflicts = '[tool.uv]\nconflicts = [[{ extra = "old" }, { group = "new" }]]'
    libraries.project(TWO_PARTS.format(tool=conflicts))
    libraries.cove("lock").ok()


def test_settings_of_a_project_are_named_as_the_cause(libraries: Sandbox) -> None:
    limits = '[tool.uv]\nconstraint-dependencies = ["a>=3"]\noverride-dependencies = ["b==3"]'
    libraries.project(TWO_PARTS.format(tool=limits))
    said = libraries.cove("lock").stderr
    assert "`constraint-dependencies` allows only a>=3, of which " in said or "b==3 (`override-dependencies`)" in said
    libraries.project(TWO_PARTS.format(tool=limits.replace("a>=3", "a>=1")))
    assert "depends on b==3 (`override-dependencies`)" in libraries.cove("lock").stderr


def test_members_of_a_workspace_are_told_apart(libraries: Sandbox) -> None:
    head = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{wants}"]\n'
    libraries.project(head.format(name="app", wants="b<2") + '[tool.uv.workspace]\nmembers = ["part"]\n')
    libraries.project(head.format(name="part", wants="b>=2"), "part")
    said = libraries.cove("lock").stderr
    assert "the workspace depends on b>=2 (part) and b<2 (app), " in said or "b<2 (app) and b>=2 (part), " in said


def test_who_wants_what_an_index_refuses(sandbox: Sandbox) -> None:
    told = {
        "requires": ["b"],
        "options": {"main": {"status": {"a": 401}}},
        "index": {"main": {"b 1": {"requires": ["a"]}}},
    }
    with compiling(told) as place:
        place.write_to(sandbox.work)
        said = sandbox.cove(*place.argv()).stderr
    assert said.startswith("error: main wants credentials for `a` (401 Unauthorized)")
    assert "  cause: b 1 depends on a\n" in said


def test_programs_read_the_same(libraries: Sandbox) -> None:
    libraries.project(TWO_PARTS.format(tool=""))
    ran = libraries.cove("lock", "--output-format", "json")
    error = json.loads(ran.stdout)["error"]
    assert (ran.status, error["code"]) == (1, "no-solution")
    assert error["message"].startswith("Because `app` depends on b>=2 (group new)")
    assert error["packages"] == ["b"]
    assert len(error["hints"]) == 1
    libraries.project('[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["c"]\n')
    error = json.loads(libraries.cove("lock", "--output-format", "json").stdout)["error"]
    assert (error["code"], error["packages"]) == ("project-not-found", ["c"])
    assert error["indexes"] == []
