"""The pages of the embedded index: the store's files as the Simple API shows them (PEP 503, 691, 700)."""

from urllib.parse import quote

from cove.formats import negotiate, simple_html, simple_json
from cove.model.dist import File, parse_filename
from cove.model.name import Name
from cove.model.page import Page
from cove.model.url import Url
from cove.server.store import Store, Stored

_HERE = Url.parse("http://index.invalid/")
"""Stands for wherever the index is reached: links are relative, so that proxies and host names do not matter."""


def project_page(store: Store, name: Name) -> Page | None:
    """The project's files, or ``None`` when the store has none."""
    files = store.files(name)
    if not files:
        return None
    parsed = (parse_filename(stored.filename, name) for stored in files)
    versions = dict.fromkeys(each.version for each in parsed if each is not None)
    return Page(name, tuple(_file(name, stored) for stored in files), tuple(versions))


def write_page(page: Page, media_type: str) -> bytes:
    """The page as JSON or HTML, links relative to ``/simple/<project>/``."""
    write = simple_json.write if media_type == negotiate.JSON else simple_html.write
    return write(page, lambda file: f"../../files/{page.name}/{quote(file.filename)}")


def write_projects(names: list[Name], media_type: str) -> bytes:
    """The list of all projects (PEP 503: the root page; PEP 691: "Project List")."""
    return simple_json.write_projects(names) if media_type == negotiate.JSON else simple_html.write_projects(names)


def _file(name: Name, stored: Stored) -> File:
    record = stored.record
    return File(
        filename=stored.filename,
        url=_HERE.join(f"files/{name}/{quote(stored.filename)}"),
        hashes={"sha256": record.sha256},
        requires_python=record.requires_python,
        yanked=record.yanked,
        size=record.size,
        upload_time=record.upload_time,
        metadata={"sha256": record.metadata_sha256} if record.metadata_sha256 else None,
    )
