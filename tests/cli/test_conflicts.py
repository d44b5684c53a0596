"""Members of a workspace that exclude each other, and indexes that a member has for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.model.dist import parse_filename
from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox

make = PackageFactory()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIndex]:
    """Two versions of one library."""
    with RunningIndex(tmp_path_factory.mktemp("index")) as running:
        for version in ("1.0", "2.0"):
            make.wheel("lib", version).write_to(running.store.root / "lib")
        yield running


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A place of its own for one test."""
    return Sandbox(tmp_path)


def workspace(sandbox: Sandbox, index: RunningIndex, *conflicts: str) -> Path:
    """``app``, which can do with either ``lib``, and ``core``, which is asked for one of them."""
    root = sandbox.project(
        f"""
[tool.uv]
conflicts = [{", ".join(conflicts)}]
[tool.uv.workspace]
members = ["app", "core"]
[[tool.uv.index]]
name = "main"
url = "{index.simple_url.public}"
default = true
"""
    )
    head = 'version = "1"\nrequires-python = ">=3.11"\n'
    sandbox.project(
        f"""
[project]
name = "app"
{head}
[project.optional-dependencies]
new = ["core[new]"]
old = ["lib<2"]
[tool.uv]
package = false
[tool.uv.sources]
core = {{ workspace = true }}
""",
        "app",
    )
    sandbox.project(
        f"""
[project]
name = "core"
{head}
[project.optional-dependencies]
new = ["lib>=2"]
[dependency-groups]
legacy = ["lib<2"]
[tool.uv]
package = false
""",
        "core",
    )
    return root


ACROSS = (
    '[{ package = "core", extra = "new" }, { package = "core", group = "legacy" }, { package = "app", extra = "old" }]'
)


@pytest.mark.parametrize("command", [("sync",), ("run", "--", "python", "-V"), ("export",)], ids=lambda each: each[0])
def test_what_excludes_each_other_is_not_selected_across_members(
    sandbox: Sandbox, index: RunningIndex, command: tuple[str, ...]
) -> None:
    workspace(sandbox, index, ACROSS)
    name, *rest = command
    refused = sandbox.cove(name, "--all-packages", "--extra", "old", "--group", "legacy", *rest)
    assert refused.status == 2
    assert "the extra `old` of `app` and the group `legacy` of `core` exclude each other" in refused.stderr


def test_an_extra_that_an_extra_requires_is_selected_too(sandbox: Sandbox, index: RunningIndex) -> None:
    workspace(sandbox, index, ACROSS)
    refused = sandbox.cove("sync", "--package", "app", "--extra", "new", "--extra", "old")
    assert refused.status == 2
    assert "the extra `old` of `app` and the extra `new` of `core` exclude each other" in refused.stderr


def test_each_gets_its_version(sandbox: Sandbox, index: RunningIndex) -> None:
    workspace(sandbox, index, ACROSS)
    for selection, version in (
        (("--package", "app", "--extra", "new"), "2.0"),
        (("--package", "app", "--extra", "old"), "1.0"),
        (("--package", "core", "--group", "legacy"), "1.0"),
    ):
        told = sandbox.cove("export", "--no-hashes", "--no-header", "--no-annotate", *selection).ok().stdout
        assert f"lib=={version}" in told.splitlines()
        assert told.count("lib==") == 1


def test_a_project_excludes_one_that_it_would_bring(sandbox: Sandbox, index: RunningIndex) -> None:
    workspace(sandbox, index, '[{ package = "app" }, { package = "core" }]', ACROSS)
    assert "the project `app` and the project `core` exclude" in sandbox.cove("sync", "--all-packages").stderr
    sandbox.cove("sync", "--package", "core", "--extra", "new").ok()


def test_a_changed_conflict_of_a_member_makes_the_lock_stale(sandbox: Sandbox, index: RunningIndex) -> None:
    root = workspace(sandbox, index, ACROSS)
    sandbox.cove("lock").ok()
    assert sandbox.cove("lock", "--check").ok().requests == ()
    path = root / "core" / "pyproject.toml"
    path.write_text(path.read_text() + 'conflicts = [[{ extra = "new" }, { group = "legacy" }]]\n')
    stale = sandbox.cove("lock", "--check")
    assert stale.status == 1
    assert "the setting `conflicts` changed" in stale.stderr


