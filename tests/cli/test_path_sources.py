"""Requirements that come from folders, files and URLs."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.local_projects import BUILD, write_project


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    return Sandbox(tmp_path).using({"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri()})


def _builds(sandbox: Sandbox) -> list[str]:
    log = sandbox.root / "builds.txt"
    return log.read_text().splitlines() if log.exists() else []


def test_nothing_is_built_to_lock_what_says_everything(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "lib", "lib", "1.0")
    write_project(sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib" }\n')
    sandbox.cove("lock").ok()
    sandbox.cove("lock", "--check").ok()
    assert _builds(sandbox) == []


def test_what_leaves_it_open_is_built_once_until_it_changes(sandbox: Sandbox) -> None:
    lib = write_project(sandbox.root / "lib", "lib", "", more='dynamic = ["version"]\n')
    (lib / "DYNAMIC").write_text("version=1.0\n")
    write_project(
        sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib", editable = true }\n'
    )
    for _ in range(3):
        sandbox.cove("lock").ok()
    sandbox.cove("lock", "--check").ok()
    assert _builds(sandbox) == ["lib editable"]
    (lib / "pyproject.toml").write_text((lib / "pyproject.toml").read_text() + "# changed\n")
    sandbox.cove("lock", "--check").ok()
    assert _builds(sandbox) == ["lib editable"] * 2


@pytest.mark.parametrize(
    "change, told",
    [
        ({"requires": ("more",)}, "a dependency was added: `more`"),
        ({"version": "2.0"}, "its version was 1.0 and is 2.0"),
        ({"more": "[project.optional-dependencies]\nx = []\n"}, "the extra `x` was added"),
        ({"more": "[dependency-groups]\ndev = []\n"}, "the group `dev` was added"),
    ],
)
def test_what_changed_in_a_folder_is_told(sandbox: Sandbox, change: dict[str, object], told: str) -> None:
    write_project(sandbox.root / "lib", "lib", "1.0")
    write_project(sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib" }\n')
    sandbox.cove("lock").ok()
    more = str(change.get("more", ""))
    requires = change.get("requires", ())
    assert isinstance(requires, tuple)
    write_project(sandbox.root / "lib", "lib", str(change.get("version", "1.0")), *requires, more=more)
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, told in ran.stderr) == (1, True), ran.stderr
    assert "`lib` in ../lib" in ran.stderr


def test_another_file_under_the_same_name_is_told(sandbox: Sandbox) -> None:
    for content in ("1.0", "1.0+again"):
        write_project(sandbox.root / "lib", "lib", "1.0", more=f"# {content}\n")
        with tarfile.open(sandbox.root / "lib-1.0.tar.gz", "w:gz") as archive:
            archive.add(sandbox.root / "lib", "lib-1.0")
        if content == "1.0":
            write_project(
                sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib-1.0.tar.gz" }\n'
            )
            sandbox.cove("sync").ok()
    ran = sandbox.cove("lock", "--check")
    assert (ran.status, "the file is another one" in ran.stderr) == (1, True), ran.stderr
    assert sandbox.cove("sync", "--frozen", "--reinstall", "--no-cache").status == 1


def _sdist(sandbox: Sandbox) -> tuple[str, str]:
    """An sdist's URL and digest."""
    write_project(sandbox.root / "lib", "lib", "1.0")
    path = sandbox.root / "lib-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(sandbox.root / "lib", "lib-1.0")
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_digest_in_a_requirement_is_told_and_checked(sandbox: Sandbox) -> None:
    url, digest = _sdist(sandbox)
    write_project(sandbox.work, "app", "0", f"lib @ {url}#sha256={digest.upper()}")
    sandbox.cove("lock").ok()
    lock = (sandbox.work / "uv.lock").read_text()
    assert "#sha256" not in lock
    write_project(sandbox.work, "app", "0", f"lib @ {url}")
    sandbox.cove("lock", "--check").ok()
    wrong = "0" * 64
    write_project(sandbox.work, "app", "0", f"lib @ {url}#sha256={wrong}")
    ran = sandbox.cove("lock", "--check")
    assert f"`lib` was locked as sha256:{digest}, and sha256:{wrong} is required" in ran.stderr
    ran = sandbox.cove("lock")
    assert (ran.status, "is not the file that was promised" in ran.stderr) == (1, True), ran.stderr
    assert (sandbox.work / "uv.lock").read_text() == lock


