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
from cove.resolve.drive import answer_from, drive
from cove.resolve.questions import Answer, AskDependencies, AskVersions, Dependencies, Question, Versions
from cove.resolve.request import Request
from cove.resolve.solver import solve

Releases = dict[tuple[str, int], list[str]]


def layered(packages: int, versions: int, seed: int, looseness: int) -> tuple[Releases, list[str]]:
    """Packages that depend on later ones with lower and upper bounds; the tighter, the more backtracking."""
    chance = random.Random(seed)  # noqa: S311 - a benchmark needs repeatable numbers
    releases: Releases = {}
    for package in range(packages):
        for version in range(1, versions + 1):
            requires = []
            for _ in range(chance.randint(0, 5)):
                other = chance.randint(package + 1, packages)
                if other < packages:
                    low = max(1, min(versions, version + chance.randint(-looseness, looseness // 4)))
                    requires.append(f"p{other}>={low},<={low + looseness}")
            releases[f"p{package}", version] = requires
    return releases, [f"p{package}" for package in range(10)]


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
    yield "300 × 50, loose", layered(300, 50, seed=1, looseness=30)
    yield "300 × 50, tight", layered(300, 50, seed=2, looseness=12)
    yield "300 × 50, tighter", layered(300, 50, seed=3, looseness=8)
    yield "300 × 50, hopeless", layered(300, 50, seed=4, looseness=3)
    yield "300 × 200, tight", layered(300, 200, seed=5, looseness=40)
    yield "staircase of 300", staircase(300)
    yield "lockstep 20 × 100", lockstep(20, 100)
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

        def answer(question: Question, look_up: Callable[[Question], Answer] = answer_from(known)) -> Answer:
            nonlocal asked
            asked += 1
            return look_up(question)

        request = Request(roots=[Requirement(root) for root in roots], applies=lambda _, __: True, python_ok=lambda _: True)
        begun = time.process_time()
        try:
            outcome = f"{len(drive(solve(request), answer).packages)} packages"
        except Unmet as error:
            outcome = f"unsolvable, told in {len(str(error).splitlines())} lines"
        write(f"{name:24} {time.process_time() - begun:7.3f} s  {asked:5} questions  {outcome}\n")


if __name__ == "__main__":
    import sys

    main(sys.stdout.write)
