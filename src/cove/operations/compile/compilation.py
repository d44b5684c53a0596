"""One compilation: what is chosen, and the line of the compiled file for each distribution.

Apart from ``compile``, because all that resolves is imported here: while it is, the first pages are on their way already.
"""

from collections.abc import Iterable, Mapping, Sequence

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.formats.direct_url import Archive
from cove.formats.marker_sets import TooComplex
from cove.formats.marker_text import spelled
from cove.formats.requirements_txt import Pin
from cove.index.candidates import Rules
from cove.install.interpreter import Interpreter
from cove.model.candidate import Candidate
from cove.model.dataclasses import dataclass, replace
from cove.model.dist import File
from cove.model.event import Warned, resolution_done
from cove.model.index import Index
from cove.model.lock import LockedSource
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.model.url import Url
from cove.operations.compile.compile import Form
from cove.operations.compile.hash_checking import check_all_have_digests
from cove.operations.compile.markers import environment, reached
from cove.operations.compile.requirement_files import Demand, Root, full_urls
from cove.operations.lock.graph import Graph, Node, Section
from cove.operations.lock.prereleases import package_prereleases
from cove.operations.project.locations import full_text
from cove.operations.resolution.direct import Direct
from cove.operations.resolution.origins import of_demand
from cove.operations.resolution.parallel import each as each_of
from cove.operations.resolution.parts import Part, begin, everything
from cove.operations.resolution.resolution import Universe, resolve, resolve_everywhere
from cove.operations.resolution.targets import for_all, for_target
from cove.operations.resolution.workbench import Workbench
from cove.resolve.questions import Resolved
from cove.resolve.request import Applies, Request
from cove.resolve.universal import Known

