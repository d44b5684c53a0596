"""Pages of the Simple API as JSON (PEP 691, with the additions of PEPs 592, 700, 714 and 792), read and written."""

from collections.abc import Callable, Iterable

import msgspec

from cove.errors import InvalidResponse
from cove.formats.page_entry import Unreadable, check_count, make_file, read_hashes
from cove.model.dist import File
from cove.model.name import Name, normalize
from cove.model.page import Page
from cove.model.url import Url

_Metadata = bool | dict[str, str] | None


class _File(msgspec.Struct, rename="kebab"):
    filename: str
    url: str
    hashes: dict[str, str] | None = None
    requires_python: str | None = None
    yanked: bool | str | None = None
    size: int | None = None
    upload_time: str | None = None
    core_metadata: _Metadata = None
    dist_info_metadata: _Metadata = None
    data_dist_info_metadata: _Metadata = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _Status(msgspec.Struct):
    status: str | None = None
    reason: str | None = None


class _Head(msgspec.Struct, rename="kebab"):
    meta: _Meta | None = None
    name: str | None = None
    versions: list[str] | None = None
    project_status: _Status | None = None


class _Page(_Head, rename="kebab"):
    files: list[_File] = msgspec.field(default_factory=list)


class _RawPage(_Head, rename="kebab"):
    files: list[msgspec.Raw] | None = None


_page = msgspec.json.Decoder(_Page)
_raw_page = msgspec.json.Decoder(_RawPage)
_file = msgspec.json.Decoder(_File)


def read(body: bytes, base: Url, project: Name) -> Page:
    """``project``'s page; relative links are resolved against ``base``, the URL that the answer finally came from.

    Optional fields may be ``null``; an entry that cannot be read is left out. Raises ``InvalidResponse`` with the bare
    reason (the caller knows the index) when the body is not such a page, is of a newer major version (PEP 691: "clients
    … MUST fail"), or is another project's page.
    """
    check_count(body, b'"filename"')
    head, entries = _decode(body)
    _check_version(head.meta)
    if head.name is not None and normalize(head.name) != project:
        raise InvalidResponse("the answer is the page of another project")
    status = head.project_status or _Status()
    return Page.of_entries(
        project,
        [entry.filename for entry in entries],
        lambda number: _readable_file(entries[number], base),
        yanked=frozenset(number for number, entry in enumerate(entries) if entry.yanked not in (None, False)),
        versions=head.versions or (),
        status=(status.status or "active").lower(),
        status_reason=status.reason or "",
    )


def _readable_file(entry: _File, base: Url) -> File | None:
    try:
        return _to_file(entry, base)
    except Unreadable:
        return None


def write(page: Page, link: Callable[[File], str] = lambda file: file.url.public) -> bytes:
    """The page as bytes; ``link`` gives what stands in ``url``, which may be relative to the page."""
    document: dict[str, object] = {
        "meta": {"api-version": _api_version(page)},
        "name": page.name,
        "files": [_from_file(file, link(file)) for file in page.files],
    }
    if page.versions:
        document["versions"] = page.versions
    if page.status != "active" or page.status_reason:
        reason = {"reason": page.status_reason} if page.status_reason else {}
        document["project-status"] = {"status": page.status, **reason}
    return msgspec.json.encode(document)


def write_projects(names: Iterable[Name]) -> bytes:
    """The list of all projects (PEP 691, "Project List")."""
    return msgspec.json.encode({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]})


def _decode(body: bytes) -> tuple[_Head, list[_File]]:
    """All at once; only where something does not fit, entry by entry."""
    try:
        page = _page.decode(body)
        if page.files:
            return page, page.files
        raw = _raw_page.decode(body)
    except msgspec.ValidationError:
        raw = _decode_raw(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidResponse("the answer is not valid JSON", causes=(str(error),)) from error
    if raw.files is None:
        raise InvalidResponse("the answer is JSON, but not a project's page: it has no list of files")
    return raw, list(_readable(raw.files))


def _decode_raw(body: bytes) -> _RawPage:
    try:
        return _raw_page.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidResponse("the answer is JSON, but not a project's page", causes=(str(error),)) from error


def _readable(entries: Iterable[msgspec.Raw]) -> Iterable[_File]:
    for entry in entries:
        try:
            yield _file.decode(entry)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def _check_version(meta: _Meta | None) -> None:
    major = (meta.api_version if meta else "1.0").partition(".")[0]
    if not major.isdecimal():
        raise InvalidResponse("the page's API version cannot be read")
    if int(major) > 1:
        raise InvalidResponse(f"the page is of API version {major}, and only version 1 is known")


def _to_file(entry: _File, base: Url) -> File:
    offered = next(
        (
            value
            for value in (entry.core_metadata, entry.dist_info_metadata, entry.data_dist_info_metadata)
            if value is not None
        ),
        None,
    )
    return make_file(
        base,
        entry.url,
        entry.filename,
        (entry.hashes or {}).items(),
        requires_python=entry.requires_python,
        yanked=_yanked(entry.yanked),
        size=entry.size,
        upload_time=entry.upload_time,
        metadata=_metadata(offered),
    )


def _yanked(value: bool | str | None) -> str | None:  # noqa: FBT001 - the JSON value is a boolean or a text
    """PEP 691: "If the yanked key is present and is a truthy value", the file is yanked, a text being the reason."""
    if not value:
        return None
    return "" if value is True else value


def _metadata(value: _Metadata) -> dict[str, str] | None:
    if isinstance(value, dict):
        return read_hashes(value.items())
    return {} if value else None


def _api_version(page: Page) -> str:
    """PEP 700 makes ``versions`` and every ``size`` obligatory from 1.1 on; without them the page is a 1.0 page."""
    complete = bool(page.versions) and all(file.size is not None for file in page.files)
    return "1.4" if complete else "1.0"


def _from_file(file: File, link: str) -> dict[str, object]:
    entry: dict[str, object] = {"filename": file.filename, "url": link, "hashes": dict(file.hashes)}
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time
    if file.metadata is not None:
        # PEP 714: "servers … SHOULD" offer both spellings, for clients that know only the older one.
        entry["core-metadata"] = entry["dist-info-metadata"] = dict(file.metadata) or True
    return entry
