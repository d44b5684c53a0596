"""What a ``pyproject.toml`` says for good, read back as core metadata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats import core_metadata
from cove.formats.stated_metadata import stated_metadata


@given(st.text())
def test_nothing_in_a_name_becomes_a_header(name: str) -> None:
    found = stated_metadata(b'[project]\nname = "a"\n', name, "1")
    assert found is None or core_metadata.raw_fields(found).keys() == {"metadata-version", "name", "version"}


@pytest.mark.parametrize(
    "text",
    [
        "", "[tool.poetry]", "[project]\ndynamic = ['requires-python']", "[project]\ndependencies = 'a'", "project = 1",
        "[project]\ndependencies = ['not a requirement!']", "[project]\noptional-dependencies = {a = ['b; nonsense']}",
        '[project]\nrequires-python = ">=3\\nRequires-Dist: evil"', '[project]\noptional-dependencies = {"a\\nb" = []}',
    ],
)  # fmt: skip
def test_what_only_a_build_tells(text: str) -> None:
    assert stated_metadata(text.encode(), "a", "1") is None
