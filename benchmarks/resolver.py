"""CPU seconds of the resolver on synthetic sets: ``python benchmarks/resolver.py``.

A dictionary answers, so nothing but the resolver is measured. Requirements are parsed beforehand.
"""

import random
import time
from collections.abc import Callable, Iterator

from packaging.requirements import Requirement
from packaging.version import Version

from cove.errors import Unmet
from cove.model.name import Name
from cove.resolve.drive import drive
from cove.resolve.questions import Answer, AskDependencies, AskVersions, Dependencies, Question, Versions
from cove.resolve.request import Request
from cove.resolve.solver import solve

Releases = dict[tuple[str, int], list[str]]


def layered(packages: int, versions: int, seed: int, width: float) -> tuple[Releases, list[str]]:
    """Packages that require random windows of later ones; ``width`` is a window's part of all versions.

    The newest version is not favoured, so most first choices are wrong: the narrower, the more backtracking.
    """
    chance = random.Random(seed)  # noqa: S311 - a benchmark needs repeatable numbers
    releases: Releases = {}
    window = max(1, int(versions * width))
    for package in range(packages):
        others = [chance.randint(package + 1, packages) for _ in range(chance.randint(0, 4))]
        for version in range(1, versions + 1):
            requires = []
            for other in others:
                if other < packages:
                    low = chance.randint(1 - window // 2, versions - window // 2)
                    requires.append(f"p{other}>={max(0, low)},<={low + window}")
            releases[f"p{package}", version] = requires
    return releases, [f"p{package}" for package in range(20)]


def pigeons(holes: int) -> tuple[Releases, list[str]]:
    """One pigeon more than holes, any two of which exclude each other in the same hole: no solution."""
    releases: Releases = {}
    for pigeon in range(holes + 1):
        for hole in range(1, holes + 1):
            releases[f"pigeon{pigeon}", hole] = [f"hole{hole}=={pigeon + 1}"]
    for hole in range(1, holes + 1):
        for pigeon in range(1, holes + 2):
            releases[f"hole{hole}", pigeon] = []
    return releases, [f"pigeon{pigeon}" for pigeon in range(holes + 1)]


def staircase(steps: int) -> tuple[Releases, list[str]]:
    """Two projects that must descend in turn until they meet at the bottom."""
    releases: Releases = {}
    for step in range(1, steps + 1):
        releases["a", step] = [f"b<={step}"]
        releases["b", step] = [f"a<={step - 1}"] if step > 1 else []
    return releases, ["a", "b"]


def lockstep(packages: int, versions: int) -> tuple[Releases, list[str]]:
    """A family released together that pins each other, while a bystander accepts only the oldest."""
    releases: Releases = {}
    for package in range(packages):
        for version in range(1, versions + 1):
            releases[f"f{package}", version] = [f"f{(package + 1) % packages}=={version}"]
    releases["bystander", 1] = [f"f{packages - 1}<2"]
    return releases, [*(f"f{package}" for package in range(packages)), "bystander"]


def cases() -> Iterator[tuple[str, tuple[Releases, list[str]]]]:
    """The sets, with their names."""
    for width in (0.8, 0.6, 0.5, 0.45, 0.4, 0.3, 0.2):
        yield f"300 x 50, windows {width}", layered(300, 50, seed=int(width * 100), width=width)
    yield "300 x 200, windows 0.6", layered(300, 200, seed=5, width=0.6)
    yield "staircase of 300", staircase(300)
    yield "lockstep 20 x 100", lockstep(20, 100)
    yield "6 pigeons", pigeons(6)


def answers(releases: Releases) -> dict[Question, Answer]:
    """The set as a dictionary driver needs it."""
    known: dict[Question, Answer] = {}
    versions: dict[str, list[Version]] = {}
    for (name, number), requires in releases.items():
        version = Version(str(number))
        versions.setdefault(name, []).append(version)
        known[AskDependencies(Name(name), version)] = Dependencies(tuple(map(Requirement, requires)))
    for name, found in versions.items():
        known[AskVersions(Name(name))] = Versions(tuple(sorted(found)), origin="corp")
    return known


def main(write: Callable[[str], object]) -> None:
    """Run every case once."""
    for name, (releases, roots) in cases():
        known = answers(releases)
        asked = 0

        def answer(question: Question, known: dict[Question, Answer] = known) -> Answer:
            nonlocal asked
            asked += 1
            return known[question]

        request = Request(
            roots=[Requirement(root) for root in roots], applies=lambda _, __: True, python_ok=lambda _: True
        )
        begun = time.process_time()
        try:
            outcome = f"{len(drive(solve(request), answer).packages)} packages"
        except Unmet as error:
            outcome = f"unsolvable, told in {len(str(error).splitlines())} lines"
        write(f"{name:24} {time.process_time() - begun:7.3f} s  {asked:5} questions  {outcome}\n")


if __name__ == "__main__":
    import sys

    main(sys.stdout.write)
