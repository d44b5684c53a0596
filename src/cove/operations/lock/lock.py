"""Locking a project: reading the lock, judging it, and writing a new one where it must be."""

from collections.abc import Mapping, Sequence

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.config.settings import Settings
from cove.errors import ConfigurationError, IndexChanged, NoSolution, StaleLock
from cove.formats import uv_lock
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass
from cove.model.event import Warned, resolution_done
from cove.model.lock import Lock
from cove.model.name import normalize
from cove.operations.lock.cutoffs import cutoffs
from cove.operations.lock.moving import Homes, Moves
from cove.operations.lock.prereleases import package_prereleases, recorded
from cove.operations.lock.stale_locals import stale_locals
from cove.operations.lock.staleness import stale_because
from cove.operations.project.project import Place, locking_interpreter, requires_python
from cove.operations.project.together import Together, asked_together, manifest_of
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock that is in force. ``changed`` tells whether it differs from what was there; ``previous`` is that, if any, and
    ``why`` is what made it stale, in words; empty where newer versions were asked for."""

    lock: Lock
    changed: bool = False
    previous: Lock | None = None
    why: str = ""


def read_lock(place: Place) -> Lock | None:
    """The lock beside the project; ``None`` without one. Raises ``ConfigurationError`` when it cannot be read."""
    try:
        text = place.lock_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{place.lock_path}: not UTF-8: byte {error.start} cannot be decoded") from error
    return uv_lock.parse(text, str(place.lock_path))


def lock(
    session: Session,
    place: Place,
    *,
    check: bool = False,
    dry_run: bool = False,
    constraints: Sequence[Requirement] = (),
) -> Locked:
    """The lock of the project: the one that is there while it fits, else a new one, which is written.

    With ``--frozen`` the one that is there is taken unseen; with ``check`` (or ``--locked``) ``StaleLock`` is raised where a
    new one would differ, and says because of what. ``dry_run`` writes nothing. ``constraints`` limit a new lock, and are not
    kept in it.
    """
    settings = session.settings
    present = read_lock(place)
    if settings.frozen:
        if present is None:
            raise StaleLock(f"{place.lock_path} does not exist, and --frozen forbids making it")
        return Locked(present)
    place = _complete(session, place.root)
    asked = asked_together(place, session.indexes, settings)
    terms = _terms(session, place, asked)
    why, away = "there is no lock", None
    if present is not None:
        why = stale_because(
            present, place, asked,
            requires_python=terms.requires_python, options=terms.options, manifest=terms.manifest,
        ) or stale_locals(session, place, present, asked)  # fmt: skip
        away = None if why else _moved_away(session, place, present, asked)
        why = why if away is None else away.message
    wants_newer = settings.upgrade or bool(settings.upgrade_package or settings.upgrade_group)
    if present is not None and not why and not wants_newer:
        return Locked(present)
    is_checked = check or settings.locked
    if is_checked and why:
        raise _stale(place, why, away.hints if away is not None else (_UPDATE,))
    made = _resolve(session, place, terms, present, constraints)
    for name in sorted({*settings.upgrade_package} - {package.name for package in made.packages}):
        session.listener(Warned(f"`--upgrade-package {name}`: the lock has no package `{name}`"))
    text = uv_lock.dump(made)
    changed = present is None or text != place.lock_path.read_text(encoding="utf-8")
    if changed and is_checked:
        raise _stale(place, "newer versions are there" if wants_newer else "a local source of it changed")
    if changed and not dry_run:
        from cove.config.atomic import write_whole

        write_whole(place.lock_path, text.encode())
    return Locked(made, changed, present, why)


def _complete(session: Session, root: Place) -> Place:
    """``root`` with what its members leave to their builds."""
    if not any(each.project.leaves_requirements_open for each in root.members):
        return root
    from cove.operations.project.built_members import with_what_builds_say

    return with_what_builds_say(session, root)


def _moved_away(session: Session, place: Place, present: Lock, asked: Together) -> IndexChanged | None:
    """Which package is served by its index no more, and by no other either; ``None`` when all are."""
    homes = Homes(session, place, asked.whole)
    away = [package for package in present.packages if homes.is_away(package)]
    return Moves(session, place, asked.whole, homes).why_not(away) if away else None


_UPDATE = "`cove lock` brings it up to date"


def _stale(place: Place, why: str, hints: Sequence[str] = (_UPDATE,)) -> StaleLock:
    return StaleLock(f"{place.lock_path.name} does not match {place.pyproject_path.name}: {why}", hints=tuple(hints))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a lock is made from besides the indexes. ``interpreter`` is set where it had to be looked for."""

    asked: Together
    requires_python: SpecifierSet
    interpreter: Interpreter | None
    options: Mapping[str, object]
    manifest: Mapping[str, object]


