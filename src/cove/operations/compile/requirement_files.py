"""What the pip commands are asked for: requirements as arguments, and the files that hold them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from cove.config.merge import with_fallback
from cove.config.settings import Given
from cove.errors import ConfigurationError, UsageError
from cove.formats import requirements_txt
from cove.formats.file_url import to_path
from cove.formats.pylock_name import is_pylock
from cove.formats.requirements_txt import Entry, Requirements
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass, field
from cove.model.dist import SdistName, WheelName, parse_filename
from cove.model.name import Name, normalize
from cove.model.origin import Origin
from cove.model.url import Url
from cove.operations.build.environment import BuildLimits
from cove.operations.compile.inputs import Inputs
from cove.operations.project.locations import full_text, without_marks
from cove.operations.project.project import Place
from cove.operations.project.project import read as read_project
from cove.operations.project.requirements import Asked, asked_by
from cove.operations.resolution.policy import configured, upgrade_limits
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.operations.resolution.workbench import Workbench

_VARIABLE = r"\$\{[A-Z0-9_]+\}"
_WORKSPACE = "(workspace)"  # as uv calls what limits all members of one
_USERINFO = re.compile(r"(?<=://)[^/?#]*@")
_UNEXPANDED = re.compile(rf"(?:{_VARIABLE}@|[^/:@]*:{_VARIABLE}@)")


@dataclass(frozen=True, slots=True)
class Root:
    """A requirement with its name; a direct one has an absolute URL without user info, which ``url`` has.

    ``via`` says in which file it is written, ``where`` also on which line. ``digests`` (``sha256:…``) are those of the files
    that may be taken. ``written`` is the location as a compiled file shall have it, without secrets.
    """

    requirement: Requirement
    via: str = ""
    digests: frozenset[str] = frozenset()
    editable: bool = False
    written: str = ""
    url: Url | None = None
    where: str = ""

    @property
    def name(self) -> Name:
        """Normalised."""
        return normalize(self.requirement.name)


@dataclass(frozen=True, slots=True)
class Demand:
    """Everything that is asked for. ``session`` has what the files say of indexes added below all other settings; ``written``
    maps URLs of indexes to their text with variables; ``pins`` maps projects to names of indexes."""

    session: Session
    roots: tuple[Root, ...]
    constraints: tuple[Root, ...] = ()
    overriding: tuple[Root, ...] = ()
    excludes: frozenset[Name] = frozenset()
    build_limits: BuildLimits = BuildLimits()
    pins: Mapping[Name, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def overrides(self) -> tuple[Requirement, ...]:
        """What replaces requirements of these names, whoever states them."""
        return tuple(root.requirement for root in self.overriding)

    @property
    def editable(self) -> frozenset[Name]:
        """The projects that are installed in place."""
        return frozenset(root.name for root in self.roots if root.editable)

    def digests(self) -> dict[Name, frozenset[str]]:
        """The digests that are required of each project's files; none with ``--no-verify-hashes``."""
        return _digests(self.session, (*self.roots, *self.constraints))


def read(session: Session, inputs: Inputs, interpreter: Interpreter | Callable[[], Interpreter]) -> Demand:
    """All that ``inputs`` ask for; a distribution that has no name in sight is built or fetched to learn it, with
    ``interpreter``, or what it gives when it is called.

    Raises ``ConfigurationError`` naming file and line, ``UsageError`` for options that fit no file.
    """
    return _Reader(session, inputs, interpreter).demand()


def build_limits(session: Session, interpreter: Interpreter) -> BuildLimits:
    """What limits builds where nothing else is read. Raises as ``read`` does."""
    files = session.settings.build_constraint
    return _Reader(session, Inputs(build_constraints=files), interpreter).demand().build_limits


def text_of(session: Session, path: str, interpreter: Interpreter) -> str:
    """The text of a file given by path or URL. Raises ``ConfigurationError`` and what a failed request raises."""
    return _Reader(session, Inputs(), interpreter).text(path)


def public_location(text: str, written: Mapping[str, str]) -> str:
    """A URL as it may be written: with its variables where its user info is made of them, else without user info."""
    raw = written.get(text, text)
    userinfo = _USERINFO.search(raw)
    if userinfo is not None and _UNEXPANDED.fullmatch(userinfo.group()):
        return raw
    return Url.parse(text).public if raw == text else _USERINFO.sub("", raw, count=1)


