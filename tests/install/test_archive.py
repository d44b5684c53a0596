import hashlib
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cove.errors import InvalidArtifact
from cove.formats.wheel_record import encode_hash
from cove.install.archive import Archive
from support.wheel_files import WHEEL, make_wheel

NAME = "foo-1.0-py3-none-any.whl"
BIG = bytes(range(256)) * 12_000  # several pieces of the stream


def unpack(wheel: Path, into: Path, filename: str = NAME) -> Archive:
    into.mkdir()
    with Archive(wheel, filename) as archive:
        archive.unpack(into)
    return archive


def test_a_sound_wheel_is_unpacked_with_modes_and_hashes(tmp_path: Path) -> None:
    files = {f"foo/m{number}.py": f"x = {number}\n".encode() for number in range(200)}
    files |= {"foo/big.bin": BIG, "foo/empty": b"", "foo-1.0.data/scripts/tool": b"#!python\n"}
    wheel = make_wheel(tmp_path, files, executable=("foo/m1.py",))
    (tmp_path / "out").mkdir()
    with Archive(wheel, NAME) as archive:
        manifest = archive.unpack(tmp_path / "out")
    assert (manifest.dist_info, manifest.root_is_purelib) == ("foo-1.0.dist-info", True)
    assert archive.warnings == []
    for path, content in files.items():
        assert (tmp_path / "out" / path).read_bytes() == content
    by_path = {file.path: file for file in manifest.files}
    assert {path for path, file in by_path.items() if file.executable} == {"foo/m1.py", "foo-1.0.data/scripts/tool"}
    assert (tmp_path / "out/foo/m1.py").stat().st_mode & stat.S_IXUSR
    assert by_path["foo/big.bin"].size == len(BIG)


def test_a_highly_compressible_file_keeps_every_byte(tmp_path: Path) -> None:
    content = b"\0" * (5 * 1024 * 1024 + 123)
    unpack(make_wheel(tmp_path, {"zeros": content}), tmp_path / "out")
    assert (tmp_path / "out/zeros").read_bytes() == content


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "a//b", "./a", "a\\b", "C:/evil", "a\nb", "a\x00b", "a/.", ".."]
)
def test_a_path_that_no_archive_should_hold_is_refused(tmp_path: Path, path: str) -> None:
    # zipfile normalises names that it writes, so a name of the same length is replaced in the bytes.
    stand_in = "Q" * len(path.encode())
    wheel = make_wheel(
        tmp_path, {stand_in: b"x"}, record={stand_in: None, path: "sha256=x"} if "\0" not in path else {}
    )
    wheel.write_bytes(wheel.read_bytes().replace(stand_in.encode(), path.encode()))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidArtifact, match=r"path|drive"):
        Archive(wheel, NAME)
    assert sorted(tmp_path.rglob("*")) == before


def with_entry(wheel: Path, change: Callable[[zipfile.ZipFile], object]) -> Path:
    with zipfile.ZipFile(wheel, "a") as archive:
        change(archive)
    return wheel


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("foo/link")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    wheel = with_entry(make_wheel(tmp_path, {}), lambda archive: archive.writestr(link, "/etc/passwd"))
    with pytest.raises(InvalidArtifact, match="link"):
        Archive(wheel, NAME)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicates_are_refused(tmp_path: Path) -> None:
    wheel = with_entry(make_wheel(tmp_path, {"foo.py": b""}), lambda archive: archive.writestr("foo.py", b"evil"))
    with pytest.raises(InvalidArtifact, match="twice"):
        Archive(wheel, NAME)


def test_names_that_differ_in_case_only_are_told(tmp_path: Path) -> None:
    with Archive(make_wheel(tmp_path, {"foo.py": b"", "Foo.py": b""}), NAME) as archive:
        assert "differ in case" in archive.warnings[0]


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArtifact, match="both a file and a folder"):
        Archive(make_wheel(tmp_path, {"foo": b"", "foo/bar": b""}), NAME)


@pytest.mark.parametrize("path", ["a" * 300, "a" * 300 + "/b"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidArtifact, match="name of a file"):
        unpack(make_wheel(tmp_path, {path: b""}), tmp_path / "out")


def test_another_compression_is_refused(tmp_path: Path) -> None:
    wheel = with_entry(make_wheel(tmp_path, {}), lambda archive: archive.writestr("x", b"", zipfile.ZIP_LZMA))
    with pytest.raises(InvalidArtifact, match="compressed"):
        Archive(wheel, NAME)


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"zeros": b"\0" * 1000})
    data = bytearray(wheel.read_bytes())
    at = data.rindex(b"zeros") - 46
    data[at + 24 : at + 28] = struct.pack("<L", 0xF0000000)
    wheel.write_bytes(data)
    with pytest.raises(InvalidArtifact, match="would unpack to"):
        Archive(wheel, NAME)


@pytest.mark.parametrize("announced", [10, 999, 1001])
def test_an_entry_of_another_size_than_announced_is_refused(tmp_path: Path, announced: int) -> None:
    wheel = make_wheel(tmp_path, {"zeros": b"\0" * 1000})
    data = bytearray(wheel.read_bytes())
    at = data.rindex(b"zeros") - 46
    data[at + 24 : at + 28] = struct.pack("<L", announced)
    wheel.write_bytes(data)
    with pytest.raises(InvalidArtifact, match=r"larger than|damaged"):
        unpack(wheel, tmp_path / "out")


