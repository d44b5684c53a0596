"""Installing into an environment what is asked for, and bringing one to exactly what files list."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from cove.config.settings import Settings
from cove.errors import NotInstalled, UsageError
from cove.formats.direct_url import Archive, Directory, DirectUrl
from cove.formats.file_url import to_path
from cove.install.installed import Installed, scan
from cove.install.interpreter import Interpreter
from cove.install.plan import Plan, source_key
from cove.model.dataclasses import dataclass
from cove.model.event import Warned
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.operations.compile.hash_checking import check_all_have_digests, check_digests
from cove.operations.compile.inputs import Inputs
from cove.operations.compile.requirement_files import Demand, Root, full_urls, read
from cove.operations.environment.change import Want, change
from cove.operations.environment.environments import InstalledMetadata, changeable, seeds
from cove.operations.lock.prereleases import package_prereleases
from cove.operations.resolution.targets import evaluating
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.operations.resolution.resolution import Resolution
    from cove.operations.resolution.workbench import Workbench

_NOTHING: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What was (or would be) changed, in which environment, and how many requirements asked for it."""

    plan: Plan
    interpreter: Interpreter
    asked: int


def install(session: Session, inputs: Inputs, *, no_deps: bool = False, dry_run: bool = False) -> Done:
    """Install what ``inputs`` ask for and all that it requires, keeping what is there where it will do.

    Nothing is asked of any index when everything is there. Raises ``UsageError`` when hashes are required and missing, and
    what resolving, fetching, building and installing raise.
    """
    interpreter = changeable(session)
    demand = read(session, inputs, interpreter)
    session, target = demand.session, interpreter.target
    roots = _applying(demand.roots, target)
    check_digests(demand, roots)
    installed = scan(interpreter.sites)
    anew = _anew(session.settings, installed)
    present = {name: each for name, each in installed.items() if name not in anew}
    check = _Check(present, demand.constraints, target, follow=not no_deps)
    if not session.settings.upgrade and all(map(check.holds, roots)):
        return Done(Plan(keep=tuple(installed.values())), interpreter, len(roots))
    resolution, bench = _resolve(demand, roots, interpreter, installed, present, follow=not no_deps)
    check_all_have_digests(demand, resolution)
    kept = {
        name
        for name, resolved in resolution.solution.packages.items()
        if name in present and name not in resolution.directs and _is_version(present[name], resolved.version)
    }
    wants = make_wants(bench, resolution, demand, {root.name for root in roots}, leave_out=kept)
    made = change(
        session,
        interpreter,
        wants,
        keep_extraneous=True,
        always=_changing(roots, resolution, installed),
        dry_run=dry_run,
    )
    _tell_what_breaks(session, made, installed, target)
    return Done(made, interpreter, len(roots))


def sync(session: Session, inputs: Inputs, *, allow_empty: bool = False, dry_run: bool = False) -> Done:
    """Make the environment have exactly what ``inputs`` list: what these require is not looked for.

    Raises ``UsageError`` for lists without requirements unless ``allow_empty``.
    """
    interpreter = changeable(session)
    demand = read(session, inputs, interpreter)
    session, target = demand.session, interpreter.target
    roots = _applying(demand.roots, target)
    if not roots and not allow_empty:
        raise UsageError(
            "the files list no requirement for this environment, and it would be emptied",
            hints=("`--allow-empty-requirements` says that this is meant",),
        )
    check_digests(demand, roots)
    installed = scan(interpreter.sites)
    anew = _anew(session.settings, installed)
    candidates = {name: each for name, each in installed.items() if name not in anew and not each.leftovers}
    check = _Check(candidates, demand.constraints, target, follow=False, exact=True)
    missing = [root for root in roots if not check.holds(root)]
    there = frozenset(root.name for root in roots) - {root.name for root in missing}
    wants: list[Want] = []
    always = _NOTHING
    if missing:
        resolution, bench = _resolve(demand, missing, interpreter, installed, {}, follow=False)
        wants = make_wants(bench, resolution, demand, {root.name for root in missing})
        always = _changing(missing, resolution, installed)
    made = change(session, interpreter, wants, always=always, spare=there | seeds(interpreter), dry_run=dry_run)
    return Done(made, interpreter, len(roots))


