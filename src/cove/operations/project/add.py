"""Adding requirements to a project and removing them: edit, lock, install; or leave everything as it was."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from packaging.requirements import Requirement
from packaging.version import Version

from cove.config.atomic import write_whole
from cove.config.edit import DEPENDENCIES, ProjectFile, Section
from cove.errors import (
    BuildFailed,
    ConfigurationError,
    NoCompatibleFile,
    NoSolution,
    NotInstalled,
    ProjectNotFound,
    PythonIncompatible,
)
from cove.formats import git_url
from cove.formats.requirement_text import spelled
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Finished, Warned
from cove.model.index import Index
from cove.model.lock import Lock
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.compile.inputs import Inputs
from cove.operations.compile.requirement_files import Root
from cove.operations.compile.requirement_files import read as read_inputs
from cove.operations.environment.sync import Synced, sync
from cove.operations.lock.lock import lock
from cove.operations.lock.wanted import Selection
from cove.operations.project.additions import NO_WISHES, Addition, Wishes, addition, check_not_itself, has_variable
from cove.operations.project.bounds import bounded
from cove.operations.project.project import Place, locate, locking_interpreter, place_at
from cove.wiring import Session

_WRITTEN_INDEXES = ("--index", "--default-index")
_NOT_LOCKED = (NoSolution, ProjectNotFound, PythonIncompatible, NoCompatibleFile, BuildFailed)
"""What may be wrong with what is added; it can be added nevertheless."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of the project. ``synced`` is ``None`` when nothing was to be installed."""

    requirements: tuple[str, ...]
    lock: Lock | None
    synced: Synced | None


def add(
    session: Session,
    inputs: Inputs,
    section: Section = DEPENDENCIES,
    *,
    wishes: Wishes = NO_WISHES,
    package: str = "",
    installs: bool = True,
) -> Edited:
    """Add what ``inputs`` list to the project (or the member ``package``), or to one of its groups or extras.

    What comes from no index gets its name from there, and a source that says so, without user info. One without a version
    gets bounds by what is locked then, unless wishes are ``is_raw``. Constraints count for this once. Indexes given by flags
    are written to the project, without credentials; where just one is given and it has a name, what is added is pinned to
    it. Indexes of variables are used and not written: a variable is a matter of this machine. On any failure every file is
    as it was.
    """
    place = _project(session, package, section)
    demand = read_inputs(session, inputs, lambda: locking_interpreter(session, place.root))
    session = demand.session
    indexes = _given_by_flags(session)
    if len(indexes) == 1:
        wishes = replace(wishes, index=indexes[0].name)
    roots = sorted(demand.roots, key=lambda root: root.editable)
    additions = [addition(place, _used_here(session, root), wishes) for root in roots]
    if section == DEPENDENCIES:
        for each in additions:
            check_not_itself(place, each.name)
    with _editing(place) as files:
        _add_members(session, place, files[-1], additions)
        new = [each for each in additions if _add(files[0], section, each)]
        for index in reversed(indexes):  # each goes above those that are there
            files[-1].add_index(index)
        _write(files)
        if session.settings.frozen:
            return Edited(tuple(each.text for each in additions), None, None)
        place = place_at(place.folder)
        constraints = [root.requirement for root in demand.constraints]
        try:
            locked = lock(session, place, constraints=constraints).lock
        except _NOT_LOCKED as error:
            error.hints = (*error.hints, "The project is as it was; `--frozen` adds the requirement without locking")
            raise
        texts = {each.name: each.text for each in additions}
        if not wishes.is_raw:
            for requirement in (_bounded(session, each, locked) for each in new):
                if requirement is not None:
                    files[0].add_dependency(requirement, section)
                    texts[normalize(requirement.name)] = spelled(requirement)
            _write(files)
            place = place_at(place.folder)
        return _finish(session, place, tuple(texts.values()), _selected(section), constraints, installs=installs)


def _add_members(session: Session, place: Place, file: ProjectFile, additions: Sequence[Addition]) -> None:
    for folder in dict.fromkeys(each.member for each in additions if each.member is not None):
        path = folder.relative_to(place.base.resolve()).as_posix()
        file.add_member(path)
        session.listener(Finished("workspace", path, f"Made `{path}` a member of the workspace"))


def _add(file: ProjectFile, section: Section, each: Addition) -> bool:
    """Add it to the list, and its source; whether it is new there."""
    is_new = file.add_dependency(each.requirement, section, has_source=bool(each.source))
    if each.source:
        file.set_source(each.name, each.source)
    return is_new


def _write(files: Sequence[ProjectFile]) -> None:
    for file in files:
        file.write()


