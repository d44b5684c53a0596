import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cove.errors import EnvironmentRefused, InvalidArtifact
from cove.install.site import Bounds, Journal, LinkMode, Site, scheme_of
from cove.install.wheel import Link, Rewrite, WheelFile, Write, digest_of
from support.wheel_files import scheme_in, snapshot


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    scheme_in(tmp_path / "env")
    return tmp_path / "env"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "store" / "tool").write_bytes(b"#!python\nprint()\n")
    (tmp_path / "store" / "tool").chmod(0o755)
    (tmp_path / "store" / "program").write_bytes(b"\x7fELF")
    return tmp_path / "store"


A = WheelFile("a.py", digest_of(b"x = 1\n"), 6, executable=False)


@pytest.mark.parametrize("mode", ["auto", "hardlink", "copy", "symlink", "clone"])
def test_every_link_mode_gives_the_file(prefix: Path, files: Path, mode: LinkMode) -> None:
    journal = Journal(prefix)
    target = prefix / "lib/python3.11/site-packages/foo/a.py"
    written = Site(scheme_in(prefix), journal, mode).take(Link(A, str(target)), files)
    journal.commit()
    assert written == (str(target), A.hash, 6)
    assert target.read_bytes() == b"x = 1\n"
    assert target.is_symlink() == (mode == "symlink")
    assert (mode in ("copy", "clone")) or target.samefile(files / "a.py")


def test_scripts_get_their_interpreter_and_programs_are_linked(prefix: Path, files: Path) -> None:
    journal = Journal(prefix)
    site = Site(scheme_in(prefix), journal)
    tool, program = prefix / "bin/tool", prefix / "bin/program"
    written = site.take(Rewrite(WheelFile("tool", "sha256=x", 17, executable=True), str(tool)), files)
    site.take(Rewrite(WheelFile("program", "sha256=x", 4, executable=True), str(program)), files)
    journal.commit()
    assert tool.read_bytes() == f"#!{prefix}/bin/python\nprint()\n".encode()
    assert os.access(tool, os.X_OK)
    assert written == (str(tool), digest_of(tool.read_bytes()), len(tool.read_bytes()))
    assert program.samefile(files / "program")


def test_undo_brings_everything_back(prefix: Path, files: Path) -> None:
    (prefix / "bin/old").write_bytes(b"old")
    (prefix / "empty").mkdir(mode=0o750)
    (prefix / "link").symlink_to("bin")
    before = snapshot(prefix)
    journal = Journal(prefix)
    site = Site(scheme_in(prefix), journal)
    site.take(Write(b"new", str(prefix / "bin/old")), files)
    site.take(Write(b"newer", str(prefix / "bin/old")), files)
    site.take(Link(A, str(prefix / "share/deep/a.py")), files)
    journal.move_aside(str(prefix / "link"))
    journal.remove_folder(str(prefix / "empty"))
    assert (prefix / "bin/old").read_bytes() == b"newer"
    journal.undo()
    assert snapshot(prefix) == before


def test_an_interrupted_change_is_taken_back_later(prefix: Path, files: Path) -> None:
    (prefix / "bin/old").write_bytes(b"old")
    before = snapshot(prefix)
    journal = Journal(prefix)
    Site(scheme_in(prefix), journal).take(Write(b"new", str(prefix / "bin/old")), files)
    with (prefix / ".cove-change/journal").open("ab") as file:
        file.write(b'["made", "/torn')
    assert Journal.recover(prefix)
    assert snapshot(prefix) == before
    assert not Journal.recover(prefix)


def test_a_commit_that_was_interrupted_is_not_taken_back(prefix: Path, files: Path) -> None:
    journal = Journal(prefix)
    Site(scheme_in(prefix), journal).take(Write(b"new", str(prefix / "bin/new")), files)
    (prefix / ".cove-change/journal").unlink()
    assert Journal.recover(prefix)
    assert (prefix / "bin/new").read_bytes() == b"new"
    assert not (prefix / ".cove-change").exists()


def test_what_cannot_be_undone_is_told_and_kept(prefix: Path, files: Path) -> None:
    (prefix / "bin/old").write_bytes(b"old")
    journal = Journal(prefix)
    journal.move_aside(str(prefix / "bin/old"))
    (prefix / "bin/old").mkdir()
    with pytest.raises(EnvironmentRefused, match="could not be brought back"):
        journal.undo()
    (prefix / "bin/old").rmdir()
    assert Journal.recover(prefix)
    assert (prefix / "bin/old").read_bytes() == b"old"


def test_a_folder_or_file_in_the_way_is_refused(prefix: Path, files: Path) -> None:
    journal = Journal(prefix)
    site = Site(scheme_in(prefix), journal)
    (prefix / "share").mkdir()
    (prefix / "file").write_bytes(b"")
    with pytest.raises(EnvironmentRefused, match="should become a file"):
        site.take(Write(b"", str(prefix / "share")), files)
    with pytest.raises(EnvironmentRefused, match="should become a folder"):
        site.take(Write(b"", str(prefix / "file/deep/x")), files)


def test_a_link_out_of_the_environment_is_not_followed(prefix: Path, files: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (prefix / "share").symlink_to(tmp_path / "outside")
    (prefix / "up").symlink_to(tmp_path)
    (prefix / "lib64").symlink_to("lib")
    site = Site(scheme_in(prefix), Journal(prefix))
    for path in ("share/x", "share/deep/x", "up/x"):
        with pytest.raises(InvalidArtifact, match="leads out"):
            site.take(Write(b"", str(prefix / path)), files)
    site.take(Write(b"", str(prefix / "lib64/x")), files)
    assert list((tmp_path / "outside").iterdir()) == []
    assert (prefix / "lib/x").is_file()


def test_a_link_in_the_way_is_replaced_and_not_written_through(prefix: Path, files: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (prefix / "bin/x").symlink_to(tmp_path / "precious")
    Site(scheme_in(prefix), Journal(prefix)).take(Write(b"new", str(prefix / "bin/x")), files)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (prefix / "bin/x").is_symlink()


def test_bounds(prefix: Path) -> None:
    bounds = Bounds(scheme_in(prefix))
    assert bounds.holds(str(prefix / "bin/foo"))
    assert not bounds.holds(str(prefix) + "-other/bin/foo")
    assert not bounds.holds(str(prefix / "bin/python"))
    assert not bounds.holds(str(prefix / "pyvenv.cfg"))


@dataclass
class Python:
    executable: Path
    prefix: Path
    version: str = "3.11.7"
    paths: dict[str, str] = field(default_factory=dict)


def test_the_scheme_of_an_interpreter(tmp_path: Path) -> None:
    paths = {key: str(tmp_path / key) for key in ("purelib", "platlib", "scripts", "data")}
    scheme = scheme_of(Python(tmp_path / "python", tmp_path, paths=paths))
    assert scheme.paths == {**paths, "headers": str(tmp_path / "include/site/python3.11")}