def test_a_digest_in_a_source_is_checked(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "lib", "lib", "1.0")
    with RunningIndex(sandbox.root / "served") as server:
        wheel = PackageFactory().wheel("lib")
        wheel.write_to(server.store.root / "lib")
        url = server.url.join(f"files/lib/{wheel.filename}").public
        for digest, told in ((wheel.sha256, ""), ("0" * 64, "is not the file that was promised")):
            source = f'[tool.uv.sources]\nlib = {{ url = "{url}#sha256={digest}" }}\n'
            write_project(sandbox.work, "app", "0", "lib", more=source)
            ran = sandbox.cove("lock")
            assert (ran.status, told in ran.stderr) == (bool(told), True), ran.stderr
            assert f'source = {{ url = "{url}" }}' in (sandbox.work / "uv.lock").read_text()


def test_a_project_in_a_folder_of_an_archive(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "big" / "inner", "lib", "1.0")
    with tarfile.open(sandbox.root / "big.tar.gz", "w:gz") as archive:
        archive.add(sandbox.root / "big", "big")
    source = 'lib = { path = "../big.tar.gz", subdirectory = "inner" }'
    write_project(sandbox.work, "app", "0", "lib", more=f"[tool.uv.sources]\n{source}\n")
    sandbox.cove("sync").ok()
    sandbox.cove("lock", "--check").ok()
    assert 'source = { path = "../big.tar.gz", subdirectory = "inner" }' in (sandbox.work / "uv.lock").read_text()
    for wrong, told in (("nope", "has no folder `nope`"), ("../..", "lies outside the archive")):
        write_project(sandbox.work, "app", "0", "lib", more=f"[tool.uv.sources]\n{source.replace('inner', wrong)}\n")
        ran = sandbox.cove("lock")
        assert (ran.status in (1, 2), told in ran.stderr) == (True, True), ran.stderr


def test_what_a_build_requires_comes_from_its_sources(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "backlib", "backlib", "1.0")
    more = '[tool.uv.sources]\nbacklib = { path = "../backlib" }\n'
    lib = write_project(sandbox.root / "lib", "lib", "1.0", more=more)
    text = (lib / "pyproject.toml").read_text()
    (lib / "pyproject.toml").write_text(text.replace(BUILD, BUILD.replace("[]", '["backlib"]')))
    (lib / "backend.py").write_text("import backlib\n" + (lib / "backend.py").read_text())
    write_project(sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib" }\n')
    sandbox.cove("sync").ok()
    assert "lib wheel" in _builds(sandbox)
    sandbox.cove("build", "--wheel", str(lib)).ok()


def test_a_project_in_place_is_installed_anew_when_it_says_something_else(sandbox: Sandbox) -> None:
    write_project(sandbox.root / "lib", "lib", "1.0")
    write_project(
        sandbox.work, "app", "0", "lib", more='[tool.uv.sources]\nlib = { path = "../lib", editable = true }\n'
    )
    sandbox.cove("sync").ok()
    before = _builds(sandbox)
    sandbox.cove("sync").ok()
    assert _builds(sandbox) == before
    write_project(sandbox.root / "lib", "lib", "1.0", more='[project.scripts]\nx = "lib:x"\n')
    sandbox.cove("sync").ok()
    assert _builds(sandbox) == [*before, "lib editable"]


def test_a_place_may_be_told_from_the_root_of_the_project(sandbox: Sandbox) -> None:
    write_project(sandbox.work / "lib", "lib", "1.0")
    for slashes in ("//", "///"):
        write_project(sandbox.work, "app", "0", f"lib @ file:{slashes}${{PROJECT_ROOT}}/lib", builds=False)
        sandbox.cove("lock").ok()
        assert 'source = { directory = "lib" }' in (sandbox.work / "uv.lock").read_text()


def test_nobody_goes_where_an_excluded_project_would_come_from(sandbox: Sandbox) -> None:
    gone = (sandbox.root / "gone-1.0-py3-none-any.whl").as_uri()
    sandbox.project(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["gone @ {gone}"]\n[tool.uv]\nexclude-dependencies = ["gone"]\n'
    )
    sandbox.cove("lock").ok()
    assert 'name = "app"' in (sandbox.work / "uv.lock").read_text()