def _terms(session: Session, place: Place, asked: Together) -> _Terms:
    """A project without a range of Pythons is locked from its interpreter's version on, as uv does."""
    options, manifest = _options(session.settings), manifest_of(asked, session.indexes, session.settings)
    stated = requires_python(place)
    if stated is not None:
        return _Terms(asked, stated, None, options, manifest)
    interpreter = locking_interpreter(session, place)
    wanted = SpecifierSet(">=" + interpreter.target.markers["python_version"])
    return _Terms(asked, wanted, interpreter, options, manifest)


def _resolve(
    session: Session, place: Place, terms: _Terms, present: Lock | None, constraints: Sequence[Requirement]
) -> Lock:
    excludes = frozenset(place.project.exclude_dependencies)
    if present is None:  # what a lock has may be asked of the index it is locked from, and of no other
        whole = terms.asked.whole
        plain = {normalize(each.name): None for each in whole.roots if each.url is None and each.marker is None}
        session.ask_ahead((name for name in plain if name not in excludes), whole.pins)
    interpreter = session.begin(lambda: terms.interpreter or locking_interpreter(session, place))
    from cove.formats.marker_sets import TooComplex
    from cove.index.candidates import Rules
    from cove.operations.build.environment import BuildLimits
    from cove.operations.lock.build import build_lock, roots_of, sections_of
    from cove.operations.lock.conflicts import declared
    from cove.operations.lock.exclusions import Exclusions
    from cove.operations.lock.keeping import kept_indexes
    from cove.operations.lock.known import initial_parts, known_commits, known_versions, upgraded
    from cove.operations.resolution.origins import of_sections
    from cove.operations.resolution.parts import everything
    from cove.operations.resolution.policy import upgrade_limits
    from cove.operations.resolution.resolution import resolve_everywhere
    from cove.operations.resolution.targets import for_all
    from cove.operations.resolution.workbench import Workbench

    settings, project, asked = session.settings, place.project, terms.asked.whole
    anew = upgraded(place, settings)
    bench = Workbench(
        session,
        interpreter.result(),
        pins=asked.pins,
        base=place.base,
        commits=known_commits(present, settings, anew),
        build_limits=BuildLimits(project.build_constraint_dependencies),
    )
    conflicts = declared(place)
    everywhere = everything(terms.requires_python, project.environments, conflicts)
    sections = sections_of(terms.asked)
    request = for_all(
        roots_of(sections, Exclusions(conflicts)),
        everywhere,
        root_name=f"`{project.name}`" if len(terms.asked.members) == 1 else "the workspace",
        constraints=(*terms.asked.constraints, *upgrade_limits(settings), *constraints),
        overrides=terms.asked.overrides,
        origins=of_sections(sections, terms.asked, upgrade_limits(settings)),
        excludes=excludes,
        prereleases=settings.prerelease,
        package_prereleases=package_prereleases(settings),
        resolution=settings.resolution,
        by_python=settings.fork_strategy == "requires-python",
        places={**terms.asked.member_places, **asked.places},
        required=[
            everywhere.region(marker, None) for marker in (*project.environments, *project.required_environments)
        ],
    )
    kept = kept_indexes(session, present, place, asked) if present is not None else {}
    if kept:  # nearly all of it will be needed again: one wave instead of one round trip for each level
        wanted = (name for name in kept if name not in excludes)
        session.ask_ahead(wanted, asked.pins, session.router(asked.pins, kept).search)
    rules = Rules(requires_python=terms.requires_python, any_python=True)
    universe = bench.universe(rules, kept=kept, everywhere=everywhere)
    try:
        found = resolve_everywhere(
            bench.in_force(request, known=[member.source.url for member in terms.asked.members]),
            initial_parts(everywhere, place, terms.requires_python, present, settings),
            universe,
            known=known_versions(present, settings, anew),
            workers=session.workers,
            listener=session.listener,
        )
    except NoSolution as error:
        if kept and settings.index_strategy != "first-index":
            error.hints = (
                *error.hints,
                "a locked package keeps its index: `--allow-index-change` lets one be looked for anew",
            )
        raise
    try:
        made = build_lock(terms.asked, found, terms.requires_python, options=terms.options, manifest=terms.manifest)
    except TooComplex as error:
        raise NoSolution(
            "the environments have to be divided by markers that are too complex to be written",
            hints=("`environments` in [tool.uv] limits a lock to those that matter",),
        ) from error
    session.listener(resolution_done(len(made.packages)))
    return made


def _options(settings: Settings) -> dict[str, object]:
    """The ``[options]`` table: what differs from the defaults."""
    found: dict[str, object] = {}
    if settings.resolution != "highest":
        found["resolution-mode"] = settings.resolution
    found |= recorded(settings)
    if settings.fork_strategy != "requires-python":
        found["fork-strategy"] = settings.fork_strategy
    return found | cutoffs(settings)