class _Reader:
    def __init__(self, session: Session, inputs: Inputs, interpreter: Interpreter | Callable[[], Interpreter]) -> None:
        self._session = session
        self._inputs = inputs
        self._base = interpreter
        self._limits = BuildLimits()
        self._pins: dict[Name, str] = {}
        self._written: dict[str, str] = {}
        self._userinfo: dict[tuple[str, str, int | None], Url] = {}

    def demand(self) -> Demand:
        inputs = self._inputs
        plain = [path for path in inputs.files if not _is_project(path)]
        projects = [path for path in inputs.files if _is_project(path)]
        if (inputs.extras or inputs.all_extras) and not projects:
            raise UsageError(
                "extras belong to a pyproject.toml, and none is given", hints=("write them as `name[extra]`",)
            )
        files = {path: self._parsed(path) for path in plain}
        limits = {path: self._parsed(path) for path in inputs.constraints}
        replaced = {path: self._parsed(path) for path in inputs.overrides}
        left_out = {path: self._parsed(path) for path in inputs.excludes}
        building = {path: self._parsed(path) for path in inputs.build_constraints}
        everything = {**files, **limits, **replaced, **left_out, **building}
        self._session = _with_options(self._session, everything)
        for found in everything.values():
            self._written |= found.written
        self._limits = self._build_limits(building.values(), projects)
        typed = [*self._typed(inputs.arguments), *(f"-e {path}" for path in inputs.editables)]
        roots = [
            root for text in typed for root in self._roots(requirements_txt.parse(text, "", read=self.text, environ={}))
        ]
        for found in files.values():
            roots += self._roots(found)
        limiting = [self._root(entry) for found in files.values() for entry in found.constraints]
        limiting += [self._root(each) for found in limits.values() for each in (*found.entries, *found.constraints)]
        settings = self._session.settings
        limiting += [Root(each, where="`--upgrade-package`") for each in upgrade_limits(settings)]
        overriding = [self._root(entry) for found in replaced.values() for entry in found.entries]
        excluded = {self._root(entry).name for found in left_out.values() for entry in found.entries}
        excluded.update(settings.exclude_dependencies)
        constraints = configured(settings, "constraint-dependencies")
        overrides = configured(settings, "override-dependencies")
        for path in projects:
            place, asked = self._project(path)
            roots += self._of_project(path, place, asked)
            constraints += place.project.constraint_dependencies
            overrides += place.project.override_dependencies
            excluded.update(place.project.exclude_dependencies)
        limiting += [Root(each, _WORKSPACE, where="`constraint-dependencies`") for each in dict.fromkeys(constraints)]
        overriding += [Root(each, _WORKSPACE, where="`override-dependencies`") for each in dict.fromkeys(overrides)]
        for group in inputs.groups:
            roots += self._of_group(group)
        self._check_extras(projects)
        return Demand(
            self._session,
            tuple(roots),
            tuple(limiting),
            tuple(overriding),
            frozenset(excluded),
            self._limits,
            self._pins,
            self._written,
        )

    # -- files

    def _parsed(self, path: str) -> Requirements:
        if PurePath(path).name in ("setup.py", "setup.cfg"):
            raise UsageError(f"`{path}` is no requirements file", hints=("require the folder it is in: `.`",))
        if is_pylock(path):
            raise UsageError(
                f"`{path}` is a lock, which lists what is to be installed and not what is required",
                hints=("`cove pip install -r` and `cove pip sync` install it",),
            )
        shown = requirements_txt.without_userinfo(path)
        return requirements_txt.parse(self.text(path), shown, read=self.text, environ=self._session.environ)

    def text(self, path: str) -> str:
        """That of a file, by path relative to the working folder or by URL; ``-`` is standard input."""
        if path == "-":
            return self._inputs.stdin
        if path.startswith(("http://", "https://")):
            return self._download(_url_of_file(path))
        place = Path(to_path(Url.parse(path).path)) if path.startswith("file://") else self._session.cwd / path
        try:
            return place.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"the file `{path}` is not UTF-8: byte {error.start} cannot be decoded") from None
        except OSError as error:
            raise ConfigurationError(f"the file `{path}` cannot be read: {error.strerror}") from error

    def _download(self, url: Url) -> str:
        from cove.http.status import error_for

        if url.username is not None:  # files that this one includes are named without it
            self._userinfo[url.realm] = url
        elif (known := self._userinfo.get(url.realm)) is not None:
            url = Url(url.public, known.username, known.password)
        response = self._session.client.get(url)
        try:
            if response.status != 200:
                raise error_for(response, subject=url.filename or str(url), index=None)
            return b"".join(response.body.chunks()).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{url} is not UTF-8 text") from None
        finally:
            response.body.close()

    def _typed(self, arguments: Iterable[str]) -> Iterator[str]:
        """Arguments as lines of a file. A path needs no ``./`` where it is there."""
        for text in arguments:
            is_path = "/" in text and "://" not in text and "@" not in text
            place = str(Path(text).expanduser()) if is_path and text.startswith("~/") else text
            yield f"./{place}" if is_path and not place.startswith((".", "/")) and self._exists(place) else place

    def _exists(self, text: str) -> bool:
        return (self._session.cwd / text.partition("[")[0]).exists()

    # -- requirements

    def _roots(self, found: Requirements) -> list[Root]:
        return [self._root(entry) for entry in found.entries]

    def _root(self, entry: Entry) -> Root:
        path = entry.where.rpartition(":")[0]
        via = f"-r {path}" if path else ""
        requirement = entry.requirement
        if requirement is not None and not requirement.url:
            return Root(requirement, via, frozenset(entry.hashes), where=entry.where)
        text = (requirement.url or "") if requirement is not None else entry.location
        url = self._url(text, entry)
        written = public_location(text, self._written) if "://" in text else text
        if requirement is None:
            extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
            requirement = Requirement(f"{self._name_of(url, text)}{extras} @ {url}")
        return Root(_at(requirement, url), via, frozenset(entry.hashes), entry.editable, written, url, entry.where)

    def _url(self, text: str, entry: Entry) -> Url:
        """A URL or path as an absolute URL; digests that follow it become its fragment, which installing checks."""
        if "://" in text:
            try:
                url = Url.parse(text)
            except ValueError as error:
                raise ConfigurationError(f"{entry.where or 'argument'}: the URL cannot be used: {error}") from None
        else:
            path = (self._session.cwd / Path(text.removeprefix("file:")).expanduser()).absolute()
            url = Url.parse(path.resolve().as_uri() if path.is_dir() else path.as_uri())
        if entry.hashes and not self._session.settings.no_verify_hashes:
            return _with_digests(url, entry)
        return url

    def _name_of(self, url: Url, text: str) -> Name:
        """The project at a place that is given without a name."""
        path = Path(to_path(url.path)) if url.scheme == "file" else None
        if path is not None and path.is_dir():
            if not any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
                raise UsageError(f"{path} is no project: it has neither a pyproject.toml nor a setup.py")
            if (path / "pyproject.toml").is_file() and (name := read_project(path).project.name):
                return name
        else:
            parsed = parse_filename(url.filename)
            if isinstance(parsed, WheelName) or (isinstance(parsed, SdistName) and _is_version(parsed.version)):
                return parsed.name
        label = text if "://" not in text else str(url)
        return self._bench().direct_at(url, label).metadata.name

    @cached_property
    def _interpreter(self) -> Interpreter:
        return self._base() if callable(self._base) else self._base

    def _bench(self) -> "Workbench":
        from cove.operations.resolution.workbench import Workbench

        return Workbench(self._session, self._interpreter, build_limits=self._limits)

    # -- builds

    def _build_limits(self, files: Iterable[Requirements], projects: Iterable[str]) -> BuildLimits:
        """What ``files``, ``projects`` and the configuration say of what builds require."""
        session = self._session
        roots = [self._root(entry) for found in files for entry in found.entries]
        stated = [*(root.requirement for root in roots), *configured(session.settings, "build-constraint-dependencies")]
        stated += [each for path in projects for each in self._project(path)[0].project.build_constraint_dependencies]
        return BuildLimits(tuple(dict.fromkeys(stated)), _digests(session, roots))

    # -- projects

    def _project(self, path: str) -> tuple[Place, Asked]:
        folder = (self._session.cwd / path).parent
        if not (self._session.cwd / path).is_file():
            raise ConfigurationError(f"the file `{path}` cannot be read: there is none")
        place, settings = read_project(folder), self._session.settings
        asked = asked_by(
            place,
            self._session.indexes,
            no_sources=None if settings.no_sources else settings.no_sources_package,
            markers=self._interpreter.target.markers,
        )
        self._pins |= asked.pins
        return place, asked

    def _of_project(self, path: str, place: Place, asked: Asked) -> Iterator[Root]:
        if "dependencies" in place.project.dynamic:
            raise ConfigurationError(
                f"`{path}` leaves its dependencies to its build backend",
                hints=("require the project itself: a path to its folder",),
            )
        extras = tuple(asked.extras) if self._inputs.all_extras else self._inputs.extras
        several = [asked.dependencies, *(asked.extras[extra] for extra in extras if extra in asked.extras)]
        via = _stated_in(place, path)
        for requirement in (each for part in several for each in part):
            yield self._located(requirement, asked, via)

    def _of_group(self, text: str) -> Iterator[Root]:
        path, _, name = text.rpartition(":")
        place, asked = self._project(path or "pyproject.toml")
        group = normalize(name)
        if group not in asked.groups:
            listed = ", ".join(f"`{each}`" for each in asked.groups) or "none"
            raise ConfigurationError(f"{place.pyproject_path} has no group `{group}`", hints=(f"it has {listed}",))
        for requirement in asked.groups[group]:
            yield self._located(requirement, asked, _stated_in(place, f"{path or 'pyproject.toml'}:{group}"))

    def _located(self, requirement: Requirement, asked: Asked, via: str) -> Root:
        if not requirement.url:
            return Root(requirement, via, where=via)
        locals_, url = asked.locals.get(normalize(requirement.name), ()), Url.parse(requirement.url)
        is_editable = any(each.url == requirement.url and each.is_editable for each in locals_)
        written = without_marks(url).public
        return Root(_at(requirement, url), via, editable=is_editable, written=written, url=url, where=via)

    def _check_extras(self, projects: Iterable[str]) -> None:
        offered = {extra for path in projects for extra in self._project(path)[1].extras}
        for extra in self._inputs.extras:
            if extra not in offered:
                listed = ", ".join(f"`{each}`" for each in sorted(offered)) or "none"
                raise ConfigurationError(f"the project has no extra `{extra}`", hints=(f"it has {listed}",))


