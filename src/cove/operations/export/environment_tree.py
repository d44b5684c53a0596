"""What is installed in an environment as a tree: who requires whom, what is newer, and what does not fit together."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.version import Version

from cove.config.load import find_project
from cove.errors import ConfigurationError
from cove.index.candidates import Rules, gather, why_not_python
from cove.install.installed import Installed, scan
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass
from cove.model.event import Warned
from cove.model.name import Name, normalize
from cove.model.outcome import Unavailable
from cove.operations.environment.environments import InstalledMetadata, readable
from cove.operations.project.project import read
from cove.operations.project.requirements import asked_by
from cove.operations.resolution.parallel import each as each_of
from cove.operations.resolution.policy import file_rules
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the tree is shown. ``packages`` are the roots instead of what nothing requires; with ``invert`` the
    branches are those who require. ``strict`` looks for what is missing or does not fit."""

    packages: tuple[Name, ...] = ()
    pruned: tuple[Name, ...] = ()
    depth: int = 255
    dedupe: bool = True
    invert: bool = False
    outdated: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """A distribution where it stands in the tree. ``required`` is what the edge to it demands (``>=1, <2``, or a URL; empty for
    anything), and ``asker`` whose requirement that is. ``is_repeated``: what stands below is shown elsewhere."""

    name: Name
    version: str
    required: str = ""
    asker: str = ""
    branches: "tuple[Branch, ...]" = ()
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """The roots, the newer versions that were found, and sentences on what does not fit together."""

    roots: tuple[Branch, ...]
    latest: Mapping[Name, Version]
    problems: tuple[str, ...] = ()


def environment_tree(session: Session, view: View) -> Tree:
    """The tree of the environment. Raises ``PythonNotFound``, and ``ConfigurationError`` for packages that are not there."""
    interpreter = readable(session)
    installed = scan(interpreter.sites)
    metadata = InstalledMetadata(installed)
    for name in view.packages:
        if name not in installed:
            raise ConfigurationError(
                f"`{name}` is not installed in {interpreter.prefix}", hints=("`cove pip list` shows what is",)
            )
    forest = _Forest(metadata, interpreter, view)
    return Tree(
        tuple(forest.roots()),
        _newer(session, interpreter, installed, forest.shown) if view.outdated else {},
        tuple(_problems(metadata, interpreter)) if view.strict else (),
    )


class _Forest:
    def __init__(self, metadata: InstalledMetadata, interpreter: Interpreter, view: View) -> None:
        self._metadata = metadata
        self._view = view
        self._below: dict[Name, dict[Name, list[Requirement]]] = {
            name: {} for name in metadata if name not in view.pruned
        }
        self.shown: set[Name] = set()
        self._drawn: set[Name] = set()
        for name in self._below:
            for requirement in _required_by(metadata, name, interpreter):
                end = normalize(requirement.name)
                if end in self._below and requirement.specifier.contains(metadata[end].version, prereleases=True):
                    above, below = (end, name) if view.invert else (name, end)
                    self._below[above].setdefault(below, []).append(requirement)

    def roots(self) -> Iterator[Branch]:
        kept = self._reached_from(self._view.packages) if self._view.packages else self._below.keys()
        ends = {end for name in kept for end in self._below[name]}
        for name in sorted(kept - ends):
            yield self._branch(name, None, ())
        # What requires itself in a circle has no beginning: the first by name is as good as any other in it.
        for name in sorted(kept):
            below = self._reached_from([name])
            above = {each for each in kept if name in self._reached_from([each])}
            if name not in self.shown and above <= below:
                yield self._branch(name, None, ())

    def _reached_from(self, names: Iterable[Name]) -> set[Name]:
        queue = [name for name in names if name in self._below]
        found = set(queue)
        while queue:
            new = self._below[queue.pop()].keys() - found
            found |= new
            queue += new
        return found

    def _branch(self, name: Name, asker: Name | None, path: tuple[Name, ...]) -> Branch:
        self.shown.add(name)
        required = _demand(self._below[asker][name]) if asker is not None else ""
        below, version = self._below[name], self._metadata[name].version
        if name in self._drawn and (self._view.dedupe or name in path):
            return Branch(name, version, required, asker or "", is_repeated=bool(below))
        self._drawn.add(name)
        if len(path) >= self._view.depth:
            return Branch(name, version, required, asker or "")
        branches = tuple(self._branch(end, name, (*path, name)) for end in sorted(below))
        return Branch(name, version, required, asker or "", branches)


