"""What people read when there is no solution, word for word."""

from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from cove.errors import NoSolution, ProjectNotFound, PythonIncompatible
from resolve.world import World, world


def story(made: World, *roots: str, **options: object) -> str:
    with pytest.raises(NoSolution) as error:
        made.solve(*roots, **options)
    return "\n".join([error.value.message, *(f"hint: {hint}" for hint in error.value.hints)])


def told(text: str) -> str:
    return dedent(text).strip()


def test_a_dependency_that_no_version_satisfies() -> None:
    made = world({"foo 1.0": [], "foo 2.0": ["bar>=3"], "bar 1.0": [], "bar 1.1": []})
    assert story(made, "foo>=2") == told(
        """
        Because foo 2.0 depends on bar>=3 and corp has only bar 1.0 and 1.1, and your project depends on foo>=2, \
the requirements of your project cannot be met."""
    )


def test_a_root_requirement_that_no_version_satisfies() -> None:
    made = world({f"foo 1.{i}": [] for i in range(30)})
    assert story(made, "foo>=2", root_name="shop") == told(
        """
        Because shop depends on foo>=2 and corp has only foo 1.0 to 1.29, the requirements of shop cannot be met."""
    )


def test_two_dependencies_that_exclude_each_other() -> None:
    made = world({"foo 1.0": ["bar<2"], "foo 2.0": ["bar<2"], "baz 1": ["bar>=2"], "bar 1.0": [], "bar 2.1": []})
    assert story(made, "foo", "baz") == told(
        """
        Because every version of foo depends on bar<2 and baz 1 depends on bar>=2, \
no version of foo can be used together with baz 1.
        And because your project depends on baz and foo, the requirements of your project cannot be met."""
    ).replace("\n        ", "\n")


def test_fifty_versions_are_one_sentence() -> None:
    made = world({f"foo {i}": [f"bar>={i}"] for i in range(1, 51)} | {"bar 0.5": []})
    assert story(made, "foo") == told(
        """
        Because every version of foo depends on bar>=50, bar>=49, bar>=48 or others and corp has only bar 0.5, \
and your project depends on foo, the requirements of your project cannot be met."""
    )


def test_an_extra() -> None:
    made = world({"foo 1": ['bar>=2; extra == "x"'], "bar 1": []})
    assert story(made, "foo[x]") == told(
        """
        Because foo[x] 1 depends on bar>=2 and corp has only bar 1, and your project depends on foo, \
your project cannot use foo[x].
        And because your project depends on foo[x], the requirements of your project cannot be met."""
    ).replace("\n        ", "\n")


def test_prereleases_and_yanked_versions_are_hinted_at() -> None:
    made = world({"foo 1": [], "foo 2": [], "bar 1": [], "bar 2a1": []}, yanked=["foo 2"])
    assert story(made, "foo>=2") == told(
        """
        Because foo 2 was yanked and your project depends on foo>=2, the requirements of your project cannot be met.
        hint: A yanked version is used only where a requirement pins it with ==: foo 2"""
    ).replace("\n        ", "\n")
    assert "hint: Allow pre-releases with `--prerelease allow` to use bar 2a1" in story(
        made, "bar>1", prereleases="disallow"
    )


def test_a_constraint() -> None:
    made = world({"foo 1": [], "foo 2": []})
    assert story(made, "foo>=2", constraints=[Requirement("foo<2")]) == told(
        """
        Because a constraint allows only foo<2 and your project depends on foo>=2, \
the requirements of your project cannot be met."""
    )


def test_absence_among_other_reasons() -> None:
    made = world({"foo 1": ["bar>1"], "foo 2": ["gone"], "bar 1": []})
    text = story(made, "foo")
    assert "foo 2 depends on gone and gone was not found on corp (404 Not Found)" in text
    assert "foo 1 depends on bar>1 and corp has only bar 1" in text
    assert "hint: Check the spelling of gone, or configure the index that has it" in text


def test_absence_alone() -> None:
    made = world({"app 1.0": ["lib[fast]"], "lib 1.0": ['gone>2; extra == "fast"']})
    with pytest.raises(ProjectNotFound) as error:
        made.solve("app")
    assert error.value.message == "gone was not found on corp (404 Not Found)"
    assert error.value.causes == (
        "your project depends on app",
        "app 1.0 depends on lib",
        "lib[fast] 1.0 depends on gone>2",
    )


def test_python_alone() -> None:
    made = world(
        {"foo 1": [], "foo 3": []}, rejected={"foo 2": "requires Python >=3.12"}, requires_python={"foo 3": ">=3.13"}
    )
    with pytest.raises(PythonIncompatible) as error:
        made.solve("foo>1")
    assert error.value.message == (
        "No usable version of foo on corp supports this Python: "
        "foo 2 requires Python >=3.12 and foo 3 requires Python >=3.13, but the target is Python 3.11.7"
    )
    assert error.value.causes == ("your project depends on foo>1",)
    assert error.value.hints == ("Python >=3.12 is enough for foo 2: choose one with --python or --python-version",)


def test_a_misspelt_root() -> None:
    made = world({})
    with pytest.raises(ProjectNotFound, match="foo was not found on corp"):
        made.solve("foo")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_never_a_wall(seed: int) -> None:
    """However tangled the versions are, the explanation fits on a screen."""
    numbers = [(seed * 7919 + step * 104729) % 9973 for step in range(400)]
    held: dict[str, list[str]] = {}
    for project in range(6):
        for version in range(1, 9):
            other, exact = (project + 1 + numbers.pop() % 3), numbers.pop() % 10
            held[f"p{project} {version}"] = [f"p{other % 6}=={exact}", f"p{(other + 1) % 6}>{numbers.pop() % 9}"]
    made = world(held)
    try:
        made.solve("p0", "p1")
        explained = ""
    except NoSolution as error:
        explained = error.message
    assert len(explained.splitlines()) <= 13
    assert all(len(line) < 500 for line in explained.splitlines())
