"""Adding requirements to a project and removing them: edit, lock, install; or leave everything as it was."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from cove.config.atomic import write_whole
from cove.config.edit import ProjectFile
from cove.errors import ConfigurationError, NotInstalled, UsageError
from cove.model.dataclasses import dataclass
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.lock import Lock
from cove.model.name import Name, normalize
from cove.model.url import Url
from cove.operations.lock import lock
from cove.operations.project import Place, locate, place_at
from cove.operations.sync import Selection, Synced, sync
from cove.wiring import Session

_LINK = re.compile(r"(?P<vcs>\w+\+)?(?P<url>https?://(?P<user_info>[^/?#]*)@.*)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of the project. ``synced`` is ``None`` when nothing was to be installed."""

    requirements: tuple[str, ...]
    lock: Lock | None
    synced: Synced | None


def add(
    session: Session,
    requirements: Sequence[str],
    *,
    group: str = "",
    extra: str = "",
    package: str = "",
    raw: bool = False,
    installs: bool = True,
) -> Edited:
    """Add ``requirements`` (PEP 508 texts) to the project (or the member ``package``), or to one of its groups or extras.

    One without a version gets the locked version as its lower bound, unless ``raw``. Indexes given by flags are written to
    the project, without credentials; where just one is given and it has a name, what is added is pinned to it. Indexes of
    variables are used and not written: a variable is a matter of this machine. On any failure every file is as it was.
    """
    place = _project(session, package)
    parsed = [_without_secrets(session, _parse(text)) for text in requirements]
    with _editing(place) as file:
        indexes = _given_by_flags(session)
        for index in reversed(indexes):
            file.add_index(index)
        pinned_to = indexes[0].name if len(indexes) == 1 else ""
        for requirement in parsed:
            file.add_dependency(str(requirement), group=group, extra=extra)
            if _is_other_member(place, requirement):
                file.take_from_workspace(normalize(requirement.name))
            elif pinned_to:
                file.pin(normalize(requirement.name), pinned_to)
        file.write()
        if session.settings.frozen:
            return Edited(tuple(map(str, parsed)), None, None)
        place = place_at(place.folder)
        locked = lock(session, place).lock
        if not raw:
            bounded = [_bounded(requirement, locked) for requirement in parsed]
            if bounded != parsed:
                for requirement in bounded:
                    file.add_dependency(str(requirement), group=group, extra=extra)
                file.write()
                parsed, place = bounded, place_at(place.folder)
        return _finish(session, place, parsed, _selected(group, extra), installs=installs)


def remove(
    session: Session,
    names: Sequence[str],
    *,
    group: str = "",
    extra: str = "",
    package: str = "",
    installs: bool = True,
) -> Edited:
    """Remove the requirements for ``names``; raises ``NotInstalled`` when the project does not ask for one of them there."""
    place = _project(session, package)
    with _editing(place) as file:
        for text in names:
            name = normalize(text)
            if not file.remove_dependency(name, group=group, extra=extra):
                raise NotInstalled(
                    f"{place.pyproject_path} does not require `{name}` in {_where(group, extra)}",
                    hints=_elsewhere(place, name),
                )
            if not _is_required(file, name):
                file.unpin(name)
        file.write()
        if session.settings.frozen:
            return Edited(tuple(names), None, None)
        return _finish(session, place_at(place.folder), [], Selection(), installs=installs, named=tuple(names))


def _finish(
    session: Session,
    place: Place,
    requirements: Sequence[Requirement],
    selection: Selection,
    *,
    installs: bool,
    named: tuple[str, ...] = (),
) -> Edited:
    texts = named or tuple(map(str, requirements))
    if not installs:
        return Edited(texts, lock(session, place).lock, None)
    synced = sync(session, selection, place=place)
    return Edited(texts, synced.locked.lock, synced)


def _project(session: Session, package: str) -> Place:
    place = locate(session, package)
    if not place.project.name:
        raise ConfigurationError(
            f"{place.pyproject_path} has no [project] table, so nothing can be required there",
            hints=("name a member of the workspace with --package",),
        )
    return place


def _is_other_member(place: Place, requirement: Requirement) -> bool:
    """Whether a project of the same workspace is meant, which no source has been given for."""
    name = normalize(requirement.name)
    if requirement.url or place.workspace is None or name == place.project.name or name in place.project.sources:
        return False
    return any(member.project.name == name for member in place.members)


@contextmanager
def _editing(place: Place) -> Iterator[ProjectFile]:
    """The project file, open for changes; it and the lock are put back when anything goes wrong."""
    before = place.lock_path.read_bytes() if place.lock_path.exists() else None
    file = ProjectFile.open(place.pyproject_path)
    try:
        yield file
    except BaseException:
        file.restore()
        if before is not None:
            write_whole(place.lock_path, before)
        else:
            place.lock_path.unlink(missing_ok=True)
        raise


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            "a requirement cannot be read", causes=(reason,), hints=("write it as `name`, `name>=1.0` or `name @ URL`",)
        ) from None


def _without_secrets(session: Session, requirement: Requirement) -> Requirement:
    """The requirement without the user info of its URL: what is written is read by others. For this run it is used."""
    link = _LINK.fullmatch(requirement.url or "")
    if link is None or not _VARIABLE.sub("", link["user_info"]).strip(":"):
        return requirement
    try:
        url = Url.parse(link["url"])
    except ValueError as error:
        raise UsageError(f"the URL of `{requirement.name}` cannot be used: {error}") from None
    if not link["vcs"]:
        session.credentials.use_for_this_run(url)
    session.listener(
        Warned(
            f"the user info in the URL of `{requirement.name}` is not written to the project",
            f"`cove auth login {url.public.partition('#')[0].rpartition('/')[0]}` keeps it where only you can read it",
        )
    )
    public = Requirement(str(requirement))
    public.url = f"{link['vcs'] or ''}{url.public}"
    return public


def _bounded(requirement: Requirement, locked: Lock) -> Requirement:
    """``foo`` as ``foo>=1.2.3``, what is locked; a local version is no bound."""
    if requirement.specifier or requirement.url:
        return requirement
    name = normalize(requirement.name)
    package = next((package for package in locked.packages if package.name == name), None)
    if package is None or package.source.kind != "registry":
        return requirement
    bounded = Requirement(str(requirement))
    bounded.specifier &= f">={Version(package.version).public}"
    return bounded


def _given_by_flags(session: Session) -> list[Index]:
    return [index for index in session.indexes.all if index.origin.kind == "flag"]


def _selected(group: str, extra: str) -> Selection:
    """What was just added is installed too, wherever it was added."""
    return Selection(groups=(normalize(group),) if group else (), extras=(normalize(extra),) if extra else ())


def _is_required(file: ProjectFile, name: Name) -> bool:
    from cove.formats import pyproject

    project = pyproject.parse(file.text, str(file.path))
    every = [project.dependencies, *project.optional_dependencies.values(), *project.dependency_groups.values()]
    return any(normalize(requirement.name) == name for several in every for requirement in several)


def _where(group: str, extra: str) -> str:
    if group:
        return f"the group `{group}`"
    return f"the extra `{extra}`" if extra else "its dependencies"


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
