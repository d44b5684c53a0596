"""The front end of PEP 517: runs a project's build backend in an environment that someone else provides."""

import json
import os
import re
import subprocess
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing, UnsupportedOperation

from cove.errors import BuildFailed
from cove.model.dataclasses import dataclass
from cove.model.event import Finished, Listener, Noted, Started, Warned, ignore
from cove.model.url import has_user_info, with_masked_users

ConfigSettings = Mapping[str, str | list[str]]
"""What ``--config-setting`` gives: passed to the backend as it is."""

Kind = Literal["wheel", "sdist", "editable"]

_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
_LEGACY_REQUIRES = ("setuptools>=40.8.0",)
_TAIL_LINES = 15
_TAIL_BYTES = 64 * 1024

_OWN_VARIABLES = re.compile(
    r"(UV|COVE|PIP|TWINE|POETRY|PDM|HATCH|FLIT|KEYRING)_|PYTHON|_PYPROJECT_HOOKS_|__PYVENV_LAUNCHER__"
)
_SECRET_VARIABLES = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SESSION_?KEY|_AUTH(_|$)",
    re.IGNORECASE,
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"})


class BuildEnvironment(Protocol):
    """An environment in which a backend runs, alive as long as the ``with`` block that ``Provision`` opens."""

    @property
    def executable(self) -> Path:
        """Its interpreter."""
        ...

    @property
    def scripts(self) -> Path:
        """The folder of its programs, put first on ``PATH``."""
        ...

    def add(self, requirements: Sequence[str]) -> None:
        """Install what the backend asked for in addition (``get_requires_for_build_*``), beside what is there."""
        ...


Provision = Callable[[Sequence[str]], AbstractContextManager[BuildEnvironment]]
"""Makes an environment that has these requirements (PEP 508 texts)."""


@dataclass(frozen=True, slots=True)
class BuildSystem:
    """The ``[build-system]`` table (PEP 517, PEP 518), or what stands for it where there is none."""

    requires: tuple[str, ...] = _LEGACY_REQUIRES
    backend: str = _LEGACY_BACKEND
    backend_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """The core metadata of a project, and the wheel, where the backend could tell the one only by building the other."""

    metadata: bytes
    wheel: Path | None = None


