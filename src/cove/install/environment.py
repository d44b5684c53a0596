"""Virtual environments (PEP 405): made without starting an interpreter, and never in the place of anything else."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cove import __version__
from cove.errors import EnvironmentRefused
from cove.install import activation
from cove.install.interpreter import Interpreter, of_environment

_CACHEDIR_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder can be made anew at any time; see https://bford.info/cachedir/
"""


def is_environment(path: Path) -> bool:
    """Whether ``path`` is the root of a virtual environment (PEP 405: it holds ``pyvenv.cfg``)."""
    return (path / "pyvenv.cfg").is_file()


def executable_in(path: Path) -> Path:
    """The interpreter of the environment at ``path``; the file need not exist."""
    return path / "Scripts" / "python.exe" if os.name == "nt" else path / "bin" / "python"


def project_environment(project: Path, environ: Mapping[str, str]) -> Path:
    """Where a project's environment lies: ``UV_PROJECT_ENVIRONMENT`` (relative to the project), else ``.venv``."""
    return Path(os.path.abspath(project / (environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")))


def ensure_changeable(interpreter: Interpreter, *, explicit: bool, break_system_packages: bool = False) -> None:
    """Pass virtual environments; others only when ``explicit`` (named by ``--system`` or ``--python``) and not managed by
    the operating system (PEP 668), unless ``break_system_packages``. Raises ``EnvironmentRefused``."""
    if interpreter.is_virtual:
        return
    if not explicit:
        raise EnvironmentRefused(
            f"{interpreter} is no virtual environment and is left as it is",
            hints=("Make an environment with `cove venv`, or pass --system to change this one.",),
        )
    reason = interpreter.externally_managed
    if reason is not None and not break_system_packages:
        raise EnvironmentRefused(
            f"{interpreter} is managed by the operating system",
            causes=tuple(reason.splitlines()),
            hints=("Make an environment with `cove venv`, or pass --break-system-packages at your own risk.",),
        )


def create(
    path: Path,
    base: Interpreter,
    *,
    prompt: str | None = None,
    system_site_packages: bool = False,
    clear: bool = False,
    allow_existing: bool = False,
) -> Interpreter:
    """Make an environment at ``path`` from ``base`` and return its interpreter (of an environment, its base is taken).

    With ``clear`` an environment that is there is replaced, packages and all: the new one is made beside it first. With
    ``allow_existing`` it is written over and keeps its packages. A symbolic link at ``path`` stays one. ``prompt`` is shown by
    an activated shell, the folder's name by default.

    Raises ``EnvironmentRefused``, having changed nothing, when ``path`` is a file or a folder that holds anything but an
    environment, or an environment and neither flag is given.
    """
    root = Path(os.path.realpath(path) if path.is_symlink() else os.path.abspath(path))
    _check_place(root, clear=clear, allow_existing=allow_existing)
    writer = _Writer(root, base, _printable(prompt or root.name), system_site_packages=system_site_packages)
    try:
        if clear and is_environment(root):
            _exchange(root, writer)
        elif root.exists():  # empty, perhaps a mount point that cannot be renamed; or to be written over
            writer.write(root)
        else:
            root.parent.mkdir(parents=True, exist_ok=True)
            _beside(root, writer).rename(root)
    except OSError as error:
        raise EnvironmentRefused(
            f"the environment {root} cannot be made", causes=(f"{error.strerror or error}: {error.filename or root}",)
        ) from error
    return of_environment(base, root, executable_in(root))


def _check_place(root: Path, *, clear: bool, allow_existing: bool) -> None:
    if not os.path.lexists(root):
        return
    if not root.is_dir():
        raise EnvironmentRefused(f"{root} is a file; an environment is not put in its place")
    if not any(root.iterdir()):
        return
    if not is_environment(root) or (root / "pyproject.toml").exists():
        raise EnvironmentRefused(
            f"{root} holds something that is no virtual environment, and is left as it is",
            hints=("Name another place, or remove that folder yourself.",),
        )
    if not clear and not allow_existing:
        raise EnvironmentRefused(
            f"there is an environment at {root} already",
            hints=("Pass --clear to replace it, or --allow-existing to keep its packages.",),
        )


def _beside(root: Path, writer: "_Writer") -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f".{root.name}.new-", dir=root.parent))
    try:
        folder.chmod(0o755)
        writer.write(folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder


def _exchange(root: Path, writer: "_Writer") -> None:
    """Put a new environment in the place of the old one, which is removed only when the new one stands."""
    new = _beside(root, writer)
    aside = Path(tempfile.mkdtemp(prefix=f".{root.name}.old-", dir=root.parent))
    try:
        root.rename(aside / "old")
        try:
            new.rename(root)
        except BaseException:
            (aside / "old").rename(root)
            raise
    except BaseException:
        shutil.rmtree(new)
        aside.rmdir()
        raise
    shutil.rmtree(aside)


def _printable(prompt: str) -> str:
    """A prompt goes into one line of ``pyvenv.cfg`` and into shells: control characters have no place in either."""
    return "".join(character for character in prompt if character.isprintable())


class _Writer:
    """Writes an environment into a folder that will be, or already is, ``root``."""

    def __init__(self, root: Path, base: Interpreter, prompt: str, *, system_site_packages: bool) -> None:
        self._root = root
        self._base = base
        self._prompt = prompt
        self._system_site_packages = system_site_packages

    def write(self, folder: Path) -> None:
        """Everything but packages; ``pyvenv.cfg`` last, since it is what makes the folder an environment."""
        scripts = folder / self._base.layout["scripts"]
        for place in {scripts, *(folder / self._base.layout[name] for name in ("purelib", "platlib"))}:
            place.mkdir(parents=True, exist_ok=True)
        if os.name == "nt":
            self._copy_launchers(scripts)
        else:
            self._link_interpreter(scripts)
        _write(folder / ".gitignore", "*\n")
        _write(folder / "CACHEDIR.TAG", _CACHEDIR_TAG)
        places = (str(self._root), self._base.layout["scripts"], self._prompt)
        for name, text in activation.scripts(*places).items():
            _write(scripts / name, text)
        _write(folder / "pyvenv.cfg", self._configuration())

    def _configuration(self) -> str:
        values = {
            "home": self._base.base_executable.parent,
            "implementation": self._base.target.markers["platform_python_implementation"],
            "cove": __version__,
            "version_info": self._base.version,
            "include-system-site-packages": str(self._system_site_packages).lower(),
            "prompt": self._prompt,
        }
        return "".join(f"{name} = {value}\n" for name, value in values.items())

    def _link_interpreter(self, scripts: Path) -> None:
        major, minor = self._base.release
        _link(scripts / "python", str(self._base.base_executable))
        names = ["python3", f"python{major}.{minor}"]
        names += [f"python{major}.{minor}t"] if self._base.free_threaded else []
        names += [self._base.implementation] if self._base.implementation != "cpython" else []
        for name in names:
            _link(scripts / name, "python")

    def _copy_launchers(self, scripts: Path) -> None:
        """Windows: the launchers of the standard library's ``venv`` start the interpreter that ``pyvenv.cfg`` names."""
        kept = Path(self._base.paths["stdlib"], "venv", "scripts", "nt")
        for name, older in (("venvlauncher.exe", "python.exe"), ("venvwlauncher.exe", "pythonw.exe")):
            found = next((kept / each for each in (older, name) if (kept / each).is_file()), None)
            if found is None:
                raise EnvironmentRefused(
                    f"{self._base} has no launchers for environments",
                    causes=(f"neither {older} nor {name} is in {kept}",),
                )
            shutil.copyfile(found, scripts / older)


def _link(link: Path, target: str) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _write(file: Path, text: str) -> None:
    side = file.with_name(f".{file.name}.new")
    side.write_text(text, encoding="utf-8", newline="\n")
    side.replace(file)
