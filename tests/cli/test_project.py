"""A project on a private index: add, lock, sync, run, remove, and what each of them leaves alone."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.formats import uv_lock
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program

TOML = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[[tool.uv.index]]
name = "corp"
url = "{corp}"

[[tool.uv.index]]
name = "public"
url = "{public}"
default = true
"""


@pytest.fixture
def public(tmp_path: Path, wheel_factory: PackageFactory) -> Iterator[RunningIndex]:
    """An open index with a few packages."""
    with RunningIndex(tmp_path / "public") as index:
        for built in (
            wheel_factory.wheel("leaf", "1.0"),
            wheel_factory.wheel("leaf", "1.1"),
            wheel_factory.wheel("tree", "2.0", requires=["leaf>=1", "winonly; sys_platform == 'win32'"]),
            wheel_factory.wheel("winonly", "1.0"),
            wheel_factory.wheel("corp-core", "99.0"),
        ):
            built.write_to(index.store.root / built.filename.split("-")[0].replace("_", "-"))
        yield index


@pytest.fixture
def project(sandbox: Sandbox, cove_index: PrivateIndex, public: RunningIndex, wheel_factory: PackageFactory) -> Path:
    """A project whose private index has ``corp-core`` and ``corp-app``, with credentials in variables."""
    cove_index.add(
        wheel_factory.wheel("corp-core", "1.0"),
        wheel_factory.wheel("corp-core", "1.5"),
        wheel_factory.wheel("corp-app", "3.0", requires=["corp-core", "tree"], extras={"extra": ["leaf==1.0"]}),
    )
    sandbox.using(
        {"UV_INDEX_CORP_USERNAME": cove_index.username, "UV_INDEX_CORP_PASSWORD": cove_index.password.reveal()}
    )
    corp = cove_index.running.simple_url.public
    return sandbox.project(TOML.format(corp=corp, public=public.simple_url.public))


def installed(project: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in project.glob(".venv/lib/*/site-packages/*.dist-info")}


def test_add_locks_and_installs_from_both_indexes(sandbox: Sandbox, project: Path, public: RunningIndex) -> None:
    sandbox.cove("add", "corp-app").ok()
    assert installed(project) == {"corp_app-3.0", "corp_core-1.5", "tree-2.0", "leaf-1.1"}
    assert '"corp-app>=3.0"' in (project / "pyproject.toml").read_text()
    lock = uv_lock.parse((project / "uv.lock").read_text(), "uv.lock")
    sources = {str(package.name): package.source.location for package in lock.packages}
    assert sources["corp-core"] == sources["corp-app"]
    assert sources["tree"] == sources["leaf"] == sources["winonly"] == public.simple_url.public
    assert not any("corp" in seen.path for seen in public.requests), "private names must not be asked of a later index"


def test_a_lock_that_fits_is_left_alone_and_nothing_is_asked(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "corp-app").ok()
    before = (project / "uv.lock").read_bytes(), (project / "uv.lock").stat().st_mtime_ns
    for command in (("lock",), ("lock", "--check"), ("sync",), ("sync", "--locked"), ("sync", "--frozen")):
        ran = sandbox.cove(*command).ok()
        assert ran.requests == (), command
    assert ((project / "uv.lock").read_bytes(), (project / "uv.lock").stat().st_mtime_ns) == before


def test_a_sync_asks_for_files_only_and_each_once(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "corp-app", "--no-sync").ok()
    ran = sandbox.cove("sync", UV_CACHE_DIR=str(sandbox.root / "other-cache")).ok()
    paths = [request.url.rpartition("/")[2] for request in ran.requests]
    assert sorted(paths) == [
        "corp_app-3.0-py3-none-any.whl",
        "corp_core-1.5-py3-none-any.whl",
        "leaf-1.1-py3-none-any.whl",
        "tree-2.0-py3-none-any.whl",
    ]
    assert all(request.status == 200 for request in ran.requests)


def test_the_request_budget_of_a_cold_lock_is_a_page_and_its_metadata_each(sandbox: Sandbox, project: Path) -> None:
    ran = sandbox.cove("add", "corp-app", "--no-sync").ok()
    pages = [request for request in ran.requests if "/simple/" in request.url]
    metadata = [request for request in ran.requests if request.url.endswith(".metadata")]
    # corp-app, corp-core, tree, winonly, leaf; the public ones are asked of corp first, which has none of them.
    assert len(pages) == 5 + 3
    assert len(metadata) == 5
    assert len(ran.requests) == len(pages) + len(metadata)
    assert {request.status for request in ran.requests} == {200, 404}, "no request is sent without credentials first"


def test_remove_takes_away_what_nothing_needs(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "corp-core", "tree").ok()
    ran = sandbox.cove("remove", "tree").ok()
    assert "- leaf==1.1" in ran.stderr
    assert installed(project) == {"corp_core-1.5"}
    missing = sandbox.cove("remove", "tree")
    assert missing.status == 1
    assert "does not require `tree`" in missing.stderr


