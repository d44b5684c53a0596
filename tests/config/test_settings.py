import importlib.util
import sys
from pathlib import Path

import pytest

from cove.config.merge import merge
from cove.config.readers import read_cutoff
from cove.config.settings import BY_NAME, GROUPS, SETTINGS, Given, Settings
from cove.model.origin import DEFAULT, Origin
from cove.model.secret import Secret

ROOT = Path(__file__).parents[2]


def test_values_have_types_and_defaults() -> None:
    settings = merge([])
    assert settings.index_strategy == "first-index"
    assert settings.http_retries == 3
    assert settings.offline is False
    assert settings.upgrade_package == ()
    assert settings.origin("offline") == DEFAULT


def test_the_class_gives_the_declaration_itself() -> None:
    assert Settings.index_strategy is BY_NAME["index-strategy"]


def test_every_setting_says_what_it_is_for_and_can_be_given_somewhere() -> None:
    for setting in SETTINGS:
        assert setting.help
        assert not setting.help.endswith(".")
        assert setting.group in GROUPS
        assert setting.flag or setting.env or setting.toml, setting.name


@pytest.mark.parametrize("group", [group for group in GROUPS if group not in ("publish", "pip-binary")])
def test_flags_are_given_once_among_groups_that_go_together(group: str) -> None:
    flags = [
        word
        for setting in SETTINGS
        if setting.group in (group, "global")
        for word in (setting.flag, setting.short, setting.negative)
        if word
    ]
    assert len(flags) == len(set(flags))


def test_a_file_cannot_set_what_only_the_command_line_means() -> None:
    assert not {"quiet", "verbose", "locked", "frozen", "directory", "config-file"} & {
        setting.toml for setting in SETTINGS
    }


def test_secrets_are_secrets_from_the_first_moment() -> None:
    settings = merge([{"publish-token": (Given("canary", Origin("variable", "UV_PUBLISH_TOKEN")),)}])
    assert isinstance(settings.publish_token, Secret)
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    "text", ["2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31 12:00+01:00", "7 days", "P7D", "PT3H"]
)
def test_cutoffs(text: str) -> None:
    assert read_cutoff(text) == text


@pytest.mark.parametrize("text", ["P", "PT", "yesterday", "2026-1-1", "7", "", "2026-01-31T", 7, True])
def test_what_is_no_cutoff(text: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_cutoff(text)


def test_the_reference_page_is_what_the_declarations_say() -> None:
    spec = importlib.util.spec_from_file_location("settings_page", ROOT / "docs" / "settings_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    assert (ROOT / "docs" / "settings.md").read_text() == module.page(), "run python docs/settings_page.py"
