"""Strategies for pages, for the tests of everything that reads or writes them."""

from hypothesis import strategies as st

from cove.formats.page_entry import HASH_ALGORITHMS
from cove.model.dist import File
from cove.model.name import Name
from cove.model.page import Page
from cove.model.url import Url

BASE = Url.parse("https://example.com/simple/acme/")
ACME = Name("acme")

words = st.text("abcdefghij0123456789.+_! &<>'äö", min_size=1, max_size=12).map(str.strip).filter(bool)
filenames = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._+!-]{0,20}\.(whl|tar\.gz|zip|exe)", fullmatch=True)
digests = st.text("0123456789abcdef", min_size=2, max_size=64)


def files(*, most_hashes: int = 3) -> st.SearchStrategy[File]:
    """Files of ``ACME``'s page; ``most_hashes`` because HTML has room for one only."""
    hashes = st.dictionaries(st.sampled_from(HASH_ALGORITHMS), digests, max_size=most_hashes)
    return st.builds(
        lambda filename, host, **rest: File(filename, Url.parse(f"https://{host}/f/{filename}"), **rest),
        filenames,
        st.sampled_from(["example.com", "files.example.org:8443"]),
        hashes=hashes,
        requires_python=st.none() | words,
        yanked=st.none() | st.just("") | words,
        size=st.none() | st.integers(0, 2**40),
        upload_time=st.none() | st.just("2026-01-02T03:04:05.678Z"),
        metadata=st.none() | hashes,
    )


def pages(*, most_hashes: int = 3) -> st.SearchStrategy[Page]:
    """``ACME``'s page."""
    return st.builds(
        Page,
        st.just(ACME),
        st.lists(files(most_hashes=most_hashes), max_size=5).map(tuple),
        status=st.sampled_from(["active", "archived", "quarantined", "deprecated"]),
        status_reason=st.just("") | words,
    )
