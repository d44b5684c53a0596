"""Package sets made up for benchmarks, shaped like real ones: layers of dependencies, lengths of pages, sizes of wheels.

The same set is made on every run. Pages list every file of a project; only the wheels that an installation needs exist.
"""

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

from packaging.tags import sys_tags

from cove.testing import BuiltFile, PackageFactory

_SYLLABLES = ("ka", "lo", "mi", "ter", "va", "son", "qui", "ra", "del", "po", "nex", "thu", "bri", "ga", "wen", "zo")
_PLATFORMS = (
    "manylinux_2_17_x86_64",
    "manylinux_2_17_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
_PLATFORM_TAGS = tuple(f"cp3{minor}-cp3{minor}-{platform}" for minor in range(8, 15) for platform in _PLATFORMS)
_BINARY_FROM = 400
"""Pages this long are those of projects with a wheel for every Python and platform."""

_RATIO = 3.4
"""What deflating saves of a real wheel: its files are so many times as large as itself."""


@dataclass(frozen=True, slots=True)
class Shape:
    """``layers``: how many projects there are at each distance from the requirements. Then medians over the projects: files on
    a page, KB and members of a wheel, bytes of METADATA; and the mean number of requirements that apply, the first included.
    """

    layers: tuple[int, ...]
    files: int
    kilobytes: int
    members: int
    metadata: int
    requirements: float


SHAPES = {
    "small": Shape((4, 12, 2), files=145, kilobytes=94, members=26, metadata=7200, requirements=1.2),
    "web": Shape((10, 25, 10, 3), files=171, kilobytes=123, members=29, metadata=6500, requirements=1.4),
    "jupyter": Shape((1, 6, 33, 29, 20, 6, 2), files=84, kilobytes=62, members=19, metadata=4800, requirements=2.2),
    "tiny": Shape((2, 3), files=6, kilobytes=2, members=3, metadata=500, requirements=1.0),
}
"""Measured on the real sets (requests, rich, httpx, pydantic; a web application; jupyter); ``tiny`` is for tests."""

_INTERNAL = Shape((1, 3, 4, 2), files=3, kilobytes=10, members=6, metadata=1500, requirements=1.5)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file on a page. ``path`` is ``None`` for one that nobody should ask for."""

    filename: str
    sha256: str
    size: int
    path: Path | None = None
    metadata: bytes = b""


@dataclass(slots=True)
class Project:
    """``versions`` ascend; the one to be chosen is the last, or the last but one where all who require it exclude that.

    So one answer is right, and no resolver has to search for it.
    """

    name: str
    versions: list[str]
    is_binary: bool
    newest_is_excluded: bool = False
    requires: list[str] = field(default_factory=list)
    files: list[Listed] = field(default_factory=list)

    @property
    def chosen(self) -> str:
        """The version of the right answer."""
        return self.versions[-2 if self.newest_is_excluded else -1]


@dataclass(frozen=True, slots=True)
class PackageSet:
    """Projects by name, and the names that are asked for; all of them are in the right answer."""

    roots: tuple[str, ...]
    projects: dict[str, Project]

    def answer(self) -> dict[str, str]:
        """The versions that a resolver must find, by name."""
        return {name: project.chosen for name, project in sorted(self.projects.items())}


def make(name: str, folder: Path) -> PackageSet:
    """The set ``name`` of ``SHAPES``; its wheels are written to ``folder``."""
    return _Maker(name, SHAPES[name]).make(folder)


def make_internal(public: PackageSet, folder: Path) -> PackageSet:
    """Ten projects of a company, of few versions, that also require projects of ``public``."""
    return _Maker("internal", _INTERNAL, prefix="acme-", others=list(public.projects)).make(folder)


class _Maker:
    def __init__(self, seed: str, shape: Shape, prefix: str = "", others: Sequence[str] = ()) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same set every time
        self._shape = shape
        self._prefix = prefix
        self._others = others
        words = ["".join(self._chance.choices(_SYLLABLES, k=3)) for _ in range(3000)]
        self._text = " ".join(self._chance.choices(words, k=200_000))
        self._tags = [str(tag) for tag in sys_tags()]

    def make(self, folder: Path) -> PackageSet:
        """Projects, then who requires whom, then their files."""
        projects = self._projects()
        self._connect(projects)
        shape, count = self._shape, len(projects)
        sizes, members = self._spread(shape.kilobytes, 1.9, count), self._spread(shape.members, 1.4, count)
        lengths = self._spread(shape.metadata, 0.9, count)
        for project, *numbers in zip(projects, sizes, members, lengths, strict=True):
            self._fill(project, folder / project.name, *numbers)
        roots = tuple(project.name for project in projects[: shape.layers[0]])
        return PackageSet(roots, {project.name: project for project in projects})

    def _projects(self) -> list[Project]:
        names: dict[str, None] = {}
        count = sum(self._shape.layers)
        while len(names) < count:
            names[self._prefix + "".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4)))] = None
        lengths = [self._shape.files] * count if self._prefix else self._spread(self._shape.files, 1.6, count)
        return [self._project(name, min(length, 5000)) for name, length in zip(names, lengths, strict=True)]

    def _project(self, name: str, files: int) -> Project:
        is_binary = files >= _BINARY_FROM
        per_version = 1 if self._prefix else 1 + len(_PLATFORM_TAGS) if is_binary else 2
        count = max(3, files // per_version)
        return Project(name, [f"{1 + i // 12}.{i % 12 // 3}.{i % 3}" for i in range(count)], is_binary)

    def _connect(self, projects: list[Project]) -> None:
        """Every project is required by one of the layer before, and some by others that come before them."""
        start = self._shape.layers[0]
        before = projects[:start]
        for project in self._chance.sample(projects[start:], len(projects) // 25):
            project.newest_is_excluded = True
        for size in self._shape.layers[1:]:
            layer = projects[start : start + size]
            for project in layer:
                self._require(self._chance.choice(before), project)
            before, start = layer, start + size
        wanted = round(len(projects) * self._shape.requirements) - len(projects)
        for _ in range(max(0, wanted)):
            first, second = sorted(self._chance.sample(range(len(projects)), 2))
            if second >= self._shape.layers[0]:
                self._require(projects[first], projects[second])
        for project in projects:
            if self._others and self._chance.random() < 0.6:
                project.requires.append(self._chance.choice(self._others))
            extras = self._chance.randint(0, 8)
            project.requires += [f"extra-{project.name}-{i}>=1.{i}; extra == 'test'" for i in range(extras)]
            if self._chance.random() < 0.3:
                project.requires.append(f"only-elsewhere-{project.name}>=2; sys_platform == 'none'")

    def _require(self, project: Project, other: Project) -> None:
        lowest = other.versions[int(self._chance.uniform(0.3, 0.9) * (len(other.versions) - 1))]
        next_major = int(other.versions[-1].partition(".")[0]) + 1
        upper = other.versions[-1] if other.newest_is_excluded else next_major if self._chance.random() < 0.3 else None
        project.requires.append(f"{other.name}>={lowest}" + (f",<{upper}" if upper else ""))

    def _fill(self, project: Project, folder: Path, kilobytes: int, members: int, metadata: int) -> None:
        needed = {project.versions[-1], project.chosen}  # the newest may be asked for ahead
        held = {version: self._wheel(project, version, kilobytes, members, metadata) for version in sorted(needed)}
        for version in project.versions:
            stem = f"{project.name.replace('-', '_')}-{version}"
            filenames = [f"{stem}-{tag}.whl" for tag in (_PLATFORM_TAGS if project.is_binary else ("py3-none-any",))]
            filenames += [f"{stem}.tar.gz"] if not self._prefix else []
            wheel = held.get(version)
            if wheel is not None:
                text = self._metadata(project, version, metadata).encode()
                path = wheel.write_to(folder)
                project.files.append(Listed(wheel.filename, wheel.sha256, len(wheel.content), path, text))
            for filename in filenames:
                if wheel is None or not self._is_for_here(filename):
                    digest = hashlib.sha256(filename.encode()).hexdigest()
                    project.files.append(Listed(filename, digest, kilobytes * 1000))

    def _is_for_here(self, filename: str) -> bool:
        return filename.removesuffix(".whl").split("-", 2)[-1] in self._tags

    def _wheel(self, project: Project, version: str, kilobytes: int, members: int, metadata: int) -> BuiltFile:
        package = project.name.replace("-", "_")
        whole = int(min(kilobytes, 16_000) * 1000 * _RATIO)
        cuts = [0, *sorted(self._chance.randint(0, whole) for _ in range(members - 1)), whole]
        files = {
            f"{package}_files/part{number}.py": self._part(end - begin)
            for number, (begin, end) in enumerate(itertools.pairwise(cuts))
        }
        tag = self._tags[0] if project.is_binary else "py3-none-any"
        text = self._metadata(project, version, metadata)
        return PackageFactory().wheel(project.name, version, files=files, metadata=text, tag=tag)

    def _part(self, size: int) -> str:
        """A comment, so that it is a module; repeated no sooner than deflating looks back."""
        begin = self._chance.randrange(len(self._text))
        copies = 1 + (begin + size) // len(self._text)
        return "# " + (self._text * copies)[begin : begin + size] + "\n"

    def _metadata(self, project: Project, version: str, length: int) -> str:
        lines = ["Metadata-Version: 2.1", f"Name: {project.name}", f"Version: {version}", "Requires-Python: >=3.8"]
        lines += [f"Requires-Dist: {requirement}" for requirement in project.requires]
        lines.append("Provides-Extra: test")
        return "\n".join(lines) + "\n\n" + self._text[:length] + "\n"

    def _spread(self, median: float, sigma: float, count: int) -> list[int]:
        """``count`` numbers of a log-normal distribution in random order: its quantiles, so that their mean is right."""
        normal = NormalDist(0, sigma)
        numbers = [max(1, round(median * 2.718281828 ** normal.inv_cdf((i + 0.5) / count))) for i in range(count)]
        self._chance.shuffle(numbers)
        return numbers
