import json
import sys
import tomllib
from pathlib import Path

import pytest

from cove.formats.pyproject import parse
from support.commandline import Sandbox
from support.programs import clean_environment, program, run

HERE = "{}.{}".format(*sys.version_info)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "argv, expected",
    [
        ((), {"main.py", "README.md", ".python-version"}),
        (("--app", "--no-readme", "--no-pin-python"), {"main.py"}),
        (("--package",), {"src/my_tool/__init__.py", "README.md", ".python-version"}),
        (("--lib",), {"src/my_tool/__init__.py", "src/my_tool/py.typed", "README.md", ".python-version"}),
        (("--bare",), set()),
        (("--bare", "--lib"), set()),
    ],
)
def test_kinds_of_projects(sandbox: Sandbox, argv: tuple[str, ...], expected: set[str]) -> None:
    told = sandbox.cove("init", "My.Tool", "--description", 'a "quoted" one', *argv).ok()
    folder = sandbox.work / "My.Tool"
    assert told.stderr == f"Started the project `my-tool` at {folder}\n"
    assert files_in(folder) == {"pyproject.toml", *expected}
    project = parse((folder / "pyproject.toml").read_bytes(), "pyproject.toml")
    assert project.name == "my-tool"
    assert str(project.requires_python) == f">={HERE}"
    assert project.is_package == bool({"--package", "--lib"}.intersection(argv))
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["description"] == 'a "quoted" one'
    if ".python-version" in expected:
        assert (folder / ".python-version").read_text() == f"{HERE}\n"


def test_what_is_started_runs_and_locks(sandbox: Sandbox) -> None:
    sandbox.cove("init", "demo").ok()
    environment = clean_environment(sandbox.home)
    folder = sandbox.work / "demo"
    assert run([sys.executable, "main.py"], environment, folder).stdout == "Hello from demo!\n"
    assert run([program("uv"), "lock", "--offline"], environment, folder).returncode == 0
    sandbox.cove("lock", "--check", "--offline", cwd=folder).ok()


def test_nothing_that_is_there_is_changed(sandbox: Sandbox) -> None:
    (sandbox.work / "main.py").write_text("mine")
    (sandbox.work / "README.md").write_text("mine")
    sandbox.cove("init").ok()
    assert (sandbox.work / "main.py").read_text() == (sandbox.work / "README.md").read_text() == "mine"
    before = (sandbox.work / "pyproject.toml").read_text()
    refused = sandbox.cove("init", "--name", "other")
    assert refused.status == 2
    assert "exists already" in refused.stderr
    assert (sandbox.work / "pyproject.toml").read_text() == before


def test_indexes_are_written_without_credentials(sandbox: Sandbox) -> None:
    told = sandbox.cove(
        "init", "demo", "--index", "priv=https://user:canary@example.com/simple",
        "--default-index", "mirror=https://example.org/simple",
        UV_INDEX="mine=https://example.net/simple",
    ).ok()  # fmt: skip
    text = (sandbox.work / "demo" / "pyproject.toml").read_text()
    assert "canary" not in text + told.stderr + told.stdout
    assert "UV_INDEX_PRIV_USERNAME" in told.stderr
    indexes = tomllib.loads(text)["tool"]["uv"]["index"]
    assert {"name": "priv", "url": "https://example.com/simple"} in indexes
    assert {"name": "mirror", "url": "https://example.org/simple", "default": True} in indexes
    assert "example.net" not in text


def test_inside_a_project(sandbox: Sandbox) -> None:
    outer = sandbox.project('[project]\nname = "outer"\nversion = "1"\n')
    told = sandbox.cove("init", "inner").ok()
    assert f"inside the project {outer} " in told.stderr
    assert (outer / "pyproject.toml").read_text() == '[project]\nname = "outer"\nversion = "1"\n'


@pytest.mark.parametrize(
    "argv, says",
    [
        (("--name", "not a name"), "cannot be called"),
        (("naïve",), "cannot be called"),
        (("--lib", "--name", "class"), "cannot import"),
        (("--package", "--name", "1st"), "cannot import"),
        (("file/below",), "cannot be written"),
        (("demo", "--python", "1.5"), "no interpreter found"),
        (("--lib", "--app"), "not allowed"),
    ],
)
def test_what_cannot_be_started_leaves_nothing(sandbox: Sandbox, argv: tuple[str, ...], says: str) -> None:
    (sandbox.work / "file").write_text("mine")
    refused = sandbox.cove("init", *argv)
    assert refused.status == 2
    assert says in refused.stderr
    assert [path.name for path in sandbox.work.iterdir()] == ["file"]


def test_as_json(sandbox: Sandbox) -> None:
    told = json.loads(sandbox.cove("init", "demo", "--bare", "--output-format", "json").ok().stdout)
    assert told == {"name": "demo", "folder": str(sandbox.work / "demo"), "written": ["pyproject.toml"]}


def test_a_variable_asks_for_bare_projects(sandbox: Sandbox) -> None:
    sandbox.cove("init", "app", UV_INIT_BARE="1").ok()
    assert [path.name for path in (sandbox.work / "app").iterdir()] == ["pyproject.toml"]
