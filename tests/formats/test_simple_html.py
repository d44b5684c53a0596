from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import InvalidResponse
from cove.formats import simple_html, uniform_links
from cove.formats.simple_html import read_any, read_plain
from cove.model.page import Page
from cove.model.url import Url
from support.pages import ACME, BASE, pages, words


def read(text: str, base: Url = BASE) -> Page:
    return simple_html.read(text.encode(), base, ACME)


# ------------------------------------------------------------------------------------------- both readers agree


@given(pages(most_hashes=1))
def test_what_is_written_is_read_back_the_fast_way(page: Page) -> None:
    written = simple_html.write(page)
    assert simple_html.read(written, BASE, ACME) == page
    assert read_plain(written.decode()) == read_any(written.decode())


fragments = st.sampled_from(
    [
        "<a href='x-1.zip'>x</a>", '<a href="x-1.zip#sha256=aa">x</a>', '<a href=x-1.zip>x</a>', "<A HREF=\"y\">y</A>",
        '<a data-yanked href="a">a</a>', '<a\n href="a"\tdata-yanked="q&quot;">a</a >', '<a href="a" href="b">', "</a>",
        '<a href="a"data-yanked="">x</a>', '<a href="a" data-requires-python=">=3,<4">x</a>', '<a href="&copy=1">x</a>',
        '<a href="&#38;&amp;&notit;">x</a>', "<!-- <a href='no'>no</a> -->", "<!--", "-->", "<br/>", "<br />", "<p>", "</p>",
        '<p title="<a href="q">q</a>">', "<script><a href='s'>s</a></script>", "<style>", "</style>", "<title>a</title>",
        "<title><a href='t'>t</a></title>", "<textarea>", "<base href='/b/'>", '<base href="https://example.org/">',
        '<meta name="api-version" value="2" />', '<meta name="x" content="<a href="q">y</a>">', '<meta name="&quot;">',
        "<!DOCTYPE html>", "<!doctype html>", "<html>", "</html>", "<body>", "<![CDATA[", "]]>", "<?php", "<", ">", '"', "'",
        "text &amp; more", "&", "\r\n", " ", "\0", "é", "<a>", "<a >", "<a\f href='x'>", '<a href="x\ny">n</a>', "<plaintext>",
    ]
)  # fmt: skip


@given(st.lists(fragments, max_size=12).map("".join))
def test_the_fast_reader_agrees_with_the_thorough_one_or_declines(text: str) -> None:
    plain = read_plain(text)
    assert plain is None or plain == read_any(text)


@given(st.lists(st.tuples(words, words), max_size=5))
def test_escaped_values_are_read_alike(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f'<a href="{escape(link)}" data-requires-python="{escape(value)}">x</a>\n' for link, value in pairs)
    plain = read_plain(text)
    assert plain is not None
    assert plain == read_any(text)


uniform_links_ = st.builds(
    lambda link, attributes, text, end: f'<a href="{link}"{attributes}>{text}</a>{end}',
    st.sampled_from(
        [
            "a-1.zip", "../a-1.zip#sha256=aa", "/f/a%20b.zip", "a-1.zip#egg=a/b", "https://example.org/f/b-1+c.whl", "", "../",
            "a.zip?x=/y", "javascript:a", "&lt;.zip", "f\\a.zip", "https://user@example.org/a", "#a", "é/a.zip", "x//y.zip",
        ]
    ),
    st.sampled_from(
        ["", ' data-yanked=""', " data-yanked", ' data-requires-python="&gt;=3"', ' data-requires-python=">=3"', ' rel="x"',
         ' data-yanked="&notit;"']
    ),
    st.sampled_from(["a", "", "b &amp; c", "data-yanked"]),
    st.sampled_from(["", "<br>", "<br/>", "<br />\n", "\n   ", "<br/><p>", "x", "<!-- -->"]),
)  # fmt: skip


@given(
    st.lists(uniform_links_, max_size=6).map("".join),
    st.sampled_from(["", "<h1>a</h1>", '<base href="/b/">', "<A href='c.zip'>c</A>"]),
)
def test_links_read_as_a_whole_are_those_read_one_by_one(links: str, before: str) -> None:
    page = read(f"<html>{before}{links}</html>")
    thorough = read_any(f"<html>{before}{links}</html>")
    expected = simple_html.page_of(thorough, BASE, ACME)
    assert page == expected
    assert page.yanked == expected.yanked
    assert [name for name in page.names if name] == [file.filename for file in expected.files]


REAL_PAGES = [  # the forms in which two of the servers in the registries folder write their pages
    """<!DOCTYPE html>
<html>
  <head>
    <title>Links for acme</title>
  </head>
  <body>
    <h1>Links for acme</h1>
    <a href="1.0/acme-1.0.tar.gz#sha256=aa" data-gpg-sig="false" data-requires-python="&gt;=3.8">acme-1.0.tar.gz</a><br/>
  </body>
</html>
""",
    """<html>
<head>
<title>Links for acme</title>
<meta name="api-version" value="2" />
</head>
<body>
<h1>Links for acme</h1>
<a href="../../packages/aa/acme-1.0.tar.gz#md5=aa" data-requires-python=">=3.6,<4.0" rel="internal">acme</a><br/>
</body></html>""",
]


