"""Whether a lock is right: in one environment after the other, what it has must be what the requirements ask for."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from agreement.cases import Case
from support.scenarios import required_by_extra

_PYTHONS = ("3.8.0", "3.9.7", "3.10.1", "3.10.9", "3.11.4", "3.12.0", "3.12.4", "3.12.9", "3.13.0", "3.13.2", "3.14.1")
_PLATFORMS = (
    ("linux", "posix", "Linux", "x86_64"), ("linux", "posix", "Linux", "aarch64"), ("win32", "nt", "Windows", "AMD64"),
    ("darwin", "posix", "Darwin", "arm64"), ("darwin", "posix", "Darwin", "x86_64"),
)  # fmt: skip
_RELEASES = {"linux": "6.8.0", "win32": "11", "darwin": "24.1.0"}
_IMPLEMENTATIONS = (("cpython", "CPython"), ("pypy", "PyPy"))
_TOLD = ("python_full_version", "sys_platform", "platform_machine", "implementation_name")
_ASKED = re.compile(r"extra == '((?:extra|group|project)-[^']*)'|extra != '((?:extra|group|project)-[^']*)'")

Chosen = Mapping[str, Mapping[str, Any]]
"""Packages of a lock by name."""


def _environments() -> Iterator[dict[str, str]]:
    for python, (system, os_name, platform, machine), (name, written) in product(
        _PYTHONS, _PLATFORMS, _IMPLEMENTATIONS
    ):
        yield {
            "python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": system,
            "os_name": os_name, "platform_system": platform, "platform_machine": machine, "implementation_name": name,
            "platform_python_implementation": written, "implementation_version": python, "platform_release": _RELEASES[system],
            "platform_version": "", "extra": "",
        }  # fmt: skip


ENVIRONMENTS = tuple(_environments())


@cache
def _holds(text: str, at: int, extra: str) -> bool:
    return Marker(text).evaluate({**ENVIRONMENTS[at], "extra": extra})


@cache
def _requirement(text: str) -> Requirement:
    return Requirement(text)


@dataclass(frozen=True)
class Choice:
    """What is asked for of one project: extras and groups."""

    project: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def codes(self) -> set[str]:
        """How markers in locks spell it."""
        size, name = len(self.project), self.project
        return {f"extra-{size}-{name}-{each}" for each in self.extras} | {
            f"group-{size}-{name}-{each}" for each in self.groups
        }


@dataclass
class Oracle:
    """Judges locks of one case; ``problems`` says what is wrong, environment by environment."""

    case: Case
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._projects = {table["project"]["name"]: table for table in self.case["projects"].values()}
        self._settings = self.case["projects"][""].get("tool", {}).get("uv", {})
        self._overrides: dict[str, list[str]] = {}
        for text in self._settings.get("override-dependencies", []):
            self._overrides.setdefault(_requirement(text).name, []).append(text)

    def judge(self, lock: Mapping[str, Any]) -> list[str]:
        """What is wrong with a lock, for a person to read; nothing where all is well."""
        python = SpecifierSet(lock["requires-python"])
        supported = self._settings.get("environments", [])
        for at, environment in enumerate(ENVIRONMENTS):
            if not python.contains(environment["python_full_version"], prereleases=True):
                continue
            if supported and not any(_holds(each, at, "") for each in supported):
                continue
            for choice in self._choices():
                problem = self._problem(lock, at, choice)
                if problem:
                    few = {key: environment[key] for key in _TOLD}
                    return [f"{problem}\n  in {few}\n  for {choice}"]
        return []

    def _choices(self) -> Iterator[Choice]:
        """Nothing, each extra and group by itself, and all of them where that is allowed."""
        conflicts = [{tuple(each.items())[-1] for each in members} for members in self._settings.get("conflicts", [])]
        for name, table in self._projects.items():
            extras = tuple(table["project"].get("optional-dependencies", {}))
            groups = tuple(table.get("dependency-groups", {}))
            yield Choice(name)
            every = [Choice(name, (each,)) for each in extras] + [Choice(name, (), (each,)) for each in groups]
            for choice in (*every, Choice(name, extras, groups)):
                asked = {("extra", each) for each in self._within(table, choice.extras)}
                asked |= {("group", each) for each in choice.groups}
                if not any(len(members & asked) > 1 for members in conflicts):
                    yield choice

    def _within(self, table: Mapping[str, Any], extras: Sequence[str]) -> set[str]:
        found, queue = set(extras), list(extras)
        while queue:
            for text in table["project"].get("optional-dependencies", {}).get(queue.pop(), []):
                requirement = _requirement(text)
                if requirement.name == table["project"]["name"]:
                    queue += requirement.extras - found
                    found |= requirement.extras
        return found

    # What the lock says.

    def _problem(self, lock: Mapping[str, Any], at: int, choice: Choice) -> str:
        table = self._projects[choice.project]
        codes = Choice(choice.project, tuple(self._within(table, choice.extras)), choice.groups).codes()
        chosen: dict[str, Mapping[str, Any]] = {}
        seen: set[tuple[int, str]] = set()
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for package in lock["package"]:
            by_name.setdefault(package["name"], []).append(package)
        root = by_name[choice.project][0]
        queue: list[tuple[Mapping[str, Any], str]] = [(root, ""), *((root, extra) for extra in choice.extras)]
        edges: list[Mapping[str, Any]] = []
        for group in choice.groups:
            edges += root.get("dev-dependencies", {}).get(group, [])
        while queue or edges:
            if not edges:
                package, extra = queue.pop()
                if (id(package), extra) in seen:
                    continue
                seen.add((id(package), extra))
                before = chosen.setdefault(package["name"], package)
                if before is not package:
                    return f"two of {package['name']}: {before['version']} and {package['version']}"
                edges += (
                    package.get("optional-dependencies", {}).get(extra, [])
                    if extra
                    else package.get("dependencies", [])
                )
                continue
            edge = edges.pop()
            if "marker" in edge and not _holds(_told(edge["marker"], codes), at, ""):
                continue
            ends = [
                each
                for each in by_name[edge["name"]]
                if ("version" not in edge or each.get("version") == edge["version"])
                and ("source" not in edge or each["source"] == edge["source"])
            ]
            if len(ends) != 1:
                return f"an edge to {edge['name']} that is not clear"
            queue += [(ends[0], extra) for extra in ("", *edge.get("extra", []))]
        return self._against(chosen, at, choice)

    # What the requirements say.

    def _against(self, chosen: Chosen, at: int, choice: Choice) -> str:
        asked: set[tuple[str, str]] = set()
        queue: list[tuple[str, str]] = [(choice.project, ""), *((choice.project, extra) for extra in choice.extras)]
        table = self._projects[choice.project]
        first = [text for group in choice.groups for text in _of_group(table, group)]
        for text in self._in_force(first):
            if problem := self._met(text, chosen, at, (choice.project, ""), queue):
                return problem
        while queue:
            name, extra = queue.pop()
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            for text in self._in_force(self._requires(name, chosen[name], extra)):
                if problem := self._met(text, chosen, at, (name, extra), queue):
                    return problem
        superfluous = set(chosen) - {name for name, _ in asked}
        return f"{sorted(superfluous)} is there, and nothing asks for it" if superfluous else ""

    def _in_force(self, texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            name = _requirement(text).name
            if name in self._settings.get("exclude-dependencies", []):
                continue
            yield from self._overrides.get(name, [text])

    def _met(self, text: str, chosen: Chosen, at: int, asked_by: tuple[str, str], queue: list[tuple[str, str]]) -> str:
        requirement, (project, extra) = _requirement(text), asked_by
        owner = f"{project}[{extra}] {chosen[project].get('version')}"
        if requirement.marker is not None and not _holds(str(requirement.marker), at, extra):
            return ""
        name = requirement.name
        if name not in chosen:
            return f"{owner} requires {text}, which is not there"
        version = chosen[name].get("version", "0")
        if not requirement.specifier.contains(version, prereleases=True):
            return f"{owner} requires {text}, and {version} is there"
        for limit in map(_requirement, self._settings.get("constraint-dependencies", [])):
            if limit.name != name or (limit.marker is not None and not _holds(str(limit.marker), at, "")):
                continue
            if not limit.specifier.contains(version, prereleases=True):
                return f"{name} {version} is not within {limit}"
        if name not in self._projects and not self._admits(self._package(chosen[name]), at):
            return f"{name} {version} needs another Python"
        queue += [(name, each) for each in ("", *requirement.extras)]
        return ""

    def _package(self, locked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What its index says of a package of the lock."""
        index = locked["source"]["registry"].split("/")[-3]
        found: Mapping[str, Any] = self.case["indexes"][index][f"{locked['name']} {locked['version']}"]
        return found

    @staticmethod
    def _admits(package: Mapping[str, Any], at: int) -> bool:
        lower = ",".join(part for part in package.get("python", "").split(",") if part.startswith(">"))
        return SpecifierSet(lower).contains(ENVIRONMENTS[at]["python_full_version"])

    def _requires(self, name: str, locked: Mapping[str, Any], extra: str) -> list[str]:
        """What a package, or only its extra, requires."""
        if name in self._projects:
            project = self._projects[name]["project"]
            return list(project.get("optional-dependencies", {}).get(extra, []) if extra else project["dependencies"])
        package = self._package(locked)
        of_extras = required_by_extra({extra: package.get("extras", {}).get(extra, [])})
        return list(of_extras if extra else package.get("requires", []))


def _of_group(table: Mapping[str, Any], group: str) -> Iterator[str]:
    for each in table["dependency-groups"][group]:
        if isinstance(each, str):
            yield each
        else:
            yield from _of_group(table, each["include-group"])


def _told(marker: str, codes: set[str]) -> str:
    """A marker of a lock when what ``codes`` name is asked for, and nothing else."""

    def said(match: re.Match[str]) -> str:
        holds = match[1] in codes if match[1] else match[2] not in codes
        return "python_version >= '0'" if holds else "python_version < '0'"

    return _ASKED.sub(said, marker)
