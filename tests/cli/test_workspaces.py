"""Workspaces: one lock and one environment for several projects."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import write_project

_SOURCES = "[tool.uv.sources]\n" + "".join(f"{name} = {{ workspace = true }}\n" for name in "abc")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    return Sandbox(tmp_path).using({"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri()})


@pytest.fixture
def workspace(sandbox: Sandbox) -> Path:
    """A root that requires ``a``, which requires ``b``; nobody requires ``c``."""
    more = f'[tool.uv.workspace]\nmembers = ["packages/*"]\n{_SOURCES}'
    write_project(sandbox.work, "root", "0", "a", more=more, builds=False)
    more = '[project.optional-dependencies]\nx = ["c"]\n[dependency-groups]\ndev = ["c"]\n'
    write_project(sandbox.work / "packages" / "a", "a", "1.0", "b", more=more)
    write_project(sandbox.work / "packages" / "b", "b", "1.0")
    write_project(sandbox.work / "packages" / "c", "c", "1.0")
    return sandbox.work


def _installed(work: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in work.glob(".venv/lib/*/site-packages/*.dist-info"))


def test_one_lock_and_one_environment_wherever_one_stands(sandbox: Sandbox, workspace: Path) -> None:
    sandbox.cove("lock", cwd=workspace / "packages" / "a").ok()
    document = tomllib.loads((workspace / "uv.lock").read_text())
    assert document["manifest"]["members"] == ["a", "b", "c", "root"]
    inner = workspace / "packages" / "b"
    (inner / "deep").mkdir()
    before = (workspace / "uv.lock").read_bytes()
    for folder in (workspace, inner, inner / "deep"):
        sandbox.cove("lock", "--check", cwd=folder).ok()
    sandbox.cove("sync", cwd=inner / "deep").ok()
    assert _installed(workspace) == ["b"]
    assert (workspace / "uv.lock").read_bytes() == before
    assert [path.parent for path in workspace.rglob("uv.lock")] == [workspace]
    assert [path.parent for path in workspace.rglob(".venv")] == [workspace]


@pytest.mark.parametrize(
    "argv, names",
    [
        ((), ["a", "b"]),
        (("--package", "a"), ["a", "b", "c"]),
        (("--package", "a", "--no-dev"), ["a", "b"]),
        (("--package", "a", "--no-dev", "--extra", "x"), ["a", "b", "c"]),
        (("--package", "b"), ["b"]),
        (("--package", "b", "--package", "c"), ["b", "c"]),
        (("--all-packages",), ["a", "b", "c"]),
        (("--package", "a", "--no-install-project"), ["b", "c"]),
        (("--package", "a", "--only-group", "dev"), ["c"]),
    ],
)
def test_which_members_are_installed(
    sandbox: Sandbox, workspace: Path, argv: tuple[str, ...], names: list[str]
) -> None:
    sandbox.cove("sync", *argv).ok()
    assert _installed(workspace) == names


def test_a_command_runs_for_a_member(sandbox: Sandbox, workspace: Path) -> None:
    sandbox.cove("run", "--package", "c", "python", "-c", "import backend").ok()
    assert _installed(workspace) == ["c"]
    sandbox.cove("run", "python", "-c", "import backend", cwd=workspace / "packages" / "a").ok()
    assert _installed(workspace) == ["a", "b", "c"]


def test_what_is_not_there(sandbox: Sandbox, workspace: Path) -> None:
    for argv, told in (
        (("sync", "--package", "nope"), "has no member `nope`"),
        (("sync", "--extra", "nope"), "has no extra `nope`"),
        (("sync", "--package", "b", "--group", "dev"), "has no group `dev`"),
        (("add", "--package", "nope", "x"), "has no member `nope`"),
        (("build", "--package", "nope"), "has no member `nope`"),
    ):
        ran = sandbox.cove(*argv)
        assert (ran.status, told in ran.stderr) == (2, True), ran.stderr
    assert workspace.is_dir()


def test_a_member_is_added_to_another(sandbox: Sandbox, workspace: Path) -> None:
    inner = workspace / "packages" / "b"
    (inner / "pyproject.toml").write_text((inner / "pyproject.toml").read_text())
    write_project(workspace / "packages" / "d", "d", "1.0")
    sandbox.cove("add", "d", cwd=inner).ok()
    document = tomllib.loads((inner / "pyproject.toml").read_text())
    assert document["project"]["dependencies"] == ["d"]
    assert document["tool"]["uv"]["sources"] == {"d": {"workspace": True}}
    assert _installed(workspace) == ["b", "d"]
    sandbox.cove("remove", "d", "--package", "b").ok()
    document = tomllib.loads((inner / "pyproject.toml").read_text())
    assert document["project"]["dependencies"] == []
    assert "tool" not in document
    assert not list(workspace.rglob("packages/*/uv.lock"))


def test_members_are_built(sandbox: Sandbox, workspace: Path) -> None:
    sandbox.cove("build", "--wheel", "--package", "b").ok()
    assert [path.name for path in (workspace / "dist").glob("*.whl")] == ["b-1.0-py3-none-any.whl"]
    sandbox.cove("build", "--wheel", "--all-packages").ok()
    assert len(list((workspace / "dist").glob("*.whl"))) == 3


def test_members_are_exported(sandbox: Sandbox, workspace: Path) -> None:
    text = sandbox.cove("export", "--package", "a", "--no-dev", "--no-header").ok().stdout
    assert [line for line in text.splitlines() if not line.startswith(" ")] == ["-e ./packages/a", "-e ./packages/b"]
    assert workspace.is_dir()


def test_a_change_of_a_member_is_noticed(sandbox: Sandbox, workspace: Path) -> None:
    sandbox.cove("lock").ok()
    write_project(workspace / "packages" / "b", "b", "1.0", "c")
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, "`b`: a dependency was added: `c`" in ran.stderr) == (1, True), ran.stderr
    sandbox.cove("lock").ok()
    write_project(workspace / "packages" / "d", "d", "1.0")
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, "new member `d`" in ran.stderr) == (1, True), ran.stderr


def test_a_root_that_is_no_project(sandbox: Sandbox) -> None:
    write_project(sandbox.work / "a", "a", "1.0")
    write_project(sandbox.work / "b", "b", "1.0")
    root = '[tool.uv.workspace]\nmembers = ["a", "b"]\n[dependency-groups]\nlint = ["b"]\n'
    root += "[tool.uv.sources]\nb = { workspace = true }\n"
    (sandbox.work / "pyproject.toml").write_text(root)
    sandbox.cove("sync").ok()
    assert _installed(sandbox.work) == ["a", "b"]
    sandbox.cove("sync", "--only-group", "lint").ok()
    assert _installed(sandbox.work) == ["b"]
    ran = sandbox.cove("add", "x")
    assert (ran.status, "name a member of the workspace with --package" in ran.stderr) == (2, True), ran.stderr
    assert "a v1.0" in sandbox.cove("tree").ok().stdout


def test_groups_of_a_root_that_is_no_project(sandbox: Sandbox) -> None:
    for name in ("a", "b", "c"):
        write_project(sandbox.root / name, name, "1.0")
    write_project(sandbox.work / "m", "m", "1.0")
    sources = "".join(f'{name} = {{ path = "../{name}" }}\n' for name in ("a", "b", "c"))
    groups = '[dependency-groups]\ndev = ["a"]\ntest = ["b"]\nother = ["c"]\n[tool.uv.sources]\n'
    (sandbox.work / "pyproject.toml").write_text(f'[tool.uv.workspace]\nmembers = ["m"]\n{groups}{sources}')
    tree = sandbox.cove("tree", "--group", "test").ok().stdout
    assert tree.splitlines() == ["a v1.0 (group: dev)", "b v1.0 (group: test)", "m v1.0"]
    argv = ("--no-header", "--no-hashes", "--frozen")
    for selection, wanted in (
        ((), ["../a", "-e ./m"]),
        (("--only-group", "test"), ["../b"]),
        (("--package", "m"), ["-e ./m"]),
        (("--package", "m", "--group", "other"), ["../c", "-e ./m"]),
    ):
        assert sorted(sandbox.cove("export", *argv, *selection).ok().stdout.splitlines()) == sorted(wanted)
    sandbox.cove("sync", "--package", "m", "--group", "other").ok()
    assert _installed(sandbox.work) == ["c", "m"]


def test_groups_without_a_project(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "a", "a", "1.0")
    groups = '[dependency-groups]\ndev = ["a"]\n[tool.uv.sources]\na = { path = "../a" }\n'
    (sandbox.work / "pyproject.toml").write_text(groups)
    (sandbox.work / "below").mkdir()
    (sandbox.work / "below" / "pyproject.toml").write_text("[tool.black]\n")
    sandbox.cove("sync", "--only-group", "dev", cwd=sandbox.work / "below").ok()
    assert _installed(sandbox.work) == ["a"]
    assert sandbox.cove("tree").ok().stdout == "a v1.0 (group: dev)\n"
    sandbox.cove("sync", "--no-dev").ok()
    assert _installed(sandbox.work) == []
    for argv in (("add", "x"), ("add", "x", "--optional", "more"), ("remove", "a")):
        ran = sandbox.cove(*argv)
        assert (ran.status, "has no [project] table" in ran.stderr) == (2, True), ran.stderr
    (sandbox.work / "pyproject.toml").write_text("[tool.black]\n")
    ran = sandbox.cove("lock")
    assert (ran.status, "no pyproject.toml with a project" in ran.stderr) == (2, True), ran.stderr


def test_settings_are_those_of_the_root(sandbox: Sandbox, workspace: Path) -> None:
    root = workspace / "pyproject.toml"
    root.write_text(root.read_text() + '\n[tool.uv]\nresolution = "lowest"\n')
    sandbox.cove("lock", cwd=workspace / "packages" / "c").ok()
    assert 'resolution-mode = "lowest"' in (workspace / "uv.lock").read_text()


def test_what_makes_no_workspace(sandbox: Sandbox, workspace: Path) -> None:
    cases: dict[str, tuple[Callable[[], Path], str]] = {
        "twice": (
            lambda: write_project(workspace / "packages" / "b2", "B", "1.0"),
            "two members of the workspace are called `b`",
        ),
        "nested": (
            lambda: write_project(
                workspace / "packages" / "n", "n", "1.0", more='[tool.uv.workspace]\nmembers = ["x"]\n'
            ),
            "workspaces do not nest",
        ),
        "no source": (
            lambda: write_project(workspace / "packages" / "s", "s", "1.0", "root"),
            "is a member of the workspace, but",
        ),
        "no member": (
            lambda: write_project(
                workspace / "packages" / "s", "s", "1.0", "t", more="[tool.uv.sources]\nt = { workspace = true }\n"
            ),
            "has no member of that name",
        ),
    }
    for name, (make, told) in cases.items():
        made = make()
        ran = sandbox.cove("lock")
        assert (ran.status, told in ran.stderr) == (2, True), f"{name}: {ran.stderr}"
        assert str(made) in ran.stderr, name
        (made / "pyproject.toml").unlink()
        (made / "backend.py").unlink()
        made.rmdir()
    root = workspace / "pyproject.toml"
    root.write_text(root.read_text().replace('["packages/*"]', '["packages/*", "elsewhere"]'))
    sandbox.cove("lock").ok()
    (workspace / "elsewhere").mkdir()
    (workspace / "elsewhere/code.py").touch()
    assert "elsewhere has no pyproject.toml" in sandbox.cove("lock").stderr


def test_two_members_disagree(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_project(tmp_path / name, "lib", "1.0")
    for name, place in (("b", "one"), ("c", "other")):
        more = f'[tool.uv.sources]\nlib = {{ path = "../../../{place}" }}\n'
        write_project(workspace / "packages" / name, name, "1.0", "lib", more=more)
    ran = sandbox.cove("lock")
    assert ran.status == 2
    assert "`lib` comes from different places" in ran.stderr
    for name in ("b", "c"):
        assert str(workspace / "packages" / name / "pyproject.toml") in ran.stderr


def test_pythons_are_those_that_all_members_are_for(sandbox: Sandbox, workspace: Path) -> None:
    write_project(workspace / "packages" / "b", "b", "1.0", python=">=3.9,<3.14")
    write_project(workspace / "packages" / "c", "c", "1.0", python=">=3.10,!=3.10.1")
    sandbox.cove("lock").ok()
    assert 'requires-python = ">=3.11, <3.14"' in (workspace / "uv.lock").read_text()
    write_project(workspace / "packages" / "c", "c", "1.0", python="<3.9")
    ran = sandbox.cove("lock")
    assert (ran.status, "no Python that all members of the workspace are for" in ran.stderr) == (2, True), ran.stderr
    assert str(workspace / "packages" / "c" / "pyproject.toml") in ran.stderr


def test_what_lies_in_the_workspace_and_is_no_member(sandbox: Sandbox, workspace: Path) -> None:
    folder = write_project(workspace / "tools" / "own", "own", "1.0")
    sandbox.cove("lock", cwd=folder).ok()
    assert (folder / "uv.lock").exists()
    assert not (workspace / "uv.lock").exists()


@pytest.mark.parametrize("pattern", ["", "."])
def test_the_root_may_be_listed_among_the_members(sandbox: Sandbox, pattern: str) -> None:
    more = f'[tool.uv.workspace]\nmembers = ["{pattern}", "packages/**"]\n'
    write_project(sandbox.work, "root", "0", more=more, builds=False)
    write_project(sandbox.work / "packages" / "a", "a", "1.0")
    sandbox.cove("lock").ok()
    document = tomllib.loads((sandbox.work / "uv.lock").read_text())
    assert document["manifest"]["members"] == ["a", "root"]


def test_what_is_no_glob_is_said_with_the_file_that_has_it(sandbox: Sandbox) -> None:
    more = '[tool.uv.workspace]\nmembers = ["a**b"]\n'
    write_project(sandbox.work, "root", "0", more=more, builds=False)
    done = sandbox.cove("lock")
    assert done.status == 2
    assert "pyproject.toml: the member `a**b` cannot be read" in done.stderr
