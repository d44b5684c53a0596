"""Repositories in requirements (``git+https://…@v1#subdirectory=lib``) and in locks (``https://…?tag=v1#<commit>``).

What a requirement's text cannot tell, whether ``v1`` is a tag or a branch, stands in the fragment here: ``#tag=v1``.
"""

import re
from typing import Literal, cast
from urllib.parse import parse_qsl, quote_plus, unquote

from cove.model.dataclasses import dataclass, replace
from cove.model.url import Url

Kind = Literal["", "rev", "tag", "branch"]

SCHEMES = ("https", "http", "ssh", "git", "file")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# git-check-ref-format(1), and no beginning that a program could take for an option.
_REFERENCE = re.compile(r"(?!-)(?!.*(?:\.\.|@\{|//|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+")


@dataclass(frozen=True, slots=True)
class GitUrl:
    """A repository, what is wanted of it, and where the project lies in it.

    ``kind`` and ``reference`` are empty for the branch that the repository itself names. ``subdirectory`` is relative to
    the root. ``commit`` is what the reference was found to be, empty until then.
    """

    url: Url
    kind: Kind = ""
    reference: str = ""
    subdirectory: str = ""
    lfs: bool = False
    commit: str = ""

    @property
    def requested(self) -> str:
        """As a lock's requirement has it, without user info."""
        pairs = [("subdirectory", self.subdirectory), ("lfs", "true" if self.lfs else ""), (self.kind, self.reference)]
        query = "&".join(f"{key}={_encoded(value)}" for key, value in pairs if key and value)
        return f"{self.url.public}?{query}" if query else self.url.public

    @property
    def locked(self) -> str:
        """As a lock's package has it, without user info."""
        return f"{self.requested}#{self.commit}"

    @property
    def text(self) -> str:
        """As a requirement has it, without user info; ``parse`` reads it."""
        return written(self.url.public, self.kind, self.reference, self.subdirectory, lfs=self.lfs)

    @property
    def pinned(self) -> str:
        """As a requirement has it that means this commit, without user info."""
        return written(self.url.public, "rev", self.commit, self.subdirectory, lfs=self.lfs)

    def within(self, subdirectory: str) -> "GitUrl":
        """Another place in the same repository."""
        return replace(self, subdirectory="" if subdirectory == "." else subdirectory)

    def __str__(self) -> str:
        return f"git+{self.url}{'@' if self.reference else ''}{self.reference}"


def written(url: str, kind: str = "", reference: str = "", subdirectory: str = "", *, lfs: bool = False) -> str:
    """The text of a requirement's URL that ``parse`` reads; ``url`` stays as it is, user info included."""
    pairs = [("subdirectory", subdirectory), ("lfs", "true" if lfs else "")]
    pairs += [(kind, reference)] if kind not in ("", "rev") else []
    fragment = "&".join(f"{key}={_encoded(value)}" for key, value in pairs if value)
    at = f"@{reference}" if kind == "rev" else ""
    return f"git+{url}{at}" + (f"#{fragment}" if fragment else "")


def is_git(text: str) -> bool:
    """Whether the URL of a requirement is that of a repository."""
    return text.lower().startswith("git+")


def parse(text: str) -> GitUrl:
    """What ``git+https://…@reference#subdirectory=…`` says. Raises ``ValueError``, never quoting the text."""
    address, _, fragment = text.strip()[len("git+") :].partition("#")
    scheme, separator, rest = address.partition("://")
    if not separator:
        raise ValueError("a repository's URL begins with `https://`, `ssh://`, `file://` or the like")
    path_start = rest.find("/") if "/" in rest else len(rest)
    path, at, revision = rest[path_start:].rpartition("@")
    if not at:
        path, revision = rest[path_start:], ""
    told = dict(parse_qsl(fragment))
    named = [(kind, told[kind]) for kind in ("rev", "tag", "branch") if told.get(kind)]
    if revision:
        named.append(("rev", unquote(revision)))
    if len(named) > 1:
        raise ValueError("it names more than one of a revision, a tag and a branch")
    kind, reference = named[0] if named else ("", "")
    url = f"{scheme}{separator}{rest[:path_start]}{path}"
    return make(url, kind, reference, told.get("subdirectory", ""), lfs=told.get("lfs") == "true")


def parse_locked(text: str) -> GitUrl:
    """What the ``git`` of a locked source says. Raises ``ValueError``."""
    address, _, commit = text.partition("#")
    url, _, query = address.partition("?")
    told = dict(parse_qsl(query))
    kind = next((kind for kind in ("rev", "tag", "branch") if told.get(kind)), "")
    if not _COMMIT.fullmatch(commit):
        raise ValueError("it names no commit")
    found = make(url, kind, told.get(kind, ""), told.get("subdirectory", ""), lfs=told.get("lfs") == "true")
    return replace(found, commit=commit)


def make(url: str, kind: str = "", reference: str = "", subdirectory: str = "", *, lfs: bool = False) -> GitUrl:
    """A repository from its parts. Raises ``ValueError`` for a transport that runs programs, and for references and folders
    that are none."""
    if url.partition("://")[0].lower() not in SCHEMES:
        raise ValueError(f"a repository is reached by a URL of {', '.join(SCHEMES)} (`ssh://git@host/path`)")
    parsed = Url.parse(url.partition("#")[0])
    if parsed.host.startswith("-") or parsed.path.startswith("/-"):
        raise ValueError("its host or path begins with `-`")
    if reference and not _REFERENCE.fullmatch(reference):
        raise ValueError(f"{reference!r} is no revision, tag or branch")
    parts = [part for part in subdirectory.split("/") if part not in ("", ".")]
    if ".." in parts or subdirectory.startswith("/") or any(c in subdirectory for c in "\\\0"):
        raise ValueError("its subdirectory lies outside the repository")
    return GitUrl(parsed, cast("Kind", kind), reference, "/".join(parts), lfs)


def is_commit(reference: str) -> bool:
    """Whether it is a whole commit id, which never moves."""
    return _COMMIT.fullmatch(reference) is not None


def _encoded(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")
