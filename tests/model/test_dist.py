"""File names, with ``packaging`` as the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from cove.model.dist import SdistName, WheelName, parse_filename
from cove.model.name import Name, is_valid_name, normalize


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}[A-Za-z0-9]", fullmatch=True))
def test_names_are_normalised_as_packaging_does(text: str) -> None:
    assert str(normalize(text)) == str(canonicalize_name(text))
    assert is_valid_name(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", ".a", "a b", "ä", "a/b", "_"])
def test_what_is_not_a_name(text: str) -> None:
    assert not is_valid_name(text)


PART = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)


@given(
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}[A-Za-z0-9]", fullmatch=True),
    version=st.sampled_from(["1", "1.0", "2.0rc1", "1!3.0", "1.0+local.1", "2024.1.post2"]),
    build=st.sampled_from(["", "1", "2a"]),
    tags=st.tuples(st.lists(PART, min_size=1, max_size=2), st.lists(PART, min_size=1), st.lists(PART, min_size=1)),
)
def test_wheel_names_are_read_as_packaging_does(
    name: str, version: str, build: str, tags: tuple[list[str], list[str], list[str]]
) -> None:
    parts = [name, version, *([build] if build else []), *(".".join(part) for part in tags)]
    filename = "-".join(parts) + ".whl"
    try:
        expected = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return
    read = parse_filename(filename)
    assert isinstance(read, WheelName)
    assert str(read.name) == str(expected[0])
    assert read.version == version
    assert set(read.tags()) == {str(tag) for tag in expected[3]}


@pytest.mark.parametrize(
    "filename", ["foo.whl", "foo-1-py3-none.whl", "foo-1-x-py3-none-any.whl", "foo-1.exe", "foo.tar.gz"]
)
def test_what_is_neither_a_wheel_nor_an_sdist(filename: str) -> None:
    assert parse_filename(filename) is None


@pytest.mark.parametrize(
    "filename", [f"x-{'9' * 5000}.tar.gz", f"x-1-cp3{'9' * 5000}-none-any.whl", f"x-1-{'9' * 5000}-py3-none-any.whl"]
)
def test_what_no_file_can_be_called(filename: str) -> None:
    assert parse_filename(filename, Name("x")) is None


def test_the_project_settles_where_an_old_sdists_name_ends() -> None:
    assert parse_filename("a-b-1.0-2.tar.gz", Name("a-b")) == SdistName(Name("a-b"), "1.0-2")
    assert parse_filename("a.b-1.0.zip", Name("a-b")) == SdistName(Name("a-b"), "1.0")
    assert parse_filename("other-1.0.tar.gz", Name("a-b")) is None