def read_build_system(source: Path, label: str) -> BuildSystem:
    """The build system of the project in ``source``; ``label`` names the project in errors. Raises ``BuildFailed``."""
    try:
        document = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (source / "setup.py").is_file():
            return BuildSystem()
        raise BuildFailed(
            f"{label} cannot be built: it has neither a pyproject.toml nor a setup.py",
            hints=("Look whether the folder is the root of a Python project.",),
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildFailed(
            f"{label} cannot be built: its pyproject.toml cannot be read", causes=(str(error),)
        ) from error
    # PEP 518: without the table, tools behave as if it required setuptools.
    table = document.get("build-system")
    if table is None:
        return BuildSystem()
    if not isinstance(table, dict) or "requires" not in table:
        raise BuildFailed(
            f"{label} cannot be built: its [build-system] has no requires",
            hints=('PEP 518 demands it; an empty list is allowed: "requires = []".',),
        )
    return BuildSystem(
        _texts(table["requires"], "requires", label),
        _text(table.get("build-backend", _LEGACY_BACKEND), label),
        _texts(table.get("backend-path", []), "backend-path", label),
    )


def _texts(value: object, key: str, label: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BuildFailed(f"{label} cannot be built: {key} of its [build-system] is not a list of strings")
    return tuple(value)


def _text(value: object, label: str) -> str:
    if not isinstance(value, str) or not value:
        raise BuildFailed(f"{label} cannot be built: build-backend of its [build-system] is not a string")
    return value


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` for code that someone else wrote: without package managers' settings, without what steers Python, and
    without what by its name or its value (a URL with user info) holds a secret. Proxies are kept, since builds need them."""
    return {
        name: value
        for name, value in environ.items()
        if name.lower() in _PROXIES
        or not (_OWN_VARIABLES.match(name) or _SECRET_VARIABLES.search(name) or has_user_info(value))
    }


class Builder:
    """Builds projects from unpacked sources. Thread-safe as far as ``provision`` is.

    ``environ`` is what the backend may see, before ``clean_environ``; ``variables`` are set besides. A backend runs within
    ``turns``, which limits how many do at a time. What it warns of is for those who can change the project, which they are
    where it ``is_ours``; else it is a detail. With ``hides_output`` nothing of what it writes or warns of is told. Every
    method takes the project's folder and raises ``BuildFailed`` naming ``label``, the backend and the last lines it wrote.
    """

    def __init__(
        self,
        provision: Provision,
        environ: Mapping[str, str],
        *,
        config_settings: ConfigSettings | None = None,
        variables: Mapping[str, str] | None = None,
        turns: AbstractContextManager[object] | None = None,
        is_ours: bool = True,
        hides_output: bool = False,
        report: Listener = ignore,
    ) -> None:
        self._provision = provision
        self._environ = clean_environ(environ) | dict(variables or {})
        self.turns = turns or nullcontext()
        self._config_settings = dict(config_settings or {})
        self.is_ours = is_ours
        self.hides_output = hides_output
        self._report = report

    def build_wheel(self, source: Path, out: Path, label: str) -> Path:
        """A wheel, in ``out``."""
        return self._build("wheel", source, out, label)

    def build_sdist(self, source: Path, out: Path, label: str) -> Path:
        """An sdist, in ``out``."""
        return self._build("sdist", source, out, label)

    def build_editable(self, source: Path, out: Path, label: str) -> Path:
        """A wheel that makes ``source`` itself importable (PEP 660), in ``out``."""
        return self._build("editable", source, out, label)

    def prepare_metadata(self, source: Path, out: Path, label: str, *, editable: bool = False) -> Prepared:
        """The core metadata: from the backend's own hook, or from a wheel built in ``out`` where it has none."""
        kind: Kind = "editable" if editable else "wheel"
        with (
            self._backend(source, kind, label) as backend,
            tempfile.TemporaryDirectory(prefix="cove-metadata-") as folder,
        ):
            try:
                name = backend.call(f"prepare_metadata_for_build_{kind}", folder, _allow_fallback=False)
            except HookMissing:
                wheel = backend.build(out)
                return Prepared(_metadata_in(wheel, label), wheel)
            try:
                return Prepared((_inside(Path(folder), name, ".dist-info", label) / "METADATA").read_bytes())
            except OSError as error:
                raise BuildFailed(f"{label}: the backend prepared no METADATA", causes=(str(error),)) from error

    def _build(self, kind: Kind, source: Path, out: Path, label: str) -> Path:
        self._report(Started("build", label))
        with self._backend(source, kind, label) as backend:
            made = backend.build(out)
        self._report(Finished("build", label, f"Built {made.name}"))
        return made

    @contextmanager
    def _backend(self, source: Path, kind: Kind, label: str) -> Iterator["_Backend"]:
        """The backend in an environment that has everything it requires for one kind of build."""
        system = read_build_system(source, label)
        with self._provision(system.requires) as environment:
            backend = _Backend(
                environment=environment, system=system, kind=kind, source=source, label=label, builder=self
            )
            if more := backend.requires():
                environment.add(more)
            yield backend

    @property
    def environ(self) -> Mapping[str, str]:
        """What backends see."""
        return self._environ

    @property
    def config_settings(self) -> dict[str, str | list[str]]:
        """What backends are told."""
        return self._config_settings

    @property
    def report(self) -> Listener:
        """Who hears of progress."""
        return self._report


class _Backend:
    """One backend, for one kind of build of one project."""

    def __init__(
        self,
        *,
        environment: BuildEnvironment,
        system: BuildSystem,
        kind: Kind,
        source: Path,
        label: str,
        builder: Builder,
    ) -> None:
        self._system = system
        self._kind = kind
        self._label = label
        self._builder = builder
        self._scripts = environment.scripts
        self._tail = ""
        try:
            self._hooks = BuildBackendHookCaller(
                str(source),
                system.backend,
                backend_path=list(system.backend_path),
                runner=self._run,
                python_executable=str(environment.executable),
            )
        except ValueError as error:  # PEP 517: backend-path is relative and stays within the source tree
            raise self._failed(f"its backend-path is not allowed: {error}") from error

    def requires(self) -> list[str]:
        """What this kind of build requires beyond ``[build-system]``."""
        more = self.call(f"get_requires_for_build_{self._kind}")
        if not isinstance(more, list) or not all(isinstance(item, str) for item in more):
            raise self._failed("it asks for requirements that are not a list of strings")
        return more

    def build(self, out: Path) -> Path:
        """Make the distribution in ``out``."""
        out.mkdir(parents=True, exist_ok=True)
        name = self.call(f"build_{self._kind}", str(out))
        suffix = ".tar.gz" if self._kind == "sdist" else ".whl"
        made = _inside(out, name, suffix, self._label)
        if not made.is_file():
            raise self._failed(f"it says that it made {name}, which does not exist")
        return made

    def call(self, hook: str, *arguments: str, **flags: bool) -> object:
        """Call a hook. Raises ``HookMissing`` only where ``_allow_fallback`` forbids pyproject-hooks to do without it."""
        try:
            answer: object = getattr(self._hooks, hook)(
                *arguments, config_settings=self._builder.config_settings or None, **flags
            )
        except subprocess.CalledProcessError as error:
            raise self._failed(f"{hook} ended with exit status {error.returncode}") from error
        except BackendUnavailable as error:
            raise self._failed("the backend cannot be imported", error.traceback or str(error)) from error
        except UnsupportedOperation as error:
            raise self._failed(f"the backend cannot do {hook} here", error.traceback) from error
        except HookMissing:
            if flags:
                raise
            raise self._failed(f"the backend has no {hook}") from None
        except (OSError, ValueError, KeyError) as error:
            raise self._failed(f"{hook} could not be called, or gave no answer ({error})") from error
        return answer

    def _run(self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        """Run a hook's process for pyproject-hooks; what it writes goes to a file, of which the end is kept."""
        path = os.pathsep.join(filter(None, (str(self._scripts), self._builder.environ.get("PATH", ""))))
        environ = {
            **self._builder.environ,
            "PATH": path,
            "VIRTUAL_ENV": str(self._scripts.parent),
            "PYTHONNOUSERSITE": "1",
            "PYTHONIOENCODING": "utf-8",
            **(extra_environ or {}),
        }
        with self._builder.turns, tempfile.TemporaryFile() as output:
            try:
                subprocess.run(
                    cmd,
                    cwd=cwd,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=True,
                )
            finally:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL_BYTES))
                self._tail = "" if self._builder.hides_output else output.read().decode("utf-8", "replace")
                for line in self._tail.splitlines():
                    self._builder.report(Noted(with_masked_users(line)))
        self._pass_on_warnings(Path(cmd[-1], "output.json"))

    def _pass_on_warnings(self, answer: Path) -> None:
        """Report the backend's warnings as events; pyproject-hooks would give them to this process's own warnings."""
        document = json.loads(answer.read_text(encoding="utf-8"))
        warnings = document.pop("warnings", [])
        for warning in () if self._builder.hides_output else warnings:
            text = f"{self._label}: {with_masked_users(str(warning.get('message')))}"
            self._builder.report(Warned(text) if self._builder.is_ours else Noted(text))
        answer.write_text(json.dumps(document), encoding="utf-8")

    def _failed(self, why: str, output: str = "") -> BuildFailed:
        text = "" if self._builder.hides_output else output or self._tail
        lines = _own_lines(with_masked_users(text))
        return BuildFailed(
            f"{self._label} cannot be built: {why} (backend {self._system.backend})",
            causes=_last_of(lines),
            hints=_hints(lines, self._label),
        )


def _own_lines(output: str) -> list[str]:
    """What a backend wrote, without the frames of the front end in its traces."""
    lines: list[str] = []
    is_ours = False
    for line in filter(str.strip, output.splitlines()):
        if line.startswith('  File "'):
            is_ours = "pyproject_hooks" in line
        elif not line.startswith("    "):
            is_ours = False
        if not is_ours:
            lines.append(line)
    return lines


def _last_of(lines: Sequence[str]) -> tuple[str, ...]:
    """The end of what a backend wrote as one cause, where it wrote anything."""
    if not lines:
        return ()
    more = f" (of {len(lines)} lines; `-v` shows all)" if len(lines) > _TAIL_LINES else ""
    return ("\n".join((f"the backend wrote{more}:", *lines[-_TAIL_LINES:])),)


def _hints(lines: Sequence[str], label: str) -> tuple[str, ...]:
    text = "\n".join(lines)
    missing = re.search(r"No module named '?([\w.]+)", text)
    if missing:
        provides = (
            "its [build-system] requires should list what provides it; `extra-build-dependencies` in [tool.uv] adds it"
        )
        return (f"{missing[1]} is missing while {label} is built: {provides}",)
    if re.search(r"gcc|clang|cc1|cl\.exe|rustc|cargo", text):
        return ("A compiler or a system library seems to be missing; a wheel for this platform would need neither.",)
    return ()


def _inside(folder: Path, name: object, suffix: str, label: str) -> Path:
    """``name`` as the backend gave it, which must be a plain file name: a backend has no say over other places."""
    if not isinstance(name, str) or name != PurePosixPath(name).name or "\\" in name or not name.endswith(suffix):
        raise BuildFailed(f"{label}: the backend answered with {name!r}, which is no name ending in {suffix}")
    return folder / name


def _metadata_in(wheel: Path, label: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                parent, _, last = name.rpartition("/")
                if last == "METADATA" and parent.endswith(".dist-info") and "/" not in parent:
                    return archive.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        raise BuildFailed(f"{label}: the wheel that was built cannot be read", causes=(str(error),)) from error
    raise BuildFailed(f"{label}: the wheel that was built has no METADATA")
