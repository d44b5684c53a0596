import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from cove.errors import AccessForbidden, CoveError, HashMismatch, InvalidArtifact, UnexpectedStatus
from cove.index.metadata import MetadataReader
from cove.model.candidate import Candidate
from cove.model.dataclasses import replace
from cove.model.dist import File
from cove.model.index import Index
from cove.model.metadata import CoreMetadata
from cove.model.name import Name
from cove.model.url import Url
from support.replies import Answer, Replies

ACME = Name("acme")
INDEX = Index(Url.parse("https://example.com/simple"), name="corp")
METADATA = b"Metadata-Version: 2.2\nName: Acme\nVersion: 1.0\nRequires-Dist: rich\n\nText\n"
OLD = METADATA.replace(b"2.2", b"2.1")
WHEEL_NAME, SDIST_NAME = "acme-1.0-py3-none-any.whl", "acme-1.0.tar.gz"
BUILT = CoreMetadata(ACME, "1.0", metadata_version="built")


def wheel(metadata: bytes = METADATA) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("acme/__init__.py", "")
        archive.writestr("acme-1.0.dist-info/METADATA", metadata)
    return buffer.getvalue()


def sdist(metadata: bytes = METADATA, path: str = "acme-1.0/PKG-INFO", *, pyproject: bytes | None = None) -> bytes:
    members = {path: metadata} | ({"acme-1.0/pyproject.toml": pyproject} if pyproject is not None else {})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def sha256(data: bytes) -> dict[str, str]:
    return {"sha256": hashlib.sha256(data).hexdigest()}


def candidate(filename: str, data: bytes | None = None, *, metadata: dict[str, str] | None = None) -> Candidate:
    url = Url.parse(f"https://example.com/f/{filename}")
    file = File(filename, url, sha256(data) if data is not None else {}, metadata=metadata)
    return Candidate(ACME, Version("1.0"), file, (file,), INDEX)


class Reading:
    """A reader over answers by file name, with what it did."""

    def __init__(self, tmp_path: Path, **answers: Answer) -> None:
        names = {"wheel": WHEEL_NAME, "metadata": WHEEL_NAME + ".metadata", "sdist": SDIST_NAME}
        self.replies = Replies({f"https://example.com/f/{names[k]}": answer for k, answer in answers.items()})
        self.kept: dict[str, bytes] = {}
        self.built: list[Candidate] = []
        self.reader = MetadataReader(self.replies.client(), tmp_path / "cache", build=self._build, keep=self._keep)

    def _build(self, candidate: Candidate) -> CoreMetadata:
        self.built.append(candidate)
        return BUILT

    def _keep(self, file: File, data: bytes) -> None:
        self.kept[file.filename] = data

    def error(self, wanted: Candidate) -> CoveError:
        with pytest.raises(CoveError) as caught:
            self.reader.read(wanted)
        assert "acme 1.0" in caught.value.message
        assert "corp" in caught.value.message
        return caught.value


def test_an_offered_metadata_file_is_all_that_is_fetched(tmp_path: Path) -> None:
    reading = Reading(tmp_path, metadata=Answer(200, METADATA))
    metadata = reading.reader.read(candidate(WHEEL_NAME, metadata=sha256(METADATA)))
    assert [str(requirement) for requirement in metadata.requires_dist] == ["rich"]
    assert reading.replies.urls == [f"https://example.com/f/{WHEEL_NAME}.metadata"]
    assert reading.replies.asked[0].index is INDEX


def test_a_replaced_metadata_file_is_refused(tmp_path: Path) -> None:
    reading = Reading(tmp_path, metadata=Answer(200, METADATA + b"x"))
    error = reading.error(candidate(WHEEL_NAME, metadata=sha256(METADATA)))
    assert isinstance(error, HashMismatch)


def test_a_promised_metadata_file_that_is_absent_is_read_from_the_wheel(tmp_path: Path) -> None:
    reading = Reading(tmp_path, wheel=Answer(200, wheel()))
    assert reading.reader.read(candidate(WHEEL_NAME, wheel(), metadata={})).version == "1.0"
    assert reading.kept == {WHEEL_NAME: wheel()}


@pytest.mark.parametrize("status, kind", [(403, AccessForbidden), (500, UnexpectedStatus)])
def test_a_metadata_file_that_is_refused_is_an_error(tmp_path: Path, status: int, kind: type[CoveError]) -> None:
    reading = Reading(tmp_path, metadata=Answer(status), wheel=Answer(200, wheel()))
    assert isinstance(reading.error(candidate(WHEEL_NAME, metadata={})), kind)


def test_a_whole_wheel_that_is_not_the_promised_one_is_not_kept(tmp_path: Path) -> None:
    reading = Reading(tmp_path, wheel=Answer(200, wheel()))
    assert isinstance(reading.error(candidate(WHEEL_NAME, b"other")), HashMismatch)
    assert reading.kept == {}


@pytest.mark.parametrize(
    "metadata, reason",
    [
        (METADATA.replace(b"Acme", b"evil"), "evil"),
        (METADATA.replace(b"1.0", b"2.0"), "2.0"),
        (METADATA.replace(b"1.0", b"one"), "one"),
        (METADATA.replace(b"rich", b"rich ???"), "rich ???"),
        (b"", "name"),
    ],
)
def test_metadata_of_something_else_is_refused(tmp_path: Path, metadata: bytes, reason: str) -> None:
    error = Reading(tmp_path, metadata=Answer(200, metadata)).error(candidate(WHEEL_NAME, metadata={}))
    assert isinstance(error, InvalidArtifact)
    assert reason in str(error)


# ------------------------------------------------------------------------------------------------------ sdists


