"""One compilation: what is chosen, and the line of the compiled file for each distribution.

Apart from ``compile``, because all that resolves is imported here: while it is, the first pages are on their way already.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.formats.direct_url import Directory
from cove.formats.marker_sets import EVERYTHING, FACTS, NOTHING, MarkerSet, TooComplex, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.formats.requirements_txt import Pin
from cove.index.candidates import Rules
from cove.install.fetch import fetch
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import replace
from cove.model.dist import File
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.model.url import Url
from cove.operations.compile import Form
from cove.operations.install import direct_urls
from cove.operations.parallel import each as each_of
from cove.operations.requirement_files import Demand, Root, full_text
from cove.operations.resolution import Resolution, resolve
from cove.operations.targets import for_all, for_target
from cove.operations.workbench import Workbench
from cove.resolve.request import Applies

if TYPE_CHECKING:
    from cove.model.candidate import Candidate

_STRONG = ("sha256", "sha384", "sha512")
_NOTHING_ASKED: frozenset[Name] = frozenset()


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
        self._bench = Workbench(demand.session, interpreter, pins=demand.pins, editable=demand.editable)
        self._applies: Applies = lambda _marker, _extras: True
        self._roots: list[Root] = []

    def resolve(self, preferences: Mapping[Name, Version]) -> Resolution:
        """What is chosen."""
        demand, session = self._demand, self._demand.session
        requirements = [root.requirement for root in demand.roots]
        if self._requires_python is not None:
            request = for_all(requirements, self._requires_python, root_name="what you asked for")
            rules = Rules(requires_python=self._requires_python)
        else:
            request = for_target(requirements, self._target, root_name="what you asked for")
            rules = Rules(target=self._target)
        self._applies = request.applies
        self._roots = [root for root in demand.roots if self._holds(root.requirement, _NOTHING_ASKED)]
        request = replace(
            request,
            roots=[root.requirement for root in self._roots],
            preferences=preferences,
            constraints=[each.requirement for each in demand.constraints],
            overrides=demand.overrides,
            prereleases=session.settings.prerelease,  # type: ignore[arg-type]
            resolution=session.settings.resolution,  # type: ignore[arg-type]
        )
        universe = self._bench.universe(rules, direct_urls(self._roots), digests=demand.digests(), follow=self._follow)
        return resolve(request, universe, workers=session.workers, listener=session.listener)

    def _holds(self, requirement: Requirement, extras: frozenset[Name]) -> bool:
        return requirement.marker is None or self._applies(requirement.marker, extras)

    def pins(self, resolution: Resolution, form: Form) -> list[Pin]:
        """A line for each distribution."""
        via = self._via(resolution) if form.annotations else {}
        markers = self._markers(resolution)
        chosen = [name for name in resolution.solution.packages if name not in form.leave_out]
        hashes: Callable[[Name], tuple[str, ...]] = lambda name: self._hashes(resolution, name)  # noqa: E731
        workers = self._demand.session.workers
        digests = each_of(hashes, chosen, workers=workers) if form.hashes else [()] * len(chosen)
        written = {root.name: root for root in self._roots if root.url is not None}
        pins = []
        for name, known in zip(chosen, digests, strict=True):
            resolved, direct = resolution.solution.packages[name], resolution.directs.get(name)
            pin = Pin(
                name,
                str(resolved.version),
                extras=tuple(sorted(resolved.extras)) if form.extras else (),
                marker=markers.get(name, ""),
                hashes=known,
                via=via.get(name, ()),
            )
            if direct is not None:
                root = written.get(name)
                location = root.written if root is not None else direct.url.public
                is_editable = root is not None and root.editable
                pin = replace(pin, location=_as_url(location, direct.url, editable=is_editable), editable=is_editable)
            elif form.index_annotations:
                pin = replace(pin, index=resolution.candidates[name].index.url.public)
            pins.append(pin)
        return pins

    def _via(self, resolution: Resolution) -> dict[Name, tuple[str, ...]]:
        found: dict[Name, set[str]] = {}
        for root in (*self._roots, *self._demand.constraints):
            if root.via and root.name in resolution.solution.packages:
                text = root.via if root in self._roots else root.via.replace("-r ", "-c ", 1)
                found.setdefault(root.name, set()).add(text)
        if self._follow:
            for name, resolved in resolution.solution.packages.items():
                for requirement in resolved.requires:
                    if self._holds(requirement, resolved.extras):
                        found.setdefault(normalize(requirement.name), set()).add(name)
        return {name: tuple(sorted(several)) for name, several in found.items()}

    # -- markers

    def _markers(self, resolution: Resolution) -> dict[Name, str]:
        """Where each distribution is needed, in a universal file: the union over those who ask of where these are needed."""
        if self._requires_python is None:
            return {}
        try:
            return self._reached(resolution, self._requires_python)
        except TooComplex:
            self._demand.session.listener(
                Warned("the markers are too complex to be joined: the compiled file has none and installs everything")
            )
            return {}

    def _reached(self, resolution: Resolution, requires_python: SpecifierSet) -> dict[Name, str]:
        packages = resolution.solution.packages
        reached: dict[tuple[Name, Name | None], MarkerSet] = {}
        queue: list[tuple[Name, Name | None]] = []
        possible = FACTS & python_set(requires_python)

        def reach(requirement: Requirement, where: MarkerSet, extra: Name | None) -> None:
            place = where & marker_set(requirement.marker).with_extra(extra)
            if (place & possible).is_empty:
                return
            name = normalize(requirement.name)
            for wanted in (None, *map(normalize, requirement.extras)):
                key = (name, wanted)
                before = reached.get(key, NOTHING)
                if name in packages and (before | place) != before:
                    reached[key] = before | place
                    queue.append(key)

        for root in self._roots:
            reach(root.requirement, EVERYTHING, None)
        while queue:
            name, extra = queue.pop()
            for requirement in packages[name].requires if self._follow else ():
                reach(requirement, reached[name, extra], extra)
        return {
            name: spelled(where.assuming_python(requires_python))
            for (name, extra), where in reached.items()
            if extra is None
        }

    # -- hashes

    def _hashes(self, resolution: Resolution, name: Name) -> tuple[str, ...]:
        direct = resolution.directs.get(name)
        if direct is None:
            return tuple(
                sorted(self._file_hash(file, resolution.candidates[name]) for file in resolution.candidates[name].files)
            )
        if isinstance(direct.origin.info, Directory):
            return ()
        url = direct.url.without_fragment()
        digest = self._downloaded(
            File(url.filename, Url.parse(full_text(url)), {}), name, direct.metadata.version, None
        )
        return (digest,)

    def _file_hash(self, file: File, candidate: "Candidate") -> str:
        for algorithm in _STRONG:
            if algorithm in file.hashes:
                return f"{algorithm}:{file.hashes[algorithm]}"
        return self._downloaded(file, candidate.name, str(candidate.version), candidate.index)

    def _downloaded(self, file: File, name: Name, version: str, index: Index | None) -> str:
        session = self._demand.session
        got = fetch(
            session.client,
            file,
            name=name,
            version=version,
            index=index,
            store=session.store,
            listener=session.listener,
        )
        return f"sha256:{got.parent.name if isinstance(got, Path) else got.sha256}"


def _as_url(written: str, url: Url, *, editable: bool) -> str:
    """What stands behind ``name @``: a URL. An editable is written as its path."""
    if "://" in written or editable:
        return written
    return url.public
