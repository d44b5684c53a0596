import pytest

from cove.formats.page_entry import Unreadable, make_file, read_hashes
from cove.model.url import Url

BASE = Url.parse("https://example.com/simple/acme/")


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "javascript:alert(1)", "http://[::1", "http:///x.whl", "ftp://h/a"]
)
def test_a_link_to_another_kind_of_place_is_not_followed(link: str) -> None:
    with pytest.raises(Unreadable):
        make_file(BASE, link, "a-1-py3-none-any.whl", [])


@pytest.mark.parametrize("filename", ["", ".", "..", "../a.whl", "a/b.whl", "a\\b.whl", "a\0.whl", "a\n.whl"])
def test_a_name_that_leaves_its_folder_is_refused(filename: str) -> None:
    with pytest.raises(Unreadable):
        make_file(BASE, "a.whl", filename, [])


def test_an_encoded_slash_in_the_link_does_not_become_a_path() -> None:
    with pytest.raises(Unreadable):
        make_file(BASE, "..%2f..%2fevil.whl", None, [])


def test_a_local_page_may_link_to_local_files() -> None:
    file = make_file(Url.parse("file:///srv/simple/acme/"), "../../a-1.tar.gz", None, [])
    assert (file.url.public, file.filename) == ("file:///srv/a-1.tar.gz", "a-1.tar.gz")


def test_the_fragment_is_no_part_of_the_files_url() -> None:
    assert make_file(BASE, "a-1.tar.gz?x=1#sha256=aa", None, []).url.public == BASE.public + "a-1.tar.gz?x=1"


def test_unknown_algorithms_are_ignored_and_digests_are_lower_case() -> None:
    assert read_hashes([("SHA256", "AB"), ("egg", "acme"), ("crc", "!!")]) == {"sha256": "ab"}


@pytest.mark.parametrize("digest", ["", "../../etc", "xyz", "ab cd"])
def test_a_digest_that_is_not_hexadecimal_is_refused(digest: str) -> None:
    with pytest.raises(Unreadable):
        read_hashes([("sha256", digest)])
