"""The facts of a failure against the universe they are about: true, enough, and none too many."""

from collections.abc import Mapping, Sequence
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.model.name import normalize
from cove.resolve.condense import condensed, gathered
from cove.resolve.failure import Failure
from cove.resolve.incompatibility import Constrained, Incompatibility, Requires, RootSelected, Unusable
from cove.resolve.solver import search
from cove.resolve.term import positions
from cove.resolve.walk import Walk
from resolve.world import World, drive, world

PROJECTS = ["a", "b", "c", "d", "e"]
SPECIFIERS = ["", ">=2", "<2", "==1", "==2", "==3", "!=2", ">1,<3", "<=2", ">=4"]


@st.composite
def requirements(draw: st.DrawFn, *, extras: bool = True) -> str:
    name = draw(st.sampled_from(PROJECTS))
    wanted = draw(st.sampled_from(["", "", "", "[x]"])) if extras else ""
    only_for = draw(st.sampled_from(["", "", "", '; extra == "x"'])) if extras else ""
    return f"{name}{wanted}{draw(st.sampled_from(SPECIFIERS))}{only_for}"


@st.composite
def universes(draw: st.DrawFn) -> tuple[World, list[str], list[str]]:
    held: dict[str, list[str]] = {}
    rejected: dict[str, str] = {}
    for name in PROJECTS[: draw(st.integers(2, 4))]:
        for version in range(1, draw(st.integers(1, 3)) + 1):
            if draw(st.integers(0, 5)) == 0:
                day = draw(st.sampled_from(["2024-01-01", "2024-02-02"]))
                rejected[f"{name} {version}"] = f"was uploaded on {day}, after exclude-newer"
            else:
                held[f"{name} {version}"] = draw(st.lists(requirements(), max_size=3))
    yanked = draw(st.lists(st.sampled_from(sorted(held)), max_size=2, unique=True)) if held else []
    roots = draw(st.lists(requirements(), min_size=1, max_size=3))
    constraints = draw(st.lists(requirements(extras=False), max_size=1))
    return world(held, rejected=rejected, yanked=yanked), [root.partition(";")[0] for root in roots], constraints


def failure_of(made: World, roots: Sequence[str], constraints: Sequence[str]) -> Failure | None:
    """What the solver comes to before it is told."""
    request = made.request(*roots, constraints=[Requirement(each) for each in constraints])
    try:
        drive(search(request, Walk(request)), made.answer)
    except Failure as failure:
        return failure
    return None


def is_true(fact: Incompatibility, failure: Failure, made: World, roots: Sequence[str]) -> bool:
    """Whether the universe says what the fact says."""
    match fact.cause:
        case Requires() as cause:
            return all(
                excludes(fact, cause, failure, stated)
                for stated in stated_by(fact, cause, failure, made, [Requirement(root) for root in roots])
            )
        case Unusable(project, why):
            variable = failure.variables[project]
            versions = {variable.versions[position] for position in positions(fact.terms[project])}
            told = dict(made.rejected.get(variable.name, []))
            if why.startswith("was yanked"):
                return all((variable.name, version) in made.yanked for version in versions)
            return all("after exclude-newer" in told[version] for version in versions)
        case Constrained(project, text, _):
            variable = failure.variables[project]
            versions = {variable.versions[position] for position in positions(fact.terms[project])}
            return not any(SpecifierSet(text).contains(version, prereleases=True) for version in versions)
        case _:
            return isinstance(fact.cause, RootSelected)


def stated_by(
    fact: Incompatibility, cause: Requires, failure: Failure, made: World, roots: list[Requirement]
) -> list[list[Requirement]]:
    """What each version that the fact is about requires of the target."""
    owner, target = failure.variables[cause.owner], failure.variables[cause.target]
    several = [roots]
    if not owner.is_root:
        several = [made.requires[owner.name, owner.versions[at]] for at in positions(fact.terms[cause.owner])]
    extra = None if cause.extra is None else failure.variables[cause.extra].extra
    return [
        [
            each
            for each in stated
            if normalize(each.name) == target.name and (each.marker is not None) == (extra is not None)
        ]
        for stated in several
    ]


def excludes(fact: Incompatibility, cause: Requires, failure: Failure, stated: Sequence[Requirement]) -> bool:
    """Whether a requirement, one of the fact's texts, rules out the values of the target that the fact excludes."""
    target = failure.variables[cause.target]
    if target.extra is not None:
        return any(target.extra in each.extras for each in stated)
    out = {target.versions[position] for position in positions(fact.terms.get(cause.target, target.full))}
    fitting = [each for each in stated if str(each.specifier) in cause.texts]
    return any(not any(each.specifier.contains(version, prereleases=True) for version in out) for each in fitting)


def contradict(facts: Sequence[Incompatibility], failure: Failure) -> bool:
    """Whether no values of the variables agree with all facts: straight from the definition."""
    involved = sorted({variable for fact in facts for variable in fact.terms})
    values = [[1 << bit for bit in range(failure.variables[each].full.bit_length())] for each in involved]

    def agrees(chosen: Mapping[int, int]) -> bool:
        return all(any(not chosen[each] & term for each, term in fact.terms.items()) for fact in facts)

    return not any(agrees(dict(zip(involved, several, strict=True))) for several in product(*values))


@settings(max_examples=400, deadline=None)
@given(universes())
def test_facts_are_true_enough_and_none_too_many(universe: tuple[World, list[str], list[str]]) -> None:
    made, roots, constraints = universe
    failure = failure_of(made, roots, constraints)
    if failure is None:
        return
    facts = condensed(failure)
    assert all(is_true(fact, failure, made, roots) for fact in facts)
    assert contradict(facts, failure)
    for fact in facts:
        assert not contradict([other for other in facts if other is not fact], failure)
    together = gathered(failure, facts)
    assert all(is_true(fact, failure, made, roots) for fact in together)
    assert contradict(together, failure)
    assert len(together) <= len(facts)