def test_an_export_of_a_workspace_without_a_project_has_the_default_groups_of_members(
    sandbox: Sandbox, index: RunningIndex
) -> None:
    root = workspace(sandbox, index, ACROSS)
    path = root / "app" / "pyproject.toml"
    path.write_text(path.read_text() + '\n[dependency-groups]\ndev = ["lib"]\n')
    for selection in ((), ("--all-packages",), ("--package", "app")):
        assert "lib==" in sandbox.cove("export", "--no-hashes", *selection).ok().stdout


# -- indexes of members ------------------------------------------------------------------------------------------------


@pytest.fixture
def corp(tmp_path: Path) -> Iterator[RunningIndex]:
    """An index that wants credentials, and has another ``lib``."""
    with RunningIndex(tmp_path / "corp", {"reader": Secret("hidden")}) as running:
        for wheel in (make.wheel("secret-core"), make.wheel("lib", "9.0")):
            parsed = parse_filename(wheel.filename)
            assert parsed is not None
            wheel.write_to(running.store.root / parsed.name)
        yield running


def with_index(sandbox: Sandbox, index: RunningIndex, corp: RunningIndex, root_index: str = "") -> Path:
    """``app``, which has its own index for ``secret-core``."""
    head = 'version = "1"\nrequires-python = ">=3.11"\n'
    root = sandbox.project(
        f"""
[project]
name = "root"
{head}
dependencies = ["app"]
[tool.uv.sources]
app = {{ workspace = true }}
[tool.uv.workspace]
members = ["app"]
[[tool.uv.index]]
name = "main"
url = "{index.simple_url.public}"
default = true
{root_index}
"""
    )
    sandbox.project(
        f"""
[project]
name = "app"
{head}
dependencies = ["secret-core", "lib"]
[tool.uv]
package = false
[tool.uv.sources]
secret-core = {{ index = "corp" }}
[[tool.uv.index]]
name = "corp"
url = "{corp.simple_url.public}"
""",
        "app",
    )
    return root


def test_the_index_of_a_member_has_its_credentials_and_is_not_searched(
    sandbox: Sandbox, index: RunningIndex, corp: RunningIndex
) -> None:
    root = with_index(sandbox, index, corp)
    assert sandbox.cove("lock").status != 0
    sandbox.using({"UV_INDEX_CORP_USERNAME": "reader", "UV_INDEX_CORP_PASSWORD": "hidden"})
    for folder in (root, root / "app"):
        ran = sandbox.cove("sync", cwd=folder).ok()
        asked = [request.url for request in ran.requests if request.url.startswith(corp.url.public)]
        assert not any("/lib/" in url for url in asked)
    text = (root / "uv.lock").read_text()
    assert f'source = {{ registry = "{corp.simple_url.public}" }}' in text
    assert 'name = "lib"\nversion = "2.0"' in text
    assert sandbox.cove("lock", "--check").ok().requests == ()


def test_one_name_means_one_index_in_a_workspace(sandbox: Sandbox, index: RunningIndex, corp: RunningIndex) -> None:
    other = f'[[tool.uv.index]]\nname = "corp"\nurl = "{index.simple_url.public}"\n'
    with_index(sandbox, index, corp, other)
    refused = sandbox.cove("lock")
    assert refused.status == 2
    assert "the index `corp` has another URL" in refused.stderr


def test_the_index_of_a_member_cannot_be_named_by_others(
    sandbox: Sandbox, index: RunningIndex, corp: RunningIndex
) -> None:
    root = with_index(sandbox, index, corp)
    path = root / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.uv.sources]", '[tool.uv.sources]\nlib = { index = "corp" }'))
    refused = sandbox.cove("lock")
    assert refused.status == 2
    assert "no index is named `corp`" in refused.stderr