def test_two_names_for_one_entry_are_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"fine.py": b"x"})
    wheel.write_bytes(wheel.read_bytes().replace(b"fine.py", b"evil.py", 1))
    with pytest.raises(InvalidArtifact, match="two names"):
        unpack(wheel, tmp_path / "out")


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"a": b"x" * 50, "b": b"y" * 50})
    data = bytearray(wheel.read_bytes())
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    wheel.write_bytes(data)
    with pytest.raises(InvalidArtifact, match="overlap"):
        Archive(wheel, NAME)


@pytest.mark.parametrize(
    "filename",
    [
        "bar-1.0-py3-none-any.whl",
        "foo-1.1-py3-none-any.whl",
        "foo-nonsense-py3-none-any.whl",
        "foo.whl",
        "foo-1.0.tar.gz",
    ],
)
def test_another_project_or_version_is_refused(tmp_path: Path, filename: str) -> None:
    with pytest.raises(InvalidArtifact, match=r"another project|its name"):
        Archive(make_wheel(tmp_path, {}), filename)


def test_an_equal_version_written_otherwise_is_the_same(tmp_path: Path) -> None:
    with Archive(make_wheel(tmp_path, {}), "FOO-1.0.0-py3-none-any.whl") as archive:
        assert archive.dist_info == "foo-1.0.dist-info"


def test_two_dist_info_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArtifact, match=r"2 \.dist-info folders"):
        Archive(make_wheel(tmp_path, {"bar-1.0.dist-info/METADATA": b""}), NAME)


@pytest.mark.parametrize("wheel", [b"", b"Wheel-Version: 2.0\n", b"Wheel-Version: x\n", b"\xff\xfe"])
def test_an_unknown_format_version_is_refused(tmp_path: Path, wheel: bytes) -> None:
    with pytest.raises(InvalidArtifact, match=r"Wheel-Version|format version|UTF-8"):
        Archive(make_wheel(tmp_path, {}, wheel=wheel), NAME)


def test_a_newer_minor_version_is_told(tmp_path: Path) -> None:
    with Archive(make_wheel(tmp_path, {}, wheel=WHEEL.replace(b"1.0", b"1.9")), NAME) as archive:
        assert "1.9" in archive.warnings[0]


@pytest.mark.parametrize(
    "digest,reason",
    [
        (encode_hash(b"\0" * 32), "does not have the hash"),
        (encode_hash(b"\0" * 16, "md5"), "not sha256 or better"),
        ("sha256", "unreadable"),
        ("", "not in its RECORD"),
        (None, "not in its RECORD"),
    ],
)
def test_record_must_vouch_for_every_file(tmp_path: Path, digest: str | None, reason: str) -> None:
    wheel = make_wheel(tmp_path, {"foo.py": b"x", "bar.py": b"y"}, record={"foo.py": digest, "bar.py": digest})
    with pytest.raises(InvalidArtifact, match=reason):
        unpack(wheel, tmp_path / "out")
    (tmp_path / "promised").mkdir()  # by a digest of the whole file, which vouches for each in it
    with Archive(wheel, NAME, is_promised=True) as archive:
        manifest = archive.unpack(tmp_path / "promised")
        assert [(reason in each, "built wrongly" in each) for each in archive.warnings] == [(True, True)]
    hashes = {file.path: file.hash for file in manifest.files}
    assert hashes["foo.py"] == encode_hash(hashlib.sha256(b"x").digest())


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("foo-1.0.dist-info/WHEEL", WHEEL)
    with pytest.raises(InvalidArtifact, match="no RECORD"):
        Archive(path, NAME)


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>not found</html>"])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(InvalidArtifact, match="not a zip"):
        Archive(tmp_path / NAME, NAME)


def test_every_truncation_is_an_error_of_ours(tmp_path: Path) -> None:
    data = make_wheel(tmp_path, {"foo.py": b"x = 1\n"}).read_bytes()
    for length in range(0, len(data), 7):
        path = tmp_path / f"cut{length}.whl"
        path.write_bytes(data[:length])
        with pytest.raises(InvalidArtifact):
            Archive(path, NAME)


def test_every_flipped_byte_is_an_error_of_ours_or_changes_nothing(tmp_path: Path) -> None:
    data = make_wheel(tmp_path, {"foo.py": b"x = 1\n", "foo-1.0.dist-info/entry_points.txt": b""}).read_bytes()
    for position in range(0, len(data), 3):
        changed = bytearray(data)
        changed[position] ^= 0x55
        path = tmp_path / f"flip{position}.whl"
        path.write_bytes(changed)
        out = tmp_path / f"out{position}"
        try:
            unpack(path, out)
        except InvalidArtifact:
            continue
        assert (out / "foo.py").read_bytes() == b"x = 1\n"


def test_a_script_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    text = b"[console_scripts]\n../../evil = foo:main\n"
    with pytest.raises(InvalidArtifact, match="name of a command"):
        Archive(make_wheel(tmp_path, {"foo-1.0.dist-info/entry_points.txt": text}), NAME)


def test_zipfile_agrees_on_a_wheel_with_folders_and_stored_files(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"foo/a.py": b"a"})
    with_entry(wheel, lambda archive: archive.writestr(zipfile.ZipInfo("foo/sub/"), b""))
    unpack(wheel, tmp_path / "out")
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                assert (tmp_path / "out" / info.filename).read_bytes() == archive.read(info)
