"""A case locked by both programs, and in what the locks differ."""

import difflib
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agreement.cases import Case, Indexes, write_projects
from agreement.oracle import Oracle
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program

NEITHER = "neither has a lock"
"""The kind of what is no difference: both said that there is no answer."""


@dataclass
class Difference:
    """``kind`` is the first thing that is different; ``details`` are for a person."""

    kind: str
    details: str = ""


@dataclass
class Said:
    """What a program wrote: its lock, if there is one, else its words."""

    status: int
    words: str
    lock: str = ""

    @property
    def table(self) -> dict[str, Any]:
        """The lock, parsed."""
        return tomllib.loads(self.lock)


@dataclass
class Both:
    """Two programs that lock the same case."""

    indexes: Indexes
    root: Path
    count: int = 0
    folders: tuple[Path, Path] = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.root / "sandbox")
        self.sandbox.using({"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"})

    def difference(self, case: Case) -> Difference | None:
        """In what the locks of a case differ; ``None`` where they are the same text, and right."""
        self.count += 1
        self.folders = self.root / f"{self.count}" / "ours", self.root / f"{self.count}" / "theirs"
        addresses = self.indexes.serve(case["indexes"])
        self._write(case, addresses)
        first = self._stage(case, ())
        later = case.get("later")
        if later is None or (first and not first.kind.startswith("text")) or not self._lock(1).is_file():
            return first
        self._lock(0).write_bytes(self._lock(1).read_bytes())
        self.indexes.serve(later.get("indexes", case["indexes"]), again=True)
        changed = {**case, **later}
        self._write(changed, addresses)
        second = self._stage(changed, later.get("argv", ()))
        return first or (Difference(f"later {second.kind}", second.details) if second else None)

    def _write(self, case: Case, addresses: dict[str, str]) -> None:
        for folder in self.folders:
            write_projects(case["projects"], addresses, folder)

    def _lock(self, whose: int) -> Path:
        return self.folders[whose] / "uv.lock"

    def _stage(self, case: Case, argv: Sequence[str]) -> Difference | None:
        ours, theirs = self.ours("lock", *argv), self.theirs("lock", *argv)
        if "panicked" in theirs.words:
            return Difference("uv panics", theirs.words)
        if "unexpected" in ours.words:
            return Difference("an error of ours", ours.words)
        if ours.status != 0 and theirs.status != 0:
            return Difference(NEITHER, f"{ours.words}\n{theirs.words}")
        if ours.status != 0:
            return Difference("only uv has a lock", f"{ours.words}\n{theirs.lock}")
        wrong = Oracle(case).judge(ours.table)
        if wrong:
            return Difference("ours is wrong", f"{wrong[0]}\n{ours.lock}\n--- theirs\n{theirs.words}\n{theirs.lock}")
        if theirs.status != 0:
            return Difference("only ours has a lock", f"{theirs.words}\n{ours.lock}")
        if ours.lock == theirs.lock:
            return None
        return self._told_apart(case, ours, theirs)

    def _told_apart(self, case: Case, ours: Said, theirs: Said) -> Difference:
        """The first of: an answer that is refused, other versions, other markers."""
        lines = difflib.unified_diff(ours.lock.splitlines(), theirs.lock.splitlines(), "ours", "theirs", "", "", 2, "")
        text = "\n".join(lines)
        refused = self._at(0, *self._uv("lock", "--check"))
        if refused.status != 0:
            return Difference("uv refuses ours", f"{refused.words}\n{text}")
        checked = self.sandbox.cove("lock", "--check", cwd=self.folders[1])
        if checked.status != 0:
            return Difference("we refuse uv's", f"{checked.stderr}\n{text}")
        wrong = Oracle(case).judge(theirs.table)
        if wrong:
            return Difference("uv's is wrong", f"{wrong[0]}\n{text}")
        chosen = [{_key(each) for each in said.table["package"]} for said in (ours, theirs)]
        if chosen[0] != chosen[1]:
            return Difference("versions", text)
        return Difference(_kind(ours.table, theirs.table), text)

    def ours(self, *argv: str) -> Said:
        """``cove *argv``."""
        ran = self.sandbox.cove(*argv, cwd=self.folders[0])
        return Said(ran.status, ran.stderr, self._lock(0).read_text() if ran.status == 0 else "")

    def theirs(self, *argv: str) -> Said:
        """``uv *argv``."""
        return self._at(1, *self._uv(*argv))

    def _uv(self, *argv: str) -> list[str]:
        return [program("uv"), *argv]

    def _at(self, whose: int, *argv: str) -> Said:
        environ = {**self.sandbox.environ, "UV_CACHE_DIR": str(self.root / "uv-cache")}
        done = run_program(argv, environ, self.folders[whose])
        return Said(done.returncode, done.stderr, self._lock(whose).read_text() if done.returncode == 0 else "")


def _key(package: dict[str, Any]) -> tuple[str, str, str]:
    return package["name"], package.get("version", ""), str(package["source"])


def _kind(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    if ours.get("resolution-markers") != theirs.get("resolution-markers"):
        return "text: parts"
    packages = [{_key(each): each for each in lock["package"]} for lock in (ours, theirs)]
    for key, one in packages[0].items():
        other = packages[1][key]
        for part in ("resolution-markers", "dependencies", "optional-dependencies", "dev-dependencies", "metadata"):
            if one.get(part) != other.get(part):
                return f"text: {part} of packages"
    return "text"