@pytest.mark.parametrize("text", REAL_PAGES)
def test_pages_of_real_servers_take_the_fast_way(text: str) -> None:
    assert read_plain(text) == read_any(text)
    assert read_plain(text) is not None
    assert uniform_links.read(text) is not None
    assert [file.filename for file in read(text).files] == ["acme-1.0.tar.gz"]


# --------------------------------------------------------------------------------------------------- what is read


def test_a_whole_link() -> None:
    page = read(
        '<a href="../../f/acme-1.0-py3-none-any.whl?x=1#sha256=AA" data-requires-python="&gt;=3.9, &lt;4"'
        ' data-yanked="a &quot;bad&quot; one" data-core-metadata="sha256=bb">anything</a>'
    )
    (file,) = page.files
    assert file.url.public == "https://example.com/f/acme-1.0-py3-none-any.whl?x=1"
    assert file.filename == "acme-1.0-py3-none-any.whl"
    assert (file.hashes, file.metadata) == ({"sha256": "aa"}, {"sha256": "bb"})
    assert (file.requires_python, file.yanked) == (">=3.9, <4", 'a "bad" one')


@pytest.mark.parametrize(
    "base, url",
    [
        ("", "https://example.com/simple/acme/a.whl"),
        ('<base href="/files/">', "https://example.com/files/a.whl"),
        ('<base href="../files/">', "https://example.com/simple/files/a.whl"),
        ('<base href="https://example.org/x/y">', "https://example.org/x/a.whl"),
        ('<base href="/one/"><base href="/two/">', "https://example.com/one/a.whl"),
    ],
)
def test_the_base_element_may_be_relative_or_absolute(base: str, url: str) -> None:
    assert [file.url.public for file in read(f'<html>{base}<a href="a.whl">a</a>').files] == [url]


def test_a_base_after_the_first_link_comes_too_late() -> None:
    (file,) = read('<a href="a.whl">a</a><base href="/late/">').files
    assert file.url.public == "https://example.com/simple/acme/a.whl"


@pytest.mark.parametrize("fragment", ["", "#", "#main", "#egg=acme", "#sha1024=zz", "#subdirectory=x"])
def test_unknown_fragments_are_ignored(fragment: str) -> None:
    assert read(f'<a href="a-1.zip{fragment}">a</a>').files[0].hashes == {}


def test_a_percent_encoded_name_and_fragment_are_decoded() -> None:
    (file,) = read('<a href="acme-1%210.zip#sha256%3Daa">a</a>').files
    assert (file.filename, file.hashes) == ("acme-1!0.zip", {"sha256": "aa"})


@pytest.mark.parametrize(
    "attribute, metadata",
    [
        ('data-core-metadata="true"', {}),
        ('data-dist-info-metadata="sha256=aa"', {"sha256": "aa"}),
        ('data-core-metadata="false"', None),
        ("data-core-metadata", None),
        ('data-core-metadata="false" data-dist-info-metadata="true"', None),
        ("", None),
    ],
)
def test_metadata(attribute: str, metadata: dict[str, str] | None) -> None:
    assert read(f'<a href="a.whl" {attribute}>a</a>').files[0].metadata == metadata


def test_yanked_without_a_reason() -> None:
    assert read('<a href="a.whl" data-yanked>a</a>').files[0].yanked == ""


def test_status() -> None:
    page = read(
        '<meta name="pypi:project-status" content="archived"><meta name="pypi:project-status-reason" content="old"><br>'
    )
    assert (page.status, page.status_reason) == ("archived", "old")


@pytest.mark.parametrize(
    "link", ["#top", "", "mailto:a@example.com", "file:///etc/passwd", "../", "http://[", "a.whl#sha256=../x"]
)
def test_links_that_lead_nowhere_usable_are_left_out(link: str) -> None:
    assert [f.filename for f in read(f'<a href="{link}">x</a><a href="b.whl">b</a>').files] == ["b.whl"]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "not HTML"),
        ("Not found", "not HTML"),
        ('<meta name="pypi:repository-version" content="2.0">', "API version 2"),
        ('<form><input name="p" type="password"></form>', "sign in"),
        ('<base href="http://["><a href="x">x</a>', "<base>"),
    ],
)
def test_what_is_no_page_of_links_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidResponse, match=reason):
        read(text)


def test_malformed_markup_is_read_or_refused_but_never_breaks() -> None:
    for text in ("<![", "<!x", "<a href=", "<?", "</", "<![CDATA[x", "<![if x]>"):
        try:
            read(text)
        except InvalidResponse:
            continue


def test_the_list_of_projects() -> None:
    assert read_any(simple_html.write_projects([ACME]).decode()).links == [{"href": "acme/"}]
