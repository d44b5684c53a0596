import threading
from collections.abc import Mapping

import pytest

from cove.auth.chain import CredentialChain
from cove.auth.provider import Username
from cove.auth.providers import ProviderOptions, make_providers
from cove.errors import ConfigurationError
from cove.http.messages import Request
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url


def index(name: str, url: str, **more: object) -> Index:
    return Index(Url.parse(url), name=name, **more)  # type: ignore[arg-type]


def chain(*indexes: Index, environ: Mapping[str, str] | None = None, whole_realm: bool = False) -> CredentialChain:
    providers = make_providers(ProviderOptions(indexes=indexes, environ=environ or {}))
    return CredentialChain(indexes, providers, whole_realm=lambda _: whole_realm)


def user(credential: Credential | None) -> str | None:
    return None if credential is None else f"{credential.username}:{credential.password.reveal()}"


A = index("a", "https://a:1@example.com/a/simple")
B = index("b", "https://b:2@example.com/b/simple/")
NESTED = index("nested", "https://n:3@example.com/a/nested/simple")
OPEN = index("open", "https://example.com/open/simple")


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://example.com/a/simple/foo/", "a:1"),
        ("https://example.com/a/files/foo.whl", "a:1"),
        ("https://example.com:443/a/", "a:1"),
        ("https://example.com/ab/files", None),
        ("https://example.com/b/x", "b:2"),
        ("https://example.com/a/nested/x", "n:3"),
        ("https://example.com/a/nestedx", "a:1"),
        ("https://example.com/open/simple/foo/", None),
        ("https://example.com/", None),
        ("https://example.com:444/a/x", None),
        ("http://example.com/a/x", None),
        ("https://sub.example.com/a/x", None),
        ("https://example.com/a/%2e%2e/c/x", None),
        ("https://example.com/a/..%2fc/x", None),
        ("https://example.com/a/..\\c", None),
    ],
)
@pytest.mark.parametrize("on_behalf", [None, A])
def test_a_credential_stays_below_its_root(url: str, expected: str | None, on_behalf: Index | None) -> None:
    found = chain(A, B, NESTED, OPEN).for_url(Url(url), on_behalf)
    assert user(found) == expected


def test_user_info_that_a_link_took_over_is_not_its_own() -> None:
    auth = chain(A, OPEN)
    assert auth.for_url(A.url.join("/open/x.whl"), A) is None
    assert auth.for_url(A.url.join("/elsewhere/x.whl"), A) is None
    assert user(auth.for_url(A.url.join("files/x.whl"), A)) == "a:1"


def test_user_info_of_a_link_is_for_that_url_only_and_where_it_is_allowed() -> None:
    allowed = index("a", A.url.public, allow_redirects_to=("https://files.example.org",))
    for own, expected in ((allowed, "f:9"), (A, None)):
        auth = chain(own)
        assert user(auth.for_url(Url.parse("https://f:9@files.example.org/x.whl"), own)) == expected
        assert auth.for_url(Url.parse("https://f:9@files.example.org:444/x.whl"), own) is None
        assert auth.for_url(Url.parse("https://files.example.org/y.whl"), own) is None
    assert user(chain(A).for_url(Url.parse("https://f:9@files.example.org/x.whl"))) == "f:9"


def test_the_whole_realm_where_the_registry_needs_it() -> None:
    auth = chain(A, whole_realm=True)
    assert user(auth.for_url(Url.parse("https://example.com/elsewhere"), A)) == "a:1"
    assert auth.for_url(Url.parse("https://example.org/elsewhere"), A) is None


def test_the_environment_beats_the_url_as_a_whole() -> None:
    auth = chain(A, environ={"UV_INDEX_A_USERNAME": "env", "UV_INDEX_A_PASSWORD": "9"})
    assert user(auth.for_url(A.url.child("foo"), A)) == "env:9"
    assert [str(shadowed.origin) for shadowed in auth.status()[0].shadowed] == ["the URL of a"]


def test_never_sends_nothing_and_objects_to_a_contradiction() -> None:
    silent = index("s", "https://example.com/simple", authenticate="never")
    auth = chain(silent)
    assert auth.for_url(silent.url.child("foo"), silent) is None
    assert auth.for_url(Url.parse("https://x:y@example.com/simple/foo"), silent) is None
    assert auth.for_url(Url.parse("https://x:y@example.com/elsewhere/foo"), silent) is None
    odd = index("s", "https://ada:canary@example.com/simple", authenticate="never")
    for contradiction, environ, where in (
        (odd, {}, "the URL of s"),
        (silent, {"UV_INDEX_S_PASSWORD": "canary"}, "\\$UV_INDEX_S_PASSWORD"),
        (silent, {"UV_INDEX_S_TOKEN": "canary"}, "\\$UV_INDEX_S_TOKEN"),
        (silent, {"UV_INDEX_S_USERNAME": "ada"}, "\\$UV_INDEX_S_USERNAME"),
    ):
        with pytest.raises(ConfigurationError, match=f"never.*{where}") as caught:
            chain(contradiction, environ=environ).for_url(contradiction.url, contradiction)
        assert "canary" not in str(caught.value)


class Counting:
    """A slow provider that knows everything, and counts."""

    name = "counting"

    def __init__(self, answer: Credential | Username | None) -> None:
        self.answer = answer
        self.asked: list[str | None] = []

    def covers(self, index: Index | None, url: Url) -> bool:
        return True

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        self.asked.append(url.username)
        threading.Event().wait(0.02)
        return self.answer


def test_one_look_up_for_each_index_and_run() -> None:
    provider = Counting(None)
    auth = CredentialChain([A, OPEN], [provider])
    threads = [threading.Thread(target=auth.for_url, args=(A.url.child(str(n)), A)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    auth.for_url(OPEN.url, OPEN)
    assert provider.asked == ["a", None]


def test_a_user_name_is_handed_on_and_the_other_password_dropped() -> None:
    first = Counting(Username("ada", Origin("variable", "V")))
    second = Counting(None)
    assert CredentialChain([A], [first, second]).for_url(A.url, A) is None
    assert (first.asked, second.asked) == (["a"], ["ada"])


def test_the_owner_says_who_without_the_password() -> None:
    one = chain(A).owner(Request("GET", A.url, index=A))
    other = chain(index("a", "https://a:other@example.com/a/simple"))
    assert one == other.owner(Request("GET", A.url.without_credentials(), index=None))
    assert one != chain(B).owner(Request("GET", B.url, index=B))
    assert chain(OPEN).owner(Request("GET", OPEN.url, index=OPEN)) == ""
    assert len(one) == 64


def test_status_lists_every_index() -> None:
    statuses = chain(A, OPEN).status()
    assert [(status.index.name, user(status.active), status.shadowed) for status in statuses] == [
        ("a", "a:1", ()),
        ("open", None, ()),
    ]
    assert "Secret" not in repr(statuses)


def test_nothing_prints_a_secret() -> None:
    marked = index("m", "https://ada:canary@example.com/simple")
    auth = chain(marked)
    credential = Credential("ada", Secret("canary"), Origin("flag"))
    assert "canary" not in f"{auth!r}{auth.status()!r}{auth.for_url(marked.url)!r}{credential}{vars(auth)!r}"
