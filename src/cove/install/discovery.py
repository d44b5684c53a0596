"""Which interpreter is meant: requests as people write them, and the places where interpreters are looked for."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cove.errors import ConfigurationError, PythonIncompatible, PythonNotFound
from cove.install.environment import executable_in, is_environment
from cove.install.interpreter import Interpreter, probe
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.origin import Origin

if TYPE_CHECKING:  # few requests are ranges
    from packaging.specifiers import SpecifierSet

PIN_FILE = ".python-version"

_REQUEST = re.compile(
    r"(?P<implementation>cpython|cp|pypy|pp|graalpy|gp)?[-@]?(?P<version>\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)?(?P<threads>t)?",
    re.IGNORECASE,
)
_IMPLEMENTATIONS = {"cp": "cpython", "pp": "pypy", "gp": "graalpy"}
_EXECUTABLE = re.compile(r"python(?:3(?:\.\d+)?t?)?(?:\.exe)?", re.IGNORECASE)
_SUFFIX = ".exe" if os.name == "nt" else ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. ``text`` is as written, ``origin`` where; of the rest, what is empty does not matter.

    ``path`` is an executable or an environment's folder, ``command`` the name of an executable on ``PATH``, ``version`` a
    version of which the interpreter's is a refinement (``3.12`` means any 3.12.x), ``specifier`` a range of versions.
    """

    text: str
    origin: Origin
    path: Path | None = None
    command: str = ""
    implementation: str = ""
    version: str = ""
    free_threaded: bool = False
    specifier: "SpecifierSet | None" = None

    @property
    def names_one(self) -> bool:
        """Whether it names one interpreter rather than a kind."""
        return self.path is not None or bool(self.command)

    def fits(self, interpreter: Interpreter) -> bool:
        """Whether ``interpreter`` is of the kind asked for; a request that names one fits only that one."""
        if self.path is not None:
            return _same(self.path, interpreter)
        if self.command:
            here = interpreter.executable.parent / (self.command + _SUFFIX)
            return interpreter.executable == here or (interpreter.is_virtual and here.exists())
        if self.implementation and interpreter.implementation != self.implementation:
            return False
        if self.specifier is not None and not self.specifier.contains(interpreter.version, prereleases=True):
            return False
        # A version alone means the usual build; "3.13t" the one without the global lock.
        if (self.version or self.free_threaded) and interpreter.free_threaded != self.free_threaded:
            return False
        return not self.version or _refines(interpreter.version, self.version)

    def __str__(self) -> str:
        if self.names_one or self.specifier is not None:
            what = self.text
        else:
            what = f"{self.implementation or 'Python'} {self.version}".strip() + ("t" if self.free_threaded else "")
        return f"{what} (from {self.origin})"


def _same(path: Path, interpreter: Interpreter) -> bool:
    folder = path if path.is_dir() else path.parent.parent
    if is_environment(folder):
        return os.path.realpath(folder) == os.path.realpath(interpreter.prefix)
    places = {os.path.realpath(interpreter.executable), os.path.realpath(interpreter.base_executable)}
    return os.path.realpath(path) in places


def _refines(version: str, wanted: str) -> bool:
    return version == wanted or (version.startswith(wanted) and not version[len(wanted)].isdigit())


