"""What stands before the index: who may pass, and a record of who did."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cove.model.secret import Secret
from cove.server.accounts import Account, Accounts

_USER = "cove.user"
_DRAIN_LIMIT = 64 * 1024 * 1024


class Seen(NamedTuple):
    """A request that was answered. ``path`` is without query; ``user`` is empty for anonymous and refused ones."""

    method: str
    path: str
    status: int
    user: str


OnRequest = Callable[[Seen], None]


class Gate:
    """Lets reading requests pass for every account, the others for accounts that may upload (RFC 7617, Basic)."""

    def __init__(self, app: ASGIApp, accounts: Accounts | None, *, anonymous_read: bool = False) -> None:
        self._app = app
        self._accounts = accounts
        self._anonymous_read = anonymous_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an ASGI application."""
        if scope["type"] != "http" or self._accounts is None:
            await self._app(scope, receive, send)
            return
        reads = scope["method"] in ("GET", "HEAD")
        header = Headers(scope=scope).get("authorization")
        if header is None and reads and self._anonymous_read:
            await self._app(scope, receive, send)
            return
        account = await self._account(header, self._accounts)
        if account is None:
            reason = (
                "this index needs a user name and a password"
                if header is None
                else "the user name or password is wrong"
            )
            await _refuse(receive, send, 401, reason)
            return
        scope[_USER] = account.username
        if not (reads or account.may_upload):
            await _refuse(receive, send, 403, f"the user `{account.username}` may read, but not publish")
            return
        await self._app(scope, receive, send)

    async def _account(self, header: str | None, accounts: Accounts) -> Account | None:
        pair = _basic(header or "")
        if pair is None:
            return None
        known = accounts.known(*pair)
        return known if known is not None else await run_in_threadpool(accounts.verify, *pair)


class Log:
    """Tells ``on_request`` of every answer, when its status is known."""

    def __init__(self, app: ASGIApp, on_request: OnRequest) -> None:
        self._app = app
        self._on_request = on_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._on_request(Seen(scope["method"], scope["path"], message["status"], scope.get(_USER, "")))
            await send(message)

        await self._app(scope, receive, watched)


def _basic(header: str) -> tuple[str, Secret] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    username, colon, password = text.partition(":")
    return (username, Secret(password)) if colon else None


async def _refuse(receive: Receive, send: Send, status: int, reason: str) -> None:
    """Answer after having read what the client still sends: many clients do not listen before they are done."""
    drained = 0
    while drained < _DRAIN_LIMIT:
        message = await receive()
        drained += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    title = {401: "Unauthorized", 403: "Forbidden"}[status]
    body = json.dumps({"message": reason, "code": f"{status} {reason}", "title": title}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="cove", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
