"""Locks that somebody damaged, or made to do damage: what is wrong is named, and nothing is written outside."""

import copy
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox

PROJECT = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["leaf ; sys_platform != 'cli'", "arch @ {files}arch/arch-1.0-py3-none-any.whl", "folder", "filed"]

[project.optional-dependencies]
x = ["extra"]
y = ["extra<2"]

[tool.uv]
conflicts = [[{{ extra = "x" }}, {{ extra = "y" }}]]
constraint-dependencies = ["leaf<9"]
exclude-newer = "2080-01-01T00:00:00Z"

[tool.uv.sources]
folder = {{ path = "folder" }}
filed = {{ path = "filed-1.0-py3-none-any.whl" }}
extra = [{{ index = "main", extra = "x" }}, {{ index = "again", extra = "y" }}]

[[tool.uv.index]]
name = "main"
url = "{main}"
default = true

[[tool.uv.index]]
name = "again"
url = "{again}"
explicit = true
"""
FOLDER = '[project]\nname = "folder"\nversion = "7"\nrequires-python = ">=3.11"\n\n[tool.uv]\npackage = false\n'
COMMANDS = (
    ("lock", "--check"),
    ("lock", "--dry-run"),
    ("sync", "--frozen", "--dry-run", "--extra", "x"),
    ("export", "--frozen"),
    ("export", "--frozen", "--format", "pylock.toml"),
    ("export", "--frozen", "--format", "cyclonedx1.5"),
    ("tree", "--frozen"),
)
VALUES: tuple[object, ...] = (
    "\0",
    "",
    "a b",
    "x/" * 3000,
    "../../../x",
    "http://[::1",
    5,
    2**70,
    [],
    [1],
    ["("],
    {},
    [{}],
)


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Iterator[Path]:
    """A locked project with files from an index, a URL, a folder and a path."""
    make = PackageFactory()
    with RunningIndex(tmp_path / "main") as index, RunningIndex(tmp_path / "again") as again:
        for name in ("leaf", "extra", "arch"):
            for version in ("1.0", "2.0"):
                make.wheel(name, version).write_to(index.store.root / name)
        make.wheel("extra", "1.0").write_to(again.store.root / "extra")
        main, files = index.simple_url.public, index.simple_url.public.replace("simple/", "files/")
        sandbox.using({"UV_PYTHON": sys.executable}).project(FOLDER, "folder")
        folder = sandbox.project(PROJECT.format(main=main, files=files, again=again.simple_url.public))
        make.wheel("filed").write_to(folder)
        sandbox.cove("lock").ok()
        yield folder


Place = tuple[str | int, ...]


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """The ways to the values of a document; of lists the first two, which are like the others."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*at, key))


def changed(document: object, place: Place, value: object) -> object:
    whole = copy.deepcopy(document)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]  # type: ignore[index]
    inner[place[-1]] = value  # type: ignore[index]
    return whole


def test_a_value_that_is_not_what_it_should_be_is_no_defect(sandbox: Sandbox, project: Path) -> None:
    """Each value of the lock becomes something else, and one command after the other meets it."""
    lock = project / "uv.lock"
    document = tomllib.loads(lock.read_text())
    before = outside(sandbox)
    cases = [(place, value) for place in places(document) for value in VALUES]
    for number, (place, value) in enumerate(cases[::3]):
        lock.write_text(tomlkit.dumps(changed(document, place, value)))  # type: ignore[arg-type]
        ran = sandbox.cove(*COMMANDS[number % len(COMMANDS)])
        assert "unexpected" not in ran.stderr, (place, value, ran.stderr)
        assert ran.status in (0, 1, 2), (place, value)
    assert outside(sandbox) == before


def outside(sandbox: Sandbox) -> list[Path]:
    """All files but those of the cache and the environment."""
    return sorted(path for path in sandbox.root.rglob("*") if not {"cache", ".venv"} & {*path.parts})


@pytest.mark.parametrize(
    "written, instead, says",
    [
        ('{ virtual = "folder" }', '{ directory = "\\u0000" }', "package 'folder': '\\x00' is no path"),
        ('{ virtual = "folder" }', f'{{ directory = "{"x" * 300}" }}', "package 'folder': 'xxx"),
        ('{ url = "http', '{ url = "ht tp', "package 'arch': 'ht tp"),
        (
            'requires-python = ">=',
            'requires-python = "about >=',
            "requires-python: 'about >=3.11' is no range of Pythons",
        ),
        ("sys_platform != 'cli'", "sys_platform is 'cli'", "is no marker"),
        (
            'conflict = { package = "app"',
            'conflict = { package = "a p"',
            "requires-dist: conflict must be of a package",
        ),
    ],
)
def test_it_is_named(sandbox: Sandbox, project: Path, written: str, instead: str, says: str) -> None:
    lock = project / "uv.lock"
    text = lock.read_text()
    assert written in text, text
    lock.write_text(text.replace(written, instead))
    for command in (("sync", "--frozen"), ("export", "--frozen", "--format", "pylock.toml")):
        ran = sandbox.cove(*command)
        assert ran.status == 2
        assert f"{lock}: " in ran.stderr
        assert says in ran.stderr
