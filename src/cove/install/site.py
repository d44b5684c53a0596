"""An environment's folders as a place where steps are taken, and taken back."""

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol, get_args

from cove.errors import EnvironmentRefused, InvalidArtifact
from cove.install.wheel import CHANGE_FOLDER, PYTHON_SHEBANG, Link, Rewrite, Scheme, Step, Write, digest_of, rewrite

LinkMode = Literal["auto", "hardlink", "copy", "symlink", "clone"]


def link_mode(text: str | None) -> LinkMode:
    """The mode that a setting names; ``auto`` for none."""
    return next((mode for mode in get_args(LinkMode) if mode == text), "auto")


Written = tuple[str, str, int]
"""Target, hash as in ``RECORD``, size in bytes."""

# Linking cannot be done here, but copying may: another device, no such feature, too many links.
_TRY_A_COPY = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENOTTY}
)
_FICLONE = 0x40049409


class Environment(Protocol):
    """What must be known of an interpreter to install for it; ``install.interpreter.Interpreter`` is one."""

    @property
    def executable(self) -> Path: ...  # noqa: D102
    @property
    def prefix(self) -> Path: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def paths(self) -> Mapping[str, str]: ...  # noqa: D102


def scheme_of(environment: Environment) -> Scheme:
    """The scheme of an interpreter. Headers lie where pip and uv put those of a virtual environment."""
    paths = {key: os.path.abspath(environment.paths[key]) for key in ("purelib", "platlib", "scripts", "data")}
    major, minor = environment.version.split(".")[:2]
    headers = os.path.join(environment.prefix, "include", "site", f"python{major}.{minor}")
    paths["headers"] = os.path.abspath(environment.paths.get("headers", headers))
    return Scheme(str(environment.prefix), str(environment.executable), paths, os.name == "nt")


