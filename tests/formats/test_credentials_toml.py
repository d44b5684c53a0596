import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.credentials_edit import put, remove
from cove.formats.credentials_toml import (
    CredentialsTomlError,
    StoredCredential,
    matching,
    parse,
    same_service,
    service_of,
)
from cove.model.secret import Secret
from cove.model.url import Url

SERVICES = st.sampled_from(
    ["https://example.com", "https://example.com/a", "https://example.com/a/b/", "https://example.org:8443/a"]
)
USERS = st.none() | st.sampled_from(["", "me", "you", "__token__", "ü ✓"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def stored(service: str, username: str | None = "me", secret: str = "p") -> StoredCredential:
    scheme = "basic" if username is not None else "bearer"
    return StoredCredential(Url.parse(service), username, Secret(secret), scheme)  # type: ignore[arg-type]


def shown(credentials: tuple[StoredCredential, ...]) -> list[tuple[str, str | None, str]]:
    return [(each.service.public, each.username, each.secret.reveal()) for each in credentials]


@given(st.lists(st.tuples(SERVICES, USERS, TEXTS, st.booleans()), max_size=8))
def test_a_history_of_changes_is_a_dictionary(history: list[tuple[str, str | None, str, bool]]) -> None:
    text, expected = "", dict[tuple[str, str | None], str]()
    for service, user, secret, removes in history:
        key = (service.rstrip("/"), user)
        if removes:
            left = remove(text, Url.parse(service), user)
            assert (left is None) is (expected.pop(key, None) is None)
            text = left if left is not None else text
        else:
            text = put(text, stored(service, user, secret))
            expected[key] = secret
        held = {(each.service.public.rstrip("/"), each.username): each.secret.reveal() for each in parse(text)}
        assert held == expected
        tables = tomllib.loads(text).get("credential", [])
        assert len(tables) == len(expected)
        assert all(("username" in table) is (table["scheme"] == "basic") for table in tables)


def test_the_form_is_that_of_uv() -> None:
    text = put("", stored("https://example.com/team", "me", 'p"w\\x'))
    text = put(text, stored("https://example.org/", None, "tok"))
    assert text == (
        '[[credential]]\nservice = "https://example.com/team"\nusername = "me"\nscheme = "basic"\npassword = "p\\"w\\\\x"\n\n'
        '[[credential]]\nservice = "https://example.org/"\nscheme = "bearer"\ntoken = "tok"\n'
    )


def test_what_is_not_known_stays() -> None:
    text = (
        '# mine\nversion = 2\n\n[[credential]] # work\nservice = "https://example.com/" # here\nusername = "me"\n'
        'password = "old"\nnote = "keep"\n\n[[credential]]\nservice = "https://example.org"\nusername = "you"\npassword = "p"\n'
    )
    changed = put(text, stored("https://example.com", "me", "new"))
    assert tomllib.loads(changed) == {
        "version": 2,
        "credential": [
            {"service": "https://example.com", "username": "me", "password": "new", "scheme": "basic", "note": "keep"},
            {"service": "https://example.org", "username": "you", "password": "p"},
        ],
    }
    assert all(comment in changed for comment in ("# mine", "# work", "# here"))
    gone = remove(changed, Url.parse("https://example.org/"), "you")
    assert gone is not None
    assert 'note = "keep"' in gone
    assert "example.org" not in gone


def test_a_list_in_brackets_and_one_that_is_empty() -> None:
    inline = "credential = [{ service = 'https://example.com', username = 'me', password = 'p', note = 1 }]\n"
    assert shown(parse(put(inline, stored("https://example.org")))) == [
        ("https://example.com", "me", "p"), ("https://example.org", "me", "p"),
    ]  # fmt: skip
    assert "note" in put(inline, stored("https://example.org"))
    assert shown(parse(put("credential = []\n", stored("https://example.org")))) == [("https://example.org", "me", "p")]
    assert parse("") == parse("credential = []") == ()


def test_of_two_the_later_one_counts_and_user_info_in_a_service_is_left_out() -> None:
    table = '[[credential]]\nservice = "{}"\nusername = "me"\npassword = "{}"\n'
    text = table.format("https://me:canary@example.com/", "one") + table.format("https://example.com", "two")
    assert shown(parse(text)) == [("https://example.com", "me", "two")]
    replaced = put(text, stored("https://example.com", "me", "three"))
    assert "canary" not in replaced
    assert shown(parse(replaced)) == [("https://example.com", "me", "three")]
    assert remove(text, Url.parse("https://example.com"), "me") == ""


@pytest.mark.parametrize(
    "text, entry, words",
    [
        ('password = "canary\n', None, "not TOML (at line 1, column 19)"),
        ('password = "canary"\n[[credential', None, "not TOML"),
        ("credential = 1", None, "not a list of tables"),
        ("credential = [1]", None, "not a list of tables"),
        ("[credential]\na = 1", None, "not a list of tables"),
        ('[[credential]]\nusername = "u"\npassword = "canary"', 0, "no text `service`"),
        ('[[credential]]\nservice = "x.com"\nusername = "u"\npassword = "canary"', 0, "not an absolute URL"),
        ('[[credential]]\nservice = "https://x.com"\nusername = "u"\npassword = 1', 0, "no text `password`"),
        ('[[credential]]\nservice = "https://x.com"\npassword = "canary"', 0, "no text `username`"),
        ('[[credential]]\nservice = "https://x.com"\nscheme = "bearer"', 0, "no text `token`"),
        ('[[credential]]\nservice = "https://x.com"\nscheme = "canary"', 0, 'neither "basic" nor "bearer"'),
    ],
)
def test_what_cannot_be_read_is_told_without_a_word_of_it(text: str, entry: int | None, words: str) -> None:
    with pytest.raises(CredentialsTomlError) as caught:
        parse(text)
    assert (caught.value.entry, words in str(caught.value)) == (entry, True)
    assert "canary" not in str(caught.value)
    with pytest.raises(CredentialsTomlError):
        put(text, stored("https://example.com"))


@pytest.mark.parametrize(
    "typed, service",
    [
        ("https://Example.COM:443/team/simple/", "https://example.com/team"),
        ("https://me:p@example.com/team/+simple", "https://example.com/team"),
        ("https://example.com/SIMPLE", "https://example.com/"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com/a/?x=1#y", "https://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a/simpler", "https://example.com/a/simpler"),
        ("http://[::1]:80/a", "http://[::1]/a"),
    ],
)
def test_services(typed: str, service: str) -> None:
    found = service_of(Url.parse(typed))
    assert found == Url.parse(service)
    assert service_of(found) == found


def test_the_longest_service_by_whole_segments_and_one_for_each_user() -> None:
    every = (
        stored("https://example.com", "host"), stored("https://example.com/a/", "a"), stored("https://example.com/a/b", "me"),
        stored("https://example.com/a/b", "you"), stored("https://example.com/a/b", None),
    )  # fmt: skip

    def users(url: str, username: str | None = None) -> list[str | None]:
        return [each.username for each in matching(every, Url.parse(url), username)]

    assert users("https://example.com/a/b/simple/") == ["me", "you", None]
    assert users("https://example.com/a/b", "you") == ["you"]
    assert users("https://example.com/a/bc/") == ["a"]
    assert users("https://example.com/a") == ["a"]
    assert users("https://example.com/a/b/", "host") == ["host"]
    assert users("https://example.com/a/b/", "nobody") == []
    for elsewhere in ("http://example.com/a", "https://example.com:8443/a", "https://a.example.com/a"):
        assert users(elsewhere) == []
    for leading_out in (
        "https://example.com/a/b/../../c",
        "https://example.com/a/%2e%2E/c",
        "https://example.com/a/..\\c",
    ):
        assert users(leading_out) == []
    assert [each.username for each in same_service(every, Url.parse("https://example.com/a/b/"))] == ["me", "you", None]
