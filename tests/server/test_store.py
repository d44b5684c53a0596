import hashlib
import io
import os
from pathlib import Path

import pytest

from cove.errors import ConfigurationError
from cove.model.name import Name
from cove.server.store import Arrived, DifferentFile, Store, TooLarge
from cove.testing import BuiltFile, PackageFactory

FOO = Name("foo")


def arrive(store: Store, built: BuiltFile, limit: int = 10**6) -> Arrived:
    return store.arrive(built.filename, io.BytesIO(built.content), limit)


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_file_is_taken_with_metadata_and_record(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel("foo", requires_python=">=3.9")
    store = Store(tmp_path / "index")
    arrived = arrive(store, built)
    assert arrived.digests["md5"] == hashlib.md5(built.content).hexdigest()
    assert arrived.digests["blake2_256"] == hashlib.blake2b(built.content, digest_size=32).hexdigest()
    assert store.projects() == []
    assert store.take(FOO, built.filename, arrived)
    assert store.projects() == [FOO]
    (stored,) = store.files(FOO)
    assert (stored.record.sha256, stored.record.size) == (built.sha256, len(built.content))
    assert stored.record.requires_python == ">=3.9"
    assert store.metadata(stored) == arrived.metadata
    assert everything(tmp_path / "index") == {f"foo/{built.filename}{end}" for end in ("", ".metadata", ".json")}
    assert Store(tmp_path / "index").files(FOO) == [stored]


def test_the_same_file_again_is_there_already_and_another_is_refused(
    tmp_path: Path, wheel_factory: PackageFactory
) -> None:
    built, other = wheel_factory.wheel("foo"), wheel_factory.wheel("foo", files={"more.py": ""})
    store = Store(tmp_path)
    store.take(FOO, built.filename, arrive(store, built))
    again = arrive(store, built)
    assert not store.take(FOO, built.filename, again)
    with pytest.raises(DifferentFile):
        store.take(FOO, other.filename, arrive(store, other))
    (stored,) = store.files(FOO)
    assert stored.path.read_bytes() == built.content
    overwriting = Store(tmp_path, overwrite=True)
    assert overwriting.take(FOO, other.filename, arrive(overwriting, other))
    assert overwriting.files(FOO)[0].record.sha256 == other.sha256


def test_what_is_too_large_or_discarded_leaves_nothing(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    store = Store(tmp_path)
    with pytest.raises(TooLarge):
        arrive(store, wheel_factory.wheel("foo"), limit=10)
    store.discard(arrive(store, wheel_factory.wheel("foo")))
    assert everything(tmp_path) == set()


def test_a_damaged_file_arrives_with_its_damage(tmp_path: Path) -> None:
    arrived = arrive(Store(tmp_path), BuiltFile("foo-1.0-py3-none-any.whl", b"no archive"))
    assert arrived.metadata is None
    assert "not a readable archive" in arrived.damage


def test_any_folder_of_distributions_is_an_index(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    wheel_factory.wheel("foo").write_to(tmp_path)
    wheel_factory.sdist("foo", "2.0").write_to(tmp_path / "foo")
    wheel_factory.wheel("b.a.r").write_to(tmp_path / "B_A.R")
    (tmp_path / "README.txt").write_text("hello")
    (tmp_path / "foo" / "broken-1.0.whl").write_bytes(b"")
    store = Store(tmp_path)
    assert store.projects() == ["b-a-r", "foo"]
    assert [stored.filename for stored in store.files(FOO)] == ["foo-1.0-py3-none-any.whl", "foo-2.0.tar.gz"]
    assert all(stored.record.metadata_sha256 for stored in store.files(FOO))
    assert store.file(Name("b-a-r"), "b_a_r-1.0-py3-none-any.whl") is not None


def test_a_file_that_changes_is_read_again(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    store = Store(tmp_path)
    wheel_factory.wheel("foo").write_to(tmp_path / "foo")
    before = store.files(FOO)[0].record
    changed = wheel_factory.wheel("foo", files={"new.py": "1"})
    changed.write_to(tmp_path / "foo")
    assert before.sha256 != store.files(FOO)[0].record.sha256 == changed.sha256


def test_a_foreign_record_is_made_again(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel("foo")
    path = built.write_to(tmp_path / "foo")
    path.with_name(path.name + ".json").write_text("[]")
    assert Store(tmp_path).files(FOO)[0].record.sha256 == built.sha256


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_index_too(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    wheel_factory.wheel("foo").write_to(tmp_path)
    tmp_path.chmod(0o500)
    try:
        store = Store(tmp_path)
        assert store.metadata(store.files(FOO)[0])
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    "filename", ["../secret-1.0.tar.gz", "..", "/etc/passwd", "foo/../../secret-1.0.tar.gz", "bar-1.0.tar.gz"]
)
def test_nothing_outside_the_project_is_reached(tmp_path: Path, filename: str, wheel_factory: PackageFactory) -> None:
    (tmp_path / "secret-1.0.tar.gz").write_bytes(b"x")
    root = tmp_path / "index"
    wheel_factory.sdist("bar").write_to(root / "bar")
    store = Store(root)
    assert store.file(FOO, filename) is None
    assert store.file(Name("secret"), filename) is None
    assert store.file(Name("../.."), filename) is None


def test_yanking_and_unyanking(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    filename = wheel_factory.wheel("foo").write_to(tmp_path / "foo").name
    store = Store(tmp_path)
    assert store.yank(FOO, filename, "broken")
    assert Store(tmp_path).files(FOO)[0].record.yanked == "broken"
    assert store.yank(FOO, filename, None)
    assert store.files(FOO)[0].record.yanked is None
    assert not store.yank(FOO, "foo-9.tar.gz", "")


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Store(tmp_path / "file")
