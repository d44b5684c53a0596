"""Pages of the Simple API as HTML (PEP 503, with the additions of PEPs 592, 629, 658, 714 and 792), read and written.

Most servers write one plain line a file, and pages can have thousands: see ``uniform_links``. What is less uniform is read by
one regular expression that must account for every character of the page; whatever that does not know goes to
``html.parser``. The results are the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from html import escape, unescape
from urllib.parse import unquote

from cove.errors import InvalidResponse
from cove.formats import uniform_links
from cove.formats.page_entry import HASH_ALGORITHMS, Unreadable, check_count, make_file, read_hashes
from cove.formats.uniform_links import UniformLinks
from cove.model.dataclasses import dataclass, field
from cove.model.dist import File
from cove.model.name import Name
from cove.model.page import Page
from cove.model.url import Url, is_plain_link

Attributes = Mapping[str, str]
"""An element's attributes, names in lower case, values unescaped; of repeated ones the first (HTML 5, 13.2.5.33)."""


@dataclass(slots=True)
class Elements:
    """What matters of a page: its ``<base href>``, its ``<meta>`` names and contents, its links in order."""

    base: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    links: list[Attributes] = field(default_factory=list)
    signs_in: bool = False
    """Whether it asks for a password, which a page of links never does."""


def read(body: bytes, base: Url, project: Name) -> Page:
    """``project``'s page; relative links are resolved against ``base``, the URL that the answer finally came from.

    Links that lead nowhere usable are left out. Raises ``InvalidResponse`` with the bare reason (the caller knows the
    index) when the body is not HTML, is a sign-in page, or declares a newer major version (PEP 629).
    """
    text = _text(body)
    uniform = uniform_links.read(text)
    around = read_plain(uniform.around) if uniform is not None else None
    if uniform is not None and around is not None:
        return _uniform_page(uniform, _checked(around), base, project)
    return page_of(_checked(read_plain(text) or read_any(text)), base, project)


def page_of(elements: Elements, page_url: Url, project: Name) -> Page:
    """The page of ``elements`` that were found at ``page_url``."""
    base = _base(elements, page_url)
    links = [(name, attributes) for attributes in elements.links if (name := _filename(attributes["href"], base))]
    return Page.of_entries(
        project,
        [name for name, _ in links],
        lambda number: _readable_file(links[number][1], base),
        yanked=frozenset(number for number, (_, attributes) in enumerate(links) if "data-yanked" in attributes),
        status=(elements.meta.get("pypi:project-status", "") or "active").lower(),
        status_reason=elements.meta.get("pypi:project-status-reason", ""),
    )


def _uniform_page(links: UniformLinks, around: Elements, page_url: Url, project: Name) -> Page:
    base = _base(around, page_url)

    def make(number: int) -> File | None:
        tag = links.tag(number)
        found = read_plain(tag + "</a>") or read_any(tag)
        return _readable_file(found.links[0], base)

    return Page.of_entries(
        project,
        links.names,
        make,
        yanked=links.yanked,
        status=(around.meta.get("pypi:project-status", "") or "active").lower(),
        status_reason=around.meta.get("pypi:project-status-reason", ""),
    )


def _text(body: bytes) -> str:
    check_count(body, b"<a ", b"<A ", b"<a\n")
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if "<" not in text:
        raise InvalidResponse("the answer is not HTML")
    return text


def _checked(elements: Elements) -> Elements:
    if elements.signs_in:
        raise InvalidResponse("the answer is a page that asks to sign in, not a list of files")
    major = elements.meta.get("pypi:repository-version", "1.0").partition(".")[0]
    if major.isdecimal() and int(major) > 1:
        raise InvalidResponse(f"the page is of API version {major}, and only version 1 is known")
    return elements


def write(page: Page, link: Callable[[File], str] = lambda file: file.url.public) -> bytes:
    """The page as bytes; ``link`` gives the ``href`` without its fragment, which may be relative to the page.

    HTML has room for one digest a file (the fragment): SHA-256 where there is one.
    """
    meta = [("pypi:repository-version", "1.4")]
    if page.status != "active" or page.status_reason:
        meta.append(("pypi:project-status", page.status))
    if page.status_reason:
        meta.append(("pypi:project-status-reason", page.status_reason))
    lines = [
        "<!DOCTYPE html>",
        "<html>",
        "<head>",
        *(f'<meta name="{name}" content="{escape(content)}">' for name, content in meta),
        f"<title>Links for {escape(page.name)}</title>",
        "</head>",
        "<body>",
        *(f"<a {_attributes(file, link(file))}>{escape(file.filename)}</a><br>" for file in page.files),
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines).encode()


def write_projects(names: Iterable[Name]) -> bytes:
    """The list of all projects (PEP 503: "one anchor element per project")."""
    anchors = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in names)
    head = '<meta name="pypi:repository-version" content="1.0">\n<title>Simple index</title>'
    return f"<!DOCTYPE html>\n<html>\n<head>\n{head}\n</head>\n<body>\n{anchors}</body>\n</html>\n".encode()


# ----------------------------------------------------------------------------------------------- elements to files


def _base(elements: Elements, page_url: Url) -> Url:
    try:
        return page_url.join(elements.base.strip()) if elements.base else page_url
    except ValueError as error:
        raise InvalidResponse("the page's <base> is not a URL") from error


