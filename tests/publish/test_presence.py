import hashlib
from pathlib import Path

import pytest

from cove.model.dist import File
from cove.model.page import Page
from cove.model.url import Url
from cove.publish.artifacts import Artifact, read
from cove.publish.presence import Conflict, Presence, presence
from cove.testing import PackageFactory


@pytest.fixture
def artifact(tmp_path: Path, wheel_factory: PackageFactory) -> Artifact:
    return read(wheel_factory.wheel("foo").write_to(tmp_path))


def page(filename: str, **hashes: str) -> Page:
    from cove.model.name import Name

    return Page(Name("foo"), (File(filename, Url.parse("https://example.com/x"), hashes),))


def test_same_other_and_not_there(artifact: Artifact) -> None:
    sha256 = artifact.facts.sha256
    assert presence(page("foo-2.0.tar.gz", sha256=sha256), artifact) is Presence.NOT_THERE
    assert presence(page(artifact.filename, sha256=sha256.upper()), artifact) is Presence.SAME
    assert presence(page(artifact.filename, sha256="00"), artifact) == Conflict("sha256", sha256, "00")


def test_other_digests_are_computed(artifact: Artifact) -> None:
    sha512 = hashlib.sha512(artifact.path.read_bytes()).hexdigest()
    assert presence(page(artifact.filename, sha512=sha512), artifact) is Presence.SAME
    assert presence(page(artifact.filename, sha512="00"), artifact) == Conflict("sha512", sha512, "00")


@pytest.mark.parametrize("hashes", [{}, {"tiger": "00"}, {"shake_128": "00"}])
def test_without_a_usable_digest_it_is_no_match(artifact: Artifact, hashes: dict[str, str]) -> None:
    found = presence(page(artifact.filename, **hashes), artifact)
    assert found == Conflict("sha256", artifact.facts.sha256, "")
