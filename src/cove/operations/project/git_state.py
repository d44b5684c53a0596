"""What a repository on this machine is at, read from its files: no program is run to learn whether anything changed."""

import re
from collections.abc import Iterator
from pathlib import Path

from cove.model.dataclasses import dataclass

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DEEPEST = 5
"""How many names may lead to a commit: git follows as many."""


@dataclass(frozen=True, slots=True)
class GitState:
    """A repository: ``own`` holds what belongs to the work tree, ``shared`` what all work trees of it have in common."""

    own: Path
    shared: Path

    @classmethod
    def around(cls, folder: Path) -> "GitState | None":
        """The repository that ``folder`` is in, if any. That of a submodule or a further work tree is where ``.git`` says."""
        for each in (folder, *folder.parents):
            place = each / ".git"
            if place.is_dir():
                return cls(place, place)
            told = _text(place).partition("gitdir:")[2].strip()
            if told:
                own = each / told
                common = _text(own / "commondir")
                return cls(own, own / common if common else own)
        return None

    def commit(self) -> str | None:
        """What is checked out."""
        text = _text(self.own / "HEAD")
        for _ in range(_DEEPEST):
            if _COMMIT.fullmatch(text):
                return text
            name = text.partition("ref:")[2].strip()
            if not name:
                return None
            text = _text(self.own / name) or _text(self.shared / name) or dict(self._packed()).get(name, "")
        return None

    def tags(self) -> dict[str, str]:
        """Every tag with what it points at: a commit, or an object with a message."""
        found = {name.removeprefix("refs/tags/"): at for name, at in self._packed() if name.startswith("refs/tags/")}
        root = self.shared / "refs" / "tags"
        for path in root.rglob("*"):
            text = _text(path)
            if _COMMIT.fullmatch(text):
                found[path.relative_to(root).as_posix()] = text
        return dict(sorted(found.items()))

    def _packed(self) -> Iterator[tuple[str, str]]:
        for line in _text(self.shared / "packed-refs").splitlines():
            commit, _, name = line.partition(" ")
            if _COMMIT.fullmatch(commit):
                yield name, commit


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