def parse_request(text: str, origin: Origin, folder: Path) -> Request:
    """``3.12``, ``3.12.1``, ``312``, ``3.13t``, ``cpython3.12``, ``pypy@3.10``, ``>=3.11,<3.13``, ``python3.12``, or a path of
    an executable or an environment, relative to ``folder``. Raises ``ConfigurationError`` when it is none of them."""
    text = text.strip()
    if not text or not text.isprintable():
        raise ConfigurationError(f"no Python can be called {text!r} (from {origin})")
    if text[0] in "<>=!~" and not text.startswith("~/"):
        return _range(text, origin)
    if os.sep in text or "/" in text or text.startswith((".", "~")) or Path(text).is_absolute():
        return Request(text, origin, path=Path(os.path.abspath(folder / Path(text).expanduser())))
    match = _REQUEST.fullmatch(text)
    if match is None or not (match["implementation"] or match["version"]):
        if (folder / text).exists():
            return Request(text, origin, path=Path(os.path.abspath(folder / text)))
        return Request(text, origin, command=text.removesuffix(".exe") if _SUFFIX else text)
    implementation = (match["implementation"] or "").lower()
    version = match["version"] or ""
    if version.isdigit() and len(version) > 1:  # 312, as in wheel tags
        version = f"{version[0]}.{version[1:]}"
    named = _IMPLEMENTATIONS.get(implementation, implementation)
    return Request(text, origin, implementation=named, version=version, free_threaded=bool(match["threads"]))


def _range(text: str, origin: Origin) -> Request:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few requests are ranges

    try:
        return Request(text, origin, specifier=SpecifierSet(text))
    except InvalidSpecifier as error:
        raise ConfigurationError(
            f"{text!r} is no range of Python versions (from {origin})",
            hints=('Write it like ">=3.11,<3.13", or one version: "3.12".',),
        ) from error


def pinned(folder: Path, report: Listener = ignore) -> Request | None:
    """The request of the nearest ``.python-version``, looked for in ``folder`` and upwards; ``None`` without one.

    Other tools keep names there that only they know (``system``, an environment's name): those are reported and passed over.
    """
    for place in (folder, *folder.parents):
        file = place / PIN_FILE
        if not file.is_file():
            continue
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file} cannot be read", causes=(str(error),)) from error
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            request = parse_request(text, Origin("file", str(file), number), place)
            if not request.command or _EXECUTABLE.fullmatch(request.command):
                return request
            report(Warned(f"{file}:{number} names no Python version: {text!r} is passed over"))
        return None
    return None


# --- looking -------------------------------------------------------------------------------------------------------------


class _Search:
    """One search: which folders were looked in and what was found that did not fit, for the message at its end."""

    def __init__(self, path: str, cache_dir: Path | None, report: Listener) -> None:
        self.folders = [Path(part) for part in dict.fromkeys(path.split(os.pathsep)) if os.path.isabs(part)]
        self.passed: list[Interpreter] = []
        self._cache_dir = cache_dir
        self._report = report
        self._seen: set[str] = set()

    def on_path(self, request: Request | None) -> Iterator[Interpreter]:
        """Every interpreter on ``PATH`` that can be run, by folder, likely names first; then the one this program runs on."""
        for folder in self.folders:
            for name in _names(folder, request):
                yield from self._try(folder / name)
        if not (request and request.command):
            yield from self._try(Path(sys.executable))

    def _try(self, executable: Path) -> Iterator[Interpreter]:
        if not os.access(executable, os.X_OK) or executable.is_dir():
            return
        try:
            interpreter = probe(executable, self._cache_dir)
        except PythonNotFound as error:  # a version manager's shim without a version behind it, a store's placeholder
            self._report(Noted(f"{executable} is passed over: {error}"))
            return
        if str(interpreter.executable) not in self._seen:
            self._seen.add(str(interpreter.executable))
            yield interpreter

    def failed(self, wanted: str) -> PythonNotFound:
        """The error that tells what was looked for, where, and what was found instead."""
        found = ", ".join(dict.fromkeys(str(each) for each in self.passed)) or "none"
        return PythonNotFound(
            f"no interpreter found for {wanted}",
            causes=(
                "looked on PATH in " + (", ".join(map(str, self.folders)) or "no folder at all"),
                f"found instead: {found}",
            ),
            hints=("Install that Python, or name an interpreter that is there with --python.",),
        )


