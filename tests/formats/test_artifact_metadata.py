import gzip
import io
import tarfile
import zipfile

import pytest

from cove.errors import InvalidArtifact
from cove.formats import artifact_metadata
from cove.formats.artifact_metadata import read_metadata
from cove.testing import PackageFactory


def zip_of(*members: tuple[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def tar_of(*members: tuple[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def test_wheel_and_sdist(wheel_factory: PackageFactory) -> None:
    wheel, sdist = wheel_factory.wheel("foo"), wheel_factory.sdist("foo")
    for built in (wheel, sdist):
        assert b"Name: foo\n" in read_metadata(built.filename, io.BytesIO(built.content))


def test_zip_sdist() -> None:
    assert (
        read_metadata("foo-1.0.zip", zip_of(("foo-1.0/PKG-INFO", b"x"), ("foo-1.0/foo.egg-info/PKG-INFO", b"y")))
        == b"x"
    )


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("sub/foo-1.0.dist-info/METADATA", b"")],
        [("foo-1.0.dist-info/METADATA", b""), ("bar-1.0.dist-info/METADATA", b"")],
        [("bar-1.0.dist-info/METADATA", b"")],
    ],
)
def test_a_wheel_has_exactly_one_metadata_file_of_its_own(members: list[tuple[str, bytes]]) -> None:
    with pytest.raises(InvalidArtifact, match=r"foo-1\.0"):
        read_metadata("foo-1.0-py3-none-any.whl", zip_of(*members))


def test_metadata_that_expands_without_end_is_refused() -> None:
    bomb = b"\0" * (artifact_metadata.LIMIT + 1)
    with pytest.raises(InvalidArtifact, match="larger"):
        read_metadata("foo-1.0-py3-none-any.whl", zip_of(("foo-1.0.dist-info/METADATA", bomb)))
    with pytest.raises(InvalidArtifact, match="larger"):
        read_metadata("foo-1.0.tar.gz", tar_of(("foo-1.0/PKG-INFO", bomb)))


@pytest.mark.parametrize("filename", ["foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz", "foo-1.0.zip"])
@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar"), tar_of(("a/b", b"x")).getvalue()[:20]],
    ids=["empty", "text", "no tar", "cut short"],
)
def test_damaged_archives(filename: str, content: bytes) -> None:
    with pytest.raises(InvalidArtifact, match=r"foo-1\.0"):
        read_metadata(filename, io.BytesIO(content))


def test_an_sdist_without_metadata() -> None:
    with pytest.raises(InvalidArtifact, match="PKG-INFO"):
        read_metadata("foo-1.0.tar.gz", tar_of(("foo-1.0/setup.py", b"")))


def test_other_files() -> None:
    with pytest.raises(InvalidArtifact, match="neither"):
        read_metadata("foo.txt", io.BytesIO())
