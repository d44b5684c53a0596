from pathlib import Path

import pytest

from cove.config.folders import cache_folder, data_folder, home, tool_folder
from cove.config.merge import merge
from cove.config.settings import Given
from cove.errors import ConfigurationError
from cove.model.origin import Origin

NOTHING = merge([])


def test_the_cache_has_a_name_of_its_own() -> None:
    named = merge([{"cache-dir": (Given("/c", Origin("flag", "--cache-dir")),)}])
    assert cache_folder(named, {}) == Path("/c/cove")
    assert cache_folder(NOTHING, {"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/cove")
    assert cache_folder(NOTHING, {"HOME": "/h"}) == Path("/h/.cache/cove")


def test_what_outlives_the_cache() -> None:
    named = merge([{"data-dir": (Given("/d", Origin("variable", "COVE_DATA_DIR")),)}])
    assert data_folder(named, {}) == Path("/d")
    assert tool_folder(named, {}) == Path("/d/tools")
    assert data_folder(NOTHING, {"XDG_DATA_HOME": "/x", "HOME": "/h"}) == Path("/x/cove")
    assert data_folder(NOTHING, {"HOME": "/h"}) == Path("/h/.local/share/cove")
    assert tool_folder(NOTHING, {"HOME": "/h"}) == Path("/h/.local/share/cove/tools")


def test_without_a_home_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="home folder"):
        home({})
    with pytest.raises(ConfigurationError, match="home folder"):
        cache_folder(NOTHING, {})
