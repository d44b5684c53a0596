"""The embedded index with the manners of other registries: what it offers, what it lacks, and whom it lets in.

Its application answers; here stands what is between it and the client, and a store that lists more files than it holds.
"""

import asyncio
import gc
import gzip
import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from package_sets import Listed, PackageSet
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cove.model.name import Name
from cove.model.secret import Secret
from cove.server.accounts import Account, Accounts, hash_password
from cove.server.app import create_app
from cove.server.store import Record, Store, Stored

USERNAME, PASSWORD = "bench", Secret("s3cret-token")
_OWN_ATTRIBUTES = re.compile(rb' data-(?:size|upload-time)="[^"]*"')
"""What the embedded index says in HTML and no other registry does."""

_UPLOADED = "2026-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Profile:
    """``keeps`` is the `Cache-Control` of pages; those without ETags cannot be revalidated."""

    is_private: bool = True
    has_json: bool = False
    has_metadata: bool = False
    has_ranges: bool = True
    has_http2: bool = False
    has_etags: bool = True
    packs_pages: bool = True
    keeps: str = "max-age=0, private, must-revalidate"


PROFILES = {
    "private-html": Profile(),
    "private-norange": Profile(has_ranges=False, has_etags=False, packs_pages=False, keeps="no-cache, no-store"),
    "plain": Profile(is_private=False, has_json=True, has_metadata=True, has_http2=True, keeps="max-age=600, public"),
}


class Asked(NamedTuple):
    """A request that was answered."""

    method: str
    path: str
    status: int
    is_range: bool


@dataclass(frozen=True, slots=True)
class Site:
    """An index: what it has, and how it behaves. ``folder`` is its own; ``certificate`` holds the key too."""

    packages: PackageSet
    profile: Profile
    folder: Path
    certificate: Path


class Catalogue(Store):
    """A store whose pages are written down, and where only some of the listed files exist."""

    def __init__(self, root: Path, packages: PackageSet, *, has_metadata: bool) -> None:
        super().__init__(root)
        self._metadata: dict[Path, bytes] = {}
        self._has_metadata = has_metadata
        self._listed = {
            Name(name): {file.filename: self._stored(file) for file in sorted(project.files, key=_filename)}
            for name, project in packages.projects.items()
        }
        self._held = {file.path for project in packages.projects.values() for file in project.files if file.path}

    def projects(self) -> list[Name]:
        """As of any store."""
        return sorted(self._listed)

    def files(self, project: Name) -> list[Stored]:
        """All that are listed."""
        return list(self._listed.get(project, {}).values())

    def file(self, project: Name, filename: str) -> Stored | None:
        """One that is there."""
        stored = self._listed.get(project, {}).get(filename)
        return stored if stored is not None and stored.path in self._held else None

    def metadata(self, stored: Stored) -> bytes | None:
        """Of a file that is there, if this index offers it."""
        return self._metadata[stored.path] if self._has_metadata else None

    def _stored(self, file: Listed) -> Stored:
        path = file.path or self.root / file.filename
        is_wheel = file.filename.endswith(".whl")
        digest = sha256(file.metadata).hexdigest() if is_wheel and self._has_metadata else ""
        self._metadata[path] = file.metadata
        record = Record(
            sha256=file.sha256,
            size=file.size,
            upload_time=_UPLOADED,
            stamp=(0, 0),
            metadata_sha256=digest,
            requires_python=">=3.8",
        )
        return Stored(path, record)


