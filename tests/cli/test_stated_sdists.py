"""Sdists that are required by URL or path and say what they require: nothing is built to learn it."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import write_project
from support.scripted_server import Reply, serving
from support.simple_pages import MAKE

REFUSES = 'raise RuntimeError("nobody asked for a build")\n'
BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
STATIC = (
    f'[project]\nname = "one"\nversion = "1.0"\ndependencies = ["two"]\noptional-dependencies = {{x = []}}\n{BUILD}'
)
DYNAMIC = f'[project]\nname = "one"\ndynamic = ["version", "dependencies"]\n{BUILD}'
FINAL = "Metadata-Version: 2.2\nName: one\nVersion: 1.0\nProvides-Extra: x\nRequires-Dist: two\n"
OLD = "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n"
OPEN = "Metadata-Version: 2.2\nName: one\nVersion: 1.0\nDynamic: Requires-Dist\n"

SAYING = {
    "PKG-INFO": {"PKG-INFO": FINAL, "pyproject.toml": DYNAMIC},
    "pyproject.toml": {"pyproject.toml": STATIC},
    "pyproject.toml beside an old PKG-INFO": {"PKG-INFO": OLD, "pyproject.toml": STATIC},
    "pyproject.toml beside an open PKG-INFO": {"PKG-INFO": OPEN, "pyproject.toml": STATIC},
}
NOT_SAYING = {
    "an open PKG-INFO": {"PKG-INFO": OPEN, "pyproject.toml": DYNAMIC},
    "an old PKG-INFO": {"PKG-INFO": OLD, "pyproject.toml": DYNAMIC},
    "a dynamic pyproject.toml": {"pyproject.toml": DYNAMIC},
    "metadata of something else within": {"inner/PKG-INFO": FINAL, "pyproject.toml": DYNAMIC},
}
COMMANDS = (("lock",), ("pip", "compile", "requirements.in"), ("pip", "install", "-r", "requirements.in", "--dry-run"))


def _archive(files: dict[str, str], name: str = "one-1.0.tar.gz", below: str = "") -> bytes:
    content = io.BytesIO()
    named = {f"one-1.0/{below}{path}": text for path, text in ({"backend.py": REFUSES} | files).items()}
    if name.endswith(".zip"):
        with zipfile.ZipFile(content, "w") as archive:
            for path, text in named.items():
                archive.writestr(path, text)
        return content.getvalue()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for path, text in named.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    MAKE.wheel("two", "2.0").write_to(tmp_path / "links")
    places = {"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri(), "UV_FIND_LINKS": str(tmp_path / "links")}
    sandbox = Sandbox(tmp_path).using(places)
    sandbox.cove("venv").ok()
    return sandbox


Put = Callable[[bytes, str], str]


@pytest.fixture(params=["file", "http"])
def put(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Put]:
    """Puts an archive where it has a URL."""
    with serving(lambda _: Reply(404)) as server:

        def served(content: bytes, name: str) -> str:
            server.script = lambda request: Reply(200, content) if request.path == f"/{name}" else Reply(404)
            return f"{server.url}/{name}"

        def written(content: bytes, name: str) -> str:
            (sandbox.root / name).write_bytes(content)
            return (sandbox.root / name).as_uri()

        yield served if request.param == "http" else written


def _asked(sandbox: Sandbox, url: str) -> None:
    write_project(sandbox.work, "app", "0", f"one[x] @ {url}", builds=False)
    (sandbox.work / "requirements.in").write_text(f"one[x] @ {url}\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize("files", SAYING.values(), ids=SAYING)
@pytest.mark.parametrize("below", ["", "packages/one/"])
def test_nothing_is_built(
    sandbox: Sandbox, put: Put, below: str, files: dict[str, str], command: tuple[str, ...]
) -> None:
    url = put(_archive(files, below=below), "one-1.0.tar.gz")
    _asked(sandbox, f"{url}#subdirectory={below.rstrip('/')}" if below else url)
    ran = sandbox.cove(*command).ok()
    told = (sandbox.work / "uv.lock").read_text() if command == ("lock",) else ran.stdout + ran.stderr
    assert "two" in told


@pytest.mark.parametrize("files", NOT_SAYING.values(), ids=NOT_SAYING)
def test_what_is_left_open_is_built(sandbox: Sandbox, put: Put, files: dict[str, str]) -> None:
    _asked(sandbox, put(_archive(files), "one-1.0.tar.gz"))
    ran = sandbox.cove("lock")
    assert (ran.status, "nobody asked for a build" in ran.stderr) == (1, True), ran.stderr


def test_a_zip_is_read_too(sandbox: Sandbox, put: Put) -> None:
    _asked(sandbox, put(_archive(SAYING["PKG-INFO"], "one-1.0.zip"), "one-1.0.zip"))
    sandbox.cove("lock").ok()


def test_what_is_stated_is_of_the_project_that_is_required(sandbox: Sandbox, put: Put) -> None:
    content = _archive({"PKG-INFO": FINAL.replace("Name: one", "Name: other"), "pyproject.toml": DYNAMIC})
    _asked(sandbox, put(content, "one-1.0.tar.gz"))
    ran = sandbox.cove("lock")
    assert (ran.status, "is other, but `one` was required from there" in ran.stderr) == (1, True), ran.stderr


def test_an_sdist_in_a_find_links_folder_that_states_all_in_its_pyproject(sandbox: Sandbox) -> None:
    (sandbox.root / "links" / "one-1.0.tar.gz").write_bytes(_archive(SAYING["pyproject.toml"]))
    (sandbox.work / "requirements.in").write_text("one\n")
    ran = sandbox.cove("pip", "compile", "requirements.in").ok()
    assert "two==2.0" in ran.stdout
