"""Repositories in requirements and locks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats import git_url

_WORDS = st.text("abcxyz019._-", min_size=1, max_size=8).filter(
    lambda word: word[0] not in "-." and ".." not in word and not word.endswith((".", ".lock"))
)
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@given(
    st.sampled_from(
        ["https://example.com/a/b.git", "ssh://git@example.com/a/b", "file:///srv/a b", "http://example.com:81/x"]
    ),
    st.sampled_from(["rev", "tag", "branch"]),
    _WORDS | st.just("feature/x") | st.just("a+b&c=d"),
    st.lists(_WORDS, max_size=3).map("/".join),
    st.booleans(),
)
def test_what_is_written_is_read(url: str, kind: str, reference: str, subdirectory: str, lfs: bool) -> None:
    made = git_url.make(url, kind, reference, subdirectory, lfs=lfs)
    assert git_url.parse(made.text) == made
    assert git_url.parse_locked(f"{made.requested}#{_COMMIT}").locked == f"{made.requested}#{_COMMIT}"


@pytest.mark.parametrize(
    "text, locked",
    [
        ("git+https://example.com/x", "https://example.com/x"),
        ("git+https://example.com/x@v1", "https://example.com/x?rev=v1"),
        ("git+https://u:p@example.com/x@v1#subdirectory=a/b&egg=x", "https://example.com/x?subdirectory=a%2Fb&rev=v1"),
        ("git+ssh://git@example.com/x.git@feature/y", "ssh://git@example.com/x.git?rev=feature%2Fy"),
        ("git+https://example.com/x@v1#lfs=true", "https://example.com/x?lfs=true&rev=v1"),
    ],
)
def test_requirements_as_the_lock_has_them(text: str, locked: str) -> None:
    assert git_url.parse(text).requested == locked


def test_user_info_is_a_secret_and_an_ssh_user_is_an_address() -> None:
    found = git_url.parse("git+https://me:hunter2@example.com/x@v1")
    assert "hunter2" not in f"{found} {found!r} {found.requested} {found.text}"
    assert found.url.password is not None
    assert found.url.password.reveal() == "hunter2"
    assert str(git_url.parse("git+ssh://git@example.com/x").url) == "ssh://git@example.com/x"


@pytest.mark.parametrize(
    "text",
    [
        "git+ext::sh -c x",
        "git+ext://sh -c x",
        "git+https://-oProxyCommand=x/y",
        "git+https://example.com/x@--upload-pack=x",
        "git+https://example.com/x@-x",
        "git+https://example.com/x@a..b",
        "git+https://example.com/x@a b",
        "git+https://example.com/x@{u}^",
        "git+https://example.com/x#subdirectory=../y",
        "git+https://example.com/x#subdirectory=/y",
        "git+https://example.com/x@a#branch=b",
        "git+/srv/x",
        "git+git@example.com:x/y",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every malformed text is one kind
        git_url.parse(text)


@pytest.mark.parametrize("text", ["https://example.com/x", "https://example.com/x#abc", "https://example.com/x#--all"])
def test_a_locked_repository_has_a_commit(text: str) -> None:
    with pytest.raises(ValueError, match="no commit"):
        git_url.parse_locked(text)
