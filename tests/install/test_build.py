import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cove.errors import BuildFailed
from cove.install.build import BuildEnvironment, Builder, BuildSystem, clean_environ, read_build_system
from cove.install.sdist import unpack_sdist
from cove.model.event import Event, Noted, Warned


@dataclass
class _Present:
    """The environment the tests run in, which has the backends; notes what it was asked for."""

    executable: Path = Path(sys.executable)
    scripts: Path = Path(sys.executable).parent
    asked: list[tuple[str, ...]] = field(default_factory=list)
    closed: bool = False

    def add(self, requirements: Sequence[str]) -> None:
        self.asked.append(tuple(requirements))

    @contextmanager
    def provide(self, requirements: Sequence[str]) -> Iterator[BuildEnvironment]:
        self.asked.append(tuple(requirements))
        try:
            yield self
        finally:
            self.closed = True


def _builder(present: _Present | None = None, events: list[Event] | None = None, **environ: str) -> Builder:
    shell = {"PATH": os.environ.get("PATH", ""), **environ}
    return Builder((present or _Present()).provide, shell, report=(events if events is not None else []).append)


def _project(folder: Path, build_system: str, **files: str) -> Path:
    folder.mkdir()
    project = '[project]\nname = "demo-pkg"\nversion = "1.5"\nrequires-python = ">=3.9"\ndependencies = ["rich>=13"]\n'
    (folder / "pyproject.toml").write_text(f"{build_system}\n{project}", encoding="utf-8")
    (folder / "demo_pkg").mkdir()
    (folder / "demo_pkg" / "__init__.py").write_text("answer = 42\n", encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


HATCHLING = '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
OWN = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.mark.parametrize("system", [HATCHLING, SETUPTOOLS], ids=["hatchling", "setuptools"])
def test_real_backends_build_everything(tmp_path: Path, system: str) -> None:
    source, present = _project(tmp_path / "source", system), _Present()
    builder = _builder(present)
    sdist = builder.build_sdist(source, tmp_path / "out", "demo-pkg")
    with tarfile.open(sdist) as archive:
        assert "demo_pkg-1.5/PKG-INFO" in archive.getnames()
    unpacked = unpack_sdist(sdist, tmp_path / "unpacked")
    wheel = builder.build_wheel(unpacked, tmp_path / "out", "demo-pkg")
    assert wheel == tmp_path / "out" / "demo_pkg-1.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert "demo_pkg/__init__.py" in archive.namelist()
        metadata = archive.read("demo_pkg-1.5.dist-info/METADATA")
    prepared = builder.prepare_metadata(unpacked, tmp_path / "none", "demo-pkg")
    assert prepared.metadata == metadata
    assert prepared.wheel is None
    editable = builder.build_editable(source, tmp_path / "editable", "demo-pkg")
    with zipfile.ZipFile(editable) as archive:
        assert "demo_pkg/__init__.py" not in archive.namelist()
    assert present.asked[0] == read_build_system(source, "demo-pkg").requires
    assert present.closed


def test_a_project_without_build_system_is_built_by_setuptools(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    setup = "from setuptools import setup\nsetup(name='old', version='0.1', py_modules=['old'])\n"
    (tmp_path / "source" / "setup.py").write_text(setup)
    (tmp_path / "source" / "old.py").write_text("")
    present = _Present()
    wheel = _builder(present).build_wheel(tmp_path / "source", tmp_path / "out", "old")
    assert wheel.name == "old-0.1-py3-none-any.whl"
    assert present.asked[0] == ("setuptools>=40.8.0",)


WHEEL = """
import os, zipfile
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(wheel_directory, "demo_pkg-1.5-py3-none-any.whl"), "w") as archive:
        archive.writestr("demo_pkg-1.5.dist-info/METADATA", "Name: demo-pkg\\nVersion: 1.5\\n")
    return "demo_pkg-1.5-py3-none-any.whl"
"""


def test_a_backend_may_ask_for_more(tmp_path: Path) -> None:
    more = "def get_requires_for_build_wheel(config_settings=None):\n    return ['more>=1']\n"
    source, present = _project(tmp_path / "source", OWN, backend=more + WHEEL), _Present()
    _builder(present).build_wheel(source, tmp_path / "out", "demo-pkg")
    assert present.asked == [(), ("more>=1",)]


def test_metadata_of_a_backend_without_the_hook_comes_from_its_wheel(tmp_path: Path) -> None:
    source = _project(tmp_path / "source", OWN, backend=WHEEL)
    prepared = _builder().prepare_metadata(source, tmp_path / "out", "demo-pkg")
    assert prepared.metadata == b"Name: demo-pkg\nVersion: 1.5\n"
    assert prepared.wheel == tmp_path / "out" / "demo_pkg-1.5-py3-none-any.whl"


def test_what_the_backend_writes_and_warns_is_reported(tmp_path: Path) -> None:
    noisy = "import sys, warnings\nprint('see http://user:hunter2@host/x', file=sys.stderr)\n"
    warn = WHEEL.replace("    with zip", "    warnings.warn('old ways')\n    with zip")
    events: list[Event] = []
    source = _project(tmp_path / "source", OWN, backend=noisy + warn)
    _builder(events=events).build_wheel(source, tmp_path / "out", "demo-pkg")
    assert Noted("see http://****@host/x") in events
    assert Warned("demo-pkg: old ways") in events


@pytest.mark.parametrize(
    "code, says",
    [
        ("raise RuntimeError('no luck')", "no luck"),
        ("import missing_thing", "missing_thing is missing while demo-pkg is built"),
        ("def build_wheel(*a): return '../x.whl'", "no name ending in .whl"),
        ("def build_wheel(*a): return 'x.whl'", "does not exist"),
        ("def build_wheel(*a): return None", "no name ending in .whl"),
        ("def build_wheel(*a): raise SystemExit(3)", "exit status 3"),
        ("def build_wheel(*a): import os; os._exit(0)", "gave no answer"),
        ("def build_wheel(*a): print('http://u:hunter2@h/'); raise ValueError", "http://****@h/"),
        ("def get_requires_for_build_wheel(*a): return 'x'", "not a list of strings"),
    ],
)
def test_a_failing_backend_is_named_with_its_words(tmp_path: Path, code: str, says: str) -> None:
    source, present = _project(tmp_path / "source", OWN, backend=code), _Present()
    with pytest.raises(BuildFailed) as caught:
        _builder(present).build_wheel(source, tmp_path / "out", "demo-pkg")
    error = caught.value
    assert error.message.startswith("demo-pkg")
    assert says in "\n".join((error.message, *error.causes, *error.hints))
    assert "hunter2" not in str(error)
    assert present.closed


def test_a_backend_without_pep_660_says_so(tmp_path: Path) -> None:
    source = _project(tmp_path / "source", OWN, backend=WHEEL)
    with pytest.raises(BuildFailed, match="has no build_editable"):
        _builder().build_editable(source, tmp_path / "out", "demo-pkg")


def test_backend_path_stays_inside(tmp_path: Path) -> None:
    source = _project(tmp_path / "source", OWN.replace('["."]', '["../.."]'))
    with pytest.raises(BuildFailed, match="backend-path"):
        _builder().build_wheel(source, tmp_path / "out", "demo-pkg")


def test_a_backend_sees_no_secrets(tmp_path: Path) -> None:
    code = "import os\nopen('seen', 'w').write(repr(dict(os.environ)))\n"
    source = _project(tmp_path / "source", OWN, backend=code + WHEEL)
    builder = _builder(
        UV_INDEX_CORP_PASSWORD="hunter2",
        UV_INDEX_CORP_USERNAME="hunter2",
        COVE_ANYTHING="hunter2",
        PIP_INDEX_URL="http://u:hunter2@h/",
        GITHUB_TOKEN="hunter2",
        MY_SECRET="hunter2",
        DATABASE="postgres://u:hunter2@h/db",
        CFLAGS="-O2",
        PYTHONPATH="/hunter2",
    )
    builder.build_wheel(source, tmp_path / "out", "demo-pkg")
    seen = (source / "seen").read_text()
    assert "hunter2" not in seen
    assert "'CFLAGS': '-O2'" in seen


def test_what_a_build_needs_is_kept() -> None:
    kept = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://u:p@proxy:1",
        "no_proxy": "x",
        "CC": "gcc",
        "SOURCE_DATE_EPOCH": "1",
        "HOME": "/h",
        "UVICORN_PORT": "1",
        "SSH_AUTH_SOCK": "/agent",
    }
    assert clean_environ(kept) == {name: value for name, value in kept.items() if name != "SSH_AUTH_SOCK"}


@pytest.mark.parametrize(
    "text, says",
    [
        ("[build-system]\n", "no requires"),
        ("build-system = 1\n", "no requires"),
        ("[build-system]\nrequires = 'x'\n", "not a list of strings"),
        ("[build-system]\nrequires = [1]\n", "not a list of strings"),
        ("[build-system]\nrequires = []\nbuild-backend = 1\n", "not a string"),
        ("[build-system]\nrequires = []\nbackend-path = 'x'\n", "not a list of strings"),
        ("[build-system\n", "cannot be read"),
    ],
)
def test_a_wrong_build_system_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(BuildFailed, match=says):
        read_build_system(tmp_path, "demo-pkg")


def test_build_systems_as_written(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="neither"):
        read_build_system(tmp_path, "demo-pkg")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert read_build_system(tmp_path, "demo-pkg") == BuildSystem()
    (tmp_path / "pyproject.toml").write_text(OWN)
    assert read_build_system(tmp_path, "demo-pkg") == BuildSystem((), "backend", (".",))
