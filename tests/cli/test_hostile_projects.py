"""Projects that would take forever, or no end of memory: they get an answer, or a sentence, in short time."""

import time
from collections.abc import Iterator
from itertools import chain

import pytest

from support.commandline import Sandbox

HEAD = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
EXTRAS = "[project.optional-dependencies]\n"
GROUPS = "[dependency-groups]\n"
SECONDS = 20
"""Far more than any of them takes, far less than the smallest of what they would."""


@pytest.fixture(autouse=True)
def in_short_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


def chained(entry: str, count: int, last: str) -> str:
    """Tables' keys ``a0``, ``a1`` …, each leading to the next one."""
    return "".join(f"a{i} = [{entry.format(i + 1)}]\n" for i in range(count)) + f"a{count} = {last}\n"


def exclusions(count: int) -> str:
    extras = "".join(f"a{i} = []\nb{i} = []\n" for i in range(count))
    pairs = ", ".join(f'[{{ extra = "a{i}" }}, {{ extra = "b{i}" }}]' for i in range(count))
    return f"{HEAD}{EXTRAS}{extras}[tool.uv]\nconflicts = [{pairs}]\n"


@pytest.mark.parametrize("count", [8, 40])
def test_exclusions_that_leave_too_many_choices(sandbox: Sandbox, count: int) -> None:
    sandbox.project(exclusions(count))
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, "`conflicts` in [tool.uv] are too many to resolve for" in ran.stderr) == (2, True), ran.stderr


def test_exclusions_that_follow_from_groups(sandbox: Sandbox) -> None:
    groups = chained('{{ include-group = "a{}" }}', 60, "[]")
    stated = "".join(f'{{ group = "a{number}" }}, ' for number in range(50, 61))
    sandbox.project(f"{HEAD}{GROUPS}{groups}[tool.uv]\nconflicts = [[{stated}]]\n")
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, "`conflicts` in [tool.uv] are too many to resolve for" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize("entry", ['"app[a{0}]", "app[a{0}]"', '"app[a{0},b{0}]"'])
def test_extras_that_lead_to_the_same_in_many_ways(sandbox: Sandbox, entry: str) -> None:
    a = chained(entry, 40, '["app"]')
    toml = f"{HEAD}{EXTRAS}{a}" + (a.replace("\na", "\nb").replace("a0 =", "b0 =", 1) if "b{" in entry else "")
    sandbox.project(toml)
    sandbox.cove("lock", "--offline").ok()


def test_extras_that_lead_to_each_other_under_many_markers(sandbox: Sandbox) -> None:
    ways = "\"app[a{0}] ; sys_platform == 's{0}'\", \"app[a{0}] ; os_name == 'o{0}'\""
    sandbox.project(f"{HEAD}{EXTRAS}{chained(ways, 20, '[]')}")
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, "extras require each other in more than" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    "table, entry, says",
    [
        (EXTRAS, '"app[a{}]"', "the project's extras require each other more than 100 deep"),
        (GROUPS, '{{ include-group = "a{}" }}', "`dependency-groups.a0` includes groups more than 100 deep"),
    ],
)
def test_what_is_too_deep(sandbox: Sandbox, table: str, entry: str, says: str) -> None:
    sandbox.project(f"{HEAD}{table}{chained(entry, 3000, '[]')}")
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, says in ran.stderr) == (2, True), ran.stderr


def test_groups_that_lead_to_the_same_in_many_ways_or_in_a_circle(sandbox: Sandbox) -> None:
    sandbox.project(HEAD + GROUPS + chained(", ".join(['{{ include-group = "a{0}" }}'] * 2), 60, "[]"))
    sandbox.cove("lock", "--offline").ok()
    sandbox.project(HEAD + GROUPS + chained('{{ include-group = "a{}" }}', 60, '[{ include-group = "a0" }]'))
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, "includes itself: a0 → a1 → " in ran.stderr) == (2, True), ran.stderr


def test_globs_over_many_folders(sandbox: Sandbox) -> None:
    """Each folder is looked at once, in however many ways a glob leads there."""
    sandbox.project(f'{HEAD}[tool.uv.workspace]\nmembers = ["**/**/**/**/x", "**/*/**/*/**/y", "{"**/" * 12}z"]\n')
    for one, other in chain.from_iterable(((i, j) for j in range(20)) for i in range(20)):
        (sandbox.work / f"d{one}" / f"e{other}" / "f" / "g" / "h").mkdir(parents=True)
    sandbox.cove("lock", "--offline").ok()
