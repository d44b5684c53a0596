import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from cove.errors import IndexChanged, IndexUnreachable, UnknownIndex
from cove.index.candidates import Rules, gather
from cove.index.chain import STRATEGIES, Kept, Router, Search
from cove.model.dist import File
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
    merged = [(source.index, source) for source in links]
    return Router(pairs, links=merged, strategy=strategy, pins={Name(k): v for k, v in pins.items()})


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


@given(kinds, st.sampled_from(["unsafe-first-match", "unsafe-best-match"]))
def test_unsafe_strategies_ask_all_and_still_stop_where_one_cannot_say(kinds: list[str], strategy: str) -> None:
    sources = [Fixed(kind, f"i{n}") for n, kind in enumerate(kinds)]
    search = router(*sources, strategy=strategy).search(ACME)
    decisive = next((n for n, kind in enumerate(kinds) if kind == "unavailable"), len(kinds))
    assert [source.asked for source in sources] == [int(n <= decisive) for n in range(len(kinds))]
    assert isinstance(search.outcome, Unavailable) == ("unavailable" in kinds)
    assert len(search.found) == kinds[:decisive].count("found")
    assert search.in_order == (strategy == "unsafe-first-match")


@given(kinds, st.sampled_from(sorted(STRATEGIES)), st.booleans(), st.data())
def test_no_index_is_asked_after_one_that_cannot_say(
    kinds: list[str], strategy: str, is_kept: bool, data: st.DataObject
) -> None:
    sources = [Fixed(kind, f"i{n}") for n, kind in enumerate(kinds)]
    kept = {}
    if is_kept and sources:
        own = data.draw(st.sampled_from(sources)).index
        kept[ACME] = Kept(own.url.public, own)
    search = Router([(source.index, source) for source in sources], kept=kept, strategy=strategy).search(ACME)
    asked = [source.kind for source in sources if source.asked]
    assert "unavailable" not in asked[:-1]
    if "unavailable" in asked:
        assert isinstance(search.outcome, Unavailable)


@given(kinds.filter(bool), st.sampled_from(sorted(STRATEGIES)), st.data())
def test_a_locked_name_comes_from_its_index_or_is_an_error(
    kinds: list[str], strategy: str, data: st.DataObject
) -> None:
    sources = [Fixed(kind, f"i{n}") for n, kind in enumerate(kinds)]
    position = data.draw(st.integers(0, len(kinds) - 1))
    own = sources[position].index
    links = Fixed("found", "links")
    search = Router(
        [(source.index, source) for source in sources],
        links=[(links.index, links)],
        kept={ACME: Kept(own.url.public, own)},
        strategy=strategy,
    ).search(ACME)
    assert not any(source.asked for source in sources[position + 1 :]), "the name went past the index it is from"
    assert not links.asked
    match search.outcome:
        case Found(index):
            assert index == own
            assert search.found == (search.outcome,)
        case Absent():
            assert position == len(kinds) - 1
        case Unavailable(_, error):
            assert isinstance(error, IndexUnreachable | IndexChanged)
            assert search.absent == ""
            if isinstance(error, IndexChanged):
                assert own.label in str(error)
                assert "--allow-index-change acme" in " ".join(error.hints)


def changed(search: Search) -> IndexChanged:
    assert isinstance(search.outcome, Unavailable)
    assert isinstance(search.outcome.error, IndexChanged)
    return search.outcome.error


def test_a_locked_name_says_what_changed() -> None:
    corp, public = Fixed("absent", "corp"), Fixed("found", "public", default=True)
    sources = [(corp.index, corp), (public.index, public)]

    def moved(kept: Kept, *, strategy: str = "first-index") -> str:
        return str(changed(Router(sources, kept={ACME: kept}, strategy=strategy).search(ACME)))

    gone = moved(Kept("https://example.com/corp", corp.index))
    assert "`acme` is locked from corp" in gone
    assert "corp does not have it any more (404 Not Found)" in gone
    assert "it would be looked for on public now" in gone
    removed = moved(Kept("https://old.example.com/simple", None), strategy="unsafe-best-match")
    assert "https://old.example.com/simple is not configured any more" in removed
    corp.kind = "found"
    assert "corp, which stands before public, has it now" in moved(Kept("", public.index))
    assert public.asked == 0


def test_a_locked_name_and_a_route_elsewhere() -> None:
    corp, public = Fixed("found", "corp", packages=("acme",)), Fixed("found", "public")
    sources = [(public.index, public), (corp.index, corp)]
    moved = changed(Router(sources, kept={ACME: Kept("", public.index)}).search(ACME))
    assert "routed to corp by packages = ['acme']" in str(moved)
    assert (corp.asked, public.asked) == (0, 0)
    kept = Router(sources, kept={ACME: Kept("", corp.index)}).search(ACME)
    assert isinstance(kept.outcome, Found)
    assert kept.nowhere_else


def test_a_name_that_is_locked_from_a_list_of_links_is_asked_there_only() -> None:
    corp, links = Fixed("found", "corp"), Fixed("found", "links")
    made = Router([(corp.index, corp)], links=[(links.index, links)], kept={ACME: Kept("", links.index)})
    assert made.search(ACME).outcome.index == links.index
    assert corp.asked == 0
    links.kind = "absent"
    assert "links does not have it any more" in str(changed(made.search(ACME)))


def test_a_pin_comes_before_what_the_lock_says() -> None:
    corp, public = Fixed("found", "corp"), Fixed("found", "public")
    sources = [(public.index, public), (corp.index, corp)]
    search = Router(sources, pins={ACME: "corp"}, kept={ACME: Kept("", public.index)}).search(ACME)
    assert search.outcome.index == corp.index


@given(st.lists(st.lists(st.integers(0, 9), unique=True), min_size=1, max_size=4))
def test_tiers_hold_every_version_once_in_the_order_of_the_pages(pages: list[list[int]]) -> None:
    found = tuple(
        Found(Index(Url.parse(f"https://example.com/{n}")), Page(ACME, tuple(map(wheel, versions))))
        for n, versions in enumerate(pages)
    )
    candidates = gather(ACME, found, Rules()).candidates
    assert Search(ACME, "", found).tiers(candidates) == ()
    tiers = Search(ACME, "", found, in_order=True).tiers(candidates)
    assert [version for tier in tiers for version in sorted(tier)] == [
        Version(str(version))
        for n, versions in enumerate(pages)
        for version in sorted(versions)
        if not any(version in earlier for earlier in pages[:n])
    ]


def wheel(version: int) -> File:
    filename = f"acme-{version}-py3-none-any.whl"
    return File(filename, Url.parse(f"https://example.com/{filename}"), {})


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
