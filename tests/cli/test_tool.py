import json
import os
import tarfile
import tomllib
from collections.abc import Mapping

import pytest

from cove.formats import tool_receipt
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Ran, Sandbox
from support.local_projects import commit
from support.programs import clean_environment, program, run


class Tools:
    """Tools of a sandbox, from a private index whose credentials are in the variables that belong to its name."""

    def __init__(self, sandbox: Sandbox, index: PrivateIndex) -> None:
        self.index = index
        self.folder = sandbox.root / "tools"
        self.bin = sandbox.root / "bin"
        self.bin.mkdir()
        self.sandbox = sandbox.using(
            {
                "UV_TOOL_DIR": str(self.folder),
                "UV_TOOL_BIN_DIR": str(self.bin),
                "UV_DEFAULT_INDEX": f"private={index.running.simple_url.public}",
                "UV_INDEX_PRIVATE_USERNAME": index.username,
                "UV_INDEX_PRIVATE_PASSWORD": index.password.reveal(),
                "PATH": f"{sandbox.environ['PATH']}{os.pathsep}{self.bin}",
            }
        )

    def __call__(self, *argv: str, environ: Mapping[str, str] | None = None) -> Ran:
        return self.sandbox.cove("tool", *argv, environ=environ)

    def add(self, name: str, version: str = "1.0", *, requires: tuple[str, ...] = (), commands: str = "") -> None:
        code = f"def main() -> None:\n    print('{name} {version}')\n"
        self.index.add(
            PackageFactory().wheel(
                name,
                version,
                requires=requires,
                files={f"{name}.py": code},
                scripts=dict.fromkeys(commands.split(), f"{name}:main"),
            )
        )

    def says(self, command: str) -> str:
        done = run([str(self.bin / command)], clean_environment(self.sandbox.home), self.bin)
        return done.stdout.strip()

    def snapshot(self) -> set[str]:
        places = (*self.folder.rglob("*"), *self.bin.rglob("*"))
        return {
            f"{path} {os.readlink(path) if path.is_symlink() else ''}" for path in places if path.name != ".cove-lock"
        }


@pytest.fixture
def tools(sandbox: Sandbox, cove_index: PrivateIndex) -> Tools:
    made = Tools(sandbox, cove_index)
    made.add("hello", "1.0", commands="hello hello-old")
    made.add("hello", "2.0", requires=("greeting",), commands="hello")
    made.add("greeting", commands="greeting")
    made.add("library")
    return made


def test_a_tool_is_installed_listed_and_removed(tools: Tools) -> None:
    done = tools("install", "hello").ok()
    assert "Installed 2 packages\n + greeting==1.0\n + hello==2.0\nInstalled 1 executable: hello\n" in done.stderr
    assert "PATH" not in done.stderr
    assert done.stdout == ""
    assert tools.says("hello") == "hello 2.0"
    assert [path.name for path in tools.bin.iterdir()] == ["hello"]
    assert tools("list").ok().stdout == "hello v2.0\n- hello\n"
    listed = json.loads(tools("list", "--output-format", "json").ok().stdout)
    assert listed[0]["executables"] == [{"name": "hello", "path": str(tools.bin / "hello")}]
    assert tools("uninstall", "Hello").ok().stderr == "Uninstalled 1 executable: hello\n"
    assert not list(tools.bin.iterdir())
    assert tools("list").ok().stderr == "No tools installed\n"
    assert tools("uninstall", "--all").ok().stderr == "Nothing to uninstall\n"


def test_the_receipt_is_uvs_and_holds_no_secret(tools: Tools) -> None:
    tools("install", "hello>=1", "--with", "library,greeting", "--python", "3").ok()
    text = (tools.folder / "hello" / "uv-receipt.toml").read_text()
    receipt = tool_receipt.parse(text)
    assert [(each.name, each.specifier) for each in receipt.requirements] == [
        ("hello", ">=1"),
        ("library", ""),
        ("greeting", ""),
    ]
    assert receipt.python == "3"
    entry = {"name": "private", "url": tools.index.running.simple_url.public, "default": True, "authenticate": "always"}
    assert receipt.options["index"] == [entry | {"explicit": False, "format": "simple"}]
    for path in (*tools.folder.rglob("*"), *tools.sandbox.cache.rglob("*")):
        assert not path.is_file() or tools.index.password.reveal().encode() not in path.read_bytes()
    environment = clean_environment(
        tools.sandbox.root / "uv", UV_TOOL_DIR=str(tools.folder), UV_TOOL_BIN_DIR=str(tools.bin)
    )
    assert run([program("uv"), "tool", "list"], environment, tools.bin).stdout == "hello v2.0\n- hello\n"


