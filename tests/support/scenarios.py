"""Scenarios: what indexes hold, a project, and the lock that comes of it, as a file or made at random."""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory, core_metadata

Package = Mapping[str, object]
"""``requires``, ``extras``, ``python`` and ``tags`` (``sdist`` among them) of one version."""

_INDEX = '\n[[tool.uv.index]]\nname = "main"\nurl = "{main}"\ndefault = true\n'
_VARYING = re.compile(r', upload-time = "[^"]*"|, hash = "[^"]*"|, size = \d+')


@dataclass(frozen=True)
class Scenario:
    """``indexes`` by name; ``project`` is the ``pyproject.toml`` with ``{name}`` for the address of an index."""

    project: str
    indexes: Mapping[str, Mapping[str, Package]]


@dataclass
class Place:
    """Running indexes: the ``toml`` with their addresses, and how a lock reads without what differs from run to run."""

    toml: str
    addresses: dict[str, str] = field(default_factory=dict)

    def stable(self, lock: str) -> str:
        """The lock without hashes, sizes, times and ports."""
        for name, address in self.addresses.items():
            lock = lock.replace(address.partition("/simple")[0], f"http://{name}")
        return _VARYING.sub("", lock)


@contextmanager
def served(scenario: Scenario, folder: Path) -> Iterator[Place]:
    """The scenario's indexes, serving."""
    toml = scenario.project if "[[tool.uv.index]]" in scenario.project else scenario.project + _INDEX
    place = Place(toml)
    with ExitStack() as stack:
        running = [stack.enter_context(RunningIndex(folder / f"index-{n}")) for n in range(len(scenario.indexes))]
        running.sort(
            key=lambda index: index.simple_url.public
        )  # the order of sources in a lock is that of their addresses
        for (name, packages), index in zip(sorted(scenario.indexes.items()), running, strict=True):
            _fill(index, packages)
            place.addresses[name] = index.simple_url.public
            place.toml = place.toml.replace(f"{{{name}}}", index.simple_url.public)
        yield place


def _fill(index: RunningIndex, packages: Mapping[str, Package]) -> None:
    make = PackageFactory()
    for key, package in packages.items():
        name, version = key.split()
        requires: list[str] = package.get("requires", [])  # type: ignore[assignment]
        python: str = package.get("python", "")  # type: ignore[assignment]
        tags: list[str] = package.get("tags", ["py3-none-any"])  # type: ignore[assignment]
        extras: dict[str, list[str]] = package.get("extras", {})  # type: ignore[assignment]
        requires = [*requires, *required_by_extra(extras)]
        told = core_metadata(name, version, requires=requires, extras=dict.fromkeys(extras, ()), requires_python=python)
        for tag in tags:
            if tag == "sdist":
                built = make.sdist(name, version, metadata=told)
            else:
                built = make.wheel(name, version, metadata=told, tag=tag)
            built.write_to(index.store.root / name)


def required_by_extra(extras: Mapping[str, list[str]]) -> Iterator[str]:
    """The lines of ``Requires-Dist`` for what extras require."""
    return (_for(extra, each) for extra, several in extras.items() for each in several)


def _for(extra: str, requirement: str) -> str:
    bare, _, marker = requirement.partition(";")
    return f"{bare}; ({marker.strip()}) and extra == '{extra}'" if marker else f"{bare}; extra == '{extra}'"


# --- made at random --------------------------------------------------------------------------------------------------

MARKERS = (
    "sys_platform == 'linux'", "sys_platform == 'win32'", "sys_platform != 'win32'", "python_version >= '3.11'",
    "python_version < '3.11'", "python_full_version >= '3.12.4'", "platform_machine == 'arm64'", "os_name == 'nt'",
    "sys_platform == 'darwin' and python_version < '3.12'", "platform_system == 'Windows' or python_version >= '3.13'",
    "implementation_name == 'pypy'",
)  # fmt: skip
_TAGS = (
    "py3-none-any", "sdist", "cp312-cp312-win_amd64", "cp311-cp311-manylinux_2_17_x86_64",
    "cp310-abi3-macosx_11_0_arm64", "cp39-cp39-win32",
)  # fmt: skip


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = ["a", "b", "c", "d", "e", "f"][: self.random.randint(3, 6)]
        self.versions = {name: [f"{n}.0" for n in range(1, self.random.randint(2, 5))] for name in self.names}

    def requirement(self, names: list[str]) -> str:
        r = self.random
        name = r.choice(names)
        text = name + ("[x]" if r.random() < 0.15 else "")
        version, kind = r.choice(self.versions[name]), r.random()
        for limit, operator in ((0.2, ">="), (0.32, "<="), (0.35, "=="), (0.4, "!=")):
            if kind < limit:
                text += operator + version
                break
        return f"{text} ; {r.choice(MARKERS)}" if r.random() < 0.4 else text

    def requirements(self, names: list[str], most: int) -> list[str]:
        r = self.random
        found = [self.requirement(names) for _ in range(r.randint(0, most))] if names else []
        if names and r.random() < 0.2:
            name = r.choice(names)
            version = r.choice(self.versions[name])
            found += [f"{name}>={version} ; {r.choice(MARKERS)}", f"{name}<={version} ; {r.choice(MARKERS)}"]
        return found

    def packages(self) -> dict[str, Package]:
        r = self.random
        found: dict[str, Package] = {}
        for position, name in enumerate(self.names):
            python, below = 8, self.names[position + 1 :]
            for version in self.versions[name]:
                if version != "1.0" and r.random() < 0.4:
                    python = max(python, 8 + r.choice([0, 0, 0, 1, 2, 3, 4, 5]))
                package: dict[str, object] = {"requires": self.requirements(below, 3)}
                if python > 8:
                    package["python"] = f">=3.{python}"
                if below and r.random() < 0.4:
                    package["extras"] = {"x": self.requirements(below, 2)}
                if r.random() < 0.15:
                    package["tags"] = r.sample(_TAGS, r.randint(1, 4))
                found[f"{name} {version}"] = package
        return found


def at_random(seed: int) -> Scenario:
    """A small index whose packages need newer Pythons now and then, and a project with markers, an extra and a group."""
    maker = _Maker(seed)
    packages, r = maker.packages(), maker.random
    names = maker.names
    lines = [
        '[project]\nname = "app"\nversion = "0.1.0"',
        f'requires-python = "{r.choice([">=3.8", ">=3.10", ">=3.9,<3.13"])}"',
        f"dependencies = {maker.requirements(names[:3], 4) or [names[0]]!r}",
    ]
    if r.random() < 0.3:
        lines.append(f"[project.optional-dependencies]\nx = {maker.requirements(names, 2)!r}")
    if r.random() < 0.3:
        lines.append(f"[dependency-groups]\ndev = {maker.requirements(names, 2)!r}")
    if r.random() < 0.15:
        lines.append('[tool.uv]\nfork-strategy = "fewest"')
    return Scenario("\n".join(lines) + "\n", {"main": packages})
