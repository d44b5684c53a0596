"""A resolution is divided by what excludes each other so that every selection that is possible has its part, and only one."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from cove.model.conflict import Choice, Exclusion
from cove.model.name import Name
from cove.operations.lock.conflicts import Fork, forks

CHOICES = (
    Choice(Name("app"), "extra", Name("x")),
    Choice(Name("app"), "group", Name("g")),
    Choice(Name("app"), "project"),
    Choice(Name("core"), "extra", Name("x")),
    Choice(Name("core"), "project"),
)
EXCLUSIONS = st.lists(
    st.sets(st.sampled_from(CHOICES), min_size=2, max_size=3).map(lambda members: tuple(sorted(members))), max_size=3
)


def possible(selection: frozenset[Choice], exclusions: list[Exclusion]) -> bool:
    """Whether no two of an exclusion are selected, and no extra without its project, unless something excludes that."""
    return all(len(selection.intersection(members)) < 2 for members in exclusions)


def has(fork: Fork, selection: frozenset[Choice]) -> bool:
    """Whether a selection belongs to a part."""
    return fork.included <= selection and not fork.excluded & selection


@given(EXCLUSIONS)
def test_every_selection_has_one_part(exclusions: list[Exclusion]) -> None:
    parts = forks(exclusions, CHOICES)
    concerned = sorted({choice for members in exclusions for choice in members})
    for count in range(len(concerned) + 1):
        for chosen in combinations(concerned, count):
            selection = frozenset(chosen)
            # An extra of a project that is not asked for is not had: such a selection need not have a part.
            whole = all(choice.kind != "extra" or Choice(choice.package, "project") in selection for choice in chosen)
            found = [fork for fork in parts if has(fork, selection)]
            assert len(found) <= 1
            if possible(selection, exclusions) and whole:
                assert found


@given(EXCLUSIONS)
def test_no_part_has_what_excludes_each_other(exclusions: list[Exclusion]) -> None:
    for fork in forks(exclusions, CHOICES):
        assert not fork.included & fork.excluded
        for members in exclusions:
            assert len([choice for choice in members if fork.admits(choice)]) < 2
            assert fork.left_out >= {choice for choice in members if not fork.admits(choice)}


def test_what_there_is_not_divides_nothing() -> None:
    members = (Choice(Name("app"), "extra", Name("x")), Choice(Name("app"), "extra", Name("y")))
    assert forks([members], ()) == [Fork()]


def test_the_last_comes_first_and_none_last() -> None:
    one, two = CHOICES[0], CHOICES[1]
    assert [fork.included for fork in forks([(one, two)], CHOICES)] == [frozenset({two}), frozenset({one}), frozenset()]
