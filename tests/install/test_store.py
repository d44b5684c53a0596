import hashlib
import os
import threading
from pathlib import Path

import pytest

from cove.errors import HashMismatch, InvalidArtifact
from cove.install.store import Store
from cove.model.event import Event, Warned
from cove.model.name import Name
from support.wheel_files import make_wheel

NAME = "foo-1.0-py3-none-any.whl"
FILES = {"foo/__init__.py": b"x = 1\n", "foo-1.0.dist-info/entry_points.txt": b"[console_scripts]\nfoo = foo:main\n"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_added_is_found_again_by_another_store(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, FILES)
    added = Store(tmp_path / "store").add(wheel, NAME)
    assert added.sha256 == sha256(wheel)
    assert Store(tmp_path / "store").wheel(added.sha256, NAME) == added
    assert (added.files / "foo/__init__.py").read_bytes() == b"x = 1\n"
    assert [script.name for script in added.manifest.scripts] == ["foo"]
    assert list((tmp_path / "store/tmp").iterdir()) == []
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.wheel("0" * 64, NAME) is None
    assert store.sdist("0" * 64, "foo-1.0.tar.gz") is None
    assert store.built("source", "settings") is None
    assert store.size() == 0
    assert not (tmp_path / "store").exists()


def test_a_wheel_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, FILES, record={"foo/__init__.py": "sha256=AAAA"})
    with pytest.raises(InvalidArtifact):
        Store(tmp_path / "store").add(wheel, NAME)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_content_known_under_another_project_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    added = store.add(make_wheel(tmp_path, FILES), NAME)
    with pytest.raises(InvalidArtifact, match=NAME):
        store.wheel(added.sha256, "bar-1.0-py3-none-any.whl")
    assert store.wheel(added.sha256, "foo-1.0-1-py3-none-any.whl") == added


@pytest.mark.parametrize("digest", ["", "../../etc", "g" * 64, "A" * 64, "0" * 63])
def test_a_digest_is_never_a_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(HashMismatch):
        Store(tmp_path / "store").wheel(digest, NAME)


def test_many_add_the_same_wheel_at_once(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {f"foo/m{number}.py": b"x" for number in range(100)})
    found, errors = [], []
    barrier = threading.Barrier(8)

    def add() -> None:
        barrier.wait()
        try:
            found.append(Store(tmp_path / "store").add(wheel, NAME))
        except Exception as error:  # noqa: BLE001 - of whatever kind, there must be none
            errors.append(error)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len({stored.files for stored in found}) == 1
    assert len(list((tmp_path / "store/wheels").iterdir())) == 1


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[]", b'{"schema": 0}', None])
def test_a_damaged_entry_is_replaced(tmp_path: Path, manifest: bytes | None) -> None:
    wheel = make_wheel(tmp_path, FILES)
    store = Store(tmp_path / "store")
    added = store.add(wheel, NAME)
    path = added.files.with_name("manifest.json")
    path.unlink() if manifest is None else path.write_bytes(manifest)
    assert store.wheel(added.sha256, NAME) is None
    assert store.add(wheel, NAME) == added
    assert store.wheel(added.sha256, NAME) == added


def test_sdists_are_kept_by_digest_and_name(tmp_path: Path) -> None:
    sdist = tmp_path / "download"
    sdist.write_bytes(b"content")
    store = Store(tmp_path / "store")
    kept = store.add_sdist(sdist, "foo-1.0.tar.gz")
    assert kept.read_bytes() == b"content"
    assert store.sdist(sha256(sdist), "foo-1.0.tar.gz") == kept
    assert store.sdist(sha256(sdist), "bar-1.0.tar.gz") is None
    assert store.add_sdist(sdist, "foo-1.0.tar.gz", sha256(sdist)) == kept
    with pytest.raises(InvalidArtifact):
        store.add_sdist(sdist, "../foo-1.0.tar.gz")


def test_built_wheels_are_told_apart_by_source_and_settings(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    added = store.add_built("source", "cp311", make_wheel(tmp_path, FILES))
    assert store.built("source", "cp311") == added
    assert store.built("source", "cp312") is None
    assert store.built("sourcec", "p311") is None
    store.clean([Name("foo")])
    assert store.built("source", "cp311") is None


def test_warnings_reach_the_listener(tmp_path: Path) -> None:
    events: list[Event] = []
    Store(tmp_path / "store", events.append).add(make_wheel(tmp_path, {"a.py": b"", "A.py": b""}), NAME)
    assert [type(event) for event in events] == [Warned]


def test_cleaning_by_name_and_wholly(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    foo = store.add(make_wheel(tmp_path, FILES), NAME)
    bar = store.add(make_wheel(tmp_path, {"bar.py": b"y"}, name="bar"), "bar-1.0-py3-none-any.whl")
    store.add_sdist(make_wheel(tmp_path, {}), "foo-1.0.tar.gz")
    before = store.size()
    cleaned = store.clean([Name("foo")])
    assert store.wheel(foo.sha256, NAME) is None
    assert store.wheel(bar.sha256, "bar-1.0-py3-none-any.whl") == bar
    assert cleaned.files == 7
    assert store.size() == before - cleaned.size
    assert store.clean().files == 5
    assert store.size() == 0


def test_work_of_others_is_left_alone_until_it_is_old(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.workplace() as work:
        (work / "download").write_bytes(b"x")
        store.clean()
        assert (work / "download").is_file()
        os.utime(work, (0, 0))
        store.clean()
        assert not work.exists()


def test_a_wheel_that_was_kept_packed_is_unpacked_when_it_is_asked_for(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, FILES)
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    store = Store(tmp_path / "store")
    store.keep(content, wheel.name, digest)
    assert not (tmp_path / "store" / "wheels").exists()
    stored = store.wheel(digest, wheel.name)
    assert stored is not None
    assert stored == store.wheel(digest, wheel.name)
    assert not list((tmp_path / "store" / "packed").rglob("*.whl"))
    store.keep(content, wheel.name, digest)
    assert not list((tmp_path / "store" / "packed").rglob("*.whl")), "what is unpacked is not kept packed as well"


def test_a_packed_wheel_that_was_damaged_on_disk_is_not_used(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, FILES)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    store = Store(tmp_path / "store")
    (tmp_path / "other").mkdir()
    other = make_wheel(tmp_path / "other", FILES, name="bar")
    store.keep(other.read_bytes(), wheel.name, digest)
    with pytest.raises(InvalidArtifact):
        store.wheel(digest, wheel.name)
