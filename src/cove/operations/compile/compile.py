"""Compiling requirements: everything they come to, pinned, as the text of a requirements file."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.config.indexes import Indexes
from cove.config.settings import AnnotationStyle
from cove.errors import ConfigurationError, UsageError
from cove.formats import requirements_txt
from cove.formats.pylock_name import Format, is_pylock
from cove.formats.requirements_txt import write
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass, replace
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.target import Target
from cove.model.url import Url
from cove.operations.compile.inputs import Inputs
from cove.operations.compile.remembered import Remembered, Result
from cove.operations.compile.requirement_files import Demand, public_location, read
from cove.operations.resolution.policy import ALL, in_force
from cove.wiring import Begun, Session


@dataclass(frozen=True, slots=True)
class Form:
    """What the compiled file is to hold besides pins. ``header`` is the command shown in it, empty for none; ``environment``
    asks for a comment on where it is good, ``markers`` for those of every line."""

    header: str = ""
    format: Format = "requirements.txt"
    annotations: bool = True
    annotation_style: AnnotationStyle = "split"
    hashes: bool = False
    index_url: bool = False
    find_links: bool = False
    build_options: bool = False
    index_annotations: bool = False
    environment: bool = False
    extras: bool = False
    markers: bool = False
    leave_out: tuple[Name, ...] = ()

    def told_of(self, names: Iterable[Name]) -> frozenset[Name]:
        """Which of ``names`` are left out, if that is to be told."""
        return frozenset(self.leave_out).intersection(names) if self.annotations else frozenset()


def compile_requirements(
    session: Session,
    inputs: Inputs,
    form: Form,
    begun: Begun[Interpreter],
    *,
    output: Path | None = None,
    python_version: str = "",
    platform: str = "",
    universal: bool = False,
    no_deps: bool = False,
    remembered: Remembered | None = None,
    fingerprint: str | None = None,
) -> str:
    """The text of the file that pins what ``inputs`` come to, for one target or with ``universal`` for all platforms
    and every Python from this one on; ``platform`` is another one than the interpreter's. ``begun`` finds the
    interpreter that it is for.

    What ``output`` pins already is preferred. The result is ``remembered``, if it depends on nothing but its
    ``fingerprint`` and what indexes say. Raises what reading and resolving raise.
    """
    interpreter = begun.result()
    target = target_for(interpreter.target, python_version)
    if platform:
        from cove.operations.resolution.platforms import on_platform

        target = on_platform(target, platform)
    demand = read(session, inputs, interpreter)
    plain = (root for root in demand.roots if root.url is None and root.requirement.marker is None)
    demand.session.ask_ahead((root.name for root in plain if root.name not in demand.excludes), demand.pins)
    from cove.operations.compile.compilation import Compilation
    from cove.operations.compile.hash_checking import check_digests

    check_digests(demand, demand.roots)
    maker = Compilation(demand, interpreter, target, _range(target) if universal else None, follow=not no_deps)
    found = maker.resolve(_pinned(output, demand))
    if form.format == "pylock.toml":
        from cove.operations.compile.pylock import whole

        python = _range(target) if universal else SpecifierSet(f">={python_version or target.python}")
        text = whole(demand, found, form, python, output.parent if output is not None else session.cwd)
    else:
        text = write(
            maker.pins(found, form),
            header=form.header,
            environment=maker.environment(found) if form.environment and not universal else "",
            options=_options(demand, form),
            on_one_line=form.annotation_style == "line",
            left_out=form.told_of(each.resolved.name for each in found),
        )
    if remembered is not None:
        is_final = fingerprint is not None and maker.is_repeatable
        remembered.keep(Result(fingerprint, text, len(found)) if is_final and fingerprint else None)
    return text


# -- targets -----------------------------------------------------------------------------------------------------------


def target_for(own: Target, python_version: str) -> Target:
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
    if is_pylock(output.name):
        return _locked(text, output, settings.upgrade_package)
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


def _locked(text: str, output: Path, upgraded: Iterable[Name]) -> dict[Name, Version]:
    from cove.formats import pylock

    lock = pylock.parse(text, str(output))
    return {
        normalize(each.name): each.version
        for each in lock.packages
        if each.version is not None and normalize(each.name) not in upgraded
    }


# -- what stands above the pins ----------------------------------------------------------------------------------------


def _options(demand: Demand, form: Form) -> Iterator[str]:
    yield from index_options(
        demand.session.indexes,
        lambda index: _public(index, demand),
        index_url=form.index_url,
        find_links=form.find_links,
    )
    if form.build_options:
        settings = demand.session.settings
        yield from (f"--no-binary {name}" for name in in_force(settings.pip_no_binary))
        only = (ALL,) if settings.no_build else in_force(settings.pip_only_binary)
        yield from (f"--only-binary {name}" for name in only)


def index_options(
    found: Indexes, public: Callable[[Index], str], *, index_url: bool, find_links: bool
) -> Iterator[str]:
    """The lines of a requirements file on indexes; ``public`` gives the address of one without secrets."""
    if index_url:
        if found.no_index:
            yield "--no-index"
        elif found.default is not None:
            yield f"--index-url {public(found.default)}"
        for index in found.search:
            if index != found.default and index.format == "simple":
                yield f"--extra-index-url {public(index)}"
    if find_links:
        for index in found.find_links:
            yield f"--find-links {public(index)}"


def _public(index: Index, demand: Demand) -> str:
    for text in demand.written:
        if "://" in text and Url.parse(text) == index.url:
            return public_location(text, demand.written)
    return public_address(index)


def public_address(index: Index) -> str:
    """The address of an index with its variables, else without user info."""
    # Others that read requirements files know ``${NAME}``, but no defaults in it.
    return index.written_url if index.written_url and ":-" not in index.written_url else index.url.public
