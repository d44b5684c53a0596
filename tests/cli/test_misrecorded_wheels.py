"""Wheels whose RECORD is wrong: there are such on public indexes, and those are installed if they are the promised file."""

import hashlib
from pathlib import Path

import pytest

from cove.formats.wheel_record import encode_hash
from support.commandline import Sandbox
from support.wheel_files import make_wheel

TOLD = "`foo-1.0-py3-none-any.whl` was built wrongly: `foo.py` does not have the hash that its RECORD gives"


@pytest.fixture
def links(tmp_path: Path) -> Path:
    make_wheel(tmp_path / "links", {"foo.py": b"x = 1\n"}, record={"foo.py": encode_hash(b"\0" * 32)})
    return tmp_path / "links"


def test_one_that_has_the_digest_of_the_requirement_is_installed(sandbox: Sandbox, links: Path) -> None:
    (wheel,) = links.iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (sandbox.work / "r.txt").write_text(f"foo==1.0 --hash=sha256:{digest}\n")
    sandbox.cove("venv").ok()
    ran = sandbox.cove("pip", "install", "--no-index", "--find-links", str(links), "-r", "r.txt").ok()
    assert TOLD in ran.stderr
    (made,) = (sandbox.work / ".venv").glob("lib/*/site-packages/foo.py")
    assert made.read_text() == "x = 1\n"
    again = sandbox.cove("pip", "uninstall", "foo").ok()  # by the RECORD of what is there, not by the wrong one
    assert not made.exists(), again.stderr


def test_one_of_which_nothing_is_known_is_refused(sandbox: Sandbox, links: Path) -> None:
    sandbox.cove("venv").ok()
    ran = sandbox.cove("pip", "install", "--no-index", "--find-links", str(links), "foo")
    assert (ran.status, "does not have the hash that its RECORD gives" in ran.stderr) == (1, True)
