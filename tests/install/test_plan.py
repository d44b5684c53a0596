import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.direct_url import Archive, Directory, DirectUrl, Repository
from cove.install.plan import UNREADABLE, Installed, Plan, Replacement, Wanted, plan, source_key
from cove.model.name import Name, normalize
from cove.model.url import Url

NAMES = st.sampled_from([normalize(name) for name in "abcde"])
VERSIONS = st.sampled_from(["1.0", "1", "2.0", "2.0+local", "not a version"])
SOURCES = st.sampled_from(["", "editable file:///x", UNREADABLE])
INSTALLED = st.builds(Installed, NAMES, VERSIONS, st.just("/site/x.dist-info"), SOURCES)
WANTED = st.builds(Wanted, NAMES, VERSIONS, st.sampled_from(["", "editable file:///x"]))
ENVIRONMENTS = st.lists(INSTALLED, unique_by=lambda item: item.name).map(
    lambda all_: {each.name: each for each in all_}
)
WISHES = st.lists(WANTED, unique_by=lambda item: item.name)


def _after(present: dict[Name, Installed], todo: Plan) -> dict[Name, Installed]:
    """The environment when the plan was carried out."""
    gone = {item.name for item in todo.outgoing}
    fresh = {item.name: Installed(item.name, item.version, "/new", item.source) for item in todo.incoming}
    return {name: item for name, item in present.items() if name not in gone} | fresh


@given(WISHES, ENVIRONMENTS, st.booleans(), st.frozensets(NAMES))
def test_a_plan_carried_out_leaves_nothing_to_plan(
    wanted: list[Wanted], present: dict[Name, Installed], keep: bool, again: frozenset[Name]
) -> None:
    todo = plan(wanted, present, keep_extraneous=keep, reinstall=again)
    after = _after(present, todo)
    assert plan(wanted, after, keep_extraneous=keep).is_empty
    assert {item.name for item in wanted} <= after.keys()
    assert keep or after.keys() == {item.name for item in wanted}
    assert not keep or present.keys() <= after.keys()


@given(WISHES, ENVIRONMENTS)
def test_every_name_is_planned_once_and_order_does_not_matter(
    wanted: list[Wanted], present: dict[Name, Installed]
) -> None:
    todo = plan(wanted, present)
    names = [item.name for item in todo.install] + [item.old.name for item in todo.replace]
    names += [item.name for item in (*todo.remove, *todo.keep)]
    assert sorted(names) == sorted({item.name for item in wanted} | present.keys())
    assert plan(wanted[::-1], dict(reversed(present.items()))) == todo


@given(WISHES, ENVIRONMENTS)
def test_reinstalling_all_keeps_nothing_that_is_wanted(wanted: list[Wanted], present: dict[Name, Installed]) -> None:
    assert plan(wanted, present, reinstall="all").keep == ()


def _installed(name: str, version: str, source: str = "") -> Installed:
    return Installed(normalize(name), version, f"/site/{name}-{version}.dist-info", source)


def test_equal_versions_in_other_words_stay() -> None:
    present = {Name("a"): _installed("a", "1.0")}
    assert plan([Wanted(Name("a"), "1")], present).is_empty
    assert not plan([Wanted(Name("a"), "1", "editable file:///x")], present).is_empty
    assert not plan([Wanted(Name("a"), "1.0.1")], present).is_empty


def test_leftovers_are_cleared_away() -> None:
    old = _installed("a", "0.9")
    present = Installed(Name("a"), "1.0", "/site/a-1.0.dist-info", leftovers=(old,))
    todo = plan([Wanted(Name("a"), "1.0")], {Name("a"): present})
    assert todo.replace == (Replacement(present, Wanted(Name("a"), "1.0")),)
    assert todo.outgoing == (present, old)


def test_what_is_spared_stays() -> None:
    present = {Name(name): _installed(name, "1") for name in ("pip", "x")}
    todo = plan([], present, spare=frozenset({Name("pip")}))
    assert [item.name for item in todo.remove] == ["x"]
    assert [item.name for item in todo.keep] == ["pip"]


def test_a_plan_prints_like_a_difference() -> None:
    present = {Name(name): _installed(name, "1.0") for name in ("gone", "kept", "moved", "same")}
    wanted = [Wanted(Name("new"), "3"), Wanted(Name("kept"), "1.0"), Wanted(Name("same"), "1.0")]
    wanted += [Wanted(Name("moved"), "1.0", "editable file:///m")]
    todo = plan(wanted, present, reinstall=frozenset({Name("same")}))
    assert str(todo).splitlines() == [
        " - gone==1.0",
        " - moved==1.0",
        " + moved==1.0 (editable file:///m)",
        " + new==3",
        " ~ same==1.0",
    ]
    assert str(Plan()) == ""
    assert [item.name for item in todo.incoming] == ["moved", "new", "same"]


def test_nothing_is_wanted_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        plan([Wanted(Name("a"), "1"), Wanted(Name("a"), "2")], {})


def test_sources_have_one_spelling_each() -> None:
    url = Url.parse("https://u:p@example.com/a.zip")
    keys = {
        source_key(DirectUrl(url, Archive())),
        source_key(DirectUrl(url, Archive({"sha256": "00"}))),
        source_key(DirectUrl(url, Directory())),
        source_key(DirectUrl(url, Directory(editable=True))),
        source_key(DirectUrl(url, Repository("git", "abc"))),
        source_key(DirectUrl(url, Repository("git", "abc"), "below")),
    }
    assert len(keys) == 6
    assert all("u:p" not in key for key in keys)
    assert UNREADABLE not in keys
