"""Universal answers, restricted to any one environment, against packaging's own judgement of markers."""

import random
from functools import cache
from itertools import product

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import NoSolution, ProjectNotFound, PythonIncompatible
from cove.formats.marker_sets import MarkerSet, marker_set, python_set
from cove.model.name import Name, normalize
from cove.operations.resolution.parts import Part, begin, everything
from cove.operations.resolution.targets import for_all
from cove.resolve.questions import Answer, AskDependencies, AskVersions, Dependencies, Question, Versions
from cove.resolve.universal import Branch, solve_everywhere
from cove.resolve.walk import Walk
from support.scenarios import MARKERS, at_random

RANGE = SpecifierSet(">=3.9")
PLATFORMS = {
    "linux": ("posix", "Linux"),
    "darwin": ("posix", "Darwin"),
    "win32": ("nt", "Windows"),
    "freebsd14": ("posix", "FreeBSD"),
}
ENVIRONMENTS = [
    {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_version": python,
        "sys_platform": platform,
        "os_name": PLATFORMS[platform][0],
        "platform_system": PLATFORMS[platform][1],
        "platform_machine": machine,
        "implementation_name": implementation,
        "platform_python_implementation": "CPython" if implementation == "cpython" else "PyPy",
        "platform_release": "",
        "platform_version": "",
        "extra": "",
    }
    for python, platform, machine, implementation in product(
        ("3.9.0", "3.10.7", "3.11.0", "3.12.3", "3.12.4", "3.13.1"), PLATFORMS, ("x86_64", "arm64"), ("cpython", "pypy")
    )
]


def holds(found: MarkerSet, environment: dict[str, str]) -> bool:
    """Whether an environment is in a set, decided by packaging."""
    return not (found & exactly(tuple(environment.items()))).is_empty


@cache
def exactly(environment: tuple[tuple[str, str], ...]) -> MarkerSet:
    """The set of one environment."""
    told = [f"{key} == '{value}'" for key, value in environment if key not in ("python_version", "extra")]
    return marker_set(Marker(" and ".join(told)))


class World:
    """A scenario's index as answers; every version can be had, and says what it requires."""

    def __init__(self, seed: int) -> None:
        self.packages: dict[Name, dict[Version, Dependencies]] = {}
        for key, package in at_random(seed).indexes["main"].items():
            name, version = key.split()
            requires = [Requirement(text) for text in package["requires"]]  # type: ignore[attr-defined]
            python: str | None = package.get("python")  # type: ignore[assignment]
            told = Dependencies(tuple(requires), python)
            self.packages.setdefault(Name(name), {})[Version(version)] = told

    def answer(self, question: Question) -> Answer:
        found = self.packages.get(question.name, {})
        if isinstance(question, AskDependencies):
            return found[question.version]
        assert isinstance(question, AskVersions)
        if not found:
            return Versions((), absent="not found")
        pythons = {version: told.requires_python for version, told in found.items() if told.requires_python}
        return Versions(tuple(sorted(found)), pythons=pythons)


def solved(world: World, roots: list[Requirement], *, by_python: bool) -> tuple[Branch, ...]:
    whole = everything(RANGE)
    request = for_all([roots], whole, by_python=by_python)
    conversation = solve_everywhere(request, begin(whole), Walk(request))
    try:
        ask = next(conversation)
        while True:
            ask = conversation.send(world.answer(ask.now))
    except StopIteration as finished:
        branches: tuple[Branch, ...] = finished.value
        return branches


def roots_of(seed: int) -> list[Requirement]:
    chance = random.Random(seed)
    return [
        Requirement(
            f"{name}{chance.choice(['', '>=2.0', '<=2.0'])}; {chance.choice(MARKERS)}"
            if chance.random() < 0.5
            else name
        )
        for name in ("a", "b", "a", "c")
        if chance.random() < 0.8
    ]


@pytest.mark.parametrize("by_python", [True, False])
@pytest.mark.parametrize("start", range(0, 120, 20))
def test_an_answer_satisfies_every_environment(start: int, by_python: bool) -> None:
    for seed in range(start, start + 20):
        world, roots = World(seed), roots_of(seed)
        try:
            branches = solved(world, roots, by_python=by_python)
        except (NoSolution, PythonIncompatible, ProjectNotFound):
            continue
        for environment in ENVIRONMENTS:
            _satisfied(world, roots, branches, environment)


def _satisfied(
    world: World, roots: list[Requirement], branches: tuple[Branch, ...], environment: dict[str, str]
) -> None:
    here = [branch for branch in branches if isinstance(branch.here, Part) and holds(branch.here.markers, environment)]
    assert len(here) == 1, "parts neither overlap nor leave gaps"
    packages = here[0].solution.packages
    queue, seen = [each for each in roots if each.marker is None or each.marker.evaluate(environment)], set[Name]()
    while queue:
        requirement = queue.pop()
        name = normalize(requirement.name)
        assert packages[name].version in requirement.specifier, (str(requirement), environment)
        if name in seen:
            continue
        seen.add(name)
        told = world.packages[name][packages[name].version]
        if told.requires_python:
            assert environment["python_full_version"] in SpecifierSet(told.requires_python)
        queue += [each for each in told.requires if each.marker is None or each.marker.evaluate(environment)]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_assumed_does_not_change_what_is_left(seed: int) -> None:
    chance = random.Random(seed)
    one, other = (
        marker_set(Marker(f"({chance.choice(MARKERS)}) {chance.choice(['and', 'or'])} ({chance.choice(MARKERS)})"))
        for _ in range(2)
    )
    simple = one.assuming(other)
    assert simple & other == one & other
    for environment in ENVIRONMENTS:
        if holds(other, environment):
            assert holds(simple, environment) == holds(one, environment)


@pytest.mark.parametrize("marker", MARKERS)
def test_a_part_is_divided_into_disjoint_halves(marker: str) -> None:
    whole = everything(RANGE)
    inside, outside = whole.divided(whole.region(Marker(marker), None))
    assert inside is not None
    assert outside is not None
    assert not inside.meets(outside)
    for environment in ENVIRONMENTS:
        assert holds(inside.markers, environment) == Marker(marker).evaluate(environment)
        assert holds(outside.markers, environment) != holds(inside.markers, environment)


@pytest.mark.parametrize(
    "text, admitted", [(">=3.8", True), (">=3.9", True), (">=3.9.1", False), ("<3", True), ("~=3.10", False)]
)
def test_the_lowest_python_decides(text: str, admitted: bool) -> None:
    assert everything(RANGE).python_ok(text) is admitted


def test_pythons_part_the_range() -> None:
    halves = everything(RANGE).divided_by_python(">=3.11")
    assert halves is not None
    assert [half.label for half in halves] == ["python_full_version < '3.11'", "python_full_version >= '3.11'"]
    assert [half.python for half in halves] == [">=3.9,<3.11", ">=3.11"]
    assert everything(RANGE).divided_by_python(">=3.8") is None
    assert (python_set(RANGE) & ~python_set(SpecifierSet(">=3.9"))).is_empty
