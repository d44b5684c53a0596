"""The embedded index as an ASGI application: pages, files, metadata and uploads, all for those who may."""

import hashlib
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cove.formats import negotiate, upload_form
from cove.model.name import is_valid_name, normalize
from cove.server.accounts import Accounts
from cove.server.gate import Gate, Log, OnRequest
from cove.server.pages import project_page, write_page, write_projects
from cove.server.receive import MAX_SIZE, Received, refusal
from cove.server.store import Arrived, DifferentFile, Store, Stored, TooLarge

_PAGE_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
"""A page may change with every upload: kept by clients, asked for again by its ETag."""

_FILE_HEADERS = {"Cache-Control": "private, max-age=31536000, immutable"}

_MAX_FIELD = 4 * 1024 * 1024
_FORM_ALLOWANCE = 16 * 1024 * 1024
"""What the text fields of an upload may add to the size of its file, in bytes."""


def create_app(
    store: Store,
    accounts: Accounts | None = None,
    *,
    anonymous_read: bool = False,
    max_size: int = MAX_SIZE,
    on_request: OnRequest | None = None,
) -> ASGIApp:
    """The index over ``store``.

    With ``accounts``, reading needs an account (unless ``anonymous_read``) and publishing one that may upload; without,
    everyone may do everything. ``max_size`` is the largest file taken, in bytes. ``on_request`` is told of every answer.
    """
    index = _Index(store, max_size)
    routes = [
        Route("/", index.publish, methods=["POST"]),
        Route("/legacy", index.publish, methods=["POST"]),
        Route("/legacy/", index.publish, methods=["POST"]),
        Route("/simple", index.to_projects, methods=["GET"]),
        Route("/simple/", index.projects, methods=["GET"]),
        Route("/simple/{project}", index.to_project, methods=["GET"]),
        Route("/simple/{project}/", index.project, methods=["GET"]),
        Route("/files/{project}/{filename}", index.file, methods=["GET"]),
    ]
    starlette = Starlette(routes=routes, exception_handlers={HTTPException: _failed})
    starlette.router.redirect_slashes = False  # it would send people where the `Host` header says
    app: ASGIApp = Gate(starlette, accounts, anonymous_read=anonymous_read)
    return Log(app, on_request) if on_request is not None else app


def problem(status: int, reason: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as PyPI writes it for uploads, which uv and twine show to people."""
    phrase = HTTPStatus(status).phrase
    body = {"message": reason or phrase, "code": f"{status} {reason or phrase}", "title": phrase}
    return JSONResponse(body, status, headers)


class _Index:
    def __init__(self, store: Store, max_size: int) -> None:
        self._store = store
        self._max_size = max_size

    async def to_projects(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        return RedirectResponse("/simple/", HTTPStatus.MOVED_PERMANENTLY)

    async def to_project(self, request: Request) -> Response:
        """PEP 503: "All URLs which respond with an HTML5 page MUST end with a `/`"; others are redirected."""
        name = request.path_params["project"]
        if not is_valid_name(name):
            return problem(404, "that is not a project name")
        return RedirectResponse(f"/simple/{normalize(name)}/", HTTPStatus.MOVED_PERMANENTLY)

    async def projects(self, request: Request) -> Response:
        media_type = _media_type(request)
        names = await run_in_threadpool(self._store.projects)
        return _page(request, write_projects(names, media_type), media_type)

    async def project(self, request: Request) -> Response:
        written = request.path_params["project"]
        if not is_valid_name(written):
            return problem(404, "that is not a project name")
        name = normalize(written)
        if written != name:
            return RedirectResponse(f"/simple/{name}/", HTTPStatus.MOVED_PERMANENTLY)
        page = await run_in_threadpool(project_page, self._store, name)
        if page is None:
            return problem(404, f"this index has no project `{name}`")
        media_type = _media_type(request)
        return _page(request, write_page(page, media_type), media_type)

    async def file(self, request: Request) -> Response:
        project, filename = normalize(request.path_params["project"]), request.path_params["filename"]
        of_metadata = filename.endswith(".metadata")
        stored = await run_in_threadpool(self._store.file, project, filename.removesuffix(".metadata"))
        if stored is None:
            return problem(404, "this index has no such file")
        if of_metadata:
            return await self._metadata(request, stored)
        etag = f'"{stored.record.sha256}"'
        headers = {**_FILE_HEADERS, "ETag": etag}
        if _is_current(request, etag):
            return Response(status_code=304, headers=headers)
        return FileResponse(stored.path, headers=headers, media_type="application/octet-stream")

    async def _metadata(self, request: Request, stored: Stored) -> Response:
        metadata = await run_in_threadpool(self._store.metadata, stored)
        if metadata is None:
            return problem(404, "this file has no metadata")
        headers = {**_FILE_HEADERS, "ETag": f'"{stored.record.metadata_sha256}"'}
        if _is_current(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(metadata, headers=headers, media_type="application/octet-stream")

    async def publish(self, request: Request) -> Response:
        announced = request.headers.get("content-length", "")
        if not announced.isdigit():
            return problem(411, "an upload must announce its length")
        if int(announced) > self._max_size + _FORM_ALLOWANCE:
            return problem(413, f"this index takes files of at most {self._max_size} bytes")
        async with request.form(max_files=10, max_fields=20_000, max_part_size=_MAX_FIELD) as form:
            content = form.get(upload_form.CONTENT)
            if not isinstance(content, UploadFile) or not content.filename:
                return problem(400, f"the form has no file in a part called `{upload_form.CONTENT}`")
            fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
            return await run_in_threadpool(self._take, upload_form.read(fields), content.filename, content)

    def _take(self, form: upload_form.UploadForm, filename: str, content: UploadFile) -> Response:
        try:
            arrived = self._store.arrive(filename, content.file, self._max_size)
        except TooLarge:
            return problem(413, f"this index takes files of at most {self._max_size} bytes")
        try:
            return self._judge(form, filename, arrived)
        finally:
            self._store.discard(arrived)

    def _judge(self, form: upload_form.UploadForm, filename: str, arrived: Arrived) -> Response:
        objection = refusal(Received(form, filename, arrived.size, arrived.digests, arrived.metadata, arrived.damage))
        if objection:
            return problem(400, objection)
        try:
            is_new = self._store.take(normalize(form.name), filename, arrived)
        except DifferentFile:
            return problem(409, f"`{filename}` already exists on this index with other content")
        return JSONResponse({"message": f"{filename} was taken" if is_new else f"{filename} is already there"})


def _page(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_PAGE_HEADERS, "ETag": etag}
    if _is_current(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _media_type(request: Request) -> str:
    chosen = negotiate.choose(request.headers.get("accept"))
    if chosen is None:
        raise HTTPException(406, "pages are written as JSON (PEP 691) and HTML (PEP 503)")
    return chosen


def _is_current(request: Request, etag: str) -> bool:
    """RFC 9110, section 13.1.2: `If-None-Match` compares weakly."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return etag in tags or tags == ["*"]


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reasons = {404: "this index has nothing at this address", 405: f"{request.method} is not possible at this address"}
    reason = reasons.get(error.status_code, error.detail)
    return problem(error.status_code, reason, dict(error.headers or {}))