def uninstall(session: Session, inputs: Inputs, *, dry_run: bool = False) -> Done:
    """Remove distributions; those that are not there are reported. Raises ``NotInstalled`` when none of them is."""
    from cove.install.apply import apply
    from cove.install.site import scheme_of

    interpreter = changeable(session)
    demand = read(session, inputs, interpreter)
    names = dict.fromkeys(root.name for root in demand.roots)
    installed = scan(interpreter.sites)
    found = tuple(installed[name] for name in sorted(names) if name in installed)
    missing = [name for name in names if name not in installed]
    if not found:
        listed = ", ".join(f"`{name}`" for name in missing) or "nothing"
        raise NotInstalled(
            f"there is nothing to uninstall: {listed} is not installed in {interpreter.prefix}",
            hints=("`cove pip list` lists what is",),
        )
    for name in missing:
        session.listener(Warned(f"`{name}` is not installed"))
    made = Plan(remove=found)
    if not dry_run:
        apply(scheme_of(interpreter), remove=[Path(each.path) for each in made.outgoing], listener=session.listener)
    return Done(made, interpreter, len(names))


# -- what is there -----------------------------------------------------------------------------------------------------


class _Check:
    """Whether requirements are met by what is installed. ``exact`` wants what is from an index to be from one there too."""

    def __init__(
        self,
        installed: Mapping[Name, Installed],
        constraints: Iterable[Root],
        target: Target,
        *,
        follow: bool,
        exact: bool = False,
    ) -> None:
        self._installed = installed
        self._metadata = InstalledMetadata(installed)
        self._applies = evaluating(target.markers)
        self._follow = follow
        self._exact = exact
        self._constraints: dict[Name, list[Requirement]] = {}
        for each in constraints:
            if each.requirement.marker is None or self._applies(each.requirement.marker, _NOTHING):
                self._constraints.setdefault(each.name, []).append(each.requirement)
        self._done: set[tuple[Name, frozenset[Name]]] = set()

    def holds(self, root: Root) -> bool:
        """Whether the requirement, and all that it requires in turn, is met."""
        return self._is_met(root.requirement)

    def _is_met(self, requirement: Requirement) -> bool:
        name = normalize(requirement.name)
        installed = self._installed.get(name)
        if installed is None or not all(_allows(each, installed) for each in self._constraints.get(name, ())):
            return False
        if requirement.url:
            if not _is_from(installed, requirement.url):
                return False
        elif not _allows(requirement, installed) or (self._exact and installed.source):
            return False
        extras = frozenset(map(normalize, requirement.extras))
        if not self._follow or (name, extras) in self._done:
            return True
        self._done.add((name, extras))
        metadata = self._metadata.get(name)
        return metadata is not None and all(
            self._is_met(each)
            for each in metadata.requires_dist
            if each.marker is None or self._applies(each.marker, extras)
        )


def _allows(requirement: Requirement, installed: Installed) -> bool:
    try:
        return requirement.specifier.contains(Version(installed.version), prereleases=True)
    except InvalidVersion:
        return False


def _is_from(installed: Installed, text: str) -> bool:
    """Whether it was installed from this URL, and what is there now cannot be newer. A folder's files may always be."""
    from cove.model.url import Url
    from cove.operations.resolution.direct import fragment_digests

    url = Url.parse(text)
    bare = url.without_fragment().without_credentials()
    if source_key(DirectUrl(bare, Archive(fragment_digests(url)))) != installed.source:
        return False
    return url.scheme != "file" or not _is_newer(Path(to_path(url.path)), installed)


def _is_newer(file: Path, installed: Installed) -> bool:
    try:
        return file.stat().st_mtime_ns > Path(installed.path, "direct_url.json").stat().st_mtime_ns
    except OSError:
        return True


def _is_version(installed: Installed, version: Version) -> bool:
    try:
        return Version(installed.version) == version
    except InvalidVersion:
        return False


def _anew(settings: Settings, installed: Mapping[Name, Installed]) -> frozenset[Name]:
    """The projects whose installed distribution does not count."""
    if settings.reinstall:
        return frozenset(installed)
    return frozenset(settings.reinstall_package) | frozenset(settings.upgrade_package)


