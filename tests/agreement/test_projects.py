"""Both ways with uv: each accepts the other's lock, and installs the same files from it."""

import csv
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agreement.universe import CREDENTIALS, Universe, universe
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program

PROJECTS = sorted(path.parent for path in Path(__file__).parent.glob("projects/*/pyproject.toml"))
WRITTEN_BY_EITHER = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})
"""What an installer says of itself."""
OTHERWISE = {
    "an-index-by-marker": "ours takes one version from both indexes, where it can",
    "extras-in-a-circle": "uv divides the environments, and has one answer for both parts",
    "nested-extras-and-one-of-them": "the same",
}
"""Where the locks are not the same text."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Universe]:
    """The indexes."""
    with universe(tmp_path_factory.mktemp("universe")) as made:
        yield made


class Both:
    """Two programs on one project."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox.using({**CREDENTIALS, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"})
        self.sandbox.using({"UV_LINK_MODE": "copy"})

    def uv(self, folder: Path, *argv: str, into: str = ".venv") -> None:
        """``uv *argv`` in ``folder``; it must succeed."""
        environ = {"UV_CACHE_DIR": str(self.sandbox.root / "uv-cache"), "UV_PROJECT_ENVIRONMENT": into}
        done = run_program([program("uv"), *argv], {**self.sandbox.environ, **environ}, folder)
        assert done.returncode == 0, f"uv {argv}\n{done.stderr}"

    def cove(self, folder: Path, *argv: str, into: str = ".venv") -> int:
        """``cove *argv`` in ``folder``, which must succeed; the number of its requests."""
        return len(self.sandbox.cove(*argv, cwd=folder, UV_PROJECT_ENVIRONMENT=into).ok().requests)


def installed(environment: Path) -> set[tuple[str, str]]:
    """Path and digest of everything that is recorded to be in an environment, less what installers say of themselves."""
    found: set[tuple[str, str]] = set()
    for record in environment.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        for path, digest, _ in csv.reader(record.read_text().splitlines()):
            if path.rpartition("/")[2] not in WRITTEN_BY_EITHER:
                assert (record.parent.parent / path).is_file(), path
                found.add((path, digest))
    return found


@pytest.mark.parametrize("template", PROJECTS, ids=lambda path: path.name)
def test_both_accept_and_install_the_lock_of_the_other(
    template: Path, world: Universe, sandbox: Sandbox, tmp_path: Path
) -> None:
    both = Both(sandbox)
    ours, theirs = (world.project(template, tmp_path / whose) for whose in ("ours", "theirs"))
    both.cove(ours, "lock")
    both.uv(theirs, "lock")
    written = [(folder / "uv.lock").read_text().replace(str(folder), "") for folder in (ours, theirs)]
    assert (written[0] == written[1]) is (template.name not in OTHERWISE)
    both.uv(ours, "lock", "--check")
    assert both.cove(theirs, "lock", "--check") == 0

    table = tomllib.loads((template / "pyproject.toml").read_text()).get("tool", {})
    chosen = table.get("agreement", {}).get("sync", [])
    found = []
    for folder in (ours, theirs):
        before = (folder / "uv.lock").read_bytes()
        both.uv(folder, "sync", "--frozen", *chosen, into="of-uv")
        both.cove(folder, "sync", "--frozen", *chosen, into="of-cove")
        found += [installed(folder / "of-uv"), installed(folder / "of-cove")]
        assert (folder / "uv.lock").read_bytes() == before
    assert found[0] == found[1] == found[2] == found[3]


def test_there_are_enough_of_them() -> None:
    assert len(PROJECTS) >= 25
