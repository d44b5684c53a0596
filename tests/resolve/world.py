"""A small language for what indexes hold, for the tests of the resolver.

``world({"foo 1.0": ["bar>=2"], "bar 2.0": []})`` is a dictionary driver's answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.model.name import Name, normalize
from cove.resolve.drive import drive
from cove.resolve.questions import Answer, Ask, AskDependencies, AskVersions, Dependencies, Question, Solution, Versions
from cove.resolve.request import Request
from cove.resolve.solver import solve

PYTHON = "3.11.7"
MARKERS = {
    "python_version": "3.11",
    "python_full_version": PYTHON,
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "implementation_name": "cpython",
    "implementation_version": PYTHON,
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_version": "",
}


def applies(marker: Marker, extras: frozenset[Name]) -> bool:
    return any(marker.evaluate({**MARKERS, "extra": extra}) for extra in (extras or {""}))


def python_ok(specifier: str) -> bool:
    return SpecifierSet(specifier).contains(PYTHON, prereleases=True)


@dataclass
class World:
    requires: dict[tuple[Name, Version], list[Requirement]]
    yanked: set[tuple[Name, Version]] = field(default_factory=set)
    rejected: dict[Name, list[tuple[Version, str]]] = field(default_factory=dict)
    requires_python: dict[tuple[Name, Version], str] = field(default_factory=dict)
    provides: dict[tuple[Name, Version], tuple[Name, ...]] = field(default_factory=dict)
    origin: str = "corp"
    asked: list[Question] = field(default_factory=list)
    soon: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        if isinstance(question, AskDependencies):
            key = (question.name, question.version)
            return Dependencies(
                tuple(self.requires[key]), self.requires_python.get(key), self.provides.get(key, self._extras(key))
            )
        versions = tuple(sorted(version for name, version in self.requires if name == question.name))
        rejected = tuple(self.rejected.get(question.name, ()))
        if not versions and not rejected:
            return Versions((), absent=f"not found on {self.origin} (404 Not Found)")
        yanked = {version: "" for name, version in self.yanked if name == question.name}
        return Versions(versions, yanked, rejected, self.origin)

    def _extras(self, key: tuple[Name, Version]) -> tuple[Name, ...]:
        texts = [str(one.marker) for one in self.requires[key] if one.marker]
        return tuple(normalize(text.split('extra == "')[1].split('"')[0]) for text in texts if "extra" in text)

    def request(self, *roots: str, **options: object) -> Request:
        values: dict[str, object] = {
            "roots": [Requirement(root) for root in roots],
            "applies": applies,
            "python_ok": python_ok,
            "python": PYTHON,
            "root_name": "your project",
            **options,
        }
        make: Callable[..., Request] = Request
        return make(**values)

    def solve(self, *roots: str, **options: object) -> Solution:
        conversation = solve(self.request(*roots, **options))

        def noting() -> Solution:
            try:
                ask: Ask = next(conversation)
                while True:
                    self.soon.extend(ask.soon)
                    ask = conversation.send(self.answer(ask.now))
            except StopIteration as finished:
                solution: Solution = finished.value
                return solution

        return noting()

    def versions(self, *roots: str, **options: object) -> dict[str, str]:
        packages = self.solve(*roots, **options).packages
        return {name: str(resolved.version) for name, resolved in packages.items()}


def release(text: str) -> tuple[Name, Version]:
    name, version = text.split()
    return normalize(name), Version(version)


def world(
    projects: Mapping[str, Sequence[str]],
    *,
    yanked: Sequence[str] = (),
    rejected: Mapping[str, str] | None = None,
    requires_python: Mapping[str, str] | None = None,
) -> World:
    made = World({release(text): [Requirement(one) for one in requires] for text, requires in projects.items()})
    made.yanked = {release(text) for text in yanked}
    made.requires_python = {release(text): specifier for text, specifier in (requires_python or {}).items()}
    for text, why in (rejected or {}).items():
        name, version = release(text)
        made.rejected.setdefault(name, []).append((version, why))
    return made


__all__ = ["AskDependencies", "AskVersions", "World", "applies", "drive", "python_ok", "release", "world"]
