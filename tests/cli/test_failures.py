"""What goes wrong with an index ends in one clear error, and leaves the environment as it was."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cove.testing import BuiltFile, PackageFactory
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving

JSON = "application/vnd.pypi.simple.v1+json"
FACTORY = PackageFactory()


class Registry:
    """Answers as an index with ``good`` and ``bad`` 1.0 does; ``replies`` override by the end of the path."""

    def __init__(self, *built: BuiltFile) -> None:
        self.built = {file.filename: file for file in built}
        self.replies: dict[str, Reply] = {}
        self.requires_python: dict[str, str] = {}

    def __call__(self, request: Received) -> Reply:
        override = next((reply for end, reply in self.replies.items() if request.path.endswith(end)), None)
        if override is not None:
            return override
        filename = request.path.rpartition("/")[2]
        if filename in self.built:
            return Reply(200, self.built[filename].content)
        project = request.path.split("/")[-2]
        return self.page(project) if request.path.endswith("/") else Reply(404)

    def page(self, project: str) -> Reply:
        files = [
            {
                "filename": file.filename,
                "url": f"/files/{file.filename}",
                "hashes": {"sha256": file.sha256},
                "requires-python": self.requires_python.get(project, ""),
            }
            for file in self.built.values()
            if file.filename.startswith(project + "-")
        ]
        body = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
        return Reply(200, json.dumps(body).encode(), {"Content-Type": JSON}) if files else Reply(404)


@dataclass(frozen=True)
class Case:
    """``spoil`` turns a good registry into a bad one; ``words`` must be in the error besides the package and the index."""

    name: str
    status: int
    words: tuple[str, ...]
    spoil: Callable[[Registry, BuiltFile], None]


def wrong_hash(registry: Registry, bad: BuiltFile) -> None:
    other = FACTORY.wheel("bad", files={"bad_extra.py": "other"})
    registry.replies[bad.filename] = Reply(200, other.content)


def truncated(registry: Registry, bad: BuiltFile) -> None:
    registry.replies[bad.filename] = Reply(200, bad.content[:100], announced=len(bad.content))


def no_page(registry: Registry, bad: BuiltFile) -> None:
    registry.replies["/bad/"] = Reply(200, b"\x89PNG", {"Content-Type": "image/png"})


def broken_page(registry: Registry, bad: BuiltFile) -> None:
    registry.replies["/bad/"] = Reply(200, b"{}", {"Content-Type": JSON})


def absent(registry: Registry, bad: BuiltFile) -> None:
    del registry.built[bad.filename]


def too_new(registry: Registry, bad: BuiltFile) -> None:
    registry.requires_python["bad"] = ">=3.99"


def server_error(registry: Registry, bad: BuiltFile) -> None:
    registry.replies["/bad/"] = Reply(503)


def refused(registry: Registry, bad: BuiltFile) -> None:
    registry.replies["/bad/"] = Reply(401)


def forbidden(registry: Registry, bad: BuiltFile) -> None:
    registry.replies["/bad/"] = Reply(403)


CASES = [
    Case("wrong-hash", 1, ("is not the file",), wrong_hash),
    Case("truncated", 2, ("broke off|truncated|fewer|of \\d+ bytes",), truncated),
    Case("neither-json-nor-html", 2, ("neither JSON nor HTML", "image/png"), no_page),
    Case("broken-page", 2, ("cannot be read",), broken_page),
    Case("absent", 1, ("not found", "404 Not Found"), absent),
    Case("requires-python", 1, (">=3.99",), too_new),
    Case("server-error", 2, ("503 Service Unavailable",), server_error),
    Case("refused", 2, ("wants credentials", "401 Unauthorized", "UV_INDEX_CORP_USERNAME"), refused),
    Case("forbidden", 2, ("403 Forbidden",), forbidden),
]

PROJECT = """\
[project]
name = "demo"
version = "0"
requires-python = ">=3.11"
dependencies = [{dependencies}]
[[tool.uv.index]]
name = "corp"
url = "{url}/simple/"
default = true
"""


def snapshot(folder: Path) -> dict[str, object]:
    """Everything that is in a folder: kinds, contents, link targets."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("argv", [("sync",), ("add", "bad"), ("pip", "install", "bad")], ids=" ".join)
def test_one_clear_error_and_nothing_changed(argv: tuple[str, ...], case: Case, sandbox: Sandbox) -> None:
    good, bad = FACTORY.wheel("good"), FACTORY.wheel("bad")
    registry = Registry(good, bad)
    with serving(registry) as server:
        place = sandbox.project(PROJECT.format(dependencies='"good"', url=server.url))
        sandbox.cove("sync").ok()
        if argv == ("sync",):
            sandbox.project(PROJECT.format(dependencies='"good", "bad"', url=server.url))
        case.spoil(registry, bad)
        before = snapshot(place)
        ran = sandbox.cove(*argv)
    assert ran.status == case.status, ran.stderr
    assert ran.stdout == ""
    assert len(re.findall(r"^error: ", ran.stderr, re.MULTILINE)) == 1, ran.stderr
    assert "unexpected " not in ran.stderr, ran.stderr
    for word in ("bad", "corp", *case.words):
        assert re.search(word, ran.stderr), f"{word!r} is not said:\n{ran.stderr}"
    after = snapshot(place)
    if argv == ("sync",):  # what was resolved soundly may have been locked
        before.pop("uv.lock")
        after.pop("uv.lock")
    assert after == before


@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.name)
def test_a_lock_promises_what_the_index_does_not_keep(case: Case, sandbox: Sandbox) -> None:
    good, bad = FACTORY.wheel("good"), FACTORY.wheel("bad")
    registry = Registry(good, bad)
    with serving(registry) as server:
        place = sandbox.project(PROJECT.format(dependencies='"good", "bad"', url=server.url))
        sandbox.cove("lock").ok()
        sandbox.cove("cache", "clean").ok()
        case.spoil(registry, bad)
        before = snapshot(place)
        ran = sandbox.cove("sync", "--frozen")
    assert ran.status == case.status, ran.stderr
    assert ran.stderr.count("error: ") == 1
    for word in ("bad", "corp", *case.words):
        assert re.search(word, ran.stderr), f"{word!r} is not said:\n{ran.stderr}"
    after = {name: content for name, content in snapshot(place).items() if not name.startswith(".venv")}
    assert after == {name: content for name, content in before.items() if not name.startswith(".venv")}
    assert not list((place / ".venv").rglob("good*")), "all or nothing"
