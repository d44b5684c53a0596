import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.config.merge import Tier, merge
from cove.config.settings import Given
from cove.errors import ConfigurationError, UsageError
from cove.model.origin import Origin

FLAG = Origin("flag", "--index-strategy")
FILE = Origin("project", "/p/uv.toml", 3)


def tier(origin: Origin, **values: object) -> Tier:
    return {
        name.replace("_", "-"): tuple(Given(item, origin) for item in (value if isinstance(value, list) else [value]))
        for name, value in values.items()
    }


def test_the_highest_value_wins_and_keeps_its_origin() -> None:
    settings = merge([tier(FLAG, offline=True), tier(FILE, offline=False, index_strategy="unsafe-best-match")])
    assert settings.offline is True
    assert settings.origin("offline") == FLAG
    assert settings.index_strategy == "unsafe-best-match"
    assert str(settings.origin("index-strategy")) == "/p/uv.toml:3"


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=3), max_size=4))
def test_lists_are_joined_highest_first_and_every_item_knows_its_origin(lists: list[list[str]]) -> None:
    origins = [Origin("project", f"/{number}") for number in range(len(lists))]
    settings = merge([tier(origin, upgrade_package=items) for origin, items in zip(origins, lists, strict=True)])
    assert settings.upgrade_package == tuple(item for items in lists for item in items)
    expected = [origin for origin, items in zip(origins, lists, strict=True) for _ in items]
    assert [item.origin for item in settings.given("upgrade-package")] == expected


def test_a_bad_flag_is_wrong_usage_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="`--index-strategy` has the value `frist-index`") as caught:
        merge([tier(FLAG, index_strategy="frist-index")])
    assert caught.value.hints == ("did you mean `first-index`?",)


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"variable `UV_HTTP_RETRIES` has the value `abc`.*whole number"):
        merge([tier(Origin("variable", "UV_HTTP_RETRIES"), http_retries="abc")])


@pytest.mark.parametrize("value", ["yes", 1, [], {}])
def test_a_bad_value_in_a_file_is_named_by_file_and_line(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^/p/uv.toml:3: `offline` .*expected true or false"):
        merge([{"offline": (Given(value, FILE),)}])


@pytest.mark.parametrize("name", ["publish-url", "http-proxy", "check-url"])
def test_what_may_hold_a_password_is_not_quoted(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        merge([{name: (Given("http://user:canary/word@host/", Origin("variable", "X")),)}])
    assert "canary" not in str(caught.value)