def test_what_is_as_asked_asks_no_index(tools: Tools) -> None:
    tools("install", "hello==1.0").ok()
    again = tools(
        "install", "hello@1.0", environ={"UV_INDEX_PRIVATE_USERNAME": "", "UV_INDEX_PRIVATE_PASSWORD": ""}
    ).ok()
    assert again.requests == ()
    assert again.stderr == "`hello` 1.0 is already installed\n"
    assert json.loads(tools("install", "hello@1.0", "--output-format", "json").ok().stdout)["version"] == "1.0"


def test_upgrading_and_going_back(tools: Tools) -> None:
    tools("install", "hello<2").ok()
    assert sorted(path.name for path in tools.bin.iterdir()) == ["hello", "hello-old"]
    kept = tools("install", "hello").ok()
    assert "hello 1.0" in tools.says("hello"), kept.stderr
    assert " - hello==1.0\n + hello==2.0\n" in tools("install", "hello", "--upgrade").ok().stderr
    assert [path.name for path in tools.bin.iterdir()] == ["hello"]
    tools("install", "hello@1.0").ok()
    assert tools.says("hello-old") == "hello 1.0"
    tools("install", "hello@latest").ok()
    assert tools.says("hello") == "hello 2.0"
    assert " ~ hello==2.0" in tools("install", "hello", "--reinstall").ok().stderr


def test_packages_beside_a_tool_come_and_go(tools: Tools) -> None:
    assert " + library==1.0" in tools("install", "hello", "-w", "library").ok().stderr
    assert "\n - library==1.0\n" in tools("install", "hello").ok().stderr


@pytest.mark.parametrize(
    "argv, status, says",
    [
        (("library",), 2, "brings no program"),
        (("unheard-of",), 1, "unheard-of"),
        (("hello==9",), 1, "hello"),
        (("hello", "--with", "unheard-of"), 1, "unheard-of"),
        (("hello", "--python", "1.5"), 2, "no interpreter found"),
        (("taken",), 2, "Pass --force"),
    ],
)
def test_failure_changes_nothing(tools: Tools, argv: tuple[str, ...], status: int, says: str) -> None:
    tools.add("taken", commands="taken hello")
    (tools.bin / "taken").write_text("mine")
    for installed in ((), ("hello==1.0",)):
        if installed:
            tools("install", *installed).ok()
        before = tools.snapshot()
        ran = tools("install", *argv)
        assert ran.status == status, ran.stderr
        assert says in ran.stderr
        assert tools.snapshot() - {f"{tools.folder / '.gitignore'} "} == before - {f"{tools.folder / '.gitignore'} "}
    assert (tools.bin / "taken").read_text() == "mine"


def test_force_replaces_files_but_no_folder(tools: Tools) -> None:
    (tools.bin / "hello").write_text("mine")
    assert "Pass --force" in tools("install", "hello").stderr
    tools("install", "hello", "--force").ok()
    assert tools.says("hello") == "hello 2.0"
    (tools.bin / "greeting").mkdir()
    assert tools("install", "greeting", "--force").status == 2
    assert sorted(path.name for path in tools.folder.iterdir() if path.name[0] != ".") == ["hello"]


def test_programs_that_cannot_be_placed_leave_no_tool(tools: Tools) -> None:
    tools.bin.rmdir()
    tools.bin.write_text("a file")
    ran = tools("install", "hello")
    assert ran.status == 2, ran.stderr
    assert "the tools cannot be changed" in ran.stderr
    assert [path.name for path in tools.folder.iterdir() if path.name[0] != "."] == []


def test_a_killed_change_is_taken_back(tools: Tools) -> None:
    tools("install", "hello@1.0").ok()
    (tools.folder / "hello").rename(tools.folder / ".hello.old")
    (tools.folder / "hello").mkdir()
    assert tools("install", "hello@1.0").ok().stderr == "`hello` 1.0 is already installed\n"
    assert tools.says("hello") == "hello 1.0"