def _tell_what_breaks(session: Session, made: Plan, installed: Mapping[Name, Installed], target: Target) -> None:
    """Warn of distributions that stay and do not accept a version that took the place of another."""
    replaced = {each.new.name: Installed(each.new.name, each.new.version, "") for each in made.replace}
    if not replaced:
        return
    applies = evaluating(target.markers)
    for name, metadata in InstalledMetadata(installed).items():
        if name in replaced:
            continue
        for requirement in metadata.requires_dist:
            new = replaced.get(normalize(requirement.name))
            if new is None or _allows(requirement, new):
                continue
            if requirement.marker is None or applies(requirement.marker, _NOTHING):
                session.listener(
                    Warned(f"`{name}` {metadata.version} requires `{requirement}`, and that is {new.version} now")
                )


# -- choosing ----------------------------------------------------------------------------------------------------------


def _applying(roots: Iterable[Root], target: Target) -> list[Root]:
    applies = evaluating(target.markers)
    return [root for root in roots if root.requirement.marker is None or applies(root.requirement.marker, _NOTHING)]


def _resolve(
    demand: Demand,
    roots: Sequence[Root],
    interpreter: Interpreter,
    installed: Mapping[Name, Installed],
    present: Mapping[Name, Installed],
    *,
    follow: bool,
) -> "tuple[Resolution, Workbench]":
    from cove.index.candidates import Rules
    from cove.operations.resolution.origins import of_demand
    from cove.operations.resolution.resolution import resolve
    from cove.operations.resolution.targets import for_target
    from cove.operations.resolution.workbench import Workbench

    session, settings = demand.session, demand.session.settings
    bench = Workbench(
        session,
        interpreter,
        pins=demand.pins,
        editable=demand.editable,
        build_limits=demand.build_limits,
        full_urls=full_urls(roots),
    )
    request = for_target(
        [root.requirement for root in roots],
        interpreter.target,
        preferences={} if settings.upgrade else _versions(installed, settings.upgrade_package),
        constraints=[each.requirement for each in demand.constraints],
        overrides=demand.overrides,
        origins=of_demand(demand),
        excludes=demand.excludes,
        prereleases=settings.prerelease,
        package_prereleases=package_prereleases(settings),
        resolution=settings.resolution,
    )
    if follow:
        request = bench.in_force(request)
    universe = bench.universe(
        Rules(target=interpreter.target),
        digests=demand.digests(),
        present={} if settings.upgrade else InstalledMetadata(present),
        follow=follow,
    )
    return resolve(request, universe, workers=session.workers, listener=session.listener), bench


def _versions(installed: Mapping[Name, Installed], upgraded: Iterable[Name]) -> dict[Name, Version]:
    found: dict[Name, Version] = {}
    for name in installed.keys() - set(upgraded):
        try:
            found[name] = Version(installed[name].version)
        except InvalidVersion:
            continue  # no index has it, so nothing is lost by not preferring it
    return found


def make_wants(
    bench: "Workbench",
    resolution: "Resolution",
    demand: Demand,
    requested: Iterable[Name],
    *,
    leave_out: Iterable[Name] = (),
) -> list[Want]:
    """How everything that was chosen is come by, less what ``leave_out`` names."""
    bench.runtime = {name: str(resolved.version) for name, resolved in resolution.solution.packages.items()}
    asked, skipped, digests = set(requested), set(leave_out), demand.digests()
    wants = []
    for name, resolved in resolution.solution.packages.items():
        if name in skipped:
            continue
        direct = resolution.directs.get(name)
        if direct is not None:
            wants.append(Want(name, direct.metadata.version, direct.make, direct.origin, name in asked))
            continue
        fetch = partial(bench.chosen, resolution.candidates[name], digests.get(name, frozenset()))
        wants.append(Want(name, str(resolved.version), fetch, requested=name in asked))
    return wants


def _changing(roots: Iterable[Root], resolution: "Resolution", installed: Mapping[Name, Installed]) -> frozenset[Name]:
    """The direct ones that may have other contents under the same version: folders, and files newer than what is there."""
    found = {name for name, each in resolution.directs.items() if isinstance(each.origin.info, Directory)}
    for root in roots:
        url, present = root.url, installed.get(root.name)
        if url is not None and url.scheme == "file" and present is not None:
            path = Path(to_path(url.path))
            if path.is_file() and _is_newer(path, present):
                found.add(root.name)
    return frozenset(found)
