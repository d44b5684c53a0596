import pytest

from cove.formats.negotiate import ACCEPT, HTML, JSON, LEGACY_HTML, Kind, choose, kind_of


@pytest.mark.parametrize(
    "content_type, start, kind",
    [
        (JSON, b"", "json"),
        ("Application/VND.pypi.Simple.v1+JSON; charset=utf-8", b"", "json"),
        ("application/json", b"<", "json"),
        (HTML, b"", "html"),
        ("text/html;charset=UTF-8", b"{", "html"),
        ("application/xhtml+xml", b"", "html"),
        (None, b'\xef\xbb\xbf \n{"files"', "json"),
        (None, b"<!DOCTYPE html>", "html"),
        ("text/plain", b" <a", "html"),
        ("application/octet-stream", b"{", "json"),
        (None, b"hello", None),
        (None, b"", None),
        ("image/png", b"{", None),
        ("application/zip", b"<", None),
    ],
)
def test_kind_of_an_answer(content_type: str | None, start: bytes, kind: Kind | None) -> None:
    assert kind_of(content_type, start) == kind


@pytest.mark.parametrize(
    "accept, chosen",
    [
        (ACCEPT, JSON),
        (None, LEGACY_HTML),
        ("", LEGACY_HTML),
        ("*/*", LEGACY_HTML),
        ("text/html", LEGACY_HTML),
        ("text/*", LEGACY_HTML),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html;q=0.5, text/html;q=0.4", HTML),
        (f"{JSON}, text/html", JSON),
        (f"text/html, {JSON};q=0.9", LEGACY_HTML),
        (f"{JSON};q=0, */*", LEGACY_HTML),
        (f"*/*;q=0.1, {JSON};q=0.2", JSON),
        (f"{JSON.upper()} ; Q=1.000", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", LEGACY_HTML),
        ("application/json", None),
        ("application/vnd.pypi.simple.v2+json", None),
        ("text/html;q=0", None),
        ("text/html;q=x", None),
        (",,;", None),
    ],
)
def test_what_to_answer_with(accept: str | None, chosen: str | None) -> None:
    assert choose(accept) == chosen
