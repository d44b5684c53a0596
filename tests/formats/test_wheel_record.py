import csv
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer.records import RecordEntry as TheirEntry
from installer.records import parse_record_file

from cove.formats.wheel_record import RecordEntry, decode_hash, encode_hash, parse, render

_paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\"), min_size=1, max_size=12)
_hashes = st.binary(max_size=20).map(lambda data: encode_hash(hashlib.sha256(data).digest()))
_entries = st.lists(st.builds(RecordEntry, _paths, st.just("") | _hashes, st.none() | st.integers(0, 2**40)))


@given(_entries)
def test_what_is_rendered_is_parsed_again(entries: list[RecordEntry]) -> None:
    assert parse(render(entries)) == entries


@given(
    st.lists(
        st.builds(RecordEntry, _paths.filter(lambda path: not set("\r\n") & set(path)), _hashes, st.integers(0, 9))
    )
)
def test_installer_reads_the_same(entries: list[RecordEntry]) -> None:
    theirs = [TheirEntry.from_elements(*row) for row in parse_record_file(render(entries).split("\n")[:-1])]
    assert [(entry.path, str(entry.hash_), entry.size) for entry in theirs] == [
        (entry.path, entry.hash, entry.size) for entry in entries
    ]


@given(st.sampled_from(["sha256", "sha512", "blake2b"]), st.binary(min_size=1, max_size=64))
def test_hashes_go_both_ways(algorithm: str, digest: bytes) -> None:
    assert decode_hash(encode_hash(digest, algorithm)) == (algorithm, digest)


@pytest.mark.parametrize("text", ["sha256", "=abc", "sha256=", "sha256=a b", "sha256=ä"])
def test_a_broken_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digest|form"):
        decode_hash(text)


@pytest.mark.parametrize("text", ["a,b,c,d\n", ",sha256=x,1\n", "a,,many\n", 'a,"b\n', "a,,-1\n"])
def test_a_broken_line_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        parse(text)


def test_common_deviations_are_read() -> None:
    text = "a\\b.py,sha256=x,1\r\n\r\nfoo.dist-info/RECORD\r\n"
    assert parse(text) == [RecordEntry("a/b.py", "sha256=x", 1), RecordEntry("foo.dist-info/RECORD")]


def test_quoting_is_that_of_the_csv_module() -> None:
    assert next(csv.reader([render([RecordEntry('a,"b".py', "h", 1)]).rstrip("\n")])) == ['a,"b".py', "h", "1"]