def _names(folder: Path, request: Request | None) -> list[str]:
    """Names to try in one folder, the most telling first."""
    if request and request.command:
        return [request.command + _SUFFIX]
    usual = ["python3" + _SUFFIX, "python" + _SUFFIX]
    if request and request.version:
        minor = ".".join(request.version.split(".")[:2])
        # "3.12.1" and "3.14.0rc1" are looked for as python3.12 and python3.14, and any 3 as every python3.N there is.
        if "." in minor:
            exact = [f"python{minor}t{_SUFFIX}"] if request.free_threaded else []
            return [*_other_implementations(request), *exact, f"python{minor}{_SUFFIX}", *usual]
    try:
        present = {entry.name for entry in os.scandir(folder) if _EXECUTABLE.fullmatch(entry.name)}
    except OSError:
        return []  # PATH may name folders that do not exist or are closed to us
    versioned = sorted(present.difference(usual), key=_minor, reverse=True)
    return [*_other_implementations(request), *(name for name in usual if name in present), *versioned]


def _other_implementations(request: Request | None) -> list[str]:
    if request is None or request.implementation in ("", "cpython"):
        return []
    minor = ".".join(request.version.split(".")[:2])
    return [
        f"{request.implementation}{minor}{_SUFFIX}",
        f"{request.implementation}3{_SUFFIX}",
        request.implementation + _SUFFIX,
    ]


def _minor(name: str) -> int:
    return int("0" + "".join(filter(str.isdigit, name.partition(".")[2])))


def find_base(
    request: Request | None,
    *,
    environ: Mapping[str, str],
    requires_python: "SpecifierSet | None" = None,
    cache_dir: Path | None = None,
    report: Listener = ignore,
) -> Interpreter:
    """An interpreter to make environments from, never itself a virtual one: of those found the base is taken.

    Without a request, the first on ``PATH`` that ``requires_python`` allows. Raises ``PythonNotFound``, and
    ``PythonIncompatible`` when the request is met by one that ``requires_python`` excludes.
    """
    search = _Search(environ.get("PATH", ""), cache_dir, report)
    if request is not None and request.path is not None:
        chosen = _base(_at(request.path, request, cache_dir), cache_dir)
        _demand(chosen, request, requires_python)
        return chosen
    excluded: Interpreter | None = None
    for found in search.on_path(request):
        interpreter = _base(found, cache_dir)
        asked = _meets(request, interpreter)
        if asked and _allows(requires_python, interpreter):
            return interpreter
        excluded = interpreter if asked and excluded is None else excluded
        search.passed.append(interpreter)
    if request is not None and excluded is not None:
        _demand(excluded, request, requires_python)
    raise search.failed(str(request) if request is not None else f"Python {requires_python or ''}".strip())


def find_environment(
    request: Request | None,
    *,
    environ: Mapping[str, str],
    folder: Path,
    system: bool = False,
    cache_dir: Path | None = None,
    report: Listener = ignore,
) -> Interpreter:
    """The interpreter whose installed packages a ``pip`` command changes.

    In this order: the request; with ``system`` the first interpreter on ``PATH`` that is no virtual one; the active
    environment (``VIRTUAL_ENV``, then ``CONDA_PREFIX``); ``.venv`` in ``folder`` or above it. A request by version is looked
    for among the active environment and ``.venv`` first. Raises ``PythonNotFound``.
    """
    if request is not None and request.path is not None:
        return _at(request.path, request, cache_dir)
    if not system:
        for place in _environments(environ, folder):
            interpreter = probe(executable_in(place), cache_dir)
            if request is None or request.fits(interpreter):
                return interpreter
            report(Noted(f"{interpreter} is passed over: not {request}"))
    if request is None and not system:
        raise PythonNotFound(
            "no virtual environment found",
            causes=(f"VIRTUAL_ENV is not set, and no .venv lies in {folder} or above it",),
            hints=("Make one with `cove venv`, or pass --system to change the system's Python.",),
        )
    search = _Search(environ.get("PATH", ""), cache_dir, report)
    for interpreter in search.on_path(request):
        if not (system and interpreter.is_virtual) and _meets(request, interpreter):
            return interpreter
        search.passed.append(interpreter)
    raise search.failed(str(request) if request is not None else "the system's Python")


