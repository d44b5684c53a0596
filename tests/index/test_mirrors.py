import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import CoveError, IndexUnreachable, OfflineError
from cove.http.client import Client
from cove.http.failures import CertificateRefused
from cove.index.mirrors import Mirrors, home, moved
from cove.model.dataclasses import replace
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.url import Url
from support.replies import Answer, Replies

MIRRORS = ("https://one.example.org/copy/simple/", "https://two.example.org/simple")
CORP = Index(Url.parse("https://example.com/simple"), name="corp", mirrors=tuple(map(Url.parse, MIRRORS)))
PAGES = ("https://example.com/simple/foo/", MIRRORS[0] + "foo/", MIRRORS[1] + "/foo/")


@given(
    st.sampled_from(["https://example.com/simple", "https://example.com/a/simple/", "https://example.com/a/b"]),
    st.sampled_from(
        ["https://example.org/simple", "https://example.org:8443/copy/simple/", "https://example.org/copy"]
    ),
    st.sampled_from(["/foo/", "/foo/?a=b", "/foo/foo-1.whl#sha256=ab"]),
)
def test_what_lies_below_an_index_moves_there_and_back(index: str, mirror: str, path: str) -> None:
    corp = Index(Url.parse(index), mirrors=(Url.parse(mirror),))
    url = Url(index.removesuffix("/") + path)
    there = moved(url, corp, corp.url, corp.mirrors[0])
    assert there is not None
    assert there.public == mirror.removesuffix("/") + path
    assert home(there, corp) == url


@pytest.mark.parametrize(
    "there, expected",
    [
        ("https://one.example.org/copy/simple/foo/foo-1.whl", "https://example.com/simple/foo/foo-1.whl"),
        ("https://one.example.org/copy/files/foo-1.whl", "https://example.com/files/foo-1.whl"),
        ("https://one.example.org/elsewhere/foo-1.whl", "https://example.com/elsewhere/foo-1.whl"),
        ("https://example.com/files/foo-1.whl", "https://example.com/files/foo-1.whl"),
        ("https://files.example.net/foo-1.whl", "https://files.example.net/foo-1.whl"),
    ],
)
def test_files_of_a_mirror_are_recorded_at_home(there: str, expected: str) -> None:
    assert home(Url.parse(there), CORP).public == expected


@given(
    st.lists(st.sampled_from(["found", "absent", "refused", "broken", "unreachable"]), min_size=3, max_size=3),
    st.sampled_from([1, 2]),
)
def test_a_mirror_is_asked_only_when_those_before_it_cannot_answer(kinds: list[str], times: int) -> None:
    answers: dict[str, Answer | CoveError] = {
        "found": Answer(200), "absent": Answer(404), "refused": Answer(403), "broken": Answer(503),
        "unreachable": IndexUnreachable("corp cannot be reached"),
    }  # fmt: skip
    events: list[object] = []
    replies = Replies({url: answers[kind] for url, kind in zip(PAGES, kinds, strict=True)})
    client = Client(replies, (Mirrors(events.append),))
    first = next((n for n, kind in enumerate(kinds) if kind not in ("broken", "unreachable")), 2)
    for _ in range(times):
        try:
            status = client.get(Url.parse(PAGES[0]), index=CORP).status
        except IndexUnreachable:
            status = 0
        assert status == {"found": 200, "absent": 404, "refused": 403, "broken": 503, "unreachable": 0}[kinds[first]]
    assert replies.urls == [*PAGES[: first + 1], *([PAGES[first]] * (times - 1))]
    assert len([event for event in events if isinstance(event, Warned)]) == first


def test_a_certificate_that_is_not_trusted_is_no_reason_to_go_elsewhere() -> None:
    replies = Replies({PAGES[0]: CertificateRefused("corp is not trusted")})
    with pytest.raises(CertificateRefused):
        Client(replies, (Mirrors(),)).get(Url.parse(PAGES[0]), index=CORP)
    assert len(replies.asked) == 1


def test_without_a_network_what_the_cache_has_of_any_address_serves() -> None:
    replies = Replies({PAGES[0]: OfflineError("no network"), PAGES[1]: Answer(200)})
    client = Client(replies, (Mirrors(),))
    for _ in range(2):
        assert client.get(Url.parse(PAGES[0]), index=CORP).status == 200
    assert replies.urls == [*PAGES[:2], *PAGES[:2]], "nothing is down"


def test_what_is_of_no_mirror_passes_by() -> None:
    other = "https://files.example.net/foo-1.whl"
    replies = Replies({other: Answer(503), PAGES[0]: Answer(503)})
    client = Client(replies, (Mirrors(),))
    assert client.get(Url.parse(other), index=CORP).status == 503
    assert client.get(Url.parse(PAGES[0])).status == 503
    assert client.get(Url.parse(PAGES[0]), index=replace(CORP, mirrors=())).status == 503
    assert len(replies.asked) == 3