def _url_of_file(text: str) -> Url:
    try:
        return Url.parse(text)
    except ValueError as error:
        raise ConfigurationError(f"the URL of a requirements file cannot be used: {error}") from None


def _is_project(path: str) -> bool:
    return PurePath(path).name == "pyproject.toml"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _at(requirement: Requirement, url: Url) -> Requirement:
    located = Requirement(str(requirement))
    located.url = url.public
    return located


def full_urls(roots: Iterable[Root]) -> dict[str, str]:
    """The URLs of the direct ones among ``roots``, as their requirements have them, each with its user info."""
    return {root.requirement.url: full_text(root.url) for root in roots if root.url and root.requirement.url}


def _with_digests(url: Url, entry: Entry) -> Url:
    stated = {digest.partition(":")[0]: digest.partition(":")[2] for digest in entry.hashes}
    if len(stated) != len(entry.hashes):
        raise ConfigurationError(f"{entry.where}: a URL leads to one file, which has one digest of each kind")
    fragment = "&".join(f"{algorithm}={digest}" for algorithm, digest in sorted(stated.items()))
    bare, _, present = url.public.partition("#")
    given = dict(part.split("=", 1) for part in present.split("&") if "=" in part)
    if any(given.get(algorithm, digest) != digest for algorithm, digest in stated.items()):
        raise ConfigurationError(f"{entry.where}: the digest in the URL is not the one that follows it")
    joined = "&".join(part for part in (present, fragment) if part) if not stated.keys() & given.keys() else fragment
    return Url(f"{bare}#{joined}", url.username, url.password)


