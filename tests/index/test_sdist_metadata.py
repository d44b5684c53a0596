"""What sdists say of themselves, those that are damaged among them."""

import io
import random
import tarfile

import pytest

from cove.errors import InvalidArtifact
from cove.index.sdist_metadata import stated


def test_an_archive_that_breaks_off_within_is_refused() -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz") as archive:
        for path in ("one-1.0/large", "one-1.0/PKG-INFO"):
            data = random.Random(1).randbytes(1 << 18)
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    damaged = bytearray(content.getvalue())
    damaged[len(damaged) // 2] ^= 0xFF
    with pytest.raises(InvalidArtifact, match="not a usable sdist"):
        stated(io.BytesIO(bytes(damaged)), "one-1.0.tar.gz")
