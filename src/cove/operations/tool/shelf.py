"""The folder of the tools and the folder of their programs: what is there, and changes to both that hold or are undone."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from cove.config.atomic import write_whole
from cove.config.folders import tool_bin_folder, tool_folder
from cove.errors import EnvironmentRefused
from cove.formats import tool_receipt
from cove.formats.tool_receipt import Program, Receipt
from cove.install import environment
from cove.install.apply import locked
from cove.install.installed import scan
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, Warned
from cove.model.name import Name, normalize
from cove.wiring import Session

_ASIDE = ".old"
_SUFFIX = ".exe" if os.name == "nt" else ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that is there. ``version`` is empty where its own project is missing from its environment."""

    name: Name
    version: str
    folder: Path
    receipt: Receipt


class Shelf:
    """Every tool has an environment of its project's name in ``folder``, and links to its programs in ``programs``."""

    def __init__(self, folder: Path, programs: Path, listener: Listener) -> None:
        self.folder = folder
        self.programs = programs
        self._listener = listener

    @classmethod
    def of(cls, session: Session) -> Self:
        """The shelf of the user: ``UV_TOOL_DIR`` and ``UV_TOOL_BIN_DIR``, or their defaults."""
        settings, environ = session.settings, session.environ
        return cls(tool_folder(settings, environ), tool_bin_folder(settings, environ), session.listener)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock of all tools; what a killed process left half done is taken back first."""
        try:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
            with locked(self.folder, self._listener):
                self._recover()
                yield
        except OSError as error:
            raise EnvironmentRefused(
                "the tools cannot be changed",
                causes=(f"{error.filename or self.folder}: {error.strerror or error}",),
                hints=(f"Look at the permissions of {self.folder} and {self.programs}.",),
            ) from error

    def _recover(self) -> None:
        """An environment whose receipt is written is whole; else the one before it is."""
        for aside in self.folder.glob(f".*{_ASIDE}"):
            place = self.folder / aside.name.removeprefix(".").removesuffix(_ASIDE)
            if (place / tool_receipt.FILE_NAME).is_file():
                shutil.rmtree(aside)
            else:
                if place.exists():
                    shutil.rmtree(place)
                aside.rename(place)

    # -- looking

    def tools(self) -> list[Tool]:
        """Every tool, by name; a folder without a readable receipt is reported."""
        found = []
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            tool = self.tool(normalize(folder.name))
            if tool is not None:
                found.append(tool)
            else:
                hint = f"`cove tool install --force {folder.name}` makes it anew"
                self._listener(Warned(f"{folder} is passed over: it has no receipt that can be read", hint))
        return found

    def tool(self, name: Name) -> Tool | None:
        """The tool called ``name``, if it is there and its receipt can be read."""
        folder = self.folder / name
        try:
            receipt = tool_receipt.parse((folder / tool_receipt.FILE_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        installed = scan(map(str, sorted(folder.glob("lib*/*/site-packages")) or [folder / "Lib" / "site-packages"]))
        return Tool(name, installed[name].version if name in installed else "", folder, receipt)

    def check_place(self, name: Name) -> None:
        """Raises ``EnvironmentRefused`` where a folder of the tool's name holds something that is no environment."""
        folder = self.folder / name
        if not os.path.lexists(folder) or (environment.is_environment(folder) and not folder.is_symlink()):
            return
        if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
            raise EnvironmentRefused(
                f"{folder} is no environment of a tool, and is left as it is", hints=("Move it away.",)
            )

    def is_link(self, path: Path, name: Name) -> bool:
        """Whether ``path`` is a link to a program of the tool ``name`` (on Windows, where there are copies: a program)."""
        if os.name == "nt":
            return path.is_file() and path.parent == self.programs
        if not path.is_symlink():
            return False
        target = os.path.normpath(os.path.join(path.parent, os.readlink(path)))
        return target.startswith(os.path.join(self.folder / name, ""))

    def check_programs(self, name: Name, programs: Iterable[str], known: Receipt | None, *, force: bool) -> None:
        """Raises ``EnvironmentRefused`` where another file has the name of a program; with ``force`` only for folders."""
        ours = {each.install_path for each in known.programs} if known is not None else set()
        foreign = []
        for program in programs:
            place = self.place_of(program)
            if not os.path.lexists(place) or (self.is_link(place, name) and (os.name != "nt" or str(place) in ours)):
                continue
            if not force or (place.is_dir() and not place.is_symlink()):
                foreign.append(program)
        if foreign:
            listed = ", ".join(f"`{program}`" for program in foreign)
            raise EnvironmentRefused(
                f"{listed} of `{name}` would replace what is in {self.programs} and is not its own",
                hints=("Pass --force to replace it, or move it away. Nothing was changed.",),
            )

    def place_of(self, program: str) -> Path:
        """Where a program is put."""
        return self.programs / (program + _SUFFIX)


class Change:
    """One change of one tool, all or nothing: leaving the ``with`` block before ``commit`` undoes every step."""

    def __init__(self, shelf: Shelf, name: Name) -> None:
        self._shelf = shelf
        self._folder = shelf.folder / name
        self._name = name
        self._undo = ExitStack()
        self._finish = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def commit(self) -> None:
        """Keep what was done, and clear away what it replaced."""
        self._undo.pop_all()
        self._finish.close()

    def environment(self, base: Interpreter) -> Interpreter:
        """A new environment in the place of the one that is there."""
        self.take_away()
        self._undo.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return environment.create(self._folder, base, prompt=self._name)

    def take_away(self) -> None:
        """Remove the environment, if there is one."""
        if not self._folder.exists():
            return
        aside = self._folder.with_name(f".{self._name}{_ASIDE}")
        self._folder.rename(aside)
        self._undo.callback(aside.rename, self._folder)
        self._finish.callback(shutil.rmtree, aside, ignore_errors=True)

    def link(self, program: str, source: Path) -> None:
        """Make a program reachable; what has its name gives way."""
        target = self._shelf.place_of(program)
        target.parent.mkdir(parents=True, exist_ok=True)
        side = target.with_name(f".{target.name}.new")
        side.unlink(missing_ok=True)
        if os.name == "nt":
            shutil.copyfile(source, side)
        else:
            side.symlink_to(source)
        self.unlink(target)
        self._undo.callback(target.unlink, missing_ok=True)
        side.replace(target)

    def unlink(self, target: Path) -> None:
        """Take a program away, if it is there."""
        if os.path.lexists(target):
            aside = target.with_name(f".{target.name}{_ASIDE}")
            target.replace(aside)
            self._undo.callback(aside.replace, target)
            self._finish.callback(aside.unlink, missing_ok=True)

    def unlink_all(self, programs: Iterable[Program]) -> None:
        """Take away those of ``programs`` that are links to this tool: a receipt has no say over other files."""
        for each in programs:
            path = Path(each.install_path)
            if path.is_absolute() and self._shelf.is_link(path, self._name):
                self.unlink(path)

    def receipt(self, receipt: Receipt) -> None:
        """Write the receipt, the last step: it makes the environment a tool."""
        path = self._folder / tool_receipt.FILE_NAME
        before = path.read_bytes() if path.exists() else None
        write_whole(path, tool_receipt.dump(receipt).encode())
        if before is not None:
            self._undo.callback(write_whole, path, before)


def is_on_path(folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether programs in ``folder`` are found by their names."""
    parts = environ.get("PATH", "").split(os.pathsep)
    return os.path.realpath(folder) in {os.path.realpath(part) for part in parts if part}
