"""Which form of the Simple API is asked for and which one came (PEP 691, "Content Negotiation")."""

from typing import Literal

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
LEGACY_HTML = "text/html"

ACCEPT = f"{JSON}, {HTML};q=0.2, {LEGACY_HTML};q=0.01"
"""What is asked for: JSON if there is any choice. Some registries compare the text, so it is uv's to the letter."""

Kind = Literal["json", "html"]

_SAYS_NOTHING = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})
_LATEST = {
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}
_OFFERED = (JSON, HTML, LEGACY_HTML)


def kind_of(content_type: str | None, body_start: bytes) -> Kind | None:
    """What an answer holds, ``None`` if neither. ``body_start`` decides where the header is missing or says nothing.

    Case and parameters do not matter; ``application/json`` counts as JSON, as static file servers send it.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type in _SAYS_NOTHING:
        start = body_start.removeprefix(b"\xef\xbb\xbf").lstrip()
        return "json" if start.startswith(b"{") else "html" if start.startswith(b"<") else None
    if media_type.endswith(("/json", "+json")):
        return "json"
    if media_type.endswith(("/html", "+html")) or media_type == "application/xhtml+xml":
        return "html"
    return None


def choose(accept: str | None) -> str | None:
    """The media type to answer with, ``None`` when nothing acceptable is offered (406).

    The highest quality wins; among equals the one that was named rather than covered by a wildcard, then JSON. Without a
    preference the answer is ``text/html``, because only old clients have none (PEP 691, "Version + Format Selection").
    """
    ranges = _parse(accept if accept and accept.strip() else "*/*")
    best: tuple[tuple[float, int, int], str] | None = None
    for position, offered in enumerate(_OFFERED):
        quality, specificity = _quality(offered, ranges)
        preference = position if specificity == 0 else -position
        key = (quality, specificity, preference)
        if quality > 0 and (best is None or key > best[0]):
            best = (key, offered)
    return best[1] if best else None


def _parse(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _number(value.strip())
        if media_range:
            ranges.append((_LATEST.get(media_range, media_range), quality))
    return ranges


def _number(text: str) -> float:
    """A quality between 0 and 1 (RFC 9110, 12.4.2); what is not one asks for nothing."""
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdecimal() or not text.isascii():
        return 0.0
    return min(float(text), 1.0)


def _quality(offered: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Of all ranges that match, the most specific decides (RFC 9110, 12.5.1): 2 the type, 1 ``text/*``, 0 ``*/*``."""
    matches = {2: offered, 1: offered.partition("/")[0] + "/*", 0: "*/*"}
    for specificity, wanted in matches.items():
        qualities = [quality for media_range, quality in ranges if media_range == wanted]
        if qualities:
            return max(qualities), specificity
    return 0.0, 0
