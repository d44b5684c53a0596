"""``tool.uv.cache-keys``: when a local project is built and installed anew."""

import os
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import commit, git, write_project
from support.programs import clean_environment, program, run

KEYS = """
[tool.uv]
cache-keys = [
    "pyproject.toml", { file = "data/**/*.txt" }, { dir = "src" }, { env = "FLAVOUR" }, { git = { commit = true, tags = true } }
]
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    return Sandbox(tmp_path).using({"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri()})


def _app(sandbox: Sandbox, *, in_place: bool = False, keys: str = KEYS, version: str = "1.0") -> Path:
    more = "" if version else 'dynamic = ["version"]\n'
    lib = write_project(sandbox.root / "lib", "lib", version, more=more + keys)
    (lib / ".gitignore").write_text("__pycache__\n")
    commit(lib)
    mark = ", editable = true" if in_place else ""
    write_project(
        sandbox.work, "app", "0", "lib", more=f'[tool.uv.sources]\nlib = {{ path = "../lib"{mark} }}\n', builds=False
    )
    return lib


def _sync(sandbox: Sandbox, **variables: str) -> int:
    """How often something was built."""
    log = sandbox.root / "builds.txt"
    log.unlink(missing_ok=True)
    told = sandbox.cove("sync", environ=variables).ok().stderr
    built = len(log.read_text().splitlines()) if log.exists() else 0
    assert ("lib==" in told) == bool(built), told
    return built


@pytest.mark.parametrize("in_place", [False, True], ids=["copied", "in place"])
def test_what_the_keys_name_builds_it_anew(sandbox: Sandbox, in_place: bool) -> None:
    lib = _app(sandbox, in_place=in_place)
    assert (_sync(sandbox), _sync(sandbox)) == (1, 0)
    (lib / "lib.py").write_text("# its modules are no key\n")
    assert _sync(sandbox) == 0
    (lib / "data" / "deep").mkdir(parents=True)
    assert _sync(sandbox) == 0
    (lib / "data" / "deep" / "a.txt").write_text("")
    assert (_sync(sandbox), _sync(sandbox)) == (1, 0)
    (lib / "src").mkdir()
    assert (_sync(sandbox), _sync(sandbox)) == (1, 0)
    assert (_sync(sandbox, FLAVOUR="mild"), _sync(sandbox, FLAVOUR="mild"), _sync(sandbox, FLAVOUR="hot")) == (1, 0, 1)
    commit(lib)
    assert (_sync(sandbox, FLAVOUR="hot"), _sync(sandbox, FLAVOUR="hot")) == (1, 0)
    git(lib, "tag", "v1")
    assert (_sync(sandbox, FLAVOUR="hot"), _sync(sandbox, FLAVOUR="hot")) == (1, 0)


def test_without_keys_a_copy_is_built_at_every_sync(sandbox: Sandbox) -> None:
    _app(sandbox, keys="")
    assert (_sync(sandbox), _sync(sandbox)) == (1, 1)


@pytest.mark.parametrize("change", ["setup.py", "setup.cfg", "pyproject.toml", "src"])
def test_without_keys_the_usual_ones_hold_for_what_is_in_place(sandbox: Sandbox, change: str) -> None:
    lib = _app(sandbox, in_place=True, keys="")
    assert (_sync(sandbox), _sync(sandbox)) == (1, 0)
    if change == "src":
        (lib / "src").mkdir()
    else:
        with (lib / change).open("a") as file:
            file.write("# more\n")
    assert (_sync(sandbox), _sync(sandbox)) == (1, 0)


def test_a_wheel_is_built_once_for_a_state(sandbox: Sandbox) -> None:
    _app(sandbox)
    assert _sync(sandbox) == 1
    told = sandbox.cove("sync", UV_PROJECT_ENVIRONMENT="other").ok()
    assert "Built" not in told.stderr
    assert _sync(sandbox) == 0
    sandbox.cove("sync", "--reinstall").ok()
    assert "lib wheel" in (sandbox.root / "builds.txt").read_text()


@pytest.mark.parametrize("in_place", [False, True], ids=["copied", "in place"])
def test_metadata_is_that_of_the_state(sandbox: Sandbox, in_place: bool) -> None:
    lib = _app(sandbox, in_place=in_place, version="")
    (lib / "DYNAMIC").write_text("version=1.0\n")
    sandbox.cove("sync").ok()
    (lib / "DYNAMIC").write_text("version=2.0\n")
    assert "Audited" in sandbox.cove("sync").ok().stderr
    commit(lib)
    assert "lib==2.0" in sandbox.cove("sync").ok().stderr
    assert "Audited" in sandbox.cove("sync").ok().stderr


def test_what_a_backend_reads_makes_the_lock_stale_by_its_key(sandbox: Sandbox) -> None:
    lib = _app(sandbox, keys='\n[tool.uv]\ncache-keys = [{ file = "DYNAMIC" }]\n', version="")
    (lib / "DYNAMIC").write_text("version=1.0\n")
    sandbox.cove("lock").ok()
    (lib / "DYNAMIC").write_text("version=1.0\nrequires=more\n")
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, "a dependency was added: `more`" in ran.stderr) == (1, True), ran.stderr


def test_cove_and_uv_know_what_the_other_has_installed(sandbox: Sandbox) -> None:
    _app(sandbox, keys='\n[tool.uv]\ncache-keys = [{ file = "data.txt" }, { git = true }, { env = "FLAVOUR" }]\n')
    (sandbox.root / "lib" / "data.txt").write_text("")
    index = {"UV_DEFAULT_INDEX": (sandbox.root / "index").as_uri(), "FLAVOUR": "mild"}
    environment = clean_environment(sandbox.home, **index)
    path = os.pathsep.join((sandbox.environ["PATH"], environment["PATH"]))

    def uv() -> str:
        done = run([program("uv"), "sync", "--locked"], {**environment, "PATH": path}, sandbox.work)
        assert done.returncode == 0, done.stderr
        return done.stderr

    sandbox.cove("sync", FLAVOUR="mild").ok()
    assert "lib" not in uv()
    assert "lib" in sandbox.cove("sync", FLAVOUR="hot").ok().stderr
    assert "lib" in uv()
    assert "lib" not in sandbox.cove("sync", FLAVOUR="mild").ok().stderr
