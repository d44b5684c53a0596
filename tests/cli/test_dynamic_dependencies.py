"""Projects that leave to their build what they require: locked as uv locks them, and built only when they have changed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.local_projects import BUILD, write_project
from support.programs import program
from support.programs import run as run_program

BACKEND = """
import os
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    info = os.path.join(folder, "app-1.0.dist-info")
    os.mkdir(info)
    Path(info, "METADATA").write_text("Metadata-Version: 2.1\\nName: app\\nVersion: 1.0\\n" + Path("REQUIRES").read_text())
    with open("builds.txt", "a") as log:
        log.write("built\\n")
    return "app-1.0.dist-info"

def build_wheel(folder, settings=None, metadata=None):
    raise NotImplementedError

prepare_metadata_for_build_editable, build_editable = prepare_metadata_for_build_wheel, build_wheel
"""
REQUIRES = """\
Requires-Dist: leaf>=1
Requires-Dist: winonly; sys_platform == "win32"
Requires-Dist: old; python_version < "3.11"
Provides-Extra: x
Requires-Dist: more; extra == "x"
Requires-Dist: winonly; (python_version >= "3.12" and sys_platform == "win32") and extra == "x"
Provides-Extra: y
Requires-Dist: app[x]; extra == "y"
"""
TOML = f"""\
[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dynamic = ["dependencies", "optional-dependencies"]

{BUILD}

[[tool.uv.index]]
url = "%s"
default = true
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RunningIndex(tmp_path_factory.mktemp("index")) as index:
        for name in ("leaf", "winonly", "more"):
            PackageFactory().wheel(name, "1.0").write_to(index.store.root / name)
        yield index.simple_url.public


@pytest.fixture
def project(sandbox: Sandbox, address: str) -> Path:
    folder = sandbox.using({"UV_PYTHON": sys.executable}).project(TOML % address)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "REQUIRES").write_text(REQUIRES)
    return folder


def _uv_lock(sandbox: Sandbox, project: Path, *options: str) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(sandbox.root / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    done = run_program([program("uv"), "lock", *options], environ, project)
    assert done.returncode == 0, done.stderr


def _locked_as_uv_locks(sandbox: Sandbox, project: Path) -> str:
    sandbox.cove("lock").ok()
    ours = (project / "uv.lock").read_text()
    _uv_lock(sandbox, project, "--check")
    (project / "uv.lock").unlink()
    _uv_lock(sandbox, project)
    assert (project / "uv.lock").read_text() == ours
    return ours


def test_what_the_build_says_is_locked_as_uv_locks_it(sandbox: Sandbox, project: Path) -> None:
    ours = _locked_as_uv_locks(sandbox, project)
    assert "{ name = \"winonly\", marker = \"python_full_version >= '3.12' and sys_platform == 'win32'\" }" in ours


def test_it_is_built_when_its_files_changed(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("lock").ok()
    assert sandbox.cove("lock", "--check").ok().requests == ()
    assert (project / "builds.txt").read_text() == "built\n"
    (project / "REQUIRES").write_text(REQUIRES.replace("leaf>=1", "leaf>=0.5"))
    (project / "pyproject.toml").write_text((project / "pyproject.toml").read_text() + "\n")
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, "`leaf>=1` is now `leaf>=0.5`" in ran.stderr) == (1, True), ran.stderr


def test_it_may_leave_only_its_extras_open(sandbox: Sandbox, project: Path) -> None:
    toml = project / "pyproject.toml"
    toml.write_text(
        toml.read_text().replace('["dependencies", "optional', 'dependencies = ["more"]\ndynamic = ["optional')
    )
    text = toml.read_text().replace("dynamic = dependencies", "dependencies")
    toml.write_text(text)
    sandbox.cove("lock").ok()
    table = (project / "uv.lock").read_text()
    assert 'dependencies = [\n    { name = "more" },\n]' in table
    assert "[package.optional-dependencies]" in table


OWN_EXTRAS = """\
dynamic = ["version"]
dependencies = ["leaf"]

[project.optional-dependencies]
x = ["more", "leaf>=0.5; sys_platform == 'win32'"]
y = ["app[x]"]

[dependency-groups]
dev = ["app[y]", "winonly"]
"""


@pytest.mark.parametrize("is_required", [False, True], ids=["the project itself", "a project in a folder"])
def test_extras_may_be_asked_for_where_only_the_version_is_left_open(
    sandbox: Sandbox, address: str, is_required: bool
) -> None:
    sandbox = sandbox.using({"UV_PYTHON": sys.executable, "UV_DEFAULT_INDEX": address})
    folder = write_project(sandbox.root / "app" if is_required else sandbox.work, "app", "", more=OWN_EXTRAS)
    (folder / "DYNAMIC").write_text("version=1.0\n")
    if is_required:
        more = '[tool.uv.sources]\napp = { path = "../app" }\n'
        write_project(sandbox.work, "other", "1.0", "app[y]", more=more, builds=False)
    assert 'name = "more"' in _locked_as_uv_locks(sandbox, sandbox.work)


def test_extras_of_its_own_in_what_the_build_of_a_project_in_a_folder_says(
    sandbox: Sandbox, project: Path, address: str
) -> None:
    project.rename(sandbox.root / "app")
    more = '[tool.uv.sources]\napp = { path = "../app" }\n'
    write_project(sandbox.work, "other", "1.0", "app[y]", more=more, builds=False)
    sandbox = sandbox.using({"UV_PYTHON": sys.executable, "UV_DEFAULT_INDEX": address})
    assert 'name = "more"' in _locked_as_uv_locks(sandbox, sandbox.work)


FLATTENED = """\
        { name = "more", marker = "extra == 'y'" },
        { name = "leaf", marker = "sys_platform == 'win32' and extra == 'y'", specifier = ">=0.5" },
"""


def test_a_lock_may_have_what_extras_require_in_the_place_of_the_extras(sandbox: Sandbox, address: str) -> None:
    sandbox = sandbox.using({"UV_PYTHON": sys.executable, "UV_DEFAULT_INDEX": address})
    (write_project(sandbox.work, "app", "", more=OWN_EXTRAS) / "DYNAMIC").write_text("version=1.0\n")
    sandbox.cove("lock").ok()
    lock = sandbox.work / "uv.lock"
    said = """    { name = "app", extras = ["x"], marker = "extra == 'y'" },\n"""
    assert said in lock.read_text()
    lock.write_text(lock.read_text().replace(said, FLATTENED))
    _uv_lock(sandbox, sandbox.work, "--check")
    sandbox.cove("lock", "--check").ok()
    lock.write_text(lock.read_text().replace(FLATTENED, FLATTENED.replace("0.5", "0.6")))
    assert sandbox.cove("lock", "--check").status == 1