def test_an_sdist_that_states_everything_is_not_built(tmp_path: Path) -> None:
    reading = Reading(tmp_path, sdist=Answer(200, sdist()))
    assert len(reading.reader.read(candidate(SDIST_NAME, sdist())).requires_dist) == 1
    assert (reading.built, list(reading.kept)) == ([], [SDIST_NAME])


@pytest.mark.parametrize(
    "data",
    [
        sdist(METADATA.replace(b"2.2", b"2.1")),
        sdist(METADATA.replace(b"Requires", b"Dynamic: Requires-Dist\nRequires", 1)),
        sdist(path="acme-1.0/acme.egg-info/PKG-INFO"),
        sdist(path="PKG-INFO"),
        sdist(OLD, pyproject=b"[build-system]\nrequires = []\n"),
        sdist(OLD, pyproject=b'[project]\nname = "acme"\ndynamic = ["dependencies"]\n'),
        sdist(OLD, pyproject=b"[project"),
    ],
)
def test_an_sdist_that_leaves_something_open_is_built(tmp_path: Path, data: bytes) -> None:
    reading = Reading(tmp_path, sdist=Answer(200, data))
    wanted = candidate(SDIST_NAME, data)
    assert reading.reader.read(wanted) is BUILT
    assert reading.built == [wanted]


def test_what_a_pyproject_says_for_good_needs_no_build(tmp_path: Path) -> None:
    data = sdist(
        OLD,
        pyproject=b"""[project]
name = "acme"
dynamic = ["version", "readme"]
requires-python = ">=3.9"
dependencies = ["lib>=2", "win; sys_platform == 'win32'"]
[project.optional-dependencies]
more = ["extra", "old; python_version < '3.10' or os_name == 'nt'"]
""",
    )
    reading = Reading(tmp_path, sdist=Answer(200, data))
    found = reading.reader.read(candidate(SDIST_NAME, data))
    assert reading.built == []
    assert (found.name, found.version, found.requires_python) == ("acme", "1.0", ">=3.9")
    assert list(map(str, found.requires_dist)) == [
        "lib>=2",
        'win; sys_platform == "win32"',
        'extra; extra == "more"',
        'old; (python_version < "3.10" or os_name == "nt") and extra == "more"',
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"not an archive", gzip.compress(b"x" * 2000), sdist()[:60]],
    ids=["empty", "no archive", "no tar", "cut off"],
)
def test_a_damaged_sdist_is_refused(tmp_path: Path, data: bytes) -> None:
    assert isinstance(Reading(tmp_path, sdist=Answer(200, data)).error(candidate(SDIST_NAME)), InvalidArtifact)


def test_an_sdist_that_cannot_be_had(tmp_path: Path) -> None:
    assert isinstance(Reading(tmp_path, sdist=Answer(404)).error(candidate(SDIST_NAME)), UnexpectedStatus)


# -------------------------------------------------------------------------------------------------- local files


@pytest.mark.parametrize("name, data", [(WHEEL_NAME, wheel()), (SDIST_NAME, sdist())])
@pytest.mark.parametrize("hashed", [True, False])
def test_local_files(tmp_path: Path, name: str, data: bytes, hashed: bool) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    wanted = candidate(name, data if hashed else None)
    local = replace(wanted, file=replace(wanted.file, url=Url.parse(path.as_uri())))
    reading = Reading(tmp_path)
    assert reading.reader.read(local).version == "1.0"
    assert (reading.replies.asked, reading.kept) == ([], {})


@pytest.mark.parametrize("data", [b"", b"PK", None])
def test_a_local_wheel_that_is_damaged_or_gone(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / WHEEL_NAME
    if data is not None:
        path.write_bytes(data)
    wanted = candidate(WHEEL_NAME)
    local = replace(wanted, file=replace(wanted.file, url=Url.parse(path.as_uri())))
    assert isinstance(Reading(tmp_path).error(local), InvalidArtifact)


# -------------------------------------------------------------------------------------------------------- cache


def test_metadata_is_kept_for_ever_by_artifact_hash(tmp_path: Path) -> None:
    wanted = candidate(WHEEL_NAME, wheel(), metadata={})
    first = Reading(tmp_path, metadata=Answer(200, METADATA)).reader.read(wanted)
    offline = Reading(tmp_path)
    assert offline.reader.read(wanted) == first
    assert offline.replies.asked == []
    assert [path.name for path in (tmp_path / "cache" / "metadata").rglob("*") if path.is_file()] == [
        wanted.file.hashes["sha256"]
    ]


def test_one_index_does_not_answer_for_the_files_of_another(tmp_path: Path) -> None:
    wanted = candidate(WHEEL_NAME, wheel(), metadata={})
    Reading(tmp_path, metadata=Answer(200, METADATA)).reader.read(wanted)
    other = replace(wanted, index=Index(Url.parse("https://example.org/simple"), name="corp"))
    again = Reading(tmp_path, metadata=Answer(200, METADATA))
    again.reader.read(other)
    assert len(again.replies.asked) == 1


def test_nothing_unreadable_is_kept(tmp_path: Path) -> None:
    Reading(tmp_path, metadata=Answer(200, b"x")).error(candidate(WHEEL_NAME, wheel(), metadata={}))
    assert not (tmp_path / "cache").exists()


def test_a_file_is_read_once(tmp_path: Path) -> None:
    reading = Reading(tmp_path, metadata=Answer(200, METADATA))
    wanted = candidate(WHEEL_NAME, metadata={})
    assert reading.reader.read(wanted) is reading.reader.read(wanted)
    assert len(reading.replies.asked) == 1