def _filename(href: str, base: Url) -> str:
    """The name that a link gives, without making a file of it; empty where there is none."""
    link = href.partition("#")[0].strip()
    if is_plain_link(link):
        name = link[link.rfind("/") + 1 :]
        return unquote(name) if "%" in name else name
    try:
        return base.join(link).filename if link else ""
    except ValueError:
        return ""


def _readable_file(attributes: Attributes, base: Url) -> File | None:
    try:
        return _to_file(attributes, base)
    except Unreadable:
        return None


def _to_file(attributes: Attributes, base: Url) -> File:
    link, _, fragment = attributes["href"].partition("#")
    parts = fragment.split("&") if "%" not in fragment else [unquote(part) for part in fragment.split("&")]
    if not link.strip():
        raise Unreadable("the link leads to the page itself")
    size = attributes.get("data-size", "")
    return make_file(
        base,
        link,
        None,
        [_pair(part) for part in parts],
        requires_python=attributes.get("data-requires-python"),
        yanked=attributes.get("data-yanked"),
        size=int(size) if size.isascii() and size.isdecimal() and len(size) < 20 else None,
        upload_time=attributes.get("data-upload-time"),
        metadata=_metadata(attributes),
    )


def _pair(text: str) -> tuple[str, str]:
    algorithm, _, digest = text.partition("=")
    return algorithm.strip(), digest.strip()


def _metadata(attributes: Attributes) -> dict[str, str] | None:
    """PEP 658 and PEP 714: ``true`` or ``algorithm=digest``; anything else offers nothing."""
    value = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata", ""))
    if value.strip().lower() == "true":
        return {}
    if "=" not in value:
        return None
    return read_hashes([_pair(value)])


def _attributes(file: File, link: str) -> str:
    algorithm = next((name for name in HASH_ALGORITHMS if name in file.hashes), "")
    fragment = f"#{algorithm}={file.hashes[algorithm]}" if algorithm else ""
    values: list[tuple[str, str | int | None]] = [
        ("href", link + fragment),
        ("data-requires-python", file.requires_python),
        ("data-yanked", file.yanked),
        ("data-size", file.size),
        ("data-upload-time", file.upload_time),
    ]
    if file.metadata is not None:
        strongest = next((name for name in HASH_ALGORITHMS if name in file.metadata), "")
        offered = f"{strongest}={file.metadata[strongest]}" if strongest else "true"
        values += [("data-core-metadata", offered), ("data-dist-info-metadata", offered)]
    return " ".join(f'{name}="{escape(str(value))}"' for name, value in values if value is not None)


# ------------------------------------------------------------------------------------------------ text to elements

_ATTRIBUTES = r'((?:[ \t\r\n]+[a-z][a-z-]*(?:="[^"]*")?)*)[ \t\r\n]*'
_TOKEN = re.compile(
    rf"<a{_ATTRIBUTES}>[^<]*</a[ ]?>"
    rf"|<meta{_ATTRIBUTES}/?>"
    r"|<title>[^<]*</title>"
    r"|</?(?:html|head|body|h[1-6]|p|br|hr|ul|ol|li|pre|div|span)[ ]?/?>"
    r"|<![Dd][Oo][Cc][Tt][Yy][Pp][Ee] html>"
    r"|[^<]+"
)
_ATTRIBUTE = re.compile(r'([a-z-]+)(?:="([^"]*)")?')
_ENTITIES = re.compile(r"&(?!(?:amp|lt|gt|quot|#[0-9]{2,5}|#x[0-9a-fA-F]{2,4});)")
"""A reference in an attribute that not every version of ``html.parser`` reads alike."""


def read_plain(text: str) -> Elements | None:
    """The elements of a page in the plain form that servers write, ``None`` if anything in it is of another form."""
    elements = Elements()
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() != position:
            return None
        position = match.end()
        link, meta = match.groups()
        attributes = link if link is not None else meta
        if attributes is None:
            continue
        if "&" in attributes and _ENTITIES.search(attributes):
            return None
        values: dict[str, str] = {}
        for name, value in _ATTRIBUTE.findall(attributes):
            if name not in values:
                values[name] = _unescaped(value) if "&" in value else value
        take("a" if link is not None else "meta", values, elements)
    return elements if position == len(text) else None


@lru_cache(maxsize=1024)
def _unescaped(value: str) -> str:
    """A page has few different ranges of Pythons, and thousands of files that state one."""
    return unescape(value)


def read_any(text: str) -> Elements:
    """The elements of any page, however it is written."""
    from cove.formats.html_elements import Parser  # noqa: PLC0415 - most pages are plain

    parser = Parser(Elements(), take)
    try:
        parser.feed(text)
        parser.close()
    except AssertionError as error:  # how html.parser reports a malformed declaration, "<![x"
        raise InvalidResponse("the answer is not HTML that can be read") from error
    return parser.found


def take(tag: str, attributes: Attributes, elements: Elements) -> None:
    """Note an element in ``elements`` if it matters."""
    if tag == "a" and "href" in attributes:
        elements.links.append(attributes)
    elif tag == "meta" and "name" in attributes:
        elements.meta.setdefault(attributes["name"].lower(), attributes.get("content", ""))
    elif tag == "base" and not elements.base and not elements.links:
        elements.base = attributes.get("href", "")
    elif tag == "input" and attributes.get("type", "").lower() == "password":
        elements.signs_in = True
