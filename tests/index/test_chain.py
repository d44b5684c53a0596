import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import IndexUnreachable, UnknownIndex
from cove.index.chain import Router
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.page import Page
from cove.model.url import Url

ACME = Name("acme")


class Fixed:
    """A source that always answers the same and counts how often."""

    def __init__(self, kind: str, name: str = "", **settings: object) -> None:
        self.index = Index(Url.parse(f"https://example.com/{name}"), name=name, **settings)  # type: ignore[arg-type]
        self.kind = kind
        self.asked = 0

    def project(self, name: Name) -> Outcome:
        self.asked += 1
        match self.kind:
            case "found":
                return Found(self.index, Page(name, ()))
            case "absent":
                return Absent(self.index, "404 Not Found")
        return Unavailable(self.index, IndexUnreachable(f"{self.index.label} is down"))


def router(*sources: Fixed, links: tuple[Fixed, ...] = (), strategy: str = "first-index", **pins: str) -> Router:
    pairs = [(source.index, source) for source in sources]
    return Router(pairs, links=links, strategy=strategy, pins={Name(k): v for k, v in pins.items()})


kinds = st.lists(st.sampled_from(["found", "absent", "unavailable"]), max_size=5)


@given(kinds)
def test_only_absence_lets_the_search_go_on(kinds: list[str]) -> None:
    sources = [Fixed(kind, f"i{n}") for n, kind in enumerate(kinds)]
    search = router(*sources).search(ACME)
    decisive = next((n for n, kind in enumerate(kinds) if kind != "absent"), len(kinds))
    assert [source.asked for source in sources] == [int(n <= decisive) for n in range(len(kinds))]
    if decisive < len(kinds):
        assert search.outcome.index is sources[decisive].index
        assert not search.absent
    else:
        assert isinstance(search.outcome, Absent)
        assert search.absent


@given(kinds)
def test_best_match_asks_all_and_still_stops_where_one_cannot_say(kinds: list[str]) -> None:
    sources = [Fixed(kind, f"i{n}") for n, kind in enumerate(kinds)]
    search = router(*sources, strategy="unsafe-best-match").search(ACME)
    assert all(source.asked == 1 for source in sources)
    assert isinstance(search.outcome, Unavailable) == ("unavailable" in kinds)
    assert len(search.found) == kinds.count("found")


def test_the_default_index_is_last_and_explicit_ones_are_not_searched() -> None:
    public = Fixed("absent", "public", default=True)
    explicit = Fixed("found", "explicit", explicit=True)
    corp = Fixed("absent", "corp")
    search = router(public, explicit, corp).search(ACME)
    assert [answer.index.name for answer in search.answers] == ["corp", "public"]
    assert explicit.asked == 0
    assert search.absent == "corp (404 Not Found) or public (404 Not Found)"


def test_a_pin_leads_to_one_index_and_nowhere_else() -> None:
    pinned, other, links = Fixed("absent", "pinned", explicit=True), Fixed("found", "other"), Fixed("found")
    search = router(other, pinned, links=(links,), acme="pinned").search(ACME)
    assert isinstance(search.outcome, Absent)
    assert (pinned.asked, other.asked, links.asked) == (1, 0, 0)
    assert "pinned to pinned" in search.rule


def test_a_pin_to_an_unknown_index_is_a_mistake() -> None:
    with pytest.raises(UnknownIndex, match=r"acme.*nowhere"):
        router(Fixed("found", "corp"), acme="nowhere")


@pytest.mark.parametrize("glob", ["acme", "acme-*", "Acme_*", "acme.*"])
def test_a_route_leads_to_one_index_and_nowhere_else(glob: str) -> None:
    routed, other = Fixed("absent", "corp", packages=(glob,)), Fixed("found", "other")
    name = Name("acme" if glob == "acme" else "acme-lib")
    search = router(other, routed).search(name)
    assert isinstance(search.outcome, Absent)
    assert other.asked == 0
    assert "routed to corp" in search.rule
    assert isinstance(router(other, routed).project(Name("requests")), Found)


def test_links_are_merged_on_top() -> None:
    absent, links = Fixed("absent", "corp"), Fixed("found", "links")
    search = router(absent, links=(links,)).search(ACME)
    assert isinstance(search.outcome, Found)
    assert (len(search.found), len(search.found_links)) == (0, 1)


def test_links_do_not_hide_an_index_that_cannot_say() -> None:
    assert isinstance(router(Fixed("unavailable"), links=(Fixed("found"),)).project(ACME), Unavailable)


def test_no_index_at_all() -> None:
    search = router().search(ACME)
    assert isinstance(search.outcome, Absent)
    assert "none to ask" in search.absent
