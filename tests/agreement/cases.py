"""A case: projects and indexes as plain data, which can be rendered, served, and made smaller."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from cove.formats.negotiate import JSON
from cove.testing import PackageFactory, core_metadata
from support.scenarios import required_by_extra
from support.scripted_server import Received, Reply, ScriptedServer, serving

Case = dict[str, Any]
"""``projects``: by folder, what is in ``pyproject.toml``, with ``{name}`` for the address of an index.
``indexes``: by name, packages by ``name version``: ``requires``, ``extras``, ``python``, ``tags``, ``yanked``, ``uploaded``.
``later``, perhaps: ``argv`` of a second lock, with ``projects`` and ``indexes`` that have taken the place of the first.
"""

UPLOADED = "2024-01-01T00:00:00Z"
ANYWHERE = "py3-none-any"
_BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@dataclass
class Indexes:
    """Indexes on one server, at addresses that no case before had: what is cached of one says nothing of another."""

    server: ScriptedServer
    pages: dict[str, Reply] = field(default_factory=dict)
    count: int = 0

    def serve(self, indexes: Mapping[str, Mapping[str, Any]], *, again: bool = False) -> dict[str, str]:
        """The addresses by name; with ``again`` these are those of the last case, with other packages."""
        self.count += not again
        self.server.log.clear()
        self.pages.clear()
        addresses = {}
        for name, packages in indexes.items():
            address = f"/{self.count}/{name}"
            addresses[name] = f"{self.server.url}{address}/simple/"
            entries: dict[str, list[dict[str, object]]] = {}
            for key, package in packages.items():
                project, version = key.split()
                entries.setdefault(project, []).extend(self._files(address, project, version, package))
            for project, files in entries.items():
                page = {"meta": {"api-version": "1.1"}, "name": project, "files": files}
                self._put(f"{address}/simple/{project}/", json.dumps(page).encode(), JSON)
        return addresses

    def _files(self, root: str, name: str, version: str, package: Mapping[str, Any]) -> Iterator[dict[str, object]]:
        """Entries of a page. A wheel has metadata beside it, and is never fetched to be locked; nor is it there."""
        extras, python = package.get("extras", {}), package.get("python", "")
        requires = [*package.get("requires", []), *required_by_extra(extras)]
        told = core_metadata(name, version, requires=requires, extras=dict.fromkeys(extras, ()), requires_python=python)
        for tag in package.get("tags", [ANYWHERE]):
            entry: dict[str, object] = {"requires-python": python or None}
            if tag == "sdist":
                built = PackageFactory().sdist(name, version, metadata=told, files={"pyproject.toml": _BUILD})
                entry |= {"filename": built.filename, "hashes": {"sha256": built.sha256}, "size": len(built.content)}
                self._put(f"{root}/files/{built.filename}", built.content, "application/octet-stream")
            else:
                filename = f"{name}-{version}-{tag}.whl"
                digest = hashlib.sha256(f"{root}{filename}".encode()).hexdigest()
                entry |= {"filename": filename, "hashes": {"sha256": digest}, "size": 1000}
                entry["core-metadata"] = {"sha256": hashlib.sha256(told.encode()).hexdigest()}
                self._put(f"{root}/files/{filename}.metadata", told.encode(), "application/octet-stream")
            entry["url"] = f"{self.server.url}{root}/files/{entry['filename']}"
            if "yanked" in package:
                entry["yanked"] = package["yanked"]
            if package.get("uploaded", UPLOADED):
                entry["upload-time"] = package.get("uploaded", UPLOADED)
            yield entry

    def _put(self, path: str, content: bytes, kind: str) -> None:
        headers = {"Content-Type": kind, "Cache-Control": "no-cache"}
        self.pages[path.replace("+", "%2B")] = self.pages[path] = Reply(200, content, headers)

    def answer(self, request: Received) -> Reply:
        """What the server says."""
        return self.pages.get(request.path, Reply(404))


@contextmanager
def indexes() -> Iterator[Indexes]:
    """A server for any number of cases, one after the other."""
    with serving(lambda _: Reply(404)) as server:
        made = Indexes(server)
        server.script = made.answer
        yield made


def write_projects(projects: Mapping[str, Mapping[str, Any]], addresses: Mapping[str, str], folder: Path) -> None:
    """Every ``pyproject.toml``."""
    for path, table in projects.items():
        place = folder / path
        place.mkdir(parents=True, exist_ok=True)
        text = tomlkit.dumps(table)
        for name, address in addresses.items():
            text = text.replace(f"{{{name}}}", address)
        (place / "pyproject.toml").write_text(text)
