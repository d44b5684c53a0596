import hashlib
from pathlib import Path

import pytest

from cove.errors import InvalidArtifact, UsageError
from cove.model.event import Event, Warned
from cove.publish.artifacts import find, read
from cove.testing import PackageFactory


def test_wheels_then_sdists_by_name(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    for built in (
        wheel_factory.sdist("a"),
        wheel_factory.wheel("b"),
        wheel_factory.wheel("a"),
        wheel_factory.sdist("b"),
    ):
        built.write_to(tmp_path / "dist")
    (tmp_path / "dist" / ".gitignore").write_text("*")
    names = [path.name for path in find((), tmp_path)]
    assert names == ["a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl", "a-1.0.tar.gz", "b-1.0.tar.gz"]
    assert [path.name for path in find(["dist/*.whl", "dist/a-*"], tmp_path)] == names[:3]
    assert find([str(tmp_path / "dist" / names[0])], Path("/")) == (tmp_path / "dist" / names[0],)


def test_what_is_no_distribution_is_said(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    wheel_factory.wheel("a").write_to(tmp_path)
    for name in ("Not.Normal-1.0.tar.gz", "a-b.whl", "notes.txt", "a-one.tar.gz"):
        (tmp_path / name).write_bytes(b"")
    events: list[Event] = []
    assert [path.name for path in find(["*"], tmp_path, events.append)] == [
        "a-1.0-py3-none-any.whl",
        "Not.Normal-1.0.tar.gz",
    ]
    warnings = sorted(event.message for event in events if isinstance(event, Warned))
    assert [text.partition(" ")[0] for text in warnings] == ["Not.Normal-1.0.tar.gz", "a-b.whl", "a-one.tar.gz"]


def test_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no wheel or sdist matches `dist/\*`"):
        find((), tmp_path)
    with pytest.raises(UsageError, match="there is no file"):
        find(["dist/a.whl"], tmp_path)


def test_one_name_twice(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    for folder in ("x", "y"):
        wheel_factory.wheel("a").write_to(tmp_path / folder)
    with pytest.raises(UsageError, match=r"a-1\.0-py3-none-any\.whl"):
        find(["*/*"], tmp_path)


def test_a_file_is_read_once(tmp_path: Path, wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel("Foo.Bar", "1.0")
    artifact = read(built.write_to(tmp_path))
    assert (artifact.name, artifact.version, artifact.filename) == ("foo-bar", "1.0", built.filename)
    assert artifact.facts.sha256 == built.sha256
    assert artifact.facts.blake2_256 == hashlib.blake2b(built.content, digest_size=32).hexdigest()
    assert b"".join(artifact.pieces()) == built.content == b"".join(artifact.pieces())
    assert ("name", "Foo.Bar") in artifact.fields


def test_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "a-1.0-py3-none-any.whl").write_bytes(b"")
    with pytest.raises(InvalidArtifact, match=r"a-1\.0"):
        read(tmp_path / "a-1.0-py3-none-any.whl")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "b-1.0-py3-none-any.whl")
