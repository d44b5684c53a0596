"""``cove tree``, held to uv on the locks that uv wrote."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.cli.drawing import size
from cove.operations.resolution.platforms import platform_markers
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.programs import clean_environment, program, run

LOCKS = Path(__file__).parents[1] / "formats" / "data" / "locks"
VARIANTS: tuple[tuple[str, ...], ...] = (
    ("--universal",),
    (),
    ("--depth", "1"),
    ("--universal", "--invert", "--depth", "2"),
    ("--universal", "--invert", "--package", "gamma"),
    ("--universal", "--no-dedupe"),
    ("--universal", "--invert", "--no-dedupe", "--all-groups"),
    ("--prune", "delta", "--no-dev"),
    ("--python-platform", "windows", "--python-version", "3.12"),
    ("--python-platform", "aarch64-apple-darwin"),
    ("--universal", "--show-sizes"),
)

PROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
[dependency-groups]
dev = []
test = []
vv = []
[[tool.uv.index]]
name = "one"
url = "https://files.example.org/one/simple"
[[tool.uv.index]]
url = "https://files.example.org/two/simple"
"""


@pytest.mark.parametrize("name", ["conflicts", "extras", "forks", "git", "paths", "plain"])
def test_as_uv_draws_it(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    text = (LOCKS / f"{name}.lock").read_text()
    (folder / "uv.lock").write_text(text)
    own = {"extras": "extras", "plain": "small-proj"}.get(name, "x")
    (folder / "pyproject.toml").write_text(PROJECT.format(name=own))
    environment = clean_environment(tmp_path / "uv")
    for variant in VARIANTS:
        argv = ("tree", "--frozen", *variant)
        theirs = run([program("uv"), *argv, "--quiet"], environment, folder)
        ours = sandbox.cove(*argv, cwd=folder)
        assert theirs.returncode == 0, theirs.stderr
        if "gamma" in variant and 'name = "gamma"' not in text:
            assert "`gamma` is not in the tree" in ours.stderr
            continue
        assert ours.ok().stdout == theirs.stdout, variant
        assert not ours.requests


@pytest.fixture
def two(
    sandbox: Sandbox, tmp_path: Path, wheel_factory: PackageFactory
) -> Iterator[tuple[Sandbox, RunningIndex, RunningIndex]]:
    """A project on two indexes, one of which has something newer of everything."""
    with RunningIndex(tmp_path / "corp") as corp, RunningIndex(tmp_path / "public") as public:
        for index, name, requires in ((corp, "app", ["lib"]), (public, "lib", ["leaf"]), (public, "leaf", [])):
            wheel_factory.wheel(name, "1.0", requires=requires).write_to(index.store.root / name)
        sandbox.project(
            '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["app"]\n'
            f'[[tool.uv.index]]\nname = "corp"\nurl = "{corp.simple_url.public}"\n'
            f'[[tool.uv.index]]\nname = "public"\nurl = "{public.simple_url.public}"\ndefault = true\n'
        )
        sandbox.cove("lock").ok()
        yield sandbox, corp, public


def test_every_index_is_shown(two: tuple[Sandbox, RunningIndex, RunningIndex]) -> None:
    sandbox, _, _ = two
    ran = sandbox.cove("tree").ok()
    assert ran.stdout.splitlines() == [
        "demo v1",
        "└── app v1.0 [corp]",
        "    └── lib v1.0 [public]",
        "        └── leaf v1.0 [public]",
    ]
    below = sandbox.cove("tree", "--package", "lib").ok().stdout.splitlines()
    assert below == ["lib v1.0", "└── leaf v1.0"]  # one index, which need not be said
    shown = sandbox.cove("tree", "--package", "lib", "--show-index").ok().stdout.splitlines()
    assert shown == ["lib v1.0 [public]", "└── leaf v1.0 [public]"]
    assert not ran.requests


def test_each_package_s_own_index_is_asked_for_what_is_newer(
    two: tuple[Sandbox, RunningIndex, RunningIndex], wheel_factory: PackageFactory
) -> None:
    sandbox, corp, public = two
    for index, name, version in (
        (corp, "app", "1.5"),
        (public, "app", "9.0"),  # of no concern: the index before has it
        (public, "lib", "2.0"),
        (public, "lib", "3.0a1"),
    ):
        wheel_factory.wheel(name, version).write_to(index.store.root / name)
    wheel_factory.wheel("leaf", "7.0", requires_python=">=3.99").write_to(public.store.root / "leaf")
    ran = sandbox.cove("tree", "--outdated", "--refresh").ok()
    assert ran.stdout.splitlines() == [
        "demo v1",
        "└── app v1.0 (latest: v1.5) [corp]",
        "    └── lib v1.0 (latest: v2.0) [public]",
        "        └── leaf v1.0 [public]",
    ]
    asked = sorted(str(request.url).rpartition("/simple/")[2] for request in ran.requests)
    assert asked == ["app/", "leaf/", "lib/"]


def test_an_index_that_does_not_answer_is_told(two: tuple[Sandbox, RunningIndex, RunningIndex]) -> None:
    sandbox, _, _ = two
    ran = sandbox.cove("tree", "--outdated", "--offline", "--no-cache").ok()
    assert "whether there is a newer `app` cannot be told" in ran.stderr
    assert "app v1.0" in ran.stdout


def test_as_json(two: tuple[Sandbox, RunningIndex, RunningIndex]) -> None:
    sandbox, corp, _ = two
    (root,) = json.loads(sandbox.cove("tree", "--depth", "1", "--output-format", "json").ok().stdout)
    assert root == {
        "name": "demo",
        "version": "1",
        "source": {"virtual": "."},
        "branches": [
            {
                "name": "app",
                "version": "1.0",
                "source": {"registry": corp.simple_url.public},
                "index": "corp",
                "branches": [],
            }
        ],
    }


def test_what_cannot_be_is_refused(two: tuple[Sandbox, RunningIndex, RunningIndex]) -> None:
    sandbox, _, _ = two
    for argv, said in (
        (("--package", "nope"), "`nope` is not in the tree"),
        (("--python-platform", "amiga"), "the platform `amiga` is not known"),
        (("--depth", "x"), "--depth"),
        (("--locked", "--frozen"), "contradict"),
    ):
        ran = sandbox.cove("tree", *argv)
        assert (ran.status, said in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    "text, system, machine",
    [
        ("linux", "linux", "x86_64"), ("windows", "win32", "AMD64"), ("macos", "darwin", "arm64"),
        ("aarch64-unknown-linux-musl", "linux", "aarch64"), ("x86_64-manylinux_2_28", "linux", "x86_64"),
        ("aarch64-pc-windows-msvc", "win32", "ARM64"), ("aarch64-apple-darwin", "darwin", "arm64"),
    ],
)  # fmt: skip
def test_platforms(text: str, system: str, machine: str) -> None:
    markers = platform_markers(text)
    assert (markers["sys_platform"], markers["platform_machine"]) == (system, machine)


def test_a_lock_that_moved_shows_the_index_of_now(
    two: tuple[Sandbox, RunningIndex, RunningIndex], wheel_factory: PackageFactory
) -> None:
    sandbox, _, public = two
    path = sandbox.work / "pyproject.toml"
    text, before = path.read_text(), (sandbox.work / "uv.lock").read_bytes()
    with RunningIndex(public.store.root) as moved:
        path.write_text(text.replace(public.simple_url.public, moved.simple_url.public).replace('"public"', '"new"'))
        shown = sandbox.cove("tree").ok().stdout
        assert "lib v1.0 [new]" in shown
        wheel_factory.wheel("leaf", "9.0").write_to(public.store.root / "leaf")
        assert "leaf v1.0 (latest: v9.0) [new]" in sandbox.cove("tree", "--outdated").ok().stdout
        frozen = sandbox.cove("tree", "--frozen").ok()
        assert (public.simple_url.public in frozen.stdout, frozen.requests) == (True, ())
    assert (sandbox.work / "uv.lock").read_bytes() == before


@pytest.mark.parametrize(
    "count, text",
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.0KiB"),
        (1536, "1.5KiB"),
        (1048520, "1023.9KiB"),
        (1048575, "1.0MiB"),
        (5 << 40, "5.0TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_all_groups_of_a_member_by_default(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.project(
        '[project]\nname = "root"\nversion = "1"\nrequires-python = ">=3.11"\n[tool.uv.workspace]\nmembers = ["b"]\n'
    )
    (sandbox.work / "b").mkdir()
    (sandbox.work / "b" / "pyproject.toml").write_text(
        '[project]\nname = "b"\nversion = "2"\nrequires-python = ">=3.11"\n[tool.uv]\ndefault-groups = "all"\n'
        '[dependency-groups]\nlint = ["root"]\n[tool.uv.sources]\nroot = { workspace = true }\n'
    )
    sandbox.cove("lock").ok()
    assert "└── root v1 (group: lint)" in sandbox.cove("tree").ok().stdout.splitlines()
