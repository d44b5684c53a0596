"""``add`` and ``remove``: what they make of ``pyproject.toml`` and ``uv.lock`` is byte for byte what uv makes of them."""

import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agreement.add_cases import CASES
from cove.model.dist import parse_filename
from cove.server.serve import RunningIndex
from cove.testing import BuiltFile, PackageFactory
from support.commandline import Sandbox
from support.local_projects import commit, git, write_project
from support.programs import program
from support.programs import run as run_program

_make = PackageFactory()
_VERSIONS = {
    "leaf": ("1.0", "1.1", "2.0"), "leaf-x": ("1.0",), "leaf-m": ("1.0",), "My.Pkg": ("1.0", "1.2"), "both": ("1.0",),
    "pre": ("1.0", "2.0b1"), "onlypre": ("1.0a1",), "local": ("1.2.3+cpu",), "epoch": ("1!2.3",), "zero": ("0.3.4",),
    "null": ("0.0",), "five": ("5",), "four": ("1.2.3.4.post1",), "patch": ("0.0.4",),
}  # fmt: skip


def _files() -> Iterator[BuiltFile]:
    for name, versions in _VERSIONS.items():
        yield from (_make.wheel(name, version) for version in versions)
    yield _make.sdist("both")
    yield _make.wheel("web", extras={"fast": ["leaf>=2"], "all": ["web[fast]", "both"]})
    by_python = ["leaf<2 ; python_version < '3.12'", "leaf>=2 ; python_version >= '3.12'"]
    yield _make.wheel("marked", requires=by_python)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project ``app``, with things in it and beside it that can be added."""
    root = tmp_path_factory.mktemp("place")
    write_project(root / "lib", "lib", "1.0", more="[project.optional-dependencies]\nx = []\n")
    for folder, name in (("kit", "kit"), ("a", "a"), ("app/inner", "inner"), ("app/second", "second")):
        write_project(root / folder, name)
    write_project(root / "dynamic", "changing", "", more='dynamic = ["version"]\n')
    (root / "dynamic" / "DYNAMIC").write_text("version=3.0\n")
    write_project(root / "repo", "one", "1.0")
    write_project(root / "repo" / "sub", "two", "1.0")
    commit(root / "repo", tag="v1")
    for file in (_make.wheel("leaf"), _make.wheel("web", extras={"fast": ["leaf>=2"]}), _make.sdist("both")):
        file.write_to(root)
    (root / "requirements.txt").write_text("# here\nleaf>=1\nMy.Pkg\n")
    (root / "lines.txt").write_text("-e ../lib\n../kit\nleaf==1.0 ; sys_platform == 'win32'\n")
    (root / "constraints.txt").write_text("leaf<2\nmy-pkg==1.0\n")
    (root / "hashes.txt").write_text(f"leaf==1.0 --hash=sha256:{_make.wheel('leaf').sha256}\n")
    (root / "empty.txt").write_text("")
    return root


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    folder = tmp_path_factory.mktemp("indexes")
    with RunningIndex(folder / "main") as main, RunningIndex(folder / "other") as other:
        for file in _files():
            parsed = parse_filename(file.filename)
            assert parsed is not None
            file.write_to(main.store.root / parsed.name)
        files = main.url.join("files").public
        yield {"index": main.simple_url.public, "other": other.simple_url.public, "files": files}


@pytest.mark.parametrize("name", CASES)
def test_the_same_project_and_lock(
    name: str, sandbox: Sandbox, place: Path, addresses: Mapping[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "place"
    config = sandbox.home / ".config" / "uv" / "uv.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[[index]]\nurl = "{addresses["index"]}"\ndefault = true\n')
    sandbox.using({"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"})
    values = {"root": str(root), "leaf": _make.wheel("leaf").sha256, **addresses}
    values["commit"] = git(place / "repo", "rev-parse", "HEAD")
    toml, command = (_filled(text, values) for text in CASES[name])
    argv = [*shlex.split(command), *([] if "--frozen" in command else ["--no-sync"])]

    def start() -> Path:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(place, root)
        (root / "app" / "pyproject.toml").write_text(toml)
        return root / "app"

    folder = start()
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache")}
    theirs = run_program([program("uv"), *argv], environ, folder)
    expected = _written(root)
    ours = sandbox.cove(*argv, cwd=start())
    assert (ours.status == 0) is (theirs.returncode == 0), theirs.stderr + ours.stderr
    assert _written(root) == expected


def _filled(text: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _written(root: Path) -> dict[str, str]:
    paths = [*root.rglob("pyproject.toml"), *root.rglob("uv.lock")]
    return {str(path.relative_to(root)): path.read_text() for path in sorted(paths)}