class Journal:
    """Every change of an environment, noted before it is made, so that all of them can be undone.

    What is replaced or removed is moved into a side folder of the environment. The notes are kept in a file there: if the
    process is killed, ``recover`` takes its changes back before the next one begins.
    """

    def __init__(self, prefix: Path) -> None:
        self._side = prefix / CHANGE_FOLDER
        self._notes: list[tuple[str, str, int]] = []
        self._side.mkdir()
        self._file = os.open(self._side / "journal", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    @classmethod
    def recover(cls, prefix: Path) -> bool:
        """Undo what an interrupted process left behind; whether there was anything. Raises ``EnvironmentRefused``."""
        side = prefix / CHANGE_FOLDER
        if side.is_symlink() or not side.is_dir():
            return False
        journal = cls.__new__(cls)
        journal._side, journal._file, journal._notes = side, -1, []
        if (side / "journal").is_file():
            journal._notes = _read_notes(side / "journal")
        journal.undo()
        return True

    def _note(self, kind: str, path: str, number: int = 0) -> None:
        self._notes.append((kind, path, number))
        os.write(self._file, json.dumps([kind, path, number]).encode() + b"\n")

    def move_aside(self, path: str) -> None:
        """Take a file or link away, to be removed by ``commit`` or brought back by ``undo``."""
        number = len(self._notes)
        self._note("moved", path, number)
        _move(path, str(self._side / str(number)))

    def will_make(self, path: str) -> None:
        """Say that a file will now be made where nothing is."""
        self._note("made", path)

    def make_folder(self, path: str) -> None:
        """Make one folder where nothing is."""
        self._note("folder", path)
        os.mkdir(path)

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        self._note("removed", path, os.stat(path).st_mode & 0o7777)
        os.rmdir(path)

    def commit(self) -> None:
        """Make the changes final."""
        os.close(self._file)
        (self._side / "journal").unlink()  # from here on there is nothing to undo
        shutil.rmtree(self._side, ignore_errors=True)  # what is left, the next ``recover`` removes

    def undo(self) -> None:
        """Take all changes back, the last first.

        Raises ``EnvironmentRefused`` when something cannot be; the side folder then keeps what was taken away.
        """
        if self._file >= 0:
            os.close(self._file)
        failures = []
        for kind, path, number in reversed(self._notes):
            try:
                self._undo_one(kind, path, number)
            except OSError as error:
                failures.append(f"{path}: {error.strerror}")
        if failures:
            raise EnvironmentRefused(
                "the environment could not be brought back to what it was before",
                causes=tuple(failures[:5]),
                hints=(f"What was taken away lies in {self._side}; the next change tries again to bring it back.",),
            )
        shutil.rmtree(self._side)

    def _undo_one(self, kind: str, path: str, number: int) -> None:
        match kind:
            case "moved":
                aside = str(self._side / str(number))
                if os.path.lexists(aside):
                    _move(aside, path)
            case "made":
                if os.path.lexists(path):
                    os.unlink(path)
            case "folder":
                if os.path.lexists(path):
                    os.rmdir(path)
            case _:
                if not os.path.lexists(path):
                    os.mkdir(path)
                    os.chmod(path, number)


def _read_notes(path: Path) -> list[tuple[str, str, int]]:
    notes = []
    for line in path.read_bytes().splitlines():
        try:
            kind, place, number = json.loads(line)
        except ValueError:
            break  # the last line of a process that was killed while it wrote; the change had not begun
        notes.append((str(kind), str(place), int(number)))
    return notes


def _move(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)


class Site:
    """Takes steps in an environment, each noted in a journal.

    A file that is in the way is moved aside; a folder in the way, or a link that leads out of the environment, is refused.
    """

    def __init__(self, scheme: Scheme, journal: Journal, link_mode: LinkMode = "auto") -> None:
        self.replaced: list[str] = []
        """Files that were in the way, in order."""
        self._journal = journal
        self._mode: LinkMode = "hardlink" if link_mode == "auto" else link_mode
        self._bounds = Bounds(scheme)
        self._scheme = scheme
        self._folders: set[str] = set()

    def take(self, step: Step, files: Path) -> Written:
        """Take one step; ``files`` is the folder of the unpacked wheel. Raises ``EnvironmentRefused`` and ``OSError``."""
        self._make_room(step.target)
        match step:
            case Link(source, target):
                self._link(str(files / source.path), target)
                return target, source.hash, source.size
            case Rewrite(source, target):
                # Programs of many megabytes lie among the scripts too; only what is rewritten is read whole.
                with (files / source.path).open("rb") as file:
                    if file.read(len(PYTHON_SHEBANG)) != PYTHON_SHEBANG:
                        self._link(str(files / source.path), target)
                        return target, source.hash, source.size
                content = rewrite((files / source.path).read_bytes(), self._scheme)
                _write(target, content, executable=True)
                return target, digest_of(content), len(content)
            case Write(content, target, executable):
                _write(target, content, executable=executable)
                return target, digest_of(content), len(content)

    def _make_room(self, target: str) -> None:
        self._make_folders(os.path.dirname(target))
        if os.path.lexists(target):
            if os.path.isdir(target) and not os.path.islink(target):
                raise EnvironmentRefused(
                    f"`{target}` should become a file, but a folder is there",
                    hints=("Move the folder away if nothing needs it.",),
                )
            self.replaced.append(target)
            self._journal.move_aside(target)
        self._journal.will_make(target)

    def _make_folders(self, folder: str) -> None:
        if folder in self._folders:
            return
        missing = []
        present = folder
        while not os.path.lexists(present):
            missing.append(present)
            present = os.path.dirname(present)
        if not os.path.isdir(present):
            raise EnvironmentRefused(
                f"`{present}` should become a folder, but a file is there",
                hints=("Move the file away if nothing needs it.",),
            )
        self._bounds.refuse_outside(present)
        for path in reversed(missing):
            self._journal.make_folder(path)
        self._folders.add(folder)

    def _link(self, source: str, target: str) -> None:
        if self._mode != "copy":
            try:
                _LINKERS[self._mode](source, target)
            except OSError as error:
                if error.errno not in _TRY_A_COPY:
                    raise
                self._mode = "copy"  # what one file cannot have, the next thousand cannot either
            else:
                return
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def _clone(source: str, target: str) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "no cloning here")
    import fcntl  # noqa: PLC0415 - this system has it

    with open(source, "rb") as original, open(target, "xb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            os.unlink(target)
            raise
    shutil.copymode(source, target)


_LINKERS: Mapping[LinkMode, Callable[[str, str], None]] = {"hardlink": os.link, "symlink": os.symlink, "clone": _clone}


def _write(target: str, content: bytes, *, executable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(target, flags, 0o777 if executable else 0o666), "wb") as file:
        file.write(content)


class Bounds:
    """The folders within which an environment may be changed: its prefix and those its interpreter names."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self.folders = frozenset({scheme.prefix, *scheme.paths.values()})
        self._real = tuple(os.path.join(os.path.realpath(folder), "") for folder in self.folders)
        self._texts = tuple(os.path.join(folder, "") for folder in self.folders)
        self._sound: set[str] = set()

    def refuse_outside(self, folder: str) -> None:
        """Raises ``InvalidArtifact`` when an existing folder, all links followed, is not within the environment."""
        if folder in self._sound:
            return
        inside = os.path.join(folder, "")
        real = os.path.join(os.path.realpath(folder), "")
        # One of the named folders may not exist yet; then the first that does exist lies above it.
        if not real.startswith(self._real) and not any(named.startswith(inside) for named in self.folders):
            raise InvalidArtifact(
                f"`{folder}` leads out of the environment, to `{real}`",
                hints=("Remove the link if you do not know it.",),
            )
        self._sound.add(folder)

    def keeps(self, folder: str) -> bool:
        """Whether a folder stays even when it is empty: all that the interpreter names, but for headers, which are rare."""
        named = (self._scheme.prefix, *(path for key, path in self._scheme.paths.items() if key != "headers"))
        return any(path == folder or path.startswith(os.path.join(folder, "")) for path in named)

    def holds(self, path: str) -> bool:
        """Whether a normalised absolute path lies, by its text, below one of the folders and may be changed."""
        return path.startswith(self._texts) and not self._scheme.untouchable(path)
