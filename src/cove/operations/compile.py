"""Compiling requirements: everything they come to, pinned, as the text of a requirements file."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.config.atomic import write_whole
from cove.errors import ConfigurationError, UsageError
from cove.formats import requirements_txt
from cove.formats.direct_url import Directory
from cove.formats.marker_sets import EVERYTHING, FACTS, NOTHING, MarkerSet, TooComplex, marker_set, python_set
from cove.formats.marker_text import spelled
from cove.formats.requirements_txt import Pin, write
from cove.index.candidates import Rules
from cove.install.discovery import find_base, parse_request
from cove.install.environment import executable_in, is_environment
from cove.install.fetch import fetch
from cove.install.interpreter import Interpreter, probe
from cove.model.dist import File
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.model.url import Url
from cove.operations.install import check_all_have_digests, check_digests, direct_urls
from cove.operations.parallel import each as each_of
from cove.operations.requirement_files import Demand, Inputs, Root, full_text, public_location, read
from cove.operations.resolution import Resolution, resolve
from cove.operations.targets import for_all, for_target
from cove.operations.workbench import Workbench
from cove.resolve.request import Applies
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.model.candidate import Candidate

_STRONG = ("sha256", "sha384", "sha512")
_NOTHING_ASKED: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Form:
    """What the compiled file is to hold besides pins. ``command`` is shown in its header, ``None`` leaves the header out."""

    command: tuple[str, ...] | str | None = None
    annotations: bool = True
    hashes: bool = False
    index_url: bool = False
    find_links: bool = False
    index_annotations: bool = False
    extras: bool = False
    leave_out: tuple[Name, ...] = ()


def compile_requirements(
    session: Session,
    inputs: Inputs,
    form: Form,
    *,
    output: Path | None = None,
    python_version: str = "",
    universal: bool = False,
    no_deps: bool = False,
) -> str:
    """The text of the file that pins what ``inputs`` come to, for one target or with ``universal`` for all platforms
    and every Python from this one on.

    What ``output`` pins already is preferred, and it is replaced whole. Raises what reading and resolving raise.
    """
    interpreter = _interpreter(session)
    target = _target(interpreter.target, python_version)
    demand = read(session, inputs, interpreter)
    check_digests(demand, demand.roots)
    maker = _Maker(demand, interpreter, target, _range(target) if universal else None, follow=not no_deps)
    resolution = maker.resolve(_pinned(output, demand))
    check_all_have_digests(demand, resolution)
    text = write(maker.pins(resolution, form), header=_header(form.command), options=_options(demand, form))
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, text.encode())
    return text


# -- targets -----------------------------------------------------------------------------------------------------------


def _interpreter(session: Session) -> Interpreter:
    """The interpreter to resolve for: that of the environment that is there, else the first on ``PATH``; what has to be
    built is built with it."""
    settings, origin = session.settings, session.settings.origin("python")
    request = parse_request(settings.python, origin, session.cwd) if settings.python is not None else None
    if request is None and not settings.system:
        named = session.environ.get("VIRTUAL_ENV")
        for place in [Path(named)] if named else [folder / ".venv" for folder in (session.cwd, *session.cwd.parents)]:
            if is_environment(place) and executable_in(place).exists():
                return probe(executable_in(place), session.cache_dir)
    return find_base(request, environ=session.environ, cache_dir=session.cache_dir, report=session.listener)


def _target(own: Target, python_version: str) -> Target:
    """``own`` with another Python: same platform, other markers and tags. A version without patch means the first one."""
    if not python_version:
        return own
    try:
        version = Version(python_version)
    except InvalidVersion:
        raise UsageError(f"`{python_version}` is no Python version", hints=("write it like 3.12 or 3.12.4",)) from None
    short = ".".join(str(part) for part in version.release[:2])
    full = f"{version}" if len(version.release) > 2 else f"{short}.0"
    if short == own.markers["python_version"]:
        same = {**own.markers, "python_full_version": full} if len(version.release) > 2 else own.markers
        return replace(own, python=same["python_full_version"], markers=same)
    from packaging import tags

    platforms = list(dict.fromkeys(tag.rpartition("-")[2] for tag in own.tags if not tag.endswith("-any")))
    number, nodot = version.release[:2], short.replace(".", "")
    accepted = [
        *tags.cpython_tags(number, [f"cp{nodot}"], platforms),
        *tags.compatible_tags(number, f"cp{nodot}", platforms),
    ]
    markers = {**own.markers, "python_version": short, "python_full_version": full, "implementation_version": full}
    return Target(full, markers, tuple(map(str, accepted)))


def _range(target: Target) -> SpecifierSet:
    return SpecifierSet(f">={target.markers['python_version']}")


# -- preferences -------------------------------------------------------------------------------------------------------


def _pinned(output: Path | None, demand: Demand) -> dict[Name, Version]:
    """The versions that the file which is there pins, less those that are to be upgraded."""
    settings = demand.session.settings
    if output is None or settings.upgrade:
        return {}
    try:
        text = output.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"`{output}` cannot be read", causes=(str(error),)) from error
    found = requirements_txt.parse(text, str(output), read=lambda _: "", environ=demand.session.environ)
    pins: dict[Name, Version] = {}
    for entry in found.entries:
        requirement = entry.requirement
        name = normalize(requirement.name) if requirement is not None else None
        if requirement is None or name is None or name in settings.upgrade_package:
            continue
        for specifier in requirement.specifier:
            if specifier.operator == "==" and not specifier.version.endswith(".*"):
                pins[name] = Version(specifier.version)
    return pins


# -- pins --------------------------------------------------------------------------------------------------------------


class _Maker:
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


# -- what stands above the pins ----------------------------------------------------------------------------------------


def _header(command: tuple[str, ...] | str | None) -> str:
    if command is None:
        return ""
    return " ".join(command.split()) if isinstance(command, str) else shlex.join(command)


def _options(demand: Demand, form: Form) -> Iterable[str]:
    found = demand.session.indexes
    if form.index_url:
        if found.no_index:
            yield "--no-index"
        elif found.default is not None:
            yield f"--index-url {_public(found.default, demand)}"
        for index in found.search:
            if index != found.default and index.format == "simple":
                yield f"--extra-index-url {_public(index, demand)}"
    if form.find_links:
        for index in found.find_links:
            yield f"--find-links {_public(index, demand)}"


def _public(index: Index, demand: Demand) -> str:
    for text in demand.written:
        if "://" in text and Url.parse(text) == index.url:
            return public_location(text, demand.written)
    # Others that read requirements files know ``${NAME}``, but no defaults in it.
    return index.written_url if index.written_url and ":-" not in index.written_url else index.url.public
