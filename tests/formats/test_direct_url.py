import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.direct_url import DirectUrl as Theirs

from cove.formats.direct_url import Archive, Directory, DirectUrl, Repository, parse, render
from cove.model.url import Url

_words = st.text("abcdef0123456789", min_size=1, max_size=8)
_infos = st.one_of(
    st.builds(Archive, st.dictionaries(st.sampled_from(["sha256", "sha512"]), _words)),
    st.builds(Directory, st.booleans()),
    st.builds(Repository, st.just("git"), _words, _words | st.just("")),
)
_urls = _words.map(lambda word: Url.parse(f"file:///projects/{word}"))
_direct = st.builds(DirectUrl, _urls, _infos, st.just("") | _words)


@given(_direct)
def test_it_goes_both_ways_and_packaging_agrees(direct: DirectUrl) -> None:
    text = render(direct)
    assert parse(text) == direct
    document = json.loads(text)
    if {} not in document.values():  # packaging refuses an empty table, which PEP 610 shows in its examples
        assert Theirs.from_dict(document).to_dict() == document


def test_no_credential_is_ever_written_or_kept() -> None:
    url = Url.parse("https://user:canary-secret@files.example.com/foo-1.0.tar.gz")
    assert "canary" not in render(DirectUrl(url, Archive()))
    assert "user" not in render(DirectUrl(url, Archive()))
    text = json.dumps({"url": "https://user:canary-secret@files.example.com/foo.zip", "archive_info": {}})
    assert parse(text).url == Url.parse("https://files.example.com/foo.zip")


def test_the_older_form_of_the_hash_is_read() -> None:
    direct = parse('{"url": "https://files.example.com/a", "archive_info": {"hash": "sha256=ABC"}}')
    assert direct.info == Archive({"sha256": "abc"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"url": "https://example.com"}',
        '{"url": "https://example.com", "dir_info": {}, "archive_info": {}}',
        '{"url": 1, "dir_info": {}}',
        '{"url": "relative", "dir_info": {}}',
        '{"url": "https://example.com", "dir_info": []}',
        '{"url": "https://example.com", "vcs_info": {"vcs": "git"}}',
        "[" * 100_000,
    ],
)
def test_what_breaks_the_standard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)