def _environments(environ: Mapping[str, str], folder: Path) -> Iterator[Path]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if named := environ.get(variable):
            place = Path(named)
            if is_environment(place) or executable_in(place).exists():
                yield place
            elif variable == "VIRTUAL_ENV":
                raise PythonNotFound(
                    f"VIRTUAL_ENV names {place}, which is no virtual environment",
                    hints=("Run `deactivate`, or make it anew with `cove venv`.",),
                )
    for place in (folder, *folder.parents):
        if is_environment(place / ".venv"):
            yield place / ".venv"
            return


def reusable(
    environment: Path,
    request: Request | None,
    *,
    requires_python: "SpecifierSet | None" = None,
    cache_dir: Path | None = None,
    report: Listener = ignore,
) -> Interpreter | None:
    """The interpreter of a project's environment if the project can go on using it; ``None`` says to make it (anew).

    ``UV_PYTHON`` never outranks an environment that is there: where only the variable disagrees, the environment is used
    and a ``Warned`` says so. A flag or a ``.python-version`` that disagrees, or ``requires_python``, asks for a new one.
    """
    if not is_environment(environment):
        return None
    try:
        interpreter = probe(executable_in(environment), cache_dir)
    except PythonNotFound as error:
        report(Noted(f"{environment} is made anew: {error}"))
        return None
    if not _allows(requires_python, interpreter):
        report(Noted(f"{environment} is made anew: {interpreter.version} is not {requires_python}"))
        return None
    if request is None or request.fits(interpreter):
        return interpreter
    if _same_base(request, interpreter, cache_dir):
        return interpreter
    if request.origin.kind != "variable":
        report(Noted(f"{environment} is made anew: {interpreter.version} is not {request}"))
        return None
    report(
        Warned(
            f"{environment} has Python {interpreter.version} and is used, although {request.origin} asks for {request.text}",
            f"Remove {environment} or pass --python {request.text} to make it anew.",
        )
    )
    return interpreter


def _meets(request: Request | None, interpreter: Interpreter) -> bool:
    """For what was found on ``PATH``, where only the command that was asked for was looked for."""
    return request is None or bool(request.command) or request.fits(interpreter)


def _same_base(request: Request, interpreter: Interpreter, cache_dir: Path | None) -> bool:
    """Whether the request is by the path of the very interpreter that an environment was made from."""
    if request.path is None:
        return False
    try:
        asked = _at(request.path, request, cache_dir)
    except PythonNotFound:
        if request.origin.kind == "variable":
            return False  # the environment is used anyway, and the warning names the variable
        raise
    return os.path.realpath(asked.base_executable) == os.path.realpath(interpreter.base_executable)


def _at(path: Path, request: Request, cache_dir: Path | None) -> Interpreter:
    if not path.exists():
        raise PythonNotFound(f"{path} does not exist (from {request.origin})")
    return probe(executable_in(path) if path.is_dir() else path, cache_dir)


def _base(interpreter: Interpreter, cache_dir: Path | None) -> Interpreter:
    return probe(interpreter.base_executable, cache_dir) if interpreter.is_virtual else interpreter


def _allows(requires_python: "SpecifierSet | None", interpreter: Interpreter) -> bool:
    return requires_python is None or requires_python.contains(interpreter.version, prereleases=True)


def _demand(interpreter: Interpreter, request: Request, requires_python: "SpecifierSet | None") -> None:
    if not _allows(requires_python, interpreter):
        raise PythonIncompatible(
            f"{request} is {interpreter}, but the project requires Python {requires_python}",
            hints=(f"Change {request.origin} or requires-python.",),
        )
