"""What people read when there is no answer, through the real command line."""

from pathlib import Path

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.compilations import Compilation, compiling

MAKE = PackageFactory()
DYNAMIC = '[project]\nname = "n"\ndynamic = ["version", "dependencies"]\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
NOTICED = 'open({place!r}, "w").close()\nraise RuntimeError("built")\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_nothing_is_built_to_tell_what_is_clear_without(sandbox: Sandbox) -> None:
    """The newest of what is required is looked at ahead of time; but not if it would have to be built for that."""
    place, index = sandbox.root / "built", sandbox.root / "index"
    MAKE.wheel("p", "2.0", requires=["n>=2"]).write_to(index)
    old = "Metadata-Version: 2.1\nName: n\nVersion: 1.0\n"
    files = {"backend.py": NOTICED.format(place=str(place)), "pyproject.toml": DYNAMIC}
    MAKE.sdist("n", "1.0", metadata=old, files=files).write_to(index)
    MAKE.wheel("n", "2.0").write_to(index)
    options = ("--no-index", "--find-links", str(index))
    (sandbox.work / "requirements.in").write_text("p\nn<2\n")
    ran = sandbox.cove("pip", "compile", "requirements.in", *options)
    assert ran.stderr.startswith("error: Because p 2.0 depends on n>=2 and you require n<2")
    assert not place.exists()
    (sandbox.work / "requirements.in").write_text("n<2\n")
    assert "built" in sandbox.cove("pip", "compile", "requirements.in", *options).stderr
    assert place.exists()