def _required_by(metadata: InstalledMetadata, name: Name, interpreter: Interpreter) -> Iterator[Requirement]:
    """Whatever the environment says: which extras were asked for, it does not."""
    environment = {**interpreter.target.markers, "extra": ""}
    for requirement in metadata[name].requires_dist:
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def _demand(requirements: Iterable[Requirement]) -> str:
    """What several requirements of one distribution come to: the narrowest bounds, and all else."""
    several = list(requirements)
    for requirement in several:
        if requirement.url:
            return requirement.url
    every = [specifier for requirement in several for specifier in requirement.specifier]
    lower = [each for each in every if each.operator in (">", ">=")]
    upper = [each for each in every if each.operator in ("<", "<=")]
    others = [each for each in every if each not in (*lower, *upper)]
    bounds = [
        *([max(lower, key=lambda each: (Version(each.version), each.operator == ">"))] if lower else []),
        *([min(upper, key=lambda each: (Version(each.version), each.operator != "<"))] if upper else []),
    ]
    return ", ".join(map(str, sorted(dict.fromkeys((*bounds, *others)), key=_by_version)))


def _by_version(specifier: Specifier) -> tuple[Version, str]:
    return (Version(specifier.version.removesuffix(".*")), "") if specifier.operator != "===" else (Version("0"), "")


def _problems(metadata: InstalledMetadata, interpreter: Interpreter) -> Iterator[str]:
    for name in metadata:
        python = metadata[name].requires_python
        if python and why_not_python(python, Rules(target=interpreter.target)):
            yield f"The package `{name}` requires Python {python}, but `{interpreter.version}` is installed"
        for requirement in _required_by(metadata, name, interpreter):
            end = normalize(requirement.name)
            if end not in metadata:
                yield f"The package `{name}` requires `{requirement}`, but it's not installed"
            elif not requirement.specifier.contains(metadata[end].version, prereleases=True):
                yield f"The package `{name}` requires `{requirement}`, but `{metadata[end].version}` is installed"


def _newer(
    session: Session, interpreter: Interpreter, installed: Mapping[Name, Installed], shown: Iterable[Name]
) -> dict[Name, Version]:
    """The newest version of each, where it is newer than what is installed, on the indexes that installing would ask. What came
    from elsewhere than an index is not asked for: its name may be nobody else's business."""
    router = session.router(_pins(session, interpreter))
    rules = file_rules(session, Rules(target=interpreter.target))

    def ask(name: Name) -> Version | None:
        search = router.search(name)
        if isinstance(search.outcome, Unavailable):
            reason = search.outcome.error.message
            session.listener(Warned(f"whether there is a newer `{name}` cannot be told: {reason}"))
            return None
        here = Version(installed[name].version)
        found = gather(name, search.found, rules(name), links=search.found_links).candidates
        likely = [each.version for each in found if each.yanked is None]
        likely = [version for version in likely if here.is_prerelease or not version.is_prerelease]
        return max(likely) if likely and max(likely) > here else None

    wanted = [name for name in sorted(shown) if not installed[name].source]
    answers = zip(wanted, each_of(ask, wanted, workers=session.workers), strict=True)
    return {name: version for name, version in answers if version is not None}


def _pins(session: Session, interpreter: Interpreter) -> Mapping[Name, str]:
    folder = find_project(Path(session.settings.project or session.cwd))
    if folder is None:
        return {}
    settings = session.settings
    no_sources = None if settings.no_sources else settings.no_sources_package
    return asked_by(read(folder), session.indexes, no_sources=no_sources, markers=interpreter.target.markers).pins
