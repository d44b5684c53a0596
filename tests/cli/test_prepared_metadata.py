"""What a backend says before it builds (PEP 517's prepare_metadata_for_build_wheel) is all that a resolution wants of it."""

import io
import sys
import tarfile
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import BUILD, commit, write_project
from support.simple_pages import MAKE

BACKEND = """
import os

def prepare_metadata_for_build_wheel(folder, settings=None):
    info = os.path.join(folder, "one-1.0.dist-info")
    os.mkdir(info)
    with open(os.path.join(info, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: one\\nVersion: 1.0\\nRequires-Dist: two\\n")
    with open(LOG, "a") as file:
        file.write("prepared\\n")
    return "one-1.0.dist-info"

def build_wheel(folder, settings=None, metadata=None):
    raise RuntimeError("the compiler is missing")
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    MAKE.wheel("two", "2.0").write_to(tmp_path / "links")
    places = {"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri(), "UV_FIND_LINKS": str(tmp_path / "links")}
    return Sandbox(tmp_path).using({**places, "UV_PYTHON": sys.executable})


def _source(sandbox: Sandbox) -> Path:
    folder = sandbox.root / "one"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(BUILD)
    (folder / "backend.py").write_text(f"LOG = {str(sandbox.root / 'log')!r}\n{BACKEND}")
    return folder


def _sdist(sandbox: Sandbox, folder: Path) -> Path:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        tar.add(_source(sandbox), "one-1.0")
    path = folder / "one-1.0.tar.gz"
    path.write_bytes(content.getvalue())
    return path


@pytest.mark.parametrize("kind", ["of an index", "by URL", "in a repository"])
def test_nothing_is_built_to_lock(sandbox: Sandbox, kind: str) -> None:
    match kind:
        case "of an index":
            _sdist(sandbox, sandbox.root / "links")
            required = "one"
        case "by URL":
            required = f"one @ {_sdist(sandbox, sandbox.root).as_uri()}"
        case _:
            commit(_source(sandbox))
            required = f"one @ git+{(sandbox.root / 'one').as_uri()}"
    write_project(sandbox.work, "app", "0", required, builds=False)
    for _ in range(2):
        sandbox.cove("lock").ok()
        (sandbox.work / "uv.lock").unlink()
    sandbox.cove("lock").ok()
    assert 'name = "two"' in (sandbox.work / "uv.lock").read_text()
    assert (sandbox.root / "log").read_text() == "prepared\n"  # once for always
    ran = sandbox.cove("sync")
    assert (ran.status, "the compiler is missing" in ran.stderr) == (1, True), ran.stderr
