"""What tells whether a local project must be built anew: ``tool.uv.cache-keys``, and what was recorded of them.

An installation records the state that it was built in as ``uv_cache.json`` in its ``.dist-info``, in uv's format, so that
either of the two knows what the other has installed.
"""

import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cove.formats.pyproject import CacheKey
from cove.model.dataclasses import dataclass, field
from cove.model.event import Listener, Warned, ignore

FILE_NAME = "uv_cache.json"

DEFAULT_KEYS: tuple[CacheKey, ...] = (
    ("file", "pyproject.toml"), ("file", "setup.py"), ("file", "setup.cfg"), ("dir", "src"),
)  # fmt: skip

_NANOSECONDS = 10**9
_PATTERN = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class LocalState:
    """The state of a project by its keys.

    ``timestamp`` is that of the file that changed last, in nanoseconds, ``None`` without any; ``directories`` are there, with
    their inodes, or not (``None``); ``env`` has ``None`` for what is not set.
    """

    timestamp: int | None = None
    commit: str | None = None
    tags: Mapping[str, str] | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    directories: Mapping[str, int | None] = field(default_factory=dict)

    def __str__(self) -> str:
        """As uv writes it."""
        return json.dumps(
            {
                "timestamp": _timestamp(self.timestamp),
                "commit": self.commit,
                "tags": self.tags,
                "env": self.env,
                "directories": self.directories,
            }
        )

    def is_as_recorded(self, text: str) -> bool:
        """Whether ``text``, which may be uv's, records the same."""
        try:
            said = json.loads(text)
            directories = said.get("directories") or {}
            return (
                said["timestamp"] == _timestamp(self.timestamp)
                and said.get("commit") == self.commit
                and said.get("tags") == self.tags
                and (said.get("env") or {}) == self.env
                and directories.keys() == self.directories.keys()
                and all(_is_same_folder(directories[name], inode) for name, inode in self.directories.items())
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return False


def _timestamp(nanoseconds: int | None) -> dict[str, int] | None:
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    return {"secs_since_epoch": seconds, "nanos_since_epoch": rest}


def _is_same_folder(recorded: object, inode: int | None) -> bool:
    """What uv records is when a folder was made, where the system tells; of that only its presence can be compared."""
    if isinstance(recorded, int):
        return recorded == inode
    return (recorded is None) == (inode is None)


def is_as_recorded(dist_info: str, state: LocalState) -> bool:
    """Whether what is installed was built in this state."""
    try:
        return state.is_as_recorded(Path(dist_info, FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False


def local_state(
    folder: Path, keys: Sequence[CacheKey] | None, environ: Mapping[str, str], report: Listener = ignore
) -> LocalState:
    """The state of the project in ``folder`` by its ``keys``, uv's usual ones where it states none."""

    def of(kind: str) -> list[str]:
        return [value for each, value in (DEFAULT_KEYS if keys is None else keys) if each == kind]

    commit, tags = None, None
    if of("git"):
        from cove.operations.project.git_state import GitState

        git = GitState.around(folder)
        commit = git.commit() if git is not None and "commit" in of("git") else None
        tags = git.tags() if git is not None and "tags" in of("git") else None
    return LocalState(
        max(_changes(folder, of("file"), report), default=None),
        commit,
        tags,
        {name: environ.get(name) for name in of("env")},
        {name: _inode(folder / name) for name in of("dir")},
    )


def _changes(folder: Path, patterns: Iterable[str], report: Listener) -> Iterator[int]:
    """When each of the files was changed."""
    for pattern in patterns:
        paths = _matching(folder, pattern) if _PATTERN.search(pattern) else [pattern]
        for path in paths:
            try:
                told = os.stat(folder / path)
            except OSError:
                continue  # a file that is not there yet is a state, too
            if not os.path.isdir(folder / path):
                yield told.st_mtime_ns if os.name == "nt" else told.st_ctime_ns
            elif path == pattern:
                report(Warned(f"{folder}: the cache key `{path}` is a folder: as `{{ dir = … }}` it would count"))


def _matching(folder: Path, pattern: str) -> Iterator[str]:
    braces = _BRACES.search(pattern)
    if braces is None:
        yield from glob.iglob(pattern, root_dir=folder, recursive=True, include_hidden=True)
        return
    for choice in braces[1].split(","):
        yield from _matching(folder, pattern[: braces.start()] + choice + pattern[braces.end() :])


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino if path.is_dir() else None
    except OSError:
        return None