def test_a_receipt_has_no_say_over_other_files(tools: Tools) -> None:
    tools("install", "hello").ok()
    precious = tools.sandbox.root / "precious"
    precious.write_text("mine")
    receipt = tools.folder / "hello" / "uv-receipt.toml"
    receipt.write_text(receipt.read_text().replace(str(tools.bin / "hello"), str(precious)))
    tools("uninstall", "hello").ok()
    assert precious.read_text() == "mine"


def test_folders_that_are_no_tools_are_left_alone(tools: Tools) -> None:
    (tools.folder / "hello").mkdir(parents=True)
    (tools.folder / "hello" / "thesis.txt").write_text("mine")
    assert "is passed over" in tools("list").ok().stderr
    assert tools("install", "hello", "--force").status == 2
    assert tools("uninstall", "hello").status == 1
    assert tools("uninstall", "../bin").status == 1
    assert (tools.folder / "hello" / "thesis.txt").read_text() == "mine"


def test_a_project_is_not_asked(tools: Tools) -> None:
    tools.sandbox.project('[[tool.uv.index]]\nname = "other"\nurl = "https://example.com/"\ndefault = true\n')
    (tools.sandbox.work / ".python-version").write_text("3.1\n")
    tools("install", "hello").ok()


def test_tools_from_files(tools: Tools, wheel_factory: PackageFactory) -> None:
    wheel = wheel_factory.wheel("local", scripts={"local": "local:main"}).write_to(tools.sandbox.work / "dist")
    tools("install", "./dist/" + wheel.name).ok()
    assert tools("list").stdout == "local v1.0\n- local\n"
    tools("install", "local", "--from", wheel.as_uri()).ok()
    assert "already" not in tools("install", "local @ " + wheel.as_uri()).ok().stderr


@pytest.mark.parametrize(
    "argv, status, says",
    [
        (("hello", "--from", "library"), 2, "`library`"),
        (("hello@nonsense!",), 2, "no version"),
        (("hello hello",), 2, "the argument: 'hello hello' is not a requirement"),
        (("",), 2, "no requirement"),
        (("./nowhere",), 1, "no file or folder"),
        (("https://user:canary@example.com/page",), 1, "only wheels, sdists"),
        (("hello @ https://user:canary@example.com/a.whl junk junk",), 2, "not a requirement"),
        ((".",), 2, "neither a pyproject.toml nor a setup.py"),
    ],
)
def test_words_that_name_no_tool(tools: Tools, argv: tuple[str, ...], status: int, says: str) -> None:
    ran = tools("install", *argv)
    assert ran.status == status
    assert says in ran.stderr
    assert "canary" not in ran.stderr + ran.stdout
    assert tools("uninstall").status == 2
    assert tools("uninstall", "--all", "hello").status == 2


def test_the_name_of_a_tool_is_learnt_where_it_is(tools: Tools, wheel_factory: PackageFactory) -> None:
    wheel = wheel_factory.wheel("local", scripts={"local": "local:main"}, extras={"x": []})
    sdist = wheel_factory.sdist("local", files={wheel.filename: wheel.content}).write_to(tools.sandbox.root)
    wheel.write_to(tools.sandbox.work)
    with tarfile.open(sdist) as archive:
        archive.extractall(tools.sandbox.work, filter="data")
    repository = (tools.sandbox.work / "local-1.0").rename(tools.sandbox.work / "repository")
    commit(repository, tag="v1")
    receipt = tools.folder / "local" / "uv-receipt.toml"
    for typed, wanted in (
        (f"git+{repository.as_uri()}@v1", {"git": f"{repository.as_uri()}?rev=v1"}),
        (f"./{wheel.filename}[x]", {"extras": ["x"], "path": str(tools.sandbox.work / wheel.filename)}),
        ("./repository", {"directory": str(repository)}),
    ):
        for argv in ((typed,), ("local", "--from", typed)):
            assert "local" in tools("install", *argv, "--force").ok().stderr
            assert tomllib.loads(receipt.read_text())["tool"]["requirements"] == [{"name": "local", **wanted}]


def test_a_folder_that_is_not_on_the_path_is_told(tools: Tools) -> None:
    path = tools.sandbox.environ["PATH"].rpartition(os.pathsep)[0]
    ran = tools("install", "hello", environ={"PATH": path}).ok()
    assert f"warning: `{tools.bin}` is not on your PATH" in ran.stderr