def test_a_stale_lock_says_because_of_what(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "tree").ok()
    toml = project / "pyproject.toml"
    written = toml.read_text()
    for change, reason in (
        (('"tree>=2.0"', '"tree>=1"'), "a dependency changed: `tree>=2.0` is now `tree>=1`"),
        (('"tree>=2.0"', '"tree>=2.0", "leaf"'), "a dependency was added: `leaf`"),
        ((">=3.11", ">=3.11,<4"), "requires-python was `>=3.11` and is `>=3.11, <4`"),
        (('"0.1.0"', '"0.2.0"'), "the project's version was 0.1.0 and is 0.2.0"),
    ):
        toml.write_text(written.replace(*change))
        assert toml.read_text() != written, change
        ran = sandbox.cove("sync", "--locked")
        assert (ran.status, reason in ran.stderr) == (1, True), ran.stderr


def test_a_final_slash_of_an_index_url_makes_no_lock_stale(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "tree").ok()
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text().replace('/simple/"', '/simple"'))
    assert sandbox.cove("lock", "--check").ok().requests == ()


def test_upgrade_moves_only_what_is_named(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "leaf==1.0", "corp-core==1.0").ok()
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text().replace("leaf==1.0", "leaf").replace("corp-core==1.0", "corp-core"))
    sandbox.cove("lock").ok()
    ran = sandbox.cove("lock", "--upgrade-package", "leaf").ok()
    assert "Updated leaf v1.0 -> v1.1" in ran.stderr
    assert "corp-core" not in ran.stderr
    assert "Updated corp-core v1.0 -> v1.5" in sandbox.cove("lock", "--upgrade").ok().stderr


def test_extras_and_groups_are_installed_when_asked_for(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "leaf==1.0", "--group", "lint").ok()
    sandbox.cove("add", "corp-core", "--optional", "all").ok()
    sandbox.cove("sync").ok()
    assert installed(project) == set()
    sandbox.cove("sync", "--all-extras", "--all-groups").ok()
    assert installed(project) == {"leaf-1.0", "corp_core-1.5"}
    assert "the project has no extra `nope`" in sandbox.cove("sync", "--extra", "nope").stderr


def test_a_failed_add_leaves_every_file_as_it_was(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "tree").ok()
    before = {path: path.read_bytes() for path in (project / "pyproject.toml", project / "uv.lock")}
    ran = sandbox.cove("add", "no-such-project")
    assert ran.status == 1
    assert "`no-such-project` was not found" in ran.stderr or "no-such-project was not found" in ran.stderr
    assert "corp (404 Not Found)" in ran.stderr
    assert {path: path.read_bytes() for path in before} == before
    sandbox.cove("lock", "--check").ok()


def test_run_runs_in_the_environment_and_hands_on_the_status(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "leaf").ok()
    (project / "ask.py").write_text("import leaf, sys; sys.exit(int(sys.argv[1]))")
    assert sandbox.cove("run", "ask.py", "7").status == 7
    assert sandbox.cove("run", "-m", "leaf").status in (0, 1)
    assert sandbox.cove("run", "no-such-program").status == 1


def test_an_index_given_to_add_is_written_without_credentials_and_pinned(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("corp-core", "1.0"))
    project = sandbox.project('[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n')
    sandbox.cove("add", "corp-core", "--index", f"corp={cove_index.simple_url}").ok()
    written = (project / "pyproject.toml").read_text()
    assert cove_index.password.reveal() not in written + (project / "uv.lock").read_text()
    assert 'corp-core = { index = "corp" }' in written or 'corp-core = {index = "corp"}' in written
    missing = sandbox.cove("sync", "--reinstall", "--no-cache")
    assert missing.status == 2
    assert "UV_INDEX_CORP_USERNAME" in missing.stderr


def test_machines_get_json(sandbox: Sandbox, project: Path) -> None:
    ran = sandbox.cove("add", "tree", "--no-sync").ok()
    assert ran.stdout == ""
    told = json.loads(sandbox.cove("sync", "--output-format", "json").ok().stdout)
    assert {each["name"] for each in told["installed"]} == {"tree", "leaf"}


@pytest.mark.parametrize("command", [("lock", "--check"), ("sync", "--frozen"), ("sync", "--locked")])
def test_uv_accepts_the_lock(sandbox: Sandbox, project: Path, command: tuple[str, ...]) -> None:
    sandbox.cove("add", "corp-app[extra]").ok()
    sandbox.cove("add", "leaf", "--group", "dev").ok()
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(sandbox.root / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    done = run_program([program("uv"), *command], environ, project)
    assert done.returncode == 0, done.stderr


def test_the_lock_is_the_one_that_uv_writes(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("add", "corp-app[extra]").ok()
    ours = (project / "uv.lock").read_text()
    (project / "uv.lock").unlink()
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(sandbox.root / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    done = run_program([program("uv"), "lock"], {**environ, "UV_PYTHON": sys.executable}, project)
    assert done.returncode == 0, done.stderr
    assert (project / "uv.lock").read_text() == ours
    sandbox.cove("lock", "--check").ok()
