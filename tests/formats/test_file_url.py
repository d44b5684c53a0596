"""``file:`` URLs, with ``pathlib`` as the oracle."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.file_url import from_path, to_path

PATHS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(
    lambda text: f"/{text.strip('/')}"
)


@given(PATHS)
def test_a_path_survives_the_way_there_and_back(path: str) -> None:
    assert to_path(from_path(path).removeprefix("file://")) == path


@pytest.mark.parametrize("path", ["/a/b c", "/a%20b", "/ä/ü+x.whl", "/a#b?c"])
def test_posix_paths_are_written_as_pathlib_does(path: str) -> None:
    assert from_path(path) == PurePosixPath(path).as_uri()


@pytest.mark.parametrize("path", ["C:\\Users\\me", "c:/x y"])
def test_windows_paths_are_written_as_pathlib_does(path: str) -> None:
    assert from_path(path) == PureWindowsPath(path).as_uri()
    assert PureWindowsPath(to_path(from_path(path).removeprefix("file://"))) == PureWindowsPath(path)
