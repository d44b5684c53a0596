"""URLs: what they print, what they keep, how they join."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.model.secret import Secret
from cove.model.url import Url, has_user_info, with_masked_users

CANARY = "c4nary-p4ss"


def test_user_info_is_split_off_and_decoded() -> None:
    url = Url.parse(f"https://us%40er:{CANARY}%2F@Example.com:8443/simple/?a=b#c")
    assert url.username == "us@er"
    assert url.password == Secret(CANARY + "/")
    assert url.public == "https://Example.com:8443/simple/?a=b#c"
    assert url.realm == ("https", "example.com", 8443)


@pytest.mark.parametrize("show", [str, repr, "{}".format, lambda url: f"{url}", lambda url: f"{url!r}"])
def test_no_way_of_printing_shows_the_password_or_a_token_used_as_user(show: object) -> None:
    assert callable(show)
    for text in (f"https://user:{CANARY}@example.com/x", f"https://{CANARY}@example.com/x", f"https://:{CANARY}@h/"):
        shown = show(Url.parse(text))
        assert CANARY not in shown
        assert "****@" in shown


def test_secrets_cannot_be_serialised() -> None:
    with pytest.raises(TypeError, match="serialised"):
        pickle.dumps(Secret(CANARY))
    assert CANARY not in f"{Secret(CANARY)} {Secret(CANARY)!r} {[Secret(CANARY)]}"


@pytest.mark.parametrize(
    "text",
    ["", "simple", "//host/simple", "https://", "https://:443/", "http://host:99999/", "http://user:p/ss@host:x/"],
)
def test_what_is_not_an_absolute_url_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="URL") as caught:
        Url.parse(text)
    assert not text or text not in str(caught.value)


def test_join_keeps_user_info_on_the_same_realm_only() -> None:
    base = Url.parse("https://u:p@example.com/simple/foo/")
    assert base.join("../../files/foo-1.whl").public == "https://example.com/files/foo-1.whl"
    assert base.join("../../files/foo-1.whl").password == Secret("p")
    assert base.join("https://example.org/foo-1.whl").password is None
    assert base.join("https://x:y@example.org/foo-1.whl").password == Secret("y")
    assert base.join("http://example.com/foo-1.whl").password is None, "another scheme is another realm"


def test_child_keeps_the_query_and_ends_in_a_slash() -> None:
    assert Url.parse("https://example.com/simple?t=1").child("foo").public == "https://example.com/simple/foo/?t=1"
    assert Url.parse("https://example.com/simple/").child("foo").public == "https://example.com/simple/foo/"


def test_metadata_suffix_goes_to_the_path() -> None:
    url = Url.parse("https://example.com/f/foo-1.whl?sig=1#sha256=00")
    assert url.with_suffix(".metadata").public == "https://example.com/f/foo-1.whl.metadata?sig=1"


@pytest.mark.parametrize(
    "root, other, expected",
    [
        ("https://h/simple", "https://h/simple/foo/", True),
        ("https://h/simple/", "https://h/simple", True),
        ("https://h/simple", "https://h/simpler/foo/", False),
        ("https://h/a", "http://h/a/b", False),
        ("https://h/a", "https://h:443/a/b", True),
        ("https://h/", "https://H/x", True),
    ],
)
def test_covers_by_whole_path_segments(root: str, other: str, expected: object) -> None:
    assert Url.parse(root).covers(Url.parse(other)) is expected


@given(user=st.text(min_size=1, max_size=20), password=st.text(max_size=20))
def test_any_user_info_survives_quoting_and_is_never_in_the_public_text(user: str, password: str) -> None:
    from urllib.parse import quote

    text = f"https://{quote(user, safe='')}:{quote(password, safe='')}@example.com/simple/"
    url = Url.parse(text)
    assert (url.username, url.password) == (user, Secret(password))
    assert url.public == "https://example.com/simple/"


@pytest.mark.parametrize(
    "text, expected",
    [
        (
            "see https://u:p@h.example/x, then git+https://t@h/y",
            "see https://****@h.example/x, then git+https://****@h/y",
        ),
        ("https://u:p@ss@h.example/simple", "https://****@h.example/simple"),
        ("https://h.example/a@1 and https://h.example?x=@", "https://h.example/a@1 and https://h.example?x=@"),
    ],
)
def test_user_info_is_masked_in_any_text(text: str, expected: str) -> None:
    assert with_masked_users(text) == expected
    assert has_user_info(text) == (text != expected)
