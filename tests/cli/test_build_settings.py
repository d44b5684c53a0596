"""What the settings say of builds: isolation, what backends are told and given, and how many run at a time."""

import json
import tarfile
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import BACKEND, write_project
from support.simple_pages import MAKE

# A backend that writes down what it was told, what it was given, and where it ran.
TELLING = (
    BACKEND.replace(
        "def build_wheel(folder, settings=None, metadata=None):\n",
        "def build_wheel(folder, settings=None, metadata=None):\n    _tell(settings)\n",
    ).replace(
        "def build_editable(folder, settings=None, metadata=None):\n",
        "def build_editable(folder, settings=None, metadata=None):\n    _tell(settings)\n",
    )
    + """
def _tell(settings):
    import importlib.metadata, json, sys
    found = sorted(f"{each.name}=={each.version}" for each in importlib.metadata.distributions(path=sys.path))
    said = {
        "name": tomllib.load(open("pyproject.toml", "rb"))["project"]["name"], "settings": settings,
        "present": found, "flavour": os.environ.get("FLAVOUR"), "prefix": sys.prefix,
    }
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps(said) + "\\n")
"""
)


class Told:
    """What backends wrote down."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> list[dict[str, object]]:
        """All since the last time."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self._path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "told")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """``lib`` and ``other`` as sdists of an index, of which only a build tells what they are, and as folders."""
    (tmp_path / "index").mkdir()
    (tmp_path / "links").mkdir()
    for name in ("lib", "other"):
        folder = write_project(tmp_path / name, name, "", more='dynamic = ["version"]\n')
        (folder / "backend.py").write_text(TELLING)
        (folder / "DYNAMIC").write_text("version=1.0\n")
        with tarfile.open(tmp_path / "links" / f"{name}-1.0.tar.gz", "w:gz") as archive:
            archive.add(folder, f"{name}-1.0")
    for version in ("1.0", "2.0"):
        MAKE.wheel("numbers", version).write_to(tmp_path / "links")
    places = {"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri(), "UV_FIND_LINKS": str(tmp_path / "links")}
    return Sandbox(tmp_path).using({**places, "TOLD": str(tmp_path / "told")})


def _app(sandbox: Sandbox, more: str = "", *requires: str) -> None:
    write_project(sandbox.work, "app", "0", *(requires or ("lib", "other")), more=more, builds=False)


def _environment(sandbox: Sandbox) -> str:
    return str((sandbox.work / ".venv").resolve())


FOLDERS = '\n[tool.uv.sources]\nlib = { path = "../lib" }\nother = { path = "../other", editable = true }\n'
CONFIGURED = """
[tool.uv]
config-settings = { level = "1", list = ["a", "b"] }
config-settings-package = { lib = { own = "yes" } }
extra-build-dependencies = { lib = ["numbers<2"] }
extra-build-variables = { lib = { FLAVOUR = "mild" } }
"""


@pytest.mark.parametrize("sources", ["", FOLDERS], ids=["sdists", "folders"])
@pytest.mark.parametrize("command", ["lock", "sync"])
def test_what_a_project_configures(sandbox: Sandbox, told: Told, sources: str, command: str) -> None:
    _app(sandbox, CONFIGURED + sources)
    sandbox.cove(command).ok()
    by_name = {each["name"]: each for each in told.take()}
    assert by_name["lib"]["settings"] == {"level": "1", "list": ["a", "b"], "own": "yes"}
    assert by_name["other"]["settings"] == {"level": "1", "list": ["a", "b"]}
    assert [by_name[name]["flavour"] for name in ("lib", "other")] == ["mild", None]
    assert [by_name[name]["present"] for name in ("lib", "other")] == [["numbers==1.0"], []]


@pytest.mark.parametrize("argv", [("pip", "install", "lib"), ("build", "../lib", "--wheel", "-o", "out")])
def test_what_options_say(sandbox: Sandbox, told: Told, argv: tuple[str, ...]) -> None:
    sandbox.cove("venv").ok()
    (sandbox.work / "uv.toml").write_text('config-settings = { level = "1", file = "x" }\n')
    options = ("-C", "level=2", "--config-setting", "k=v=w", "--config-settings-package", "lib:own=1")
    sandbox.cove(*argv, *options).ok()
    [said, *_] = told.take()
    assert said["settings"] == {"level": ["2", "1"], "file": "x", "k": "v=w", "own": "1"}


@pytest.mark.parametrize(
    "options", [("-C", "nothing"), ("--config-settings-package", "lib"), ("--config-settings-package", "lib:x")]
)
def test_what_is_no_setting(sandbox: Sandbox, options: tuple[str, str]) -> None:
    ran = sandbox.cove("build", "../lib", *options)
    assert (ran.status, "KEY=VALUE" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    "text",
    ['extra-build-dependencies = { lib = [{ match-runtime = true }] }', 'extra-build-dependencies = { lib = ["a b"] }',
     "extra-build-variables = { lib = { A = 1 } }", "config-settings = { a = 1 }"],
)  # fmt: skip
def test_what_cannot_be_read(sandbox: Sandbox, text: str) -> None:
    _app(sandbox, f"[tool.uv]\n{text}\n")
    ran = sandbox.cove("lock")
    assert (ran.status, text.partition(" ")[0] in ran.stderr) == (2, True), ran.stderr


def test_other_options_are_another_build(sandbox: Sandbox, told: Told) -> None:
    _app(sandbox, "", "lib")
    for options, builds in (((), 1), ((), 0), (("-C", "a=1"), 1), (("-C", "a=1"), 0), (("-C", "a=2"), 1)):
        sandbox.cove("sync", "--reinstall", *options).ok()
        assert len(told.take()) == builds


def test_the_version_beside_it(sandbox: Sandbox, told: Told) -> None:
    more = '[tool.uv]\nextra-build-dependencies = {{ lib = [{{ requirement = "numbers", match-runtime = {} }}] }}\n'
    _app(sandbox, more.format("false"), "lib", "numbers<2")
    sandbox.cove("lock").ok()
    told.take()
    _app(sandbox, more.format("true"), "lib", "numbers<2")
    sandbox.cove("sync", "--frozen").ok()
    assert [each["present"] for each in told.take()] == [["numbers==1.0"]]
    _app(sandbox, more.format("true"), "lib")
    ran = sandbox.cove("lock", "--upgrade", "--no-cache")
    assert (ran.status, "is to be built with the `numbers` that is installed beside it" in ran.stderr) == (2, True)


# -- isolation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sources", ["", FOLDERS], ids=["sdists", "folders"])
def test_one_project_without_isolation_comes_last(sandbox: Sandbox, told: Told, sources: str) -> None:
    _app(sandbox, '[tool.uv]\nno-build-isolation-package = ["lib"]\n' + sources, "lib", "other", "numbers")
    sandbox.cove("lock").ok()
    told.take()
    sandbox.cove("sync", "--no-cache").ok()
    *_, last = told.take()
    assert (last["name"], last["prefix"]) == ("lib", _environment(sandbox))
    assert last["present"] == ["numbers==2.0", "other==1.0"]
    assert "Audited" in sandbox.cove("sync").ok().stderr or sources


@pytest.mark.parametrize("option", [("--no-build-isolation",), ("--no-build-isolation-package", "lib")])
@pytest.mark.parametrize(
    "argv",
    [
        ("pip", "install", "lib"),
        ("pip", "install", "../lib"),
        ("pip", "install", "-e", "../lib"),
        ("pip", "sync", "in.txt"),
    ],
)
def test_pip_without_isolation(sandbox: Sandbox, told: Told, argv: tuple[str, ...], option: tuple[str, ...]) -> None:
    (sandbox.work / "in.txt").write_text("lib==1.0\nnumbers==1.0\n")
    sandbox.cove("venv").ok()
    sandbox.cove("pip", "install", "numbers==1.0").ok()
    sandbox.cove(*argv, *option).ok()
    said = told.take()
    assert {each["prefix"] for each in said} == {_environment(sandbox)}
    assert all(each["present"] == ["numbers==1.0"] for each in said)


def test_build_without_isolation_of_one(sandbox: Sandbox, told: Told) -> None:
    sandbox.cove("venv").ok()
    for name in ("lib", "other"):
        sandbox.cove("build", f"../{name}", "--wheel", "-o", "out", "--no-build-isolation-package", "lib").ok()
    assert [each["prefix"] == _environment(sandbox) for each in told.take()] == [True, False]


def test_without_isolation_nothing_is_taken_away(sandbox: Sandbox) -> None:
    _app(sandbox, "", "other")
    sandbox.cove("sync").ok()
    sandbox.cove("pip", "install", "numbers==1.0").ok()
    assert "numbers" not in sandbox.cove("sync", "--no-build-isolation").ok().stderr
    assert "- numbers==1.0" in sandbox.cove("sync").ok().stderr


# -- how many at a time -----------------------------------------------------------------------------------------------

MEETING = BACKEND.replace(
    "def _made(folder, editable):\n",
    """