class Manners:
    """An application that behaves as ``profile`` says. Pages are made once, and ``asked`` gets every request."""

    def __init__(self, app: ASGIApp, profile: Profile, asked: list[Asked]) -> None:
        self._app = app
        self._profile = profile
        self._asked = asked
        self._pages: dict[tuple[bytes, ...], tuple[dict[bytes, bytes], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given: dict[bytes, bytes] = dict(scope["headers"])

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._asked.append(Asked(scope["method"], scope["path"], message["status"], b"range" in given))
            await send(message)

        if scope["path"].startswith("/simple/") and scope["method"] == "GET":
            await self._page(scope, given, receive, noted)
        else:
            await self._file(scope, given, receive, noted)

    async def _file(self, scope: Scope, given: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        if self._profile.has_ranges:
            await self._app(scope, receive, send)
            return

        async def silent(message: Message) -> None:
            if message["type"] == "http.response.start":
                hidden = (b"accept-ranges", b"etag", b"last-modified")
                message["headers"] = [(key, value) for key, value in message["headers"] if key not in hidden]
            await send(message)

        headers = [(key, value) for key, value in given.items() if key not in (b"range", b"if-range")]
        await self._app({**scope, "headers": headers}, receive, silent)

    async def _page(self, scope: Scope, given: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        accept = given.get(b"accept", b"*/*") if self._profile.has_json else b"text/html"
        packs = self._profile.packs_pages and b"gzip" in given.get(b"accept-encoding", b"")
        # Who made the page with this authorisation may have it again with the same.
        key = (scope["raw_path"], accept, given.get(b"authorization", b""), b"gzip" if packs else b"")
        if key not in self._pages:
            whole = {**given, b"accept": accept}
            whole.pop(b"if-none-match", None)
            status, headers, body = await _collect(self._app, {**scope, "headers": list(whole.items())}, receive)
            if status != 200:
                await _answer(send, status, headers, body)
                return
            self._pages[key] = self._dressed(headers, body, packs=packs)
        headers, body = self._pages[key]
        if b"etag" in headers and given.get(b"if-none-match") == headers[b"etag"]:
            kept = {key: value for key, value in headers.items() if key in (b"etag", b"cache-control", b"vary")}
            await _answer(send, 304, kept, b"")
            return
        await _answer(send, 200, headers, body)

    def _dressed(self, headers: dict[bytes, bytes], body: bytes, *, packs: bool) -> tuple[dict[bytes, bytes], bytes]:
        dressed = {**headers, b"cache-control": self._profile.keeps.encode()}
        if not self._profile.has_etags:
            dressed.pop(b"etag", None)
        if not self._profile.has_json:
            body = _OWN_ATTRIBUTES.sub(b"", body)
        if packs:
            body = gzip.compress(body, 6)
            dressed[b"content-encoding"] = b"gzip"
        return dressed | {b"content-length": str(len(body)).encode()}, body


def run(connection: Connection, sites: Sequence[Site]) -> None:
    """A process of its own: tells the ports of ``sites``, then sends what was asked since whenever it receives something.

    Works until ``connection`` is closed.
    """
    asked: list[Asked] = []
    ports = [_free_port() for _ in sites]
    servers = [_server(site, port, asked) for site, port in zip(sites, ports, strict=True)]
    gc.collect()
    gc.freeze()
    asyncio.run(_serve(servers, ports, connection, asked))


async def _serve(servers: Sequence[Server], ports: Sequence[int], connection: Connection, asked: list[Asked]) -> None:
    loop = asyncio.get_running_loop()

    def listen() -> None:
        try:
            while True:
                connection.recv()
                taken = asked[:]
                asked.clear()
                connection.send(taken)
        except EOFError:
            for server in servers:
                loop.call_soon_threadsafe(server.stop)

    serving = [asyncio.ensure_future(server.serve()) for server in servers]
    for port in ports:
        await _answering(port)
    connection.send(list(ports))
    threading.Thread(target=listen, daemon=True).start()
    await asyncio.gather(*serving)


def _server(site: Site, port: int, asked: list[Asked]) -> Server:
    store = Catalogue(site.folder, site.packages, has_metadata=site.profile.has_metadata)
    accounts = Accounts([Account(USERNAME, hash_password(PASSWORD))]) if site.profile.is_private else None
    return Server(
        Manners(create_app(store, accounts), site.profile, asked),
        "127.0.0.1",
        port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto if site.profile.has_http2 else HTTPModes.http1,
        backlog=1024,
        websockets=False,
        log_enabled=False,
        ssl_cert=site.certificate,
        ssl_key=site.certificate,
    )


async def _answering(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            writer.close()
            await writer.wait_closed()
            return


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, dict[bytes, bytes], bytes]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    start, *parts = messages
    return start["status"], dict(start["headers"]), b"".join(part.get("body", b"") for part in parts)


async def _answer(send: Send, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _filename(file: Listed) -> str:
    return file.filename
