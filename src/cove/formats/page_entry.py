"""What the JSON and the HTML form of a page share: which links, names and digests are believed."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from cove.errors import InvalidResponse
from cove.model.dist import File
from cove.model.url import Url, is_plain_link

HASH_ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "blake2b", "sha1", "md5")
"""Those that can be checked, preferred first; anything else in a page is ignored, as PEP 503 readers do with fragments."""

MOST_FILES = 300_000
"""Files of a page: twenty times those of the largest project there is."""

_KNOWN = frozenset(HASH_ALGORITHMS)
_OUTSIDE = re.compile(r"[/\\\x00-\x1f]")


class Unreadable(ValueError):
    """One entry of a page cannot be used; the page goes on without it."""


def make_file(
    base: Url,
    link: str,
    filename: str | None,
    hashes: Iterable[tuple[str, str]],
    *,
    requires_python: str | None = None,
    yanked: str | None = None,
    size: int | None = None,
    upload_time: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> File:
    """A file from the parts of its entry; ``link``, resolved against ``base``, names it where ``filename`` is ``None``.

    Raises ``Unreadable`` for what no honest page has: a link that is no URL, or to a local file from a page that is not
    one; a name that would leave its folder; a digest that is not hexadecimal.
    """
    link = link.strip()
    if is_plain_link(link):
        url = base.link(link)
        name = filename if filename is not None else link[link.rfind("/") + 1 :]
        if filename is None and "%" in name:
            name = unquote(name)
    else:
        url = _resolved(base, link)
        name = url.filename if filename is None else filename
    if not _is_plain(name):
        raise Unreadable("the file name is not a plain name")
    if size is not None and size < 0:
        raise Unreadable("the size is negative")
    return File(
        name,
        url,
        read_hashes(hashes),
        requires_python=requires_python or None,
        yanked=yanked,
        size=size,
        upload_time=upload_time or None,
        metadata=metadata,
    )


def _resolved(base: Url, link: str) -> Url:
    try:
        url = base.join(link)
    except ValueError as error:
        raise Unreadable("the link is not a URL") from error
    if url.scheme not in ("http", "https") and not (url.scheme == base.scheme == "file"):
        raise Unreadable("the link leads to another kind of place")
    return url.without_fragment() if "#" in url.public else url


def check_count(body: bytes, *marks: bytes) -> None:
    """Raise ``InvalidResponse`` for a page with more files than are believed; ``marks`` are what each entry begins with.

    Done before anything is made of the page, which would take many times its own memory.
    """
    if len(body) < MOST_FILES * min(map(len, marks)):
        return
    if sum(map(body.count, {mark[:1] for mark in marks})) <= MOST_FILES:  # single bytes are counted at once
        return
    entries = sum(map(body.count, marks))
    if entries > MOST_FILES:
        raise InvalidResponse(f"the page lists {entries} files, and more than {MOST_FILES} are not believed")


def read_hashes(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Known algorithms only, all lower case; raises ``Unreadable`` for a digest that is not hexadecimal."""
    hashes = {}
    for algorithm, digest in pairs:
        known, lowered = algorithm.lower(), digest.lower()
        if known not in _KNOWN:
            continue
        if not lowered or lowered.strip("0123456789abcdef"):
            raise Unreadable("a digest is not hexadecimal")
        hashes[known] = lowered
    return hashes


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and _OUTSIDE.search(name) is None
