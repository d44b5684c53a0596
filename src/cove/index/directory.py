"""Indexes and folders of links on the local disk (``file://`` URLs)."""

from pathlib import Path

from cove.errors import ConfigurationError
from cove.formats import simple_html
from cove.formats.file_url import to_path
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Outcome
from cove.model.page import Page
from cove.model.url import Url


def local_path(url: Url) -> Path:
    """The path a ``file://`` URL names; raises ``ConfigurationError`` when it names a host."""
    if url.host not in ("", "localhost"):
        raise ConfigurationError(f"{url} names the host {url.host}: a file:// URL has none (file:///path)")
    return Path(to_path(url.path))


def read_project(index: Index, name: Name) -> Outcome:
    """``<index>/<name>/index.html``. Raises ``ConfigurationError`` when the index itself is not a folder, ``OSError``
    when the page cannot be read."""
    root = local_path(index.url)
    if not root.is_dir():
        raise ConfigurationError(
            f"the index {index.label} is not there: {root} is not a folder",
            hints=(f"it is configured in {index.origin}",),
        )
    page = root / name / "index.html"
    if not page.is_file():
        return Absent(index, f"{page} does not exist")
    return Found(index, simple_html.read(page.read_bytes(), index.url.child(name).join("index.html"), name))


def list_folder(index: Index) -> tuple[File, ...]:
    """Every file of a folder, by name; sizes are known, digests are not. Folders within are not entered."""
    folder = local_path(index.url)
    return tuple(
        File(entry.name, Url.parse(entry.absolute().as_uri()), {}, size=entry.stat().st_size)
        for entry in sorted(folder.iterdir())
        if entry.is_file()
    )


def read_links(index: Index) -> tuple[File, ...]:
    """The links of a local HTML file, or the files of a local folder.

    Raises ``ConfigurationError`` when there is neither, ``InvalidResponse`` when the file is not HTML.
    """
    path = local_path(index.url)
    if path.is_dir():
        return list_folder(index)
    if not path.is_file():
        raise ConfigurationError(
            f"the links of {index.label} are not there: {path} does not exist",
            hints=(f"they are configured in {index.origin}",),
        )
    page: Page = simple_html.read(path.read_bytes(), index.url, Name(""))
    return page.files