def remove(
    session: Session,
    names: Sequence[str],
    section: Section = DEPENDENCIES,
    *,
    package: str = "",
    installs: bool = True,
) -> Edited:
    """Remove the requirements for ``names``; raises ``NotInstalled`` when the project does not ask for one of them there."""
    place = _project(session, package, section)
    with _editing(place) as files:
        file = files[0]
        for text in names:
            name = normalize(text)
            if not file.remove_dependency(name, section):
                raise NotInstalled(
                    f"{place.pyproject_path} does not require `{name}` in {section}",
                    hints=_elsewhere(place, name),
                )
            if not _is_required(file, name):
                file.remove_source(name)
        file.write()
        if session.settings.frozen:
            return Edited(tuple(names), None, None)
        return _finish(session, place_at(place.folder), tuple(names), Selection(), installs=installs)


def _finish(
    session: Session,
    place: Place,
    texts: tuple[str, ...],
    selection: Selection,
    constraints: Sequence[Requirement] = (),
    *,
    installs: bool,
) -> Edited:
    if not installs:
        return Edited(texts, lock(session, place, constraints=constraints).lock, None)
    synced = sync(session, selection, place=place, constraints=constraints)
    return Edited(texts, synced.locked.lock, synced)


def _project(session: Session, package: str, section: Section) -> Place:
    place = locate(session, package)
    if not place.project.name and not section.group:
        members = ("name a member of the workspace with --package",) if place.workspace is not None else ()
        raise ConfigurationError(
            f"{place.pyproject_path} has no [project] table, so nothing but its groups can require anything",
            hints=(*members, "name a group with --group, or --dev"),
        )
    return place


@contextmanager
def _editing(place: Place) -> Iterator[tuple[ProjectFile, ...]]:
    """The project file, open for changes, and then that of the workspace's root, which may be the same; these and the lock
    are put back when anything goes wrong."""
    before = place.lock_path.read_bytes() if place.lock_path.exists() else None
    paths = dict.fromkeys((place.pyproject_path, place.root.pyproject_path))
    files = tuple(ProjectFile.open(path) for path in paths)
    try:
        yield files
    except BaseException:
        for file in files:
            file.restore()
        if before is not None:
            write_whole(place.lock_path, before)
        else:
            place.lock_path.unlink(missing_ok=True)
        raise


def _used_here(session: Session, root: Root) -> Root:
    """The same. The user info of its URL is used for this run, and not written: what is written is read by others."""
    url = root.url
    if url is None or url.username is None or has_variable(root.written):
        return root
    address = git_url.parse(url.public).url.public if git_url.is_git(url.public) else url.public
    session.credentials.use_for_this_run(Url(address, url.username, url.password))
    session.listener(
        Warned(
            f"the user info in the URL of `{root.name}` is not written to the project",
            f"`cove auth login {url.public.removeprefix('git+').partition('#')[0].rpartition('/')[0]}` keeps it where only "
            "you can read it",
        )
    )
    return root


def _bounded(session: Session, each: Addition, locked: Lock) -> Requirement | None:
    """``foo`` as ``foo>=1.2.3``, by the oldest version that is locked; ``None`` for what needs no bound."""
    if each.requirement.specifier or each.requirement.url or (each.source and "index" not in each.source):
        return None
    packages = [package for package in locked.packages if package.name == each.name]
    if not packages or any(package.source.kind != "registry" for package in packages):
        return None
    oldest = min(Version(package.version) for package in packages)
    return bounded(each.requirement, oldest, session.settings.add_bounds)


def _given_by_flags(session: Session) -> list[Index]:
    """The indexes that are written to the project, the default last."""
    typed = [index for index in session.indexes.all if index.origin.kind == "flag"]
    for name in sorted({index.origin.name for index in typed} - set(_WRITTEN_INDEXES)):
        session.listener(
            Warned(f"what `{name}` gives is not written to the project", "`--index` and `--default-index` are")
        )
    return sorted((index for index in typed if index.origin.name in _WRITTEN_INDEXES), key=lambda index: index.default)


def _selected(section: Section) -> Selection:
    """What was just added is installed too, wherever it was added."""
    return Selection(
        groups=(normalize(section.group),) if section.group else (),
        extras=(normalize(section.extra),) if section.extra else (),
    )


def _is_required(file: ProjectFile, name: Name) -> bool:
    from cove.formats import pyproject

    project = pyproject.parse(file.text, str(file.path))
    every = [project.dependencies, *project.optional_dependencies.values(), *project.dependency_groups.values()]
    return any(normalize(requirement.name) == name for several in every for requirement in several)


def _elsewhere(place: Place, name: Name) -> tuple[str, ...]:
    project = place.project
    hints = [
        f"it is required in the group `{group}`: `cove remove --group {group} {name}`"
        for group, several in project.dependency_groups.items()
        if any(normalize(requirement.name) == name for requirement in several)
    ]
    hints += [
        f"it is required in the extra `{extra}`: `cove remove --optional {extra} {name}`"
        for extra, several in project.optional_dependencies.items()
        if any(normalize(requirement.name) == name for requirement in several)
    ]
    return tuple(hints)
