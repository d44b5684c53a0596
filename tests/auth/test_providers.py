from pathlib import Path

import pytest

from cove.auth.provider import Username
from cove.auth.providers import ProviderOptions, make_providers
from cove.auth.providers.environment import Environment
from cove.auth.providers.inline import Inline
from cove.auth.providers.netrc import Netrc, netrc_path
from cove.errors import ConfigurationError
from cove.model.event import Event, Warned
from cove.model.index import Authenticate, Index
from cove.model.secret import Credential
from cove.model.url import Url


def index(name: str = "corp", url: str = "https://example.com/simple", authenticate: Authenticate = "auto") -> Index:
    return Index(Url.parse(url), name=name, authenticate=authenticate)


def shown(answer: Credential | Username | None) -> tuple[str, ...] | None:
    if isinstance(answer, Credential):
        return answer.username, answer.password.reveal(), str(answer.origin)
    return (answer.username, str(answer.origin)) if answer is not None else None


# --- inline -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://example.com/", None),
        ("https://ada:p%40ss@example.com/", ("ada", "p@ss", "the URL of corp")),
        ("https://:token@example.com/", ("", "token", "the URL of corp")),
        ("https://ada:@example.com/", ("ada", "", "the URL of corp")),
        ("https://ada@example.com/", ("ada", "the URL of corp")),
    ],
)
def test_inline(url: str, expected: tuple[str, ...] | None) -> None:
    assert shown(Inline().get(index(), Url.parse(url))) == expected
    assert Inline().covers(None, Url.parse(url)) is (expected is not None)


# --- environment ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({}, None),
        ({"USERNAME": "ada", "PASSWORD": "p"}, ("ada", "p", "$UV_INDEX_MY_CORP_1_PASSWORD")),
        ({"PASSWORD": "p"}, ("", "p", "$UV_INDEX_MY_CORP_1_PASSWORD")),
        ({"USERNAME": "ada", "PASSWORD": ""}, ("ada", "", "$UV_INDEX_MY_CORP_1_PASSWORD")),
        ({"USERNAME": "ada"}, ("ada", "$UV_INDEX_MY_CORP_1_USERNAME")),
        ({"USERNAME": ""}, None),
    ],
)
def test_environment(environ: dict[str, str], expected: tuple[str, ...] | None) -> None:
    corp = index("my.corp-1")
    provider = Environment([corp], {f"UV_INDEX_MY_CORP_1_{name}": value for name, value in environ.items()})
    assert shown(provider.get(corp, corp.url)) == expected
    assert provider.covers(corp, corp.url) is bool(environ)
    assert not provider.covers(None, corp.url)
    assert not provider.covers(index(""), corp.url)


def test_a_lone_password_goes_with_the_user_name_in_the_url() -> None:
    corp = index(url="https://aws@example.com/simple")
    assert shown(Environment([corp], {"UV_INDEX_CORP_PASSWORD": "p"}).get(corp, corp.url)) == (
        "aws",
        "p",
        "$UV_INDEX_CORP_PASSWORD",
    )


def test_a_variable_of_two_indexes_is_an_error_when_it_is_set() -> None:
    both = [index("my-corp"), index("my.corp")]
    Environment(both, {})
    with pytest.raises(ConfigurationError, match=r"UV_INDEX_MY_CORP_PASSWORD.*`my-corp` and `my.corp`") as caught:
        Environment(both, {"UV_INDEX_MY_CORP_PASSWORD": "canary"})
    assert "canary" not in str(caught.value)


# --- netrc ------------------------------------------------------------------------------------------------------------


def test_netrc(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine example.com login ada password p\ndefault login d password q\n")
    provider = Netrc(path)
    assert shown(provider.get(None, Url.parse("https://example.com:8443/x"))) == ("ada", "p", f"{path}:1")
    assert shown(provider.get(None, Url.parse("https://eve@example.com/x"))) is None
    other = index(url="https://example.org/simple")
    assert shown(provider.get(other, other.url)) == ("d", "q", f"{path}:2")
    assert provider.get(None, Url.parse("https://files.example.org/x")) is None


def test_a_netrc_entry_without_a_password_gives_the_user_name(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine example.com login ada")
    assert shown(Netrc(path).get(None, Url.parse("https://example.com/"))) == ("ada", f"{path}:1")


@pytest.mark.parametrize("content", [b"nonsense canary", b"\xff\xfe canary"])
def test_a_netrc_that_cannot_be_read_is_told_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "netrc"
    path.write_bytes(content)
    events: list[Event] = []
    provider = Netrc(path, events.append)
    for _ in range(2):
        assert provider.get(None, Url.parse("https://example.com/")) is None
    assert [type(event) for event in events] == [Warned]
    assert "canary" not in repr(events)


def test_no_netrc_is_nothing_to_tell(tmp_path: Path) -> None:
    events: list[Event] = []
    assert Netrc(tmp_path / "none", events.append).get(None, Url.parse("https://example.com/")) is None
    assert events == []


def test_netrc_path(tmp_path: Path) -> None:
    assert netrc_path({"NETRC": "/n"}, tmp_path) == Path("/n")
    assert netrc_path({}, tmp_path) == tmp_path / ".netrc"
    (tmp_path / "_netrc").touch()
    assert netrc_path({"NETRC": ""}, tmp_path) == tmp_path / "_netrc"
    (tmp_path / ".netrc").touch()
    assert netrc_path({}, tmp_path) == tmp_path / ".netrc"


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_order_of_the_table(tmp_path: Path) -> None:
    every = make_providers(ProviderOptions(environ={}, netrc=tmp_path / "netrc", keyring="subprocess"))
    assert [provider.name for provider in every] == ["environment", "URL", "huggingface", "netrc", "keyring"]
    assert [provider.name for provider in make_providers(ProviderOptions(environ={}))] == [
        "environment",
        "URL",
        "huggingface",
    ]
