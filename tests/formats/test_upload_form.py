import email
import email.policy
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import InvalidArtifact
from cove.formats.upload_form import FileFacts, encode, fields, read

WHEEL = FileFacts("foo_bar-1.0-py2.py3-none-any.whl", 3, "aa" * 32, "bb" * 32)
SDIST = FileFacts("foo_bar-1.0.tar.gz", 3, "aa" * 32, "bb" * 32)

FULL = """\
Metadata-Version: 2.4
Name: Foo.Bar
Version: 1.0
Requires-Dist: zeta>1
Requires-Dist: alpha; python_version < "3"
Classifier: Programming Language :: Python
Project-URL: Home, https://example.com/
Requires-Python: >=3.8
Author: Zoë
License-File: LICENSE
Keywords: a,b
Summary: short

# Title

text
"""


def test_the_order_of_fields_is_uvs() -> None:
    assert fields(FULL.encode(), WHEEL) == (
        (":action", "file_upload"),
        ("sha256_digest", "aa" * 32),
        ("blake2_256_digest", "bb" * 32),
        ("protocol_version", "1"),
        ("metadata_version", "2.4"),
        ("name", "Foo.Bar"),
        ("version", "1.0"),
        ("filetype", "bdist_wheel"),
        ("pyversion", "py2.py3"),
        ("author", "Zoë"),
        ("description", "# Title\n\ntext\n"),
        ("keywords", "a,b"),
        ("summary", "short"),
        ("requires_python", ">=3.8"),
        ("classifiers", "Programming Language :: Python"),
        ("license_file", "LICENSE"),
        ("project_urls", "Home, https://example.com/"),
        ("requires_dist", "zeta>1"),
        ("requires_dist", 'alpha; python_version < "3"'),
    )


def test_requires_python_is_sent_even_when_there_is_none() -> None:
    form = fields(b"Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0\n", SDIST)
    assert ("requires_python", "") in form
    assert ("filetype", "sdist") in form
    assert ("pyversion", "source") in form


@pytest.mark.parametrize("missing", ["Metadata-Version", "Name", "Version"])
def test_metadata_without_identity_is_refused(missing: str) -> None:
    lines = [line for line in FULL.splitlines(keepends=True) if not line.startswith(f"{missing}:")]
    with pytest.raises(InvalidArtifact, match=missing):
        fields("".join(lines).encode(), WHEEL)


@given(
    st.lists(st.tuples(st.text(string.ascii_lowercase + "_:", min_size=1), st.text()), max_size=5),
    st.binary(max_size=200),
)
def test_the_body_is_read_back_as_it_was_written(pairs: list[tuple[str, str]], content: bytes) -> None:
    form = encode(pairs, FileFacts("a-1.tar.gz", len(content), "00", "11"))
    body = b"".join(form.stream(lambda: iter([content]))())
    assert len(body) == form.content_length
    boundary = form.content_type.partition("boundary=")[2].encode()
    *parts, last = body.split(b"--" + boundary)[1:]
    assert last == b"--\r\n"
    read_back = []
    for part in parts:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = email.message_from_bytes(head, policy=email.policy.default)["Content-Disposition"]
        read_back.append((header.params["name"], value.removesuffix(b"\r\n")))
    assert read_back == [*((name, text.encode()) for name, text in pairs), ("content", content)]


def test_names_cannot_break_out_of_their_header() -> None:
    form = encode((), FileFacts('a"\r\nX: y-1.tar.gz', 0, "", ""))
    assert b'filename="a%22%0D%0AX: y-1.tar.gz"' in form.head


def test_a_body_can_be_opened_twice() -> None:
    opened = encode((("a", "b"),), SDIST).stream(lambda: iter([b"xyz"]))
    assert b"".join(opened()) == b"".join(opened())


def test_a_registry_reads_what_a_client_writes() -> None:
    form = read(fields(FULL.encode(), WHEEL))
    assert (form.action, form.name, form.version, form.filetype) == ("file_upload", "Foo.Bar", "1.0", "bdist_wheel")
    assert form.requires_python == ">=3.8"
    assert form.digests == {"sha256": "aa" * 32, "blake2_256": "bb" * 32}


def test_what_is_missing_is_empty_and_the_first_of_several_counts() -> None:
    form = read([("name", "a"), ("name", "b"), ("md5_digest", "AB")])
    assert (form.name, form.version, form.digests) == ("a", "", {"md5": "ab"})
