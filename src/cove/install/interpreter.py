"""What a Python interpreter is: asked once in a process of its own, then remembered by path, size and time of change."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cove.errors import PythonNotFound
from cove.model.dataclasses import dataclass, replace
from cove.model.target import Target

OLDEST = (3, 8)
"""The oldest Python whose environments can be changed."""

_SCHEMA = 1
_SECONDS = 30
_MARK = "cove-interpreter:"
_NOT_EXPLAINED = "its EXTERNALLY-MANAGED file gives no reason"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter together with the place it installs to.

    ``executable`` is what is run, ``base_executable`` the one a virtual environment was made from (else the same).
    ``paths`` are absolute: ``purelib platlib scripts data include headers stdlib``; ``headers`` is the folder below which
    a distribution's headers get a folder of their own. ``layout`` says where ``purelib platlib scripts data`` lie in a
    virtual environment of this interpreter, relative to its root. ``version`` is the full one (``3.11.7``).
    """

    executable: Path
    base_executable: Path
    prefix: Path
    base_prefix: Path
    version: str
    paths: Mapping[str, str]
    layout: Mapping[str, str]
    target: Target

    @property
    def is_virtual(self) -> bool:
        """Whether it belongs to a virtual environment (PEP 405)."""
        return self.prefix != self.base_prefix

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.target.markers["python_version"].split(".")[:2]
        return int(major), int(minor)

    @property
    def implementation(self) -> str:
        """``cpython``, ``pypy``, …"""
        return self.target.markers["implementation_name"]

    @property
    def free_threaded(self) -> bool:
        """Whether it is a CPython without the global lock (PEP 703)."""
        abi = self.target.tags[0].split("-")[1]
        return abi.startswith("cp") and abi.rstrip("d").endswith("t")

    @property
    def sites(self) -> tuple[str, ...]:
        """The folders distributions are installed to: ``purelib``, then ``platlib`` where that is another."""
        return tuple(dict.fromkeys((self.paths["purelib"], self.paths["platlib"])))

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders below which installed files may lie."""
        kept = ("purelib", "platlib", "scripts", "data", "headers")
        return tuple(dict.fromkeys((self.prefix, *(Path(self.paths[name]) for name in kept))))

    @property
    def externally_managed(self) -> str | None:
        """Why the operating system wants this interpreter left alone, ``None`` when it does not mind.

        PEP 668: what matters is that it is not in a virtual environment and that a file ``EXTERNALLY-MANAGED`` lies beside
        the standard library; the file's ``Error`` entry is the reason.
        """
        marker = Path(self.paths["stdlib"], "EXTERNALLY-MANAGED")
        if self.is_virtual or not marker.is_file():
            return None
        return _reason_in(marker)

    def __str__(self) -> str:
        return f"Python {self.version} at {self.executable}"


def _reason_in(marker: Path) -> str:
    import configparser  # noqa: PLC0415 - needed only where an operating system manages the interpreter

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(marker.read_text(encoding="utf-8"))
        return parser.get("externally-managed", "Error").strip() or _NOT_EXPLAINED
    except (configparser.Error, OSError, UnicodeDecodeError):
        return _NOT_EXPLAINED  # PEP 668: the file's presence is what counts


def probe(executable: Path, cache_dir: Path | None = None) -> Interpreter:
    """What ``executable`` is; from ``cache_dir`` when it is known there and unchanged, so that nothing is started.

    Raises ``PythonNotFound`` when it cannot be run within 30 seconds, is not a Python, or older than 3.8.
    """
    executable = Path(os.path.abspath(executable))
    known = _recall(executable, cache_dir)
    if known is not None:
        return known
    interpreter = _interpreter(executable, _run(executable))
    # A version manager's shim is another program than the interpreter it starts, and may start another one tomorrow.
    if interpreter.executable == executable:
        remember(interpreter, cache_dir)
    return interpreter


def _run(executable: Path) -> str:
    import subprocess  # noqa: PLC0415 - what is remembered needs no process

    script = Path(__file__).with_name("self_report.py")
    try:
        done = subprocess.run(
            [str(executable), "-I", str(script)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PythonNotFound(f"{executable} did not answer within {_SECONDS} seconds") from error
    except OSError as error:
        raise PythonNotFound(f"{executable} cannot be run", causes=(error.strerror or str(error),)) from error
    for line in reversed(done.stdout.decode("utf-8", "replace").splitlines()):
        if line.startswith(_MARK):
            return line.removeprefix(_MARK)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
    raise PythonNotFound(f"{executable} is not a usable Python (exit status {done.returncode})", causes=tuple(said))


def _interpreter(executable: Path, text: str) -> Interpreter:
    try:
        said = json.loads(text)
        markers = {str(name): str(value) for name, value in said["markers"].items()}
        return _checked(
            Interpreter(
                executable=Path(said["executable"]),
                base_executable=Path(said["base_executable"]),
                prefix=Path(said["prefix"]),
                base_prefix=Path(said["base_prefix"]),
                # A build from a working copy calls itself "3.13.0+", which PEP 440 does not know.
                version=markers["python_full_version"].rstrip("+"),
                paths={str(name): str(path) for name, path in said["paths"].items()},
                layout={str(name): str(path) for name, path in said["layout"].items()},
                target=Target(markers["python_full_version"].rstrip("+"), markers, _tags(said, markers)),
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PythonNotFound(
            f"{executable} describes itself in a way that cannot be read", causes=(str(error),)
        ) from error


def _checked(interpreter: Interpreter) -> Interpreter:
    if interpreter.release < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise PythonNotFound(
            f"{interpreter} is too old", hints=(f"Python {oldest} is the oldest that can be installed for.",)
        )
    return interpreter


def _tags(said: Mapping[str, object], markers: Mapping[str, str]) -> tuple[str, ...]:
    """Equal to ``packaging.tags.sys_tags()`` within the interpreter that ``said`` this, best first."""
    from packaging import tags  # noqa: PLC0415 - what is remembered needs no computing

    abis, platforms, mac = said["abis"], said["platforms"], said["mac"]
    if not isinstance(abis, list) or not isinstance(platforms, list):
        raise TypeError("abis and platforms are lists")
    if isinstance(mac, dict):
        major, minor = (*mac["version"], 0)[:2]
        platforms = list(tags.mac_platforms((int(major), int(minor)), str(mac["arch"])))
    major, minor = (int(part) for part in markers["python_version"].split(".")[:2])
    version, name = (major, minor), markers["implementation_name"]
    short = {"cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}.get(name, name)
    own = f"{short}{said['nodot']}"
    specific = tags.cpython_tags(version, abis, platforms) if short == "cp" else tags.generic_tags(own, abis, platforms)
    general = tags.compatible_tags(version, {"cp": own, "pp": "pp3"}.get(short), platforms)
    return tuple(str(tag) for tag in (*specific, *general))


def of_environment(base: Interpreter, root: Path, executable: Path) -> Interpreter:
    """The interpreter of a virtual environment just made at ``root`` from ``base``: what ``probe`` would say, unasked."""
    paths = {name: os.path.normpath(os.path.join(root, below)) for name, below in base.layout.items()}
    paths["headers"] = os.path.join(paths["data"], "include", "site", "python{}.{}".format(*base.release))
    paths = {"include": base.paths["include"], "stdlib": base.paths["stdlib"], **paths}
    return replace(base, executable=executable, prefix=root, paths=paths)


# --- remembering -----------------------------------------------------------------------------------------------------


def remember(interpreter: Interpreter, cache_dir: Path | None) -> None:
    """Keep what is known of an interpreter in ``cache_dir`` (nothing is kept without one); a cache that cannot be written is
    no reason to fail."""
    if cache_dir is None:
        return
    import tempfile  # noqa: PLC0415 - only after a process was started anyway

    entry = _entry(interpreter.executable, cache_dir)
    try:
        document = {"schema": _SCHEMA, "state": _state(interpreter.executable), "interpreter": _document(interpreter)}
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=entry.parent, delete=False) as file:
            json.dump(document, file, default=str)
        os.replace(file.name, entry)
    except OSError:
        return


def _document(interpreter: Interpreter) -> dict[str, object]:
    target = interpreter.target
    return {
        "executable": interpreter.executable,
        "base_executable": interpreter.base_executable,
        "prefix": interpreter.prefix,
        "base_prefix": interpreter.base_prefix,
        "version": interpreter.version,
        "paths": interpreter.paths,
        "layout": interpreter.layout,
        "target": {"python": target.python, "markers": target.markers, "tags": target.tags},
    }


def _recall(executable: Path, cache_dir: Path | None) -> Interpreter | None:
    if cache_dir is None:
        return None
    try:
        document = json.loads(_entry(executable, cache_dir).read_bytes())
        if document["schema"] != _SCHEMA or document["state"] != _state(executable):
            return None
        kept = document["interpreter"]
        target = Target(kept["target"]["python"], kept["target"]["markers"], tuple(kept["target"]["tags"]))
        places = {name: Path(kept[name]) for name in ("executable", "base_executable", "prefix", "base_prefix")}
        return Interpreter(**places, version=kept["version"], paths=kept["paths"], layout=kept["layout"], target=target)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not kept, or by another version: it is asked again


def _entry(executable: Path, cache_dir: Path) -> Path:
    import hashlib  # noqa: PLC0415 - needs OpenSSL's library, which a run without a cache should not load

    return cache_dir / "interpreters" / (hashlib.sha256(os.fsencode(executable)).hexdigest()[:32] + ".json")


def _state(executable: Path) -> list[object]:
    """Everything whose change may change the answer: the file, the environment's configuration, the running kernel."""
    real = os.path.realpath(executable)
    status = os.stat(real)
    configuration = executable.parent.parent / "pyvenv.cfg"
    changed = configuration.stat().st_mtime_ns if configuration.is_file() else 0
    kernel = list(os.uname()) if hasattr(os, "uname") else []
    return [real, status.st_size, status.st_mtime_ns, changed, *kernel[2:]]
