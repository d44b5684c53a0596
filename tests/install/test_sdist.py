import io
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import InvalidArtifact
from cove.install.sdist import unpack_sdist


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode, member.mtime = kind, link, mode, 1_000_000_000
    return member


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


FILE = (_member("p-1/setup.py", mode=0o755), b"pass")


def test_a_tar_is_unpacked_with_modes_times_and_links(tmp_path: Path) -> None:
    sdist = _tar(
        tmp_path / "p-1.tar.gz",
        (_member("./", tarfile.DIRTYPE), b""),
        (_member("./p-1", tarfile.DIRTYPE, mode=0), b""),
        FILE,
        (_member("p-1/deep/data"), b"data"),
        (_member("p-1/deep/link", tarfile.SYMTYPE, "../setup.py"), b""),
        (_member("p-1/hard", tarfile.LNKTYPE, "p-1/deep/data"), b""),
    )
    top = unpack_sdist(sdist, tmp_path / "out")
    assert top == tmp_path / "out" / "p-1"
    assert os.access(top / "setup.py", os.X_OK)
    assert (top / "setup.py").stat().st_mtime == 1_000_000_000
    assert not os.access(top / "deep/data", os.X_OK)
    assert (top / "deep/link").read_text() == "pass"
    assert (top / "hard").read_text() == "data"


def test_a_zip_is_unpacked(tmp_path: Path) -> None:
    sdist = _zip(tmp_path / "p-1.zip", {"p-1/": b"", "p-1/setup.py": b"pass", "p-1/a/b": b"x"})
    assert (unpack_sdist(sdist, tmp_path / "out") / "a/b").read_bytes() == b"x"


HOSTILE = {
    "absolute": [(_member("/tmp/p-1/x"), b"x")],
    "upwards": [(_member("p-1/../../x"), b"x")],
    "top file": [(_member("x"), b"x")],
    "two tops": [FILE, (_member("q-1/x"), b"x")],
    "nothing": [],
    "device": [(_member("p-1/null", tarfile.CHRTYPE), b"")],
    "fifo": [(_member("p-1/pipe", tarfile.FIFOTYPE), b"")],
    "absolute link": [(_member("p-1/l", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "link upwards": [(_member("p-1/l", tarfile.SYMTYPE, "../other"), b"")],
    "link up after down": [(_member("p-1/a/l", tarfile.SYMTYPE, "b/../../../x"), b"")],
    "write through a link": [(_member("p-1/l", tarfile.SYMTYPE, "a"), b""), (_member("p-1/l/x"), b"x")],
    "folder over a link": [(_member("p-1/l", tarfile.SYMTYPE, "a"), b""), (_member("p-1/l", tarfile.DIRTYPE), b"")],
    "hard link outside": [(_member("p-1/h", tarfile.LNKTYPE, "../../outside"), b"")],
    "hard link to nothing": [(_member("p-1/h", tarfile.LNKTYPE, "p-1/none"), b"")],
    "top link": [(_member("p-1", tarfile.SYMTYPE, "."), b""), (_member("p-1/x"), b"x")],
    "file as folder": [(_member("p-1/a"), b"x"), (_member("p-1/a/b"), b"x")],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    (tmp_path / "outside").write_text("precious")
    with pytest.raises(InvalidArtifact, match=r"p-1\.tar\.gz"):
        unpack_sdist(_tar(tmp_path / "p-1.tar.gz", *members), tmp_path / "deep" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "outside", "p-1.tar.gz"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert (tmp_path / "outside").read_text() == "precious"


def test_a_link_given_twice_is_replaced_not_followed(tmp_path: Path) -> None:
    sdist = _tar(
        tmp_path / "p-1.tar.gz",
        (_member("p-1/target"), b"kept"),
        (_member("p-1/l", tarfile.SYMTYPE, "target"), b""),
        (_member("p-1/l"), b"new"),
    )
    top = unpack_sdist(sdist, tmp_path / "out")
    assert ((top / "target").read_text(), (top / "l").read_text()) == ("kept", "new")


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = _tar(tmp_path / "p-1.tar.gz", (_member("p-1/zeros"), bytes(10_000_000)))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(InvalidArtifact, match="more than 1,000,000 bytes"):
        unpack_sdist(bomb, tmp_path / "out", limit=1_000_000)
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()) <= 1_000_000


def test_a_zip_with_a_link_outside_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("p-1/l")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "p-1.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InvalidArtifact, match="leads outside"):
        unpack_sdist(tmp_path / "p-1.zip", tmp_path / "out")


@given(seed=st.integers(0, 2**32), suffix=st.sampled_from([".tar.gz", ".zip"]))
def test_damage_ends_in_one_kind_of_error(tmp_path_factory: pytest.TempPathFactory, seed: int, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("damage")
    path = folder / f"p-1{suffix}"
    if suffix == ".zip":
        _zip(path, {"p-1/setup.py": b"pass" * 100, "p-1/b": b"x"})
    else:
        _tar(path, (_member("p-1/setup.py"), b"pass" * 100), (_member("p-1/b"), b"x"))
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 5)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content[: chance.randrange(len(content)) if chance.random() < 0.3 else len(content)])
    try:
        top = unpack_sdist(path, folder / "out")
    except InvalidArtifact:
        return
    assert top.parent == folder / "out"
