import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from cove.cli.demo_projects import write_package
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox

STEM = "corp_greeting-1.0.0"
SDIST, WHEEL = f"{STEM}.tar.gz", f"{STEM}-py3-none-any.whl"


@pytest.fixture
def project(sandbox: Sandbox) -> Path:
    """A project that brings its own backend."""
    return write_package(sandbox.work, "corp-greeting", in_tree=True)


def built(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".gitignore")


@pytest.mark.parametrize(
    "argv, expected",
    [
        ((), [WHEEL, SDIST]),
        (("--sdist",), [SDIST]),
        (("--wheel",), [WHEEL]),
        (("--sdist", "--wheel"), [WHEEL, SDIST]),
    ],
)
def test_what_is_built(sandbox: Sandbox, project: Path, argv: tuple[str, ...], expected: list[str]) -> None:
    told = sandbox.cove("build", *argv, cwd=project).ok()
    assert built(project / "dist") == expected
    assert told.stdout == ""
    for name in expected:
        assert f"Successfully built dist/{name}\n" in told.stderr
    assert (project / "dist" / ".gitignore").read_text() == "*\n"


def test_the_wheel_is_made_from_the_sdist(sandbox: Sandbox, project: Path) -> None:
    backend = project / "demo_backend.py"
    refusal = '    assert not pathlib.Path("only-here").exists(), "this is the folder"\n    files = {path'
    backend.write_text(backend.read_text().replace("    files = {path", refusal))
    (project / "only-here").write_text("")
    sandbox.cove("build", "corp-greeting", "-o", "out").ok()
    with tarfile.open(sandbox.work / "out" / SDIST) as sdist, zipfile.ZipFile(sandbox.work / "out" / WHEEL) as wheel:
        assert f"{STEM}/src/corp_greeting/__init__.py" in sdist.getnames()
        assert "corp_greeting/__init__.py" in wheel.namelist()
    assert "this is the folder" in sandbox.cove("build", "--wheel", "corp-greeting").stderr


def test_a_folder_an_sdist_and_the_project_option(sandbox: Sandbox, project: Path) -> None:
    told = sandbox.cove("build", "corp-greeting", "--sdist", "--output-format", "json").ok()
    sdist = project / "dist" / SDIST
    assert json.loads(told.stdout) == {"built": [str(sdist)]}
    sandbox.cove("build", f"corp-greeting/dist/{SDIST}").ok()
    assert built(project / "dist") == [WHEEL, SDIST]
    sandbox.cove("build", "--project", "corp-greeting", "--wheel", "-o", "elsewhere").ok()
    assert built(sandbox.work / "elsewhere") == [WHEEL]
    assert sandbox.cove("build", str(sdist), "--sdist").status == 2


def test_build_requirements_come_from_the_index_they_are_pinned_to(
    sandbox: Sandbox, project: Path, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("helper"))
    text = (project / "pyproject.toml").read_text().replace("requires = []", 'requires = ["helper"]')
    url = cove_index.running.simple_url.public
    (project / "pyproject.toml").write_text(
        f'{text}\n[[tool.uv.index]]\nname = "mine"\nurl = "{url}"\nexplicit = true\n'
        '[tool.uv.sources]\nhelper = { index = "mine" }\n'
    )
    named = {"UV_INDEX_MINE_USERNAME": cove_index.username, "UV_INDEX_MINE_PASSWORD": cove_index.password.reveal()}
    told = sandbox.cove("build", "--wheel", "--offline", cwd=project, environ=named)
    assert told.status == 2
    assert not (project / "dist").exists()
    sandbox.cove("build", "--wheel", cwd=project, environ=named).ok()
    assert built(project / "dist") == [WHEEL]


def test_without_isolation_nothing_is_installed(sandbox: Sandbox, project: Path) -> None:
    text = (project / "pyproject.toml").read_text().replace("requires = []", 'requires = ["unheard-of"]')
    (project / "pyproject.toml").write_text(text)
    refused = sandbox.cove("build", "--no-build-isolation", "--wheel", cwd=project)
    assert "no virtual environment found" in refused.stderr
    sandbox.cove("venv", cwd=project).ok()
    told = sandbox.cove("build", "--no-build-isolation", "--wheel", cwd=project).ok()
    assert told.requests == ()
    assert built(project / "dist") == [WHEEL]


def test_config_settings_reach_the_backend(sandbox: Sandbox, project: Path) -> None:
    backend = project / "demo_backend.py"
    code = backend.read_text().replace(
        "    files = {path", '    pathlib.Path("seen").write_text(repr(config_settings))\n    files = {path'
    )
    backend.write_text(code)
    sandbox.cove("build", "--wheel", "-C", "a=1", "-C", "b=2", "--config-setting", "b=3=4", cwd=project).ok()
    assert (project / "seen").read_text() == "{'a': '1', 'b': ['2', '3=4']}"
    assert sandbox.cove("build", "-C", "a", cwd=project).status == 2


def test_a_backend_that_fails_leaves_nothing(sandbox: Sandbox, project: Path) -> None:
    backend = project / "demo_backend.py"
    backend.write_text(backend.read_text().replace("def build_wheel(", "def build_wheel(): ...\ndef _unused("))
    refused = sandbox.cove("build", cwd=project)
    assert refused.status == 1
    assert "cannot be built" in refused.stderr
    assert not (project / "dist").exists()


def test_a_python_that_the_project_excludes(sandbox: Sandbox, project: Path) -> None:
    text = (project / "pyproject.toml").read_text().replace(">=3.11", ">=9")
    (project / "pyproject.toml").write_text(text)
    refused = sandbox.cove("build", cwd=project)
    assert refused.status == 2
    assert ">=9" in refused.stderr


@pytest.mark.parametrize("source", ["nowhere", "file.txt", "empty"])
def test_what_is_no_project(sandbox: Sandbox, source: str) -> None:
    (sandbox.work / "file.txt").write_text("")
    (sandbox.work / "empty").mkdir()
    refused = sandbox.cove("build", source)
    assert refused.status == (1 if source == "empty" else 2)
    assert source in refused.stderr
    assert not list((sandbox.work / "empty").iterdir())


def test_an_out_dir_that_is_a_file(sandbox: Sandbox, project: Path) -> None:
    (sandbox.work / "out").write_text("mine")
    refused = sandbox.cove("build", "--wheel", "-o", str(sandbox.work / "out"), cwd=project)
    assert refused.status == 1
    assert "cannot be written" in refused.stderr
    assert (sandbox.work / "out").read_text() == "mine"