def _meet():
    # Whether another backend runs at the same time: each leaves a mark, and waits for a second one.
    import time
    place = os.environ["MEETING"]
    mark = os.path.join(place, str(os.getpid()))
    open(mark, "w").close()
    ends = time.monotonic() + float(os.environ["PATIENCE"])
    while time.monotonic() < ends and not os.path.exists(place + "-met"):
        if len(os.listdir(place)) > 1:
            open(place + "-met", "w").close()
        time.sleep(0.01)
    os.unlink(mark)

def _made(folder, editable):
    _meet()
""",
)


@pytest.mark.parametrize("limit, met", [("1", False), ("2", True)])
def test_no_more_backends_run_than_may(sandbox: Sandbox, limit: str, met: bool) -> None:
    (sandbox.root / "meeting").mkdir()
    for name in ("lib", "other"):
        write_project(sandbox.root / name, name, "1.0")  # it says what it is: the build is for the installation
        (sandbox.root / name / "backend.py").write_text(MEETING)
        with tarfile.open(sandbox.root / "links" / f"{name}-1.0.tar.gz", "w:gz") as archive:
            archive.add(sandbox.root / name, f"{name}-1.0")
    sandbox.cove("venv").ok()
    patience = "30" if met else "0.5"
    variables = {"MEETING": str(sandbox.root / "meeting"), "PATIENCE": patience, "UV_CONCURRENT_BUILDS": limit}
    sandbox.cove("pip", "install", "lib", "other", environ=variables).ok()
    assert (sandbox.root / "meeting-met").exists() is met
