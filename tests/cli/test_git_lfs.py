"""Repositories whose files Git LFS keeps: with the real program where it is installed, and with one that stands for it."""

import os
import shutil
from pathlib import Path

import pytest

from support import git_lfs
from support.commandline import Sandbox
from support.local_projects import commit, git, write_project


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    return Sandbox(tmp_path).using({"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri()})


@pytest.fixture(params=["real", "stand-in"])
def lfs(request: pytest.FixtureRequest, sandbox: Sandbox) -> None:
    """A git-lfs on PATH."""
    folder = git_lfs.real() if request.param == "real" else git_lfs.stand_in(sandbox.root / "lfs")
    if folder is None:
        pytest.skip("no git-lfs here")
    sandbox.environ["PATH"] = f"{folder}{os.pathsep}{sandbox.environ['PATH']}"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A project whose version lies in a file that Git LFS keeps."""
    folder = write_project(tmp_path / "repo", "one", "", more='dynamic = ["version"]\n')
    git_lfs.keep(folder, "DYNAMIC", b"version=3.0\n")
    return folder


def _app(sandbox: Sandbox, repo: Path, lfs: str = "true") -> None:
    source = f'one = {{ git = "{repo.as_uri()}", lfs = {lfs} }}'
    write_project(sandbox.work, "app", "0", "one", more=f"[tool.uv.sources]\n{source}\n", builds=False)


@pytest.mark.usefixtures("lfs")
def test_files_come_from_lfs(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, repo)
    sandbox.cove("sync").ok()
    commit_id = git(repo, "rev-parse", "HEAD")
    assert f"{repo.as_uri()}?lfs=true#{commit_id}" in (sandbox.work / "uv.lock").read_text()
    assert list(sandbox.work.glob(".venv/lib/*/site-packages/one-3.0.dist-info"))
    sandbox.cove("lock", "--check").ok()
    sandbox.cove("sync", "--frozen", "--reinstall", "--no-cache").ok()


@pytest.mark.usefixtures("lfs")
def test_the_next_commit_has_its_own_files(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, repo)
    sandbox.cove("lock").ok()
    git_lfs.keep(repo, "DYNAMIC", b"version=3.1\n")
    sandbox.cove("sync", "--upgrade").ok()
    assert list(sandbox.work.glob(".venv/lib/*/site-packages/one-3.1.dist-info"))


@pytest.mark.usefixtures("lfs")
def test_pip_takes_it_from_the_url(sandbox: Sandbox, repo: Path) -> None:
    sandbox.cove("venv").ok()
    sandbox.cove("pip", "install", f"one @ git+{repo.as_uri()}#lfs=true").ok()
    assert list(sandbox.work.glob(".venv/lib/*/site-packages/one-3.0.dist-info"))


@pytest.mark.usefixtures("lfs")
def test_an_object_that_is_not_there(sandbox: Sandbox, repo: Path) -> None:
    git_lfs.keep(repo, "DYNAMIC", b"version=3.1\n").unlink()
    _app(sandbox, repo)
    ran = sandbox.cove("lock")
    assert (ran.status, "git cannot get" in ran.stderr) == (2, True), ran.stderr
    assert not list(sandbox.cache.glob("**/git/checkouts/*/*")), "a checkout without its files is none"


@pytest.mark.usefixtures("lfs")
def test_files_stay_pointers_where_nobody_asks(sandbox: Sandbox, repo: Path) -> None:
    """Even where the user's own git is set up for it."""
    (sandbox.home / ".gitconfig").write_text('[filter "lfs"]\nsmudge = git-lfs smudge -- %f\nrequired = true\n')
    _app(sandbox, repo, "false")
    assert sandbox.cove("lock").status == 1, "no build can read its version from a pointer"
    [tree] = sandbox.cache.glob("**/git/checkouts/*/*")
    assert (tree / "DYNAMIC").read_text().startswith("version https://git-lfs")
    assert "lfs" not in tree.name


def test_without_the_program_the_error_names_it(sandbox: Sandbox, repo: Path) -> None:
    (sandbox.root / "plain").mkdir()
    for name in ("git", "sh"):
        found = shutil.which(name)
        assert found is not None
        (sandbox.root / "plain" / name).symlink_to(found)
    _app(sandbox, repo)
    python = sandbox.environ["PATH"].partition(os.pathsep)[0]
    ran = sandbox.cove("lock", PATH=f"{sandbox.root / 'plain'}{os.pathsep}{python}")
    assert (ran.status, "git-lfs must be installed" in ran.stderr) == (2, True), ran.stderr


# -- submodules -------------------------------------------------------------------------------------------------------


def _with_submodule(outer: Path, url: str, path: str) -> None:
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, path)
    commit(outer)


def test_submodules_within_submodules_and_relative_ones(sandbox: Sandbox) -> None:
    root = sandbox.root / "forge"
    deep = root / "deep"
    deep.mkdir(parents=True)
    (deep / "DYNAMIC").write_text("version=4.0\n")
    commit(deep)
    middle = root / "middle"
    middle.mkdir()
    commit(middle)
    git(middle, "remote", "add", "origin", middle.as_uri())
    _with_submodule(middle, "../deep", "deep")
    outer = write_project(root / "outer", "one", "", more='dynamic = ["version"]\n')
    (outer / "backend.py").write_text((outer / "backend.py").read_text().replace("DYNAMIC", "middle/deep/DYNAMIC"))
    commit(outer)
    git(outer, "remote", "add", "origin", outer.as_uri())
    _with_submodule(outer, "../middle", "middle")
    write_project(
        sandbox.work, "app", "0", "one", more=f'[tool.uv.sources]\none = {{ git = "{outer.as_uri()}" }}\n', builds=False
    )
    sandbox.cove("sync").ok()
    assert list(sandbox.work.glob(".venv/lib/*/site-packages/one-4.0.dist-info"))


@pytest.mark.usefixtures("lfs")
def test_a_submodule_has_its_files_from_lfs_too(sandbox: Sandbox) -> None:
    inner = sandbox.root / "inner"
    inner.mkdir()
    git_lfs.keep(inner, "DYNAMIC", b"version=5.0\n")
    outer = write_project(sandbox.root / "outer", "one", "", more='dynamic = ["version"]\n')
    (outer / "backend.py").write_text((outer / "backend.py").read_text().replace("DYNAMIC", "inner/DYNAMIC"))
    commit(outer)
    _with_submodule(outer, inner.as_uri(), "inner")
    _app(sandbox, outer)
    sandbox.cove("sync").ok()
    assert list(sandbox.work.glob(".venv/lib/*/site-packages/one-5.0.dist-info"))
