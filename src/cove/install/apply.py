"""Changing an environment: all of it, or nothing."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cove.config import file_lock
from cove.errors import CoveError, EnvironmentRefused, InvalidArtifact
from cove.formats import direct_url, wheel_record
from cove.install.site import Bounds, Journal, LinkMode, Site, Written
from cove.install.store import StoredWheel
from cove.install.wheel import LOCK_FILE, Link, Scheme, Steps, steps
from cove.model.dataclasses import dataclass
from cove.model.event import Advanced, Finished, Listener, Noted, Started, Warned, ignore

_LOCK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Addition:
    """A wheel to install; ``requested`` when a person asked for the project by name, ``direct`` when from a URL (PEP 610),
    with ``local_state`` where that is a folder: what tells whether it must be built again."""

    wheel: StoredWheel
    requested: bool = False
    direct: direct_url.DirectUrl | None = None
    local_state: str = ""


def apply(
    scheme: Scheme,
    *,
    remove: Sequence[Path] = (),
    install: Sequence[Addition] = (),
    link_mode: LinkMode = "auto",
    compile_bytecode: bool = False,
    listener: Listener = ignore,
) -> None:
    """Remove the distributions whose ``.dist-info`` folders are ``remove``, then install wheels, the later one winning.

    What is replaced is listed in both. Raises ``EnvironmentRefused`` or ``InvalidArtifact``, and then, as after any other
    exception, every file is what and where it was before.
    """
    prefix = Path(scheme.prefix)
    plans = [_plan(addition, scheme) for addition in install]
    _warn_of_shared_files(plans, listener)
    with locked(prefix, listener):
        if Journal.recover(prefix):
            listener(Noted(f"took back the changes of an interrupted run in {prefix}"))
        journal = _begin(prefix)
        listener(Started("install", scheme.prefix, len(plans)))
        placed: set[str] = set()
        try:
            for dist_info in remove:
                with _naming(dist_info.name, "removed", scheme):
                    _remove(dist_info, scheme, journal)
            for addition, plan in plans:
                with _naming(addition.wheel.manifest.filename, "installed", scheme):
                    _install(addition, plan, Site(scheme, journal, link_mode), placed, listener)
                listener(Advanced("install", scheme.prefix, 1))
        except BaseException:
            journal.undo()
            raise
        journal.commit()
        if compile_bytecode:
            _compile([plan for _, plan in plans], scheme, listener)
        listener(Finished("install", scheme.prefix))


Planned = tuple[Addition, Steps]


def _plan(addition: Addition, scheme: Scheme) -> Planned:
    text = direct_url.render(addition.direct) if addition.direct else ""
    state = addition.local_state
    return addition, steps(
        addition.wheel.manifest, scheme, requested=addition.requested, direct_url=text, local_state=state
    )


def _warn_of_shared_files(plans: Sequence[Planned], listener: Listener) -> None:
    owners: dict[str, tuple[str, str]] = {}
    for addition, plan in plans:
        filename = addition.wheel.manifest.filename
        for step in plan.steps:
            content = step.source.hash if isinstance(step, Link) else filename
            earlier = owners.setdefault(step.target, (filename, content))
            if earlier[0] != filename:
                # Packages that share a namespace often bring the same empty file: nothing is lost by that.
                if earlier[1] != content:
                    listener(
                        Warned(f"`{earlier[0]}` and `{filename}` both bring `{step.target}`; the latter's is used")
                    )
                owners[step.target] = (filename, content)


def _begin(prefix: Path) -> Journal:
    try:
        return Journal(prefix)
    except OSError as error:
        raise EnvironmentRefused(
            f"the environment `{prefix}` cannot be changed",
            causes=(str(error.strerror),),
            hints=("Look at who owns it and what its permissions are.",),
        ) from error


@contextmanager
def _naming(subject: str, verb: str, scheme: Scheme) -> Iterator[None]:
    """Errors of the operating system get a sentence with the subject."""
    try:
        yield
    except OSError as error:
        raise EnvironmentRefused(
            f"`{subject}` could not be {verb} in `{scheme.prefix}`; the environment is as it was before",
            causes=(f"{error.filename}: {error.strerror}",),
            hints=("Look at the permissions and the space there; `cove cache clean` repairs a damaged store.",),
        ) from error
    except CoveError as error:
        error.causes = (
            *error.causes,
            f"`{subject}` could not be {verb}; the environment `{scheme.prefix}` is as it was before",
        )
        raise


def _install(addition: Addition, plan: Steps, site: Site, placed: set[str], listener: Listener) -> None:
    files = addition.wheel.files
    written: dict[str, Written] = {step.target: site.take(step, files) for step in plan.steps}
    site.take(plan.record(written.values()), files)
    replaced = [path for path in site.replaced if path not in placed]
    if replaced:
        more = f" and {len(replaced) - 1} more files" if len(replaced) > 1 else ""
        listener(Warned(f"`{addition.wheel.manifest.filename}` replaced `{replaced[0]}`{more}, not its own before"))
    placed.update(written)


# -- removing ---------------------------------------------------------------------------------------------------------


def _remove(dist_info: Path, scheme: Scheme, journal: Journal) -> None:
    bounds = Bounds(scheme)
    folders = set()
    for path in _recorded(dist_info, bounds):
        folder, name = os.path.split(path)
        if not os.path.lexists(path) or (os.path.isdir(path) and not os.path.islink(path)):
            continue
        bounds.refuse_outside(folder)
        journal.move_aside(path)
        folders.add(folder)
        if name.endswith(".py"):
            _remove_bytecode(folder, name, bounds, journal)
    for folder in sorted(folders, key=len, reverse=True):
        _remove_empty(folder, bounds, journal)


def _recorded(dist_info: Path, bounds: Bounds) -> list[str]:
    """The absolute paths of all files that ``RECORD`` lists, each within the environment."""
    try:
        text = (dist_info / "RECORD").read_bytes().decode()
        entries = wheel_record.parse(text)
    except FileNotFoundError as error:
        raise EnvironmentRefused(
            f"`{dist_info.name}` cannot be removed: it has no RECORD of its files",
            hints=("Remove it with the tool that installed it.",),
        ) from error
    except ValueError as error:
        raise InvalidArtifact(f"`{dist_info.name}` cannot be removed: its RECORD cannot be read ({error})") from error
    site = str(dist_info.parent)
    paths = dict.fromkeys(os.path.normpath(os.path.join(site, entry.path)) for entry in entries)
    outside = next((path for path in paths if not bounds.holds(path) or "\0" in path), None)
    if outside is not None:
        raise InvalidArtifact(
            f"`{dist_info.name}` cannot be removed: its RECORD lists {outside!r}, which is outside of the environment",
            hints=("Make the environment anew if you do not trust what is in it.",),
        )
    generated = (str(dist_info / name) for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"))
    return list(dict.fromkeys((*paths, *generated)))


def _remove_bytecode(folder: str, name: str, bounds: Bounds, journal: Journal) -> None:
    cache = os.path.join(folder, "__pycache__")
    stem = name.removesuffix("py")
    try:
        compiled = [
            entry.path for entry in os.scandir(cache) if entry.name.startswith(stem) and entry.name.endswith(".pyc")
        ]
    except (FileNotFoundError, NotADirectoryError):
        return
    if compiled:
        bounds.refuse_outside(cache)
    for path in compiled:
        journal.move_aside(path)


def _remove_empty(folder: str, bounds: Bounds, journal: Journal) -> None:
    """Remove ``folder`` and those above it that have become empty, but none that the environment began with."""
    cache = os.path.join(folder, "__pycache__")
    if os.path.isdir(cache) and not os.path.islink(cache) and not os.listdir(cache):
        journal.remove_folder(cache)
    while bounds.holds(folder) and not bounds.keeps(folder):
        if os.path.islink(folder) or not os.path.isdir(folder) or os.listdir(folder):
            return
        journal.remove_folder(folder)
        folder = os.path.dirname(folder)


# -- afterwards -------------------------------------------------------------------------------------------------------


def _compile(plans: Sequence[Steps], scheme: Scheme, listener: Listener) -> None:
    sources = [
        step.target
        for plan in plans
        for step in plan.steps
        if step.target.endswith(".py") and step.target.startswith(plan.site + os.sep)
    ]
    if not sources:
        return
    # Optional, and wheels do hold files that are no valid Python (templates): what cannot be compiled is only told.
    done = subprocess.run(
        [scheme.executable, "-I", "-m", "compileall", "-q", "-i", "-"],
        input="\n".join(sources),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        listener(Noted(f"some files could not be compiled to bytecode: {lines[0] if lines else done.returncode}"))


@contextmanager
def locked(prefix: Path, listener: Listener = ignore, *, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock of an environment: no other process (or thread) changes it meanwhile.

    Raises ``EnvironmentRefused`` when it cannot be had within ``seconds``.
    """
    with ExitStack() as held:
        try:
            held.enter_context(
                file_lock.locked(
                    prefix / LOCK_FILE,
                    seconds=seconds,
                    mode=0o666,
                    waiting=lambda: listener(Noted(f"waiting for another process that changes {prefix}")),
                )
            )
        except TimeoutError as error:
            raise EnvironmentRefused(
                f"another process has been changing `{prefix}` for {seconds:.0f} seconds",
                hints=("Wait for it or end it, then try again.",),
            ) from error
        except OSError as error:
            raise EnvironmentRefused(
                f"the environment `{prefix}` cannot be changed",
                causes=(f"{prefix / LOCK_FILE}: {error.strerror}",),
                hints=("Look at who owns it and what its permissions are.",),
            ) from error
        yield
