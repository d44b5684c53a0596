"""The solver against brute force, and rule by rule."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from cove.errors import NoSolution, ProjectNotFound, Unmet
from cove.model.name import Name, normalize
from cove.resolve.questions import AskDependencies, AskVersions
from resolve.world import World, applies, world

PROJECTS = ["a", "b", "c", "d", "e"]
SPECIFIERS = ["", ">=2", "<2", "==1", "==2", "==3", "!=2", ">1,<3", "<=2"]


@st.composite
def requirements(draw: st.DrawFn, *, extras: bool = True) -> str:
    name = draw(st.sampled_from(PROJECTS))
    wanted = draw(st.sampled_from(["", "", "", "[x]"])) if extras else ""
    only_for = draw(st.sampled_from(["", "", "", '; extra == "x"'])) if extras else ""
    return f"{name}{wanted}{draw(st.sampled_from(SPECIFIERS))}{only_for}"


@st.composite
def universes(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[str]]:
    held: dict[str, list[str]] = {}
    for name in PROJECTS[: draw(st.integers(2, 5))]:
        for version in range(1, draw(st.integers(1, 3)) + 1):
            held[f"{name} {version}"] = draw(st.lists(requirements(), max_size=3))
    roots = [text.partition(";")[0] for text in draw(st.lists(requirements(), min_size=1, max_size=3))]
    return held, roots


def is_solution(
    made: World, roots: list[Requirement], chosen: Mapping[Name, Version], *, reachable_only: bool = False
) -> bool:
    """Straight from the definition: follow what is required, with extras, and look whether everything is as it should be."""
    reached: set[tuple[Name, Name | None]] = set()
    todo = list(roots)
    while todo:
        requirement = todo.pop()
        name = normalize(requirement.name)
        version = chosen.get(name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            return False
        for extra in (None, *map(normalize, requirement.extras)):
            if (name, extra) not in reached:
                reached.add((name, extra))
                for one in made.requires[name, version]:
                    extras = frozenset({extra} if extra else ())
                    plain = one.marker is None or applies(one.marker, frozenset())
                    if plain if extra is None else not plain and one.marker is not None and applies(one.marker, extras):
                        todo.append(one)
    return not reachable_only or {name for name, _ in reached} == set(chosen)


def solvable(made: World, roots: list[Requirement]) -> bool:
    names = sorted({name for name, _ in made.requires})
    offers: list[list[Version | None]] = [[None, *(v for n, v in made.requires if n == name)] for name in names]
    return any(
        is_solution(made, roots, {name: version for name, version in zip(names, chosen, strict=True) if version})
        for chosen in product(*offers)
    )


@settings(max_examples=1000, deadline=None)
@given(universes())
def test_agrees_with_brute_force(universe: tuple[dict[str, list[str]], list[str]]) -> None:
    held, roots = universe
    made, wanted = world(held), [Requirement(root) for root in roots]
    try:
        solution = made.solve(*roots)
    except Unmet as error:
        explained = str(error)
        assert not solvable(made, wanted), explained
        return
    chosen = {name: resolved.version for name, resolved in solution.packages.items()}
    assert is_solution(made, wanted, chosen, reachable_only=True)
    assert len(made.asked) == len(set(made.asked))


@settings(max_examples=100, deadline=None)
@given(universes())
def test_is_deterministic(universe: tuple[dict[str, list[str]], list[str]]) -> None:
    held, roots = universe
    runs = []
    for _ in range(2):
        made = world(held)
        try:
            outcome: object = made.versions(*roots)
        except Unmet as error:
            outcome = str(error)
        runs.append((outcome, made.asked, made.soon))
    assert runs[0] == runs[1]


def test_prefers_the_highest_version() -> None:
    made = world({"foo 1": [], "foo 2": [], "foo 10": []})
    assert made.versions("foo") == {"foo": "10"}
    assert made.versions("foo", resolution="lowest") == {"foo": "1"}


def test_lowest_direct_leaves_what_is_required_indirectly_high() -> None:
    made = world({"foo 1": ["bar"], "foo 2": ["bar"], "bar 1": [], "bar 2": []})
    assert made.versions("foo", resolution="lowest-direct") == {"foo": "1", "bar": "2"}


def test_a_preferred_version_stays() -> None:
    made = world({"foo 1": [], "foo 2": [], "foo 3": []})
    assert made.versions("foo", preferences={Name("foo"): Version("2")}) == {"foo": "2"}
    assert made.versions("foo>2", preferences={Name("foo"): Version("2")}) == {"foo": "3"}
    assert made.versions("foo", preferences={Name("foo"): Version("7")}) == {"foo": "3"}


def test_constraints_limit_without_asking() -> None:
    made = world({"foo 1": [], "foo 2": [], "bar 1": []})
    options = {"constraints": [Requirement("foo<2"), Requirement("bar==1")]}
    assert made.versions("foo", **options) == {"foo": "1"}
    with pytest.raises(NoSolution, match="constraint allows only foo<2"):
        made.versions("foo>=2", **options)


def test_overrides_replace_whoever_asks() -> None:
    made = world({"foo 1": ["bar<2", 'baz>5; extra == "x"'], "bar 1": [], "bar 2": [], "baz 1": []})
    overrides = [Requirement("bar>=2"), Requirement("baz")]
    assert made.versions("foo", overrides=overrides) == {"foo": "1", "bar": "2"}
    assert made.versions("foo[x]", overrides=overrides) == {"foo": "1", "bar": "2", "baz": "1"}


def test_markers_decide() -> None:
    made = world({"foo 1": ['bar; sys_platform == "win32"', 'baz; sys_platform == "linux"'], "baz 1": []})
    assert made.versions("foo", 'gone; python_version < "3"') == {"foo": "1", "baz": "1"}


# Extras.


def test_extras_of_extras() -> None:
    made = world(
        {
            "foo 1": ['foo[a,b]; extra == "all"', 'x; extra == "a"', 'y; extra == "b"', 'z; extra == "c"'],
            "x 1": [],
            "y 1": [],
        }
    )
    solution = made.solve("foo[all]")
    assert set(solution.packages) == {"foo", "x", "y"}
    assert solution.packages[Name("foo")].extras == {"all", "a", "b"}


def test_an_extra_that_is_asked_for_late_still_counts() -> None:
    made = world({"a 1": [], "a 2": ['c<2; extra == "x"'], "b 1": ["a[x]"], "c 1": [], "c 2": []})
    assert made.versions("a", "b", "c") == {"a": "2", "b": "1", "c": "1"}


def test_an_extra_may_force_another_version() -> None:
    made = world({"foo 1": ['x; extra == "a"'], "foo 2": ['x>=2; extra == "a"'], "x 1": []})
    assert made.versions("foo[a]") == {"foo": "1", "x": "1"}
    assert made.versions("foo") == {"foo": "2"}


def test_an_unknown_extra_is_a_warning() -> None:
    solution = world({"foo 1": []}).solve("foo[nope]")
    assert solution.warnings == ("foo 1 has no extra named nope",)


def test_names_and_extras_are_normalised() -> None:
    made = world({"foo-bar 1": ['x; extra == "a-b"'], "x 1": []})
    assert made.versions("Foo_Bar[A.b]") == {"foo-bar": "1", "x": "1"}


def test_a_project_that_requires_itself() -> None:
    made = world({"foo 1": ["foo"], "foo 2": ["foo<2"]})
    assert made.versions("foo") == {"foo": "1"}


# Pre-releases and yanked versions.


@pytest.mark.parametrize(
    "roots, mode, chosen",
    [
        ("foo", "if-necessary-or-explicit", "1.0"),
        ("foo>=2.0a1", "if-necessary-or-explicit", "2.0b1"),
        ("foo>1.0", "if-necessary-or-explicit", "2.0b1"),
        ("foo", "allow", "2.0b1"),
        ("foo>=0.1a1", "if-necessary", "1.0"),
        ("foo>=0.1a1", "if-necessary-or-explicit", "1.0"),
        ("foo>=0.1a1", "explicit", "1.0"),
        ("foo>1.0a1", "explicit", "1.0"),
        ("foo>1.0,!=2.0b1,>=2.0a1", "explicit", "2.0a1"),
        ("foo!=2.0a1", "explicit", "1.0"),
        ("foo", "disallow", "1.0"),
    ],
)
def test_prereleases(roots: str, mode: str, chosen: str) -> None:
    made = world({"foo 1.0": [], "foo 2.0a1": [], "foo 2.0b1": []})
    assert made.versions(roots, prereleases=mode) == {"foo": chosen}


@pytest.mark.parametrize("mode", ["explicit", "disallow"])
def test_prereleases_that_are_not_wanted(mode: str) -> None:
    with pytest.raises(NoSolution) as error:
        world({"foo 1.0": [], "foo 2.0a1": []}).solve("foo>1.0", prereleases=mode)
    assert "foo 2.0a1 is a pre-release" in error.value.message
    assert "--prerelease allow" in error.value.hints[0]


def test_what_a_dependency_names_is_not_explicit() -> None:
    made = world({"foo 1": ["bar>=1.0a1"], "bar 1.0": [], "bar 2.0a1": []})
    assert made.versions("foo") == {"foo": "1", "bar": "1.0"}


def test_yanked_versions_need_a_pin() -> None:
    made = world({"foo 1": [], "foo 2": []}, yanked=["foo 2"])
    assert made.versions("foo") == {"foo": "1"}
    assert made.versions("foo==2") == {"foo": "2"}
    assert made.versions("foo", preferences={Name("foo"): Version("2")}) == {"foo": "2"}
    with pytest.raises(NoSolution, match="foo 2 was yanked"):
        made.versions("foo>=2")
    with pytest.raises(NoSolution, match="foo 2 was yanked"):
        made.versions("foo==2.*")


def test_a_dependency_may_pin_a_yanked_version() -> None:
    made = world({"foo 1": [], "foo 2": [], "app 1": ["foo==2"]}, yanked=["foo 2"])
    assert made.versions("foo", "app") == {"app": "1", "foo": "2"}
    assert len(made.asked) == len(set(made.asked))


# Python and other reasons that speak against a version.


def test_requires_python_of_the_metadata() -> None:
    made = world({"foo 1": [], "foo 2": ["gone"]}, requires_python={"foo 2": ">=3.12", "foo 1": ">=3.8"})
    assert made.versions("foo") == {"foo": "1"}


def test_rejected_versions_are_not_chosen() -> None:
    made = world({"foo 1": []}, rejected={"foo 2": "has no wheel for this platform"})
    assert made.versions("foo") == {"foo": "1"}
    with pytest.raises(NoSolution, match="foo 2 has no wheel for this platform"):
        made.versions("foo>1")


# Direct references.


def test_a_direct_reference_has_one_version() -> None:
    made = world({"foo 1.5": ["bar"], "bar 1": ["foo>1"]})
    roots = ["foo @ https://example.com/foo-1.5-py3-none-any.whl", "bar"]
    assert made.versions(*roots) == {"foo": "1.5", "bar": "1"}


def test_two_direct_references_disagree_and_show_no_password() -> None:
    made = world({"foo 1": [], "app 1": ["foo @ https://example.com/b.whl"]})
    with pytest.raises(NoSolution) as error:
        made.solve("foo @ https://user:secret@example.com/a.whl", "app")
    assert "https://****@example.com/a.whl" in str(error.value)
    assert "https://example.com/b.whl" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_dependency_may_not_introduce_a_direct_reference() -> None:
    made = world({"foo 1": [], "app 1": ["foo @ https://example.com/b.whl"]})
    with pytest.raises(NoSolution, match="direct reference"):
        made.solve("app")
    assert made.versions("app", places={Name("foo"): [(None, "https://example.com/b.whl")]}) == {"app": "1", "foo": "1"}


# Effort.


def test_questions_are_asked_once_and_only_where_needed() -> None:
    made = world({f"foo {i}": ["bar"] for i in range(1, 100)} | {"bar 1": []})
    made.versions("foo", "bar")
    assert len(made.asked) == 4


def test_an_absent_root_ends_it_at_once() -> None:
    made = world({f"foo {i}": ["bar"] for i in range(1, 100)} | {"bar 1": []})
    with pytest.raises(ProjectNotFound):
        made.versions("gone", "foo", "bar")
    assert made.asked == [AskVersions(Name("gone"))]


def test_roots_and_their_favourites_are_asked_for_before_any_is_decided() -> None:
    made = world({"a 1": ["c", 'd; extra == "x"'], "b 1": [], "c 1": [], "d 1": []})
    made.versions("a[x]", "b")
    assert made.asked[0] == AskVersions(Name("a"))
    assert made.soon == [
        AskVersions(Name("b")),
        AskDependencies(Name("a"), Version("1")),
        AskDependencies(Name("b"), Version("1")),
        AskVersions(Name("d")),
        AskDependencies(Name("c"), Version("1")),
        AskDependencies(Name("d"), Version("1")),
    ]


def test_a_project_that_fails_again_and_again_is_asked_for_ahead() -> None:
    made = world({f"foo {i}": [f"bar>={i}"] for i in range(1, 31)} | {"bar 1": []})
    assert made.versions("foo") == {"bar": "1", "foo": "1"}
    ahead = [one for one in made.soon if isinstance(one, AskDependencies) and one.name == "foo"]
    assert len(ahead) == len(set(ahead)) > 25


def test_a_hard_case_stays_small() -> None:
    """Two projects whose versions agree only at the very bottom."""
    held: dict[str, list[str]] = {"x 1": []}
    for i in range(1, 41):
        held[f"a {i}"] = [f"c=={i}"]
        held[f"b {i}"] = [f"c=={i + 39}"]
        held[f"c {i}"] = []
        held[f"c {i + 40}"] = []
    made = world(held)
    assert made.versions("a", "b") == {"a": "40", "b": "1", "c": "40"}
    assert len(made.asked) < 90


def test_an_answer_to_another_question_is_refused() -> None:
    from cove.resolve.questions import Dependencies
    from cove.resolve.solver import solve

    conversation = solve(world({}).request("foo"))
    next(conversation)
    with pytest.raises(TypeError, match="answered with Dependencies"):
        conversation.send(Dependencies())