# -- options -----------------------------------------------------------------------------------------------------------


def _with_options(session: Session, files: Mapping[str, Requirements]) -> Session:
    """The session with what files say of indexes and the like, below all other settings."""
    folder = session.cwd.as_uri() + "/"
    tier: dict[str, tuple[Given, ...]] = {}
    for path, found in files.items():
        origin = Origin("file", requirements_txt.without_userinfo(path))
        lists = {
            "extra-index-url": found.extra_index_urls,
            "find-links": found.find_links,
            "pip-no-binary": found.no_binary,
            "pip-only-binary": found.only_binary,
        }
        for name, items in lists.items():
            if items:
                tier[name] = (*tier.get(name, ()), *(Given(item, origin, folder) for item in items))
        single = {"index-url": found.index_url, "no-index": found.no_index, "require-hashes": found.require_hashes}
        for name, value in {**single, "prerelease": "allow" if found.pre else ""}.items():
            if not value:
                continue
            if name == "index-url" and tier.get(name, (Given(value, origin),))[0].value != value:
                first = tier[name][0].origin
                raise ConfigurationError(f"{origin} and {first} give different values of --index-url")
            tier.setdefault(name, (Given(value, origin, folder),))
    return session.with_settings(with_fallback(session.settings, tier)) if tier else session


def _digests(session: Session, roots: Iterable[Root]) -> dict[Name, frozenset[str]]:
    found: dict[Name, frozenset[str]] = {}
    if not session.settings.no_verify_hashes:
        for root in roots:
            if root.digests:
                found[root.name] = found.get(root.name, frozenset()) | root.digests
    return found


def _stated_in(place: Place, where: str) -> str:
    """How a compiled file calls a part of a project."""
    return f"{place.project.name} ({where})" if place.project.name else f"({where})"
