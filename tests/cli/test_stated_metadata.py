"""``dependency-metadata``: what the configuration says that packages require stands in the place of what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox

UNBUILDABLE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": 'raise RuntimeError("nobody asked for a build")\n',
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[RunningIndex]:
    """``old`` can only be built, and does not say what it requires; ``wheel`` requires ``leaf``."""
    make = PackageFactory()
    with RunningIndex(tmp_path / "index") as running:
        root = running.store.root
        for name in ("leaf", "other"):
            make.wheel(name).write_to(root / name)
        make.wheel("wheel", requires=["leaf"]).write_to(root / "wheel")
        make.sdist("old", files=UNBUILDABLE).write_to(root / "old")
        yield running


def configured(sandbox: Sandbox, index: RunningIndex, entries: str) -> Path:
    return sandbox.project(
        '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["wheel", "old"]\n'
        f"[tool.uv]\ndependency-metadata = [{entries}]\n"
        f'[[tool.uv.index]]\nname = "main"\nurl = "{index.simple_url.public}"\ndefault = true\n'
    )


def test_nothing_is_built_or_read_to_learn_what_is_stated(sandbox: Sandbox, index: RunningIndex) -> None:
    folder = configured(
        sandbox, index, '{ name = "old", version = "1.0", requires-dist = ["other"] }, { name = "wheel" }'
    )
    ran = sandbox.cove("lock").ok()
    lock = (folder / "uv.lock").read_text()
    assert ('name = "other"' in lock, 'name = "leaf"' in lock) == (True, False)
    assert not any(request.url.rpartition("/")[2].startswith(("old-", "wheel-")) for request in ran.requests)
    assert sandbox.cove("lock", "--check").ok().requests == ()
    (folder / "requirements.in").write_text("wheel\nold\n")
    compiled = sandbox.cove("pip", "compile", "requirements.in", "--no-header", "--no-annotate").ok().stdout
    assert compiled.split() == ["old==1.0", "other==1.0", "wheel==1.0"]


def test_an_entry_for_another_version_says_nothing(sandbox: Sandbox, index: RunningIndex) -> None:
    folder = configured(
        sandbox,
        index,
        '{ name = "old", requires-dist = [] }, { name = "wheel", version = "2", requires-dist = ["other"] }',
    )
    sandbox.cove("lock").ok()
    lock = (folder / "uv.lock").read_text()
    assert ('name = "other"' in lock, 'name = "leaf"' in lock) == (False, True)


@pytest.mark.parametrize(
    "entry, why",
    [
        ('{ requires-dist = ["leaf"] }', "expected"),
        ('{ name = "old", requires = ["leaf"] }', "expected a table of `name`"),
        ('{ name = "old", requires-dist = "leaf" }', "expected a list of texts as `requires-dist`"),
        ('{ name = "old", requires-dist = ["leaf >"] }', "`dependency-metadata` of `old`: "),
        ('{ name = "old", version = "new" }', "`dependency-metadata` of `old`: "),
        ('{ name = "old", requires-python = "three" }', "`requires-python` is not a range of versions: `three`"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_with_its_line(
    entry: str, why: str, sandbox: Sandbox, index: RunningIndex
) -> None:
    folder = configured(sandbox, index, entry)
    ran = sandbox.cove("lock")
    assert ran.status == 2
    assert f"{folder / 'pyproject.toml'}:7" in ran.stderr
    assert why in ran.stderr
