"""What is said not to be installed, and what variables say of selections for every run."""

import json
import tarfile
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import write_project

LEFT_OUT: dict[str, tuple[tuple[str, ...], dict[str, str], set[str]]] = {
    "nothing": ((), {}, {"app", "member", "other", "lib", "packed"}),
    "project": (("--no-install-project",), {}, {"member", "other", "lib", "packed"}),
    "project-variable": ((), {"UV_NO_INSTALL_PROJECT": "1"}, {"member", "other", "lib", "packed"}),
    "project-of-a-member": (("--no-install-project", "--package", "member"), {}, {"lib"}),
    "workspace": (("--no-install-workspace",), {}, {"other", "lib", "packed"}),
    "workspace-variable": ((), {"UV_NO_INSTALL_WORKSPACE": "true"}, {"other", "lib", "packed"}),
    "local": (("--no-install-local",), {}, set()),
    "local-variable": ((), {"UV_NO_INSTALL_LOCAL": "1"}, set()),
    "package": (("--no-install-package", "lib", "--no-install-package", "packed"), {}, {"app", "member", "other"}),
    "group-variable": ((), {"UV_NO_DEV": "1"}, {"app", "member", "lib", "packed"}),
    "group-though": (("--dev",), {"UV_NO_DEV": "1"}, {"app", "member", "other", "lib", "packed"}),
    "groups-variable": ((), {"UV_NO_DEFAULT_GROUPS": "1"}, {"app", "member", "lib", "packed"}),
    "extra": (("--all-extras",), {}, {"app", "member", "other", "lib", "packed", "more"}),
    "extra-not": (("--all-extras", "--no-extra", "x"), {}, {"app", "member", "other", "lib", "packed"}),
}


@pytest.fixture
def project(sandbox: Sandbox) -> Path:
    """A root with a member, and projects beside it: in folders, and one in an archive."""
    (sandbox.root / "index").mkdir()
    sandbox.using({"UV_DEFAULT_INDEX": (sandbox.root / "index").as_uri()})
    for name in ("lib", "other", "more", "packed"):
        write_project(sandbox.root / name, name)
    with tarfile.open(sandbox.root / "packed-1.0.tar.gz", "w:gz") as archive:
        archive.add(sandbox.root / "packed", "packed-1.0")
    write_project(sandbox.work / "member", "member", "1.0", "lib")
    sources = "".join(f'{name} = {{ path = "../{name}" }}\n' for name in ("lib", "other", "more"))
    more = '[project.optional-dependencies]\nx = ["more"]\n[dependency-groups]\ndev = ["other"]\n'
    more += '[tool.uv.workspace]\nmembers = ["member"]\n[tool.uv.sources]\nmember = { workspace = true }\n'
    more += sources + 'packed = { path = "../packed-1.0.tar.gz" }\n'
    return write_project(sandbox.work, "app", "1.0", "member", "packed", more=more)


def _installed(project: Path) -> dict[str, bool]:
    """The names of what is installed, and whether in place."""
    found = {}
    for path in project.glob(".venv/lib/*/site-packages/*.dist-info/direct_url.json"):
        said = json.loads(path.read_text())
        found[path.parent.name.partition("-")[0]] = said.get("dir_info", {}).get("editable", False)
    return found


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out(sandbox: Sandbox, project: Path, name: str) -> None:
    argv, variables, wanted = LEFT_OUT[name]
    sandbox.cove("sync", *argv, environ=variables).ok()
    assert _installed(project).keys() == wanted


def test_an_extra_that_is_not_there(sandbox: Sandbox, project: Path) -> None:
    ran = sandbox.cove("sync", "--all-extras", "--no-extra", "nope")
    assert (ran.status, "no extra `nope`" in ran.stderr) == (2, True), ran.stderr


def test_projects_are_copied_where_it_is_wished(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("sync").ok()
    assert {name for name, is_editable in _installed(project).items() if is_editable} == {"app", "member"}
    sandbox.cove("sync", "--no-editable-package", "member").ok()
    assert {name for name, is_editable in _installed(project).items() if is_editable} == {"app"}
    sandbox.cove("sync", UV_NO_EDITABLE="1").ok()
    assert not any(_installed(project).values())
    exported = sandbox.cove("export", "--no-header", UV_NO_EDITABLE="1").ok().stdout
    assert "-e " not in exported
    sandbox.cove("lock", "--check").ok()
    sandbox.cove("sync").ok()
    assert {name for name, is_editable in _installed(project).items() if is_editable} == {"app", "member"}


def test_what_is_left_behind_goes_only_where_it_is_said(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("sync", "--all-extras").ok()
    sandbox.cove("run", "python", "-c", "").ok()
    assert "more" in _installed(project)
    sandbox.cove("run", "--exact", "python", "-c", "").ok()
    assert "more" not in _installed(project)


def test_a_trial_makes_no_environment(sandbox: Sandbox, project: Path) -> None:
    for option, status in (("--dry-run", 0), ("--check", 1)):
        ran = sandbox.cove("sync", option)
        assert (ran.status, f"Would make the environment {project / '.venv'}" in ran.stderr) == (status, True), (
            ran.stderr
        )
        assert "lib==1.0" in ran.stdout + ran.stderr
        assert not (project / ".venv").exists()


def test_an_environment_stays_as_it_is(sandbox: Sandbox, project: Path) -> None:
    sandbox.cove("sync").ok()
    before = _installed(project)
    sandbox.cove("remove", "packed", UV_NO_SYNC="1").ok()
    sandbox.cove("run", "python", "-c", "", UV_NO_SYNC="1").ok()
    assert _installed(project) == before
    sandbox.cove("add", "../packed-1.0.tar.gz", "--no-install-local").ok()
    assert "packed" in (project / "uv.lock").read_text()
    assert not _installed(project)


def test_what_is_added_goes_to_the_group_of_the_variable(sandbox: Sandbox, project: Path) -> None:
    for argv, where in (((), "dev = ["), (("--group", "test"), "test = [")):
        sandbox.cove("add", "../more", *argv, "--frozen", UV_DEV="1").ok()
        text = (project / "pyproject.toml").read_text().partition(where)[2].partition("]")[0]
        assert '"more"' in text
    assert sandbox.cove("tree", "--only-dev", UV_NO_DEV="1").ok().stdout.count("group: dev") >= 1
