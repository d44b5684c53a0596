import stat
import sys
from pathlib import Path

import pytest

from cove.auth.provider import Username
from cove.auth.providers import ProviderOptions, make_providers
from cove.auth.providers.environment import Environment
from cove.auth.providers.inline import Inline
from cove.auth.providers.keyring import Keyring
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


# --- keyring ----------------------------------------------------------------------------------------------------------


def program(folder: Path, body: str) -> str:
    """A stand-in for the keyring program that also writes down its arguments."""
    path = folder / "keyring"
    log = folder / "log"
    path.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{body}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def calls(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_keyring_is_asked_for_the_url_then_for_its_host(tmp_path: Path) -> None:
    keyring = Keyring(program=program(tmp_path, "if sys.argv[2] != 'http://example.com:8080': exit(1)\nprint('p  ')"))
    url = Url.parse("http://ada@example.com:8080/simple/")
    assert shown(keyring.get(None, url)) == ("ada", "p", "keyring (http://example.com:8080)")
    assert calls(tmp_path) == [
        "get http://example.com:8080/simple/ ada",
        "get example.com:8080 ada",
        "get http://example.com:8080 ada",
    ]


def test_keyring_without_a_user_name_needs_always(tmp_path: Path) -> None:
    keyring = Keyring(program=program(tmp_path, "print('ada'); print('p')"))
    auto, always = index(), index(authenticate="always")
    assert not keyring.covers(auto, auto.url)
    assert keyring.covers(always, always.url)
    assert shown(keyring.get(always, always.url)) == ("ada", "p", "keyring (https://example.com/simple)")
    assert calls(tmp_path) == ["get --mode creds https://example.com/simple"]


@pytest.mark.parametrize(
    "body, words",
    [
        ("sys.stderr.write('error: unrecognized arguments: --mode'); exit(2)", "too old"),
        ("sys.stderr.write('canary'); exit(1)", "exit status 1"),
        ("import time; time.sleep(5)", "did not answer"),
    ],
)
def test_trouble_with_keyring_is_told_once(tmp_path: Path, body: str, words: str) -> None:
    events: list[Event] = []
    keyring = Keyring(events.append, program=program(tmp_path, body), time_limit=0.5)
    for _ in range(2):
        assert keyring.get(None, Url.parse("https://ada@example.com/")) is None
    (event,) = events
    assert isinstance(event, Warned)
    assert words in event.message
    assert "canary" not in repr(event)


def test_a_missing_keyring_is_told(tmp_path: Path) -> None:
    events: list[Event] = []
    assert (
        Keyring(events.append, program=str(tmp_path / "none")).get(None, Url.parse("https://ada@example.com/")) is None
    )
    assert "is not on PATH" in repr(events)


def test_having_no_password_is_no_trouble(tmp_path: Path) -> None:
    events: list[Event] = []
    assert (
        Keyring(events.append, program=program(tmp_path, "exit(1)")).get(None, Url.parse("https://ada@e.example/"))
        is None
    )
    assert events == []


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_order_of_the_table(tmp_path: Path) -> None:
    every = make_providers(ProviderOptions(environ={}, netrc=tmp_path / "netrc", keyring=True))
    assert [provider.name for provider in every] == ["environment", "URL", "netrc", "keyring"]
    assert [provider.name for provider in make_providers(ProviderOptions(environ={}))] == ["environment", "URL"]
