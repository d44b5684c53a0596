"""A scripted index: pages written as a test likes, wheels that are sound."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cove.formats.negotiate import JSON
from cove.testing import BuiltFile, PackageFactory
from support.scripted_server import Received, Reply

MAKE = PackageFactory()


@dataclass
class Place:
    """An index below ``/simple/`` with its files below ``/files/``; ``overrides`` are answers by path that come first."""

    files: dict[str, list[BuiltFile]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    overrides: dict[str, Reply] = field(default_factory=dict)
    base: str = ""

    def add(self, *built: BuiltFile) -> "Place":
        for file in built:
            name = file.filename.partition("-")[0].replace("_", "-").lower()
            self.files.setdefault(name, []).append(file)
        return self

    def page(self, name: str) -> Reply:
        entries = [
            {"filename": file.filename, "url": f"{self.base}/files/{file.filename}", "hashes": {"sha256": file.sha256}}
            for file in self.files[name]
        ]
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": entries, **self.extra}
        return Reply(200, json.dumps(document).encode(), {"Content-Type": JSON, **self.headers})

    def __call__(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        if path in self.overrides:
            return self.overrides[path]
        if path.startswith("/simple/"):
            name = path.removeprefix("/simple/").strip("/")
            return self.page(name) if name in self.files else Reply(404)
        for file in (file for files in self.files.values() for file in files):
            if path == f"/files/{file.filename}":
                return Reply(200, file.content, {"Content-Type": "application/octet-stream"})
        return Reply(404)


def project(url: str, *requires: str, **index: object) -> str:
    """The text of a ``pyproject.toml`` whose only index, ``corp``, is at ``url``; ``index`` are its keys in [tool.cove]."""
    wanted = json.dumps(list(requires))
    own = "".join(f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in index.items())
    return f"""\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = {wanted}

[[tool.uv.index]]
name = "corp"
url = "{url}"
default = true

[tool.cove.index.corp]
{own}"""


def paths(log: Sequence[Received], method: str = "GET") -> list[str]:
    return [received.path for received in log if received.method == method]
