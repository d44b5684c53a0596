"""Tools: programs that are each installed in an environment of their own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from cove.errors import NotInstalled, UsageError
from cove.formats.direct_url import Directory
from cove.formats.file_url import to_path
from cove.formats.locked_requirement import requirement_entry
from cove.formats.tool_receipt import Program, Receipt
from cove.install import discovery
from cove.install.installed import scan
from cove.install.interpreter import Interpreter, remember
from cove.install.plan import Plan, plan
from cove.install.wheel import Manifest
from cove.model.dataclasses import dataclass, replace
from cove.model.index import Index
from cove.model.lock import LockedRequirement
from cove.model.name import Name, is_valid_name, normalize
from cove.model.url import Url
from cove.operations.compile.requirement_files import build_limits
from cove.operations.environment.change import Want, change
from cove.operations.environment.obtain import obtain
from cove.operations.tool.shelf import Change, Shelf, Tool, is_on_path
from cove.operations.tool.spec import Asked, python_request
from cove.wiring import Session

_KEPT_OPTIONS = (
    "index-strategy", "keyring-provider", "resolution", "prerelease", "exclude-newer", "link-mode", "compile-bytecode",
    "no-build", "no-build-package", "no-binary", "no-binary-package",
)  # fmt: skip
"""Settings that a receipt keeps where they differ from their defaults, besides the indexes."""


@dataclass(frozen=True, slots=True)
class ToolInstalled:
    """What became of a tool: ``plan`` is ``None`` when it was there as asked. ``is_on_path`` tells whether its programs are
    found by their names."""

    tool: Tool
    plan: Plan | None
    programs_folder: Path
    is_on_path: bool


def list_tools(session: Session) -> list[Tool]:
    """Every tool, by name."""
    return Shelf.of(session).tools()


def uninstall_tools(session: Session, names: Sequence[str]) -> list[Tool]:
    """Remove the tools ``names``, all there are where it is empty; those that were removed.

    Raises ``NotInstalled``, with nothing removed, when one of them is not there.
    """
    shelf = Shelf.of(session)
    if not shelf.folder.is_dir() and not names:
        return []
    with shelf.changing():
        tools = [_present(shelf, name) for name in dict.fromkeys(names)] if names else shelf.tools()
        for tool in tools:
            shelf.check_place(tool.name)
        for tool in tools:
            with Change(shelf, tool.name) as changing:
                changing.unlink_all(tool.receipt.programs)
                changing.take_away()
                changing.commit()
    return tools


def _present(shelf: Shelf, text: str) -> Tool:
    tool = shelf.tool(normalize(text)) if is_valid_name(text) else None
    if tool is None:
        raise NotInstalled(f"the tool `{text}` is not installed", hints=("`cove tool list` lists those that are",))
    return tool


def install_tool(
    session: Session, asked: Asked, others: Sequence[Requirement] = (), *, force: bool = False
) -> ToolInstalled:
    """Install a tool and ``others`` beside it in an environment of its own, and make its programs reachable.

    A tool that is there as asked is left alone, without a request to any index; else what is asked for now replaces it, in
    the versions that are installed where they fit. ``force`` replaces files that have the names of its programs.
    Whatever fails, everything is as it was before: raises what resolving and installing raise, ``UsageError`` when the
    project brings no program, ``EnvironmentRefused`` when another file has the name of one.
    """
    shelf = Shelf.of(session)
    with shelf.changing():
        shelf.check_place(asked.name)
        installation = _Installation(session, shelf, asked, others, force=force)
        tool, made = installation.run()
    return ToolInstalled(tool, made, shelf.programs, is_on_path(shelf.programs, session.environ))


class _Installation:
    """One installation of one tool."""

    def __init__(
        self, session: Session, shelf: Shelf, asked: Asked, others: Sequence[Requirement], *, force: bool
    ) -> None:
        self._session = session
        self._shelf = shelf
        self._asked = asked
        self._force = force
        self._requirements = [asked.requirement, *others]
        self._before = shelf.tool(asked.name)
        self._folder = shelf.folder / asked.name
        self._request = python_request(session)

    def run(self) -> tuple[Tool, Plan | None]:
        name, session = self._asked.name, self._session
        base = present = discovery.reusable(
            self._folder, self._request, cache_dir=session.cache_dir, report=session.listener
        )
        if base is None:
            base = discovery.find_base(
                self._request, environ=session.environ, cache_dir=session.cache_dir, report=session.listener
            )
        limits = build_limits(session, base)
        receipt = Receipt(
            tuple(map(_entry, self._requirements)),
            session.settings.python or "",
            options=_options(session),
            build_constraints=tuple(requirement_entry(requirement) for requirement in limits.constraints),
        )
        if present is not None and self._before is not None and self._is_as_asked(self._before, receipt):
            return self._before, None
        wants = obtain(
            session,
            base,
            self._requirements,
            preferences=self._preferences(present),
            build_limits=limits,
        )
        programs = _programs(wants[name].wheel().manifest)
        if not programs:
            raise UsageError(
                f"`{name}` {wants[name].version} brings no program, so it is no tool",
                hints=("A library is installed with `cove add`, or beside a tool with `--with`.",),
            )
        known = self._before.receipt if self._before is not None else None
        self._shelf.check_programs(name, programs, known, force=self._force)
        made = self._plan(wants, present)
        receipt = replace(
            receipt,
            programs=tuple(Program(program, str(self._shelf.place_of(program)), name) for program in programs),
            options=_options(session, asks_credentials=True),
        )
        self._change(base, None if made.is_empty else wants, receipt)
        return Tool(name, wants[name].version, self._folder, receipt), made

    def _is_as_asked(self, before: Tool, receipt: Receipt) -> bool:
        settings = self._session.settings
        wants_more = settings.upgrade or settings.upgrade_package or settings.reinstall or settings.reinstall_package
        if wants_more or self._force or self._asked.latest or not before.version:
            return False
        if any(requirement.url and requirement.url.startswith("file:") for requirement in self._requirements):
            return False  # what lies there may have changed
        then, now = before.receipt, receipt
        return (
            (then.requirements, then.python, then.build_constraints)
            == (now.requirements, now.python, now.build_constraints)
            and _without_authenticate(then.options) == _without_authenticate(now.options)
            and all(self._shelf.is_link(Path(each.install_path), before.name) for each in then.programs)
        )

    def _preferences(self, present: Interpreter | None) -> dict[Name, Version]:
        settings = self._session.settings
        if present is None or settings.upgrade:
            return {}
        newer = {*settings.upgrade_package, *([self._asked.name] if self._asked.latest else [])}
        kept = {}
        for name, installed in scan(present.sites).items():
            if name not in newer:
                try:
                    kept[name] = Version(installed.version)
                except InvalidVersion:
                    continue  # no index has it, so nothing is lost by not preferring it
        return kept

    def _plan(self, wants: Mapping[Name, Want], present: Interpreter | None) -> Plan:
        settings = self._session.settings
        folders = {name for name, want in wants.items() if want.direct and isinstance(want.direct.info, Directory)}
        return plan(
            (want.as_wanted() for want in wants.values()),
            scan(present.sites) if present is not None else {},
            reinstall="all" if settings.reinstall else frozenset({*settings.reinstall_package, *folders}),
        )

    def _change(self, base: Interpreter, wants: Mapping[Name, Want] | None, receipt: Receipt) -> None:
        """Make a new environment for ``wants`` (keep the one that is there for ``None``), link its programs, write the
        receipt."""
        with Change(self._shelf, self._asked.name) as changing:
            interpreter = base
            if wants is not None:
                interpreter = changing.environment(base)
                change(self._session, interpreter, wants.values())
            scripts = Path(interpreter.paths["scripts"])
            if self._before is not None:
                changing.unlink_all(self._before.receipt.programs)
            for program in receipt.programs:
                place = self._shelf.place_of(program.name)
                changing.link(program.name, scripts / place.name)
            changing.receipt(receipt)
            changing.commit()
        remember(interpreter, self._session.cache_dir)


def _entry(requirement: Requirement) -> LockedRequirement:
    """A requirement as a receipt has it: what lies on this machine by its path."""
    url = Url.parse(requirement.url) if requirement.url else None
    if url is None or url.scheme != "file":
        return requirement_entry(requirement)
    path = to_path(url.path)
    return requirement_entry(requirement, source=("directory" if Path(path).is_dir() else "path", path))


def _programs(manifest: Manifest) -> list[str]:
    """The commands and scripts that a wheel brings, by name."""
    folder = f"{manifest.dist_info.removesuffix('.dist-info')}.data/scripts/"
    scripts = [file.path.removeprefix(folder) for file in manifest.files if file.path.startswith(folder)]
    return sorted({*(entry.name for entry in manifest.scripts), *(name for name in scripts if "/" not in name)})


# -- options of a receipt ------------------------------------------------------------------------------------------------


def _options(session: Session, *, asks_credentials: bool = False) -> dict[str, object]:
    """The settings that decide what is installed, by uv's keys. No credential is ever among them: an index for which one
    is known is marked ``authenticate = "always"``, as uv does."""
    settings, found = session.settings, session.indexes
    options: dict[str, object] = {}
    indexes = [
        _index_entry(index, needs=asks_credentials and _has_credential(session, index))
        for index in found.all
        if index.origin.kind != "default"
    ]
    if indexes:
        options["index"] = indexes
    if found.no_index:
        options["no-index"] = True
    if found.find_links:
        options["find-links"] = [index.url.public for index in found.find_links]
    for key in _KEPT_OPTIONS:
        value = getattr(settings, key.replace("-", "_"))
        if value and settings.origin(key).kind != "default":
            options[key] = list(value) if isinstance(value, tuple) else value
    return options


def _has_credential(session: Session, index: Index) -> bool:
    return index.url.scheme != "file" and session.credentials.for_index(index) is not None


def _index_entry(index: Index, *, needs: bool) -> dict[str, object]:
    entry: dict[str, object] = {"name": index.name} if index.name else {}
    return entry | {
        "url": index.written_url or index.url.public,
        "explicit": index.explicit,
        "default": index.default,
        "format": index.format,
        "authenticate": "always" if needs else index.authenticate,
    }


def _without_authenticate(options: Mapping[str, object]) -> dict[str, object]:
    """Whether credentials were known then and are now does not make it another installation."""
    indexes = options.get("index")
    if not isinstance(indexes, list):
        return dict(options)
    plain = [
        {key: value for key, value in entry.items() if key != "authenticate"} if isinstance(entry, Mapping) else entry
        for entry in indexes
    ]
    return {**options, "index": plain}
