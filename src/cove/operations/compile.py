"""Compiling requirements: everything they come to, pinned, as the text of a requirements file."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.config.atomic import write_whole
from cove.errors import ConfigurationError, UsageError
from cove.formats import requirements_txt
from cove.formats.requirements_txt import write
from cove.install.discovery import find_base, parse_request
from cove.install.environment import executable_in, is_environment
from cove.install.interpreter import Interpreter, probe
from cove.model.dataclasses import dataclass, replace
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.model.url import Url
from cove.operations.requirement_files import Demand, Inputs, public_location, read
from cove.wiring import Session


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
    session.get_ready()
    interpreter = _interpreter(session)
    target = _target(interpreter.target, python_version)
    demand = read(session, inputs, interpreter)
    plain = (root for root in demand.roots if root.url is None and root.requirement.marker is None)
    demand.session.ask_ahead((root.name for root in plain), demand.pins)
    from cove.operations.compilation import Compilation
    from cove.operations.install import check_all_have_digests, check_digests

    check_digests(demand, demand.roots)
    maker = Compilation(demand, interpreter, target, _range(target) if universal else None, follow=not no_deps)
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