_STRONG = ("sha256", "sha384", "sha512")
_NOTHING_ASKED: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A distribution of the compiled file: where it is needed, and the others that require it."""

    resolved: Resolved
    candidate: Candidate | None
    direct: Direct | None
    extras: frozenset[Name]
    via: frozenset[Name] = frozenset()
    marker: str = ""


class Compilation:
    """One compilation; ``requires_python`` is the range of a universal one, else ``None``."""

    def __init__(
        self,
        demand: Demand,
        interpreter: Interpreter,
        target: Target,
        requires_python: SpecifierSet | None,
        *,
        follow: bool,
    ) -> None:
        self._demand = demand
        self._target = target
        self._requires_python = requires_python
        self._follow = follow
        self._bench = Workbench(
            demand.session,
            interpreter,
            pins=demand.pins,
            editable=demand.editable,
            build_limits=demand.build_limits,
            full_urls=full_urls(demand.roots),
        )
        self._applies: Applies = lambda _marker, _extras: True
        self._roots: list[Root] = []

    @property
    def is_repeatable(self) -> bool:
        """Whether the same inputs and pages come to the same: nothing was warned of, built, or read without a digest."""
        return not self._demand.session.has_warned and self._bench.metadata.is_immutable

    def resolve(self, preferences: Mapping[Name, Version]) -> list[Chosen]:
        """What is chosen, by name; several versions of one project where markers tell them apart."""
        found = self._for_target(preferences) if self._requires_python is None else self._for_all(preferences)
        return sorted(found, key=lambda chosen: (chosen.resolved.name, chosen.resolved.version))

    def _for_target(self, preferences: Mapping[Name, Version]) -> list[Chosen]:
        request = for_target([], self._target)
        request = replace(self._completed(request), preferences=preferences)
        session = self._demand.session
        universe = self._universe(Rules(target=self._target))
        resolution = resolve(request, universe, workers=session.workers, listener=session.listener)
        check_all_have_digests(self._demand, resolution)
        via = self._via(resolution.solution.packages.values())
        return [
            Chosen(
                resolved,
                resolution.candidates.get(name),
                resolution.directs.get(name),
                resolved.extras,
                via=frozenset(via.get(name, ())),
            )
            for name, resolved in resolution.solution.packages.items()
        ]

    def _for_all(self, preferences: Mapping[Name, Version]) -> list[Chosen]:
        """As a lock has it, with the markers that a lock leaves to its edges joined."""
        assert self._requires_python is not None, "universal compilations have a range"
        session = self._demand.session
        supported = _markers("environments", session.settings.environments)
        wanted = _markers("required-environments", session.settings.required_environments)
        everywhere = everything(self._requires_python, supported)
        request = self._completed(for_all([], everywhere))
        roots = tuple(root.requirement for root in self._roots)
        request = replace(
            request,
            sections=[roots],
            by_python=session.settings.fork_strategy == "requires-python",
            required=[everywhere.region(marker, None) for marker in (*supported, *wanted)],
        )
        rules = Rules(requires_python=self._requires_python, any_python=True)
        divisions = resolve_everywhere(
            request,
            begin(everywhere, supported),
            self._universe(rules, everywhere),
            known=[Known(name, version, lambda _: True) for name, version in preferences.items()],
            workers=session.workers,
            listener=session.listener,
        )
        for division in divisions:
            check_all_have_digests(self._demand, division.resolution)
        graph = Graph(
            divisions,
            {Section("project", Name("")): roots},
            self._requires_python,
            _source,
            overrides=self._demand.overrides,
            excludes=self._demand.excludes,
        )
        session.listener(resolution_done(len(graph.nodes)))
        return [
            Chosen(
                node.resolved,
                node.candidate,
                node.direct,
                frozenset(node.extras),
                via=graph.requirers(key) - {node.resolved.name},
                marker=self._marker(node),
            )
            for key, node in graph.nodes.items()
        ]

    def _marker(self, node: Node) -> str:
        assert self._requires_python is not None, "universal compilations have a range"
        try:
            return spelled(node.reached.assuming_python(self._requires_python))
        except TooComplex:
            told = "the markers of `{}` are too complex to be joined: the compiled file has it for every environment"
            self._demand.session.listener(Warned(told.format(node.resolved.name)))
            return ""

    def _completed(self, request: Request) -> Request:
        demand, settings = self._demand, self._demand.session.settings
        self._applies = request.applies
        self._roots = [root for root in demand.roots if self._holds(root.requirement, _NOTHING_ASKED)]
        completed = replace(
            request,
            roots=[root.requirement for root in self._roots],
            constraints=[each.requirement for each in demand.constraints],
            overrides=demand.overrides,
            origins=of_demand(demand),
            excludes=demand.excludes,
            prereleases=settings.prerelease,  # type: ignore[arg-type]
            package_prereleases=package_prereleases(settings),  # type: ignore[arg-type]
            resolution=settings.resolution,  # type: ignore[arg-type]
        )
        return self._bench.in_force(completed) if self._follow else completed

    def _universe(self, rules: Rules, everywhere: Part | None = None) -> Universe:
        demand = self._demand
        return self._bench.universe(rules, digests=demand.digests(), follow=self._follow, everywhere=everywhere)

    def _holds(self, requirement: Requirement, extras: frozenset[Name]) -> bool:
        return requirement.marker is None or self._applies(requirement.marker, extras)

    def pins(self, everything: Sequence[Chosen], form: Form) -> list[Pin]:
        """A line for each distribution."""
        asked = self._asked_by(everything) if form.annotations else {}
        chosen = [each for each in everything if each.resolved.name not in form.leave_out]
        workers = self._demand.session.workers
        digests = each_of(self._hashes, chosen, workers=workers) if form.hashes else [()] * len(chosen)
        written = {root.name: root for root in self._roots if root.url is not None}
        where = self._where(everything) if form.markers and self._requires_python is None else {}
        pins = []
        for each, known in zip(chosen, digests, strict=True):
            name, direct = each.resolved.name, each.direct
            pin = Pin(
                name,
                str(each.resolved.version),
                extras=tuple(sorted(each.extras)) if form.extras else (),
                marker=where.get(name, "") if self._requires_python is None else each.marker,
                hashes=known,
                via=tuple(each.via) if form.annotations else (),
                stated=asked.get(name, ()),
            )
            if direct is not None:
                root = written.get(name)
                location = root.written if root is not None else direct.url.public
                is_editable = root is not None and root.editable
                if direct.git is not None:
                    location = direct.git.pinned
                pin = replace(pin, location=_as_url(location, direct.url, editable=is_editable), editable=is_editable)
            elif form.index_annotations and each.candidate is not None:
                pin = replace(pin, index=each.candidate.index.url.public)
            pins.append(pin)
        return pins

    def environment(self, everything: Iterable[Chosen]) -> str:
        """A marker that holds wherever the result for one target is good."""
        demand = self._demand
        stated = [root.requirement for root in (*demand.roots, *demand.constraints, *demand.overriding)]
        stated += [requirement for each in everything for requirement in each.resolved.requires]
        return environment(stated, self._target)

    def _where(self, everything: Iterable[Chosen]) -> dict[Name, str]:
        """Where each distribution of a compilation for one target would be needed."""
        roots = [root.requirement for root in self._roots]
        chosen = {each.resolved.name: each.resolved for each in everything}
        try:
            return reached(roots, chosen, self._applies, SpecifierSet(f">={self._target.python}"))
        except TooComplex:
            told = "the markers are too complex to be joined: the compiled file has everything for every environment"
            self._demand.session.listener(Warned(told))
            return {}

    def _asked_by(self, everything: Iterable[Chosen]) -> dict[Name, tuple[str, ...]]:
        """The files that ask for a distribution, or constrain or override it."""
        names = {each.resolved.name for each in everything}
        found: dict[Name, dict[str, None]] = {}
        demand = self._demand
        limits = (("-c ", demand.constraints), ("--override ", demand.overriding), ("", self._roots))
        for before, several in limits:
            for root in sorted(several, key=lambda root: root.via):
                if root.via and root.name in names and self._holds(root.requirement, _NOTHING_ASKED):
                    text = before + root.via.removeprefix("-r ") if before else root.via
                    found.setdefault(root.name, {})[text] = None
        return {name: tuple(texts) for name, texts in found.items()}

    def _via(self, everything: Iterable[Resolved]) -> dict[Name, set[Name]]:
        found: dict[Name, set[Name]] = {}
        for resolved in everything:
            for requirement in resolved.requires:
                if self._holds(requirement, resolved.extras):
                    found.setdefault(normalize(requirement.name), set()).add(resolved.name)
        for name, several in found.items():  # what asks for an extra of its own is not told of
            several.discard(name)
        return found

    # -- hashes

    def _hashes(self, chosen: Chosen) -> tuple[str, ...]:
        direct, candidate = chosen.direct, chosen.candidate
        if candidate is not None:
            return tuple(sorted(self._file_hash(file, candidate) for file in candidate.files))
        assert direct is not None, "what is chosen comes from an index or from a direct reference"
        if not isinstance(direct.origin.info, Archive):
            return ()
        url = direct.url.without_fragment()
        digest = self._downloaded(
            File(url.filename, Url.parse(full_text(url)), {}), direct.metadata.name, direct.metadata.version, None
        )
        return (digest,)

    def _file_hash(self, file: File, candidate: Candidate) -> str:
        for algorithm in _STRONG:
            if algorithm in file.hashes:
                return f"{algorithm}:{file.hashes[algorithm]}"
        return self._downloaded(file, candidate.name, str(candidate.version), candidate.index)

    def _downloaded(self, file: File, name: Name, version: str, index: Index | None) -> str:
        from cove.operations.compile.digests import sha256_of

        return f"sha256:{sha256_of(self._demand.session, file, name=name, version=version, index=index)}"


def _markers(key: str, texts: Iterable[str]) -> list[Marker]:
    try:
        return [Marker(text) for text in texts]
    except InvalidMarker as error:
        raise ConfigurationError(f"`{key}` in [tool.uv] has what is no marker", causes=(str(error),)) from error


def _as_url(written: str, url: Url, *, editable: bool) -> str:
    """What stands behind ``name @``: a URL. An editable is written as its path."""
    if "://" in written or editable:
        return written
    return url.public


def _source(_name: Name, candidate: Candidate | None, direct: Direct | None) -> LockedSource:
    if direct is not None:
        return LockedSource("url", direct.url.public)
    assert candidate is not None, "what is chosen comes from an index or from a direct reference"
    return LockedSource("registry", candidate.index.url.public)
