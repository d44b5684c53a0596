"""The state of a project, against uv's format, and of a repository, against git."""

import json
import os
from pathlib import Path

import pytest

from cove.errors import ConfigurationError
from cove.formats import pyproject
from cove.model.event import Event, Warned
from cove.operations.project.git_state import GitState
from cove.operations.project.local_state import LocalState, local_state
from support.local_projects import commit, git


def _keys(text: str) -> tuple[pyproject.CacheKey, ...] | None:
    return pyproject.parse(f"[tool.uv]\ncache-keys = {text}\n", "pyproject.toml").cache_keys


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[]", []),
        ('["a.txt", {file = "**/*.toml"}, {dir = "src"}]', [("file", "a.txt"), ("file", "**/*.toml"), ("dir", "src")]),
        ('[{env = "A"}, {git = true}]', [("env", "A"), ("git", "commit")]),
        ("[{git = false}, {git = {tags = true}}]", [("git", "tags")]),
        ("[{git = {commit = true, tags = true}}]", [("git", "commit"), ("git", "tags")]),
    ],
)
def test_keys(text: str, expected: list[pyproject.CacheKey]) -> None:
    assert _keys(text) == tuple(expected)


@pytest.mark.parametrize(
    "text", ["1", "[1]", "[{}]", "[{file = 1}]", '[{file = "a", env = "b"}]', "[{git = {branch = true}}]"]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cache-keys"):
        _keys(text)


def test_every_kind_of_key_changes_the_state(tmp_path: Path) -> None:
    keys = _keys('["a", {file = "data/*.{txt,csv}"}, {file = "**/deep.py"}, {dir = "src"}, {env = "X"}, {env = "Y"}]')
    environ: dict[str, str] = {}
    seen = [local_state(tmp_path, keys, environ)]

    def changed() -> bool:
        now = local_state(tmp_path, keys, environ)
        assert now == local_state(tmp_path, keys, environ)
        seen.append(now)
        return now != seen[-2]

    (tmp_path / "a").write_text("")
    assert changed()
    (tmp_path / "other").write_text("")
    assert not changed()
    (tmp_path / "data").mkdir()
    assert not changed()
    for name in ("data/b.txt", "data/b.csv", "some/where/deep.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name)
        assert changed()
    (tmp_path / "data" / "b.md").write_text("")
    assert not changed()
    (tmp_path / "src").mkdir()
    assert changed()
    (tmp_path / "src" / "a.py").write_text("")
    assert not changed()
    environ["X"] = "1"
    assert changed()
    assert len({str(state) for state in seen}) == 7


def test_the_usual_keys(tmp_path: Path) -> None:
    before = local_state(tmp_path, None, {})
    assert before == LocalState(directories={"src": None})
    (tmp_path / "setup.cfg").write_text("")
    (tmp_path / "src").mkdir()
    after = local_state(tmp_path, None, {})
    assert (after.timestamp is None, after.directories["src"] is None) == (False, False)


def test_a_folder_among_files_is_told(tmp_path: Path) -> None:
    told: list[Event] = []
    (tmp_path / "data").mkdir()
    assert local_state(tmp_path, (("file", "data"),), {}, told.append).timestamp is None
    assert [isinstance(each, Warned) and "`data` is a folder" in each.message for each in told] == [True]


def test_what_uv_recorded_is_read() -> None:
    state = LocalState(
        1_700_000_000_000_000_005, "c" * 40, {"v1": "d" * 40}, {"A": "1", "B": None}, {"src": 7, "lib": None}
    )
    assert state.is_as_recorded(str(state))
    uvs = json.loads(str(state))
    uvs["directories"]["src"] = {"secs_since_epoch": 1, "nanos_since_epoch": 2}
    assert state.is_as_recorded(json.dumps(uvs))
    for key, other in (
        ("timestamp", {"secs_since_epoch": 1_700_000_000, "nanos_since_epoch": 6}), ("commit", None), ("tags", {}),
        ("env", {"A": "1"}), ("directories", {"src": None, "lib": None}), ("directories", {"src": 8, "lib": None}),
    ):  # fmt: skip
        assert not state.is_as_recorded(json.dumps({**uvs, key: other}))
    for nothing in ("", "[]", "{}", "null", '{"timestamp": 1}', '{"timestamp": null, "directories": 3}'):
        assert not state.is_as_recorded(nothing)


# -- repositories -----------------------------------------------------------------------------------------------------


def _of_git(folder: Path) -> tuple[str, dict[str, str]]:
    lines = git(folder, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/tags").splitlines()
    return git(folder, "rev-parse", "HEAD"), {name: at for name, _, at in (line.partition(" ") for line in lines)}


def _read(folder: Path) -> tuple[str | None, dict[str, str]]:
    found = GitState.around(folder)
    assert found is not None
    return found.commit(), found.tags()


def test_a_repository_is_read_as_git_does(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    (repo / "in" / "side").mkdir(parents=True)
    (repo / "in" / "side" / "a").write_text("")
    assert GitState.around(repo) is None
    commit(repo, "v1")
    git(repo, "tag", "--annotate", "--message=x", "nested/v2")
    assert _read(repo / "in" / "side") == _of_git(repo)
    git(repo, "pack-refs", "--all")
    assert _read(repo) == _of_git(repo)
    commit(repo, "v1")  # a loose tag that hides the packed one
    assert _read(repo) == _of_git(repo)
    git(repo, "checkout", "--quiet", "--detach")
    assert _read(repo) == _of_git(repo)
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    commit(tmp_path / "tree")
    assert _read(tmp_path / "tree") == _of_git(tmp_path / "tree") != _of_git(repo)


def test_a_submodule_has_its_own_state(tmp_path: Path) -> None:
    for name in ("inner", "outer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
        commit(tmp_path / name)
    git(
        tmp_path / "outer",
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "inner"),
        "sub",
    )
    assert _read(tmp_path / "outer" / "sub") == _of_git(tmp_path / "inner")


def test_a_repository_without_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert _read(tmp_path) == (None, {})


def test_what_leads_in_a_circle_is_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text("ref: refs/heads/main\n")
    assert _read(tmp_path) == (None, {})
