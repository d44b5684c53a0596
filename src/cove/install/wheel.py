"""The installation of one wheel as a list of steps (PEP 427, "Installing a wheel"). Pure: ``install.site`` takes the steps."""

import hashlib
import ntpath
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping
from types import ModuleType

from cove.errors import InvalidArtifact
from cove.formats.entry_points import EntryPoint
from cove.formats.wheel_record import RecordEntry, encode_hash, render
from cove.model.dataclasses import dataclass

INSTALLER = b"cove\n"
PYTHON_SHEBANG = b"#!python"
CHANGE_FOLDER = ".cove-change"
LOCK_FILE = ".cove-lock"
"""What ``install.apply`` keeps in the prefix of an environment while it changes it; no package may touch either."""

# Written by whoever installs, so a wheel's own are not taken over.
_GENERATED = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
_PYTHON = re.compile(r"pythonw?(\d+(\.\d+)?)?(\.exe)?", re.IGNORECASE)
_LONGEST_SHEBANG = 127  # Linux before 5.1 reads 128 bytes of the first line, the line feed included


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file of a wheel: its path there, its verified hash as ``RECORD`` has it, size in bytes, whether it may be executed."""

    path: str
    hash: str
    size: int
    executable: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a wheel once it has been unpacked and verified; ``dist_info`` is the name of that folder."""

    filename: str
    dist_info: str
    root_is_purelib: bool
    files: tuple[WheelFile, ...]
    scripts: tuple[EntryPoint, ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """Where an interpreter looks for what: absolute paths under ``purelib``, ``platlib``, ``scripts``, ``data``, ``headers``.

    Headers go into a folder of the project's name below ``headers``. ``windows`` decides how paths and commands are written.
    """

    prefix: str
    executable: str
    paths: Mapping[str, str]
    windows: bool = False

    def untouchable(self, path: str) -> bool:
        """Whether a normalised absolute path is part of the environment itself, which no package may bring or remove."""
        own = [self.syntax.join(self.prefix, name) for name in (CHANGE_FOLDER, LOCK_FILE, "pyvenv.cfg")]
        return path in (self.executable, *own) or path.startswith(self.syntax.join(own[0], ""))

    @property
    def syntax(self) -> ModuleType:
        """The rules of paths there: ``ntpath`` or ``posixpath``."""
        return ntpath if self.windows else posixpath


@dataclass(frozen=True, slots=True)
class Link:
    """Place a file of the unpacked wheel."""

    source: WheelFile
    target: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Place a script of the wheel with its first line naming the environment's interpreter."""

    source: WheelFile
    target: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write a file that is no part of the wheel."""

    content: bytes
    target: str
    executable: bool = False


Step = Link | Rewrite | Write


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps but the last, in order; ``record`` makes the last. ``site`` is the folder that gets ``dist_info``."""

    scheme: Scheme
    site: str
    dist_info: str
    steps: tuple[Step, ...]

    def record(self, entries: Iterable[tuple[str, str, int]]) -> Write:
        """The step that writes ``RECORD``, given target, hash and size of all that was placed."""
        target = self.scheme.syntax.join(self.site, self.dist_info, "RECORD")
        rows = sorted((self._relative(path), digest, size) for path, digest, size in entries)
        records = [RecordEntry(path, digest, size) for path, digest, size in rows]
        return Write(render([*records, RecordEntry(self._relative(target))]).encode(), target)

    def _relative(self, target: str) -> str:
        inside = self.site + self.scheme.syntax.sep
        path = target[len(inside) :] if target.startswith(inside) else self.scheme.syntax.relpath(target, self.site)
        return path.replace("\\", "/") if self.scheme.windows else path


def steps(
    manifest: Manifest, scheme: Scheme, *, requested: bool = False, direct_url: str = "", local_state: str = ""
) -> Steps:
    """How to install a wheel.

    ``requested`` says that a person asked for it by name (PEP 376); ``direct_url`` is the text of ``direct_url.json``,
    empty for a wheel from an index, ``local_state`` that of ``uv_cache.json``, empty for one that was not built of a folder.
    Raises ``InvalidArtifact`` when a file would leave its place, replace the interpreter, or come to lie where another file
    of the wheel does.
    """
    layout = _Layout(manifest, scheme)
    site = scheme.paths[layout.root]
    todo: list[Step] = []
    for file in manifest.files:
        place = layout.place(file.path)
        if place is not None:
            key, target = place
            todo.append(Rewrite(file, target) if key == "scripts" else Link(file, target))
    made = {
        layout.inside("scripts", name): content
        for entry in manifest.scripts
        for name, content in commands(entry, scheme)
    }
    # A command stands for a script of the same name; pip lets the command win too.
    todo = [step for step in todo if step.target not in made]
    todo += [Write(content, target, executable=True) for target, content in made.items()]
    generated = {"INSTALLER": INSTALLER}
    if requested:
        generated["REQUESTED"] = b""
    if direct_url:
        generated["direct_url.json"] = direct_url.encode()
    if local_state:
        generated["uv_cache.json"] = local_state.encode()
    todo += [
        Write(data, layout.inside(layout.root, f"{manifest.dist_info}/{name}")) for name, data in generated.items()
    ]
    plan = Steps(scheme, site, manifest.dist_info, tuple(todo))
    _refuse_collisions(manifest, plan)
    return plan


class _Layout:
    """Where the files of one wheel go."""

    def __init__(self, manifest: Manifest, scheme: Scheme) -> None:
        self.manifest = manifest
        self.scheme = scheme
        self.root = "purelib" if manifest.root_is_purelib else "platlib"
        stem = manifest.dist_info.removesuffix(".dist-info")
        self.data = f"{stem}.data/"
        self.project = stem.rpartition("-")[0]

    def place(self, path: str) -> tuple[str, str] | None:
        """Kind of place and absolute target of a file of the wheel, ``None`` for one that is not installed."""
        folder, _, name = path.rpartition("/")
        if folder == self.manifest.dist_info and name in _GENERATED:
            return None
        if "__pycache__" in folder.split("/"):
            # Bytecode is never checked against its source in full: a wheel could bring other code than it shows.
            return None
        if not path.startswith(self.data):
            return self.root, self.inside(self.root, path)
        key, _, rest = path.removeprefix(self.data).partition("/")
        if key not in ("purelib", "platlib", "scripts", "headers", "data") or not rest:
            raise InvalidArtifact(
                f"`{self.manifest.filename}` is not a valid wheel: no rule says where `{path}` goes",
                hints=("A .data folder may hold purelib, platlib, scripts, headers and data.",),
            )
        return key, self.inside(key, f"{self.project}/{rest}" if key == "headers" else rest)

    def inside(self, key: str, path: str) -> str:
        """The absolute target of ``path`` below one of the scheme's folders."""
        syntax = self.scheme.syntax
        base = self.scheme.paths[key]
        target: str = syntax.normpath(syntax.join(base, path))
        # A path may have been judged already; what is written is judged again, since this is where harm would be done.
        if not target.startswith(syntax.join(base, "")):
            raise InvalidArtifact(f"`{self.manifest.filename}` tries to write outside of its place: `{path}`")
        replaces_python = key == "scripts" and _PYTHON.fullmatch(syntax.basename(target))
        if replaces_python or self.scheme.untouchable(target):
            raise InvalidArtifact(
                f"`{self.manifest.filename}` tries to replace a part of the environment itself: `{path}`"
            )
        return target


def _refuse_collisions(manifest: Manifest, plan: Steps) -> None:
    normcase = plan.scheme.syntax.normcase
    seen = {normcase(plan.record([]).target)}
    for step in plan.steps:
        target = normcase(step.target)
        if target in seen:
            raise InvalidArtifact(f"`{manifest.filename}` has two files for the same place: `{step.target}`")
        seen.add(target)


def commands(entry: EntryPoint, scheme: Scheme) -> list[tuple[str, bytes]]:
    """Names and contents of the files that make an entry point a command."""
    body = _COMMAND.format(module=entry.module, name=entry.attribute.partition(".")[0], call=entry.attribute)
    if not scheme.windows:
        return [(entry.name, shebang(scheme.executable) + body.encode())]
    executable = scheme.executable
    if entry.group == "gui":
        executable = ntpath.join(ntpath.dirname(executable), ntpath.basename(executable).replace("python", "pythonw"))
    batch = f'@"{executable}" "%~dp0{entry.name}-script.py" %*\r\n'
    return [(f"{entry.name}-script.py", body.encode()), (f"{entry.name}.cmd", batch.encode())]


_COMMAND = """\
# -*- coding: utf-8 -*-
import sys
from {module} import {name}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.py"):
        sys.argv[0] = sys.argv[0][:-10]
    sys.exit({call}())
"""


def shebang(executable: str) -> bytes:
    """The first line (or lines) that make a file of Python code run under ``executable``.

    The kernel cuts long lines and splits at spaces; then ``/bin/sh`` starts the interpreter, by lines that are a string to
    Python and a command to the shell.
    """
    plain = f"#!{executable}\n".encode()
    if " " not in executable and len(plain) <= _LONGEST_SHEBANG:
        return plain
    return f"#!/bin/sh\n'''exec' {shlex.quote(executable)} \"$0\" \"$@\"\n' '''\n".encode()


def rewrite(content: bytes, scheme: Scheme) -> bytes:
    """A script of a wheel with the interpreter filled in (PEP 427: "If the first line … starts with exactly ``#!python``")."""
    first, _, rest = content.partition(b"\n")
    if not first.startswith(PYTHON_SHEBANG):
        return content
    return shebang(scheme.executable) + rest


def digest_of(content: bytes) -> str:
    """The hash of ``content`` as ``RECORD`` has it."""
    return encode_hash(hashlib.sha256(content).digest())
