"""Repositories: the database, checkouts, and a git that does not answer."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cove.errors import BuildFailed, IndexUnreachable
from cove.formats import git_url
from cove.install.vcs import Patience, Repositories
from support.local_projects import commit, git, write_project


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = write_project(tmp_path / "repo", "one", "1.0")
    commit(folder, tag="v1")
    return folder


def _program(tmp_path: Path, script: str) -> dict[str, str]:
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    real = f'PATH={os.environ["PATH"]} exec git "$@"'
    shim.write_text(f'#!/bin/sh\ncase "$*" in *init*) {real};; esac\n{script}\n')
    shim.chmod(0o755)
    return {"PATH": f"{shim.parent}{os.pathsep}{os.defpath}"}


def test_many_at_once_make_one_checkout(tmp_path: Path, repo: Path) -> None:
    repositories = Repositories(tmp_path / "cache", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    wanted = git_url.make(repo.as_uri(), "branch", "main")

    def one(_: int) -> Path:
        return repositories.checkout(repositories.resolve(wanted, "one"), "one")

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(one, range(12)))
    assert len(found) == 1
    assert git(found.pop(), "rev-parse", "HEAD") == git(repo, "rev-parse", "HEAD")
    assert not list((tmp_path / "cache").rglob(".making-*"))


def test_a_git_that_hangs_is_ended_with_what_it_started(tmp_path: Path, repo: Path) -> None:
    environ = _program(tmp_path, f"(sleep 4; touch {tmp_path}/late) & sleep 60")
    repositories = Repositories(tmp_path / "cache", environ, patience=Patience(whole=0.3))
    began = time.monotonic()
    with pytest.raises(IndexUnreachable, match="took more than 0 seconds, and was ended"):
        repositories.resolve(git_url.make(repo.as_uri(), "branch", "main"), "one")
    assert time.monotonic() - began < 4
    assert not (tmp_path / "late").exists()


def test_without_git(tmp_path: Path, repo: Path) -> None:
    (tmp_path / "empty").mkdir()
    repositories = Repositories(tmp_path / "cache", {"PATH": str(tmp_path / "empty")})
    with pytest.raises(BuildFailed, match="no program `git` on PATH"):
        repositories.resolve(git_url.make(repo.as_uri()), "one")


def test_what_git_complains_of_shows_no_user_info(tmp_path: Path, repo: Path) -> None:
    environ = _program(tmp_path, 'echo "fatal: https://me:hunter2@example.com/x" >&2; exit 128')
    repositories = Repositories(tmp_path / "cache", environ)
    with pytest.raises(IndexUnreachable) as caught:
        repositories.resolve(git_url.make(repo.as_uri()), "one")
    assert "hunter2" not in str(caught.value)
    assert "****@example.com" in str(caught.value)
