import io
import re
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cove.errors import CredentialsMissing, InvalidArtifact, UnexpectedStatus
from cove.http.client import Client
from cove.http.ranged import WheelMetadata, wheel_metadata
from cove.http.transport import Transport
from cove.model.index import Index
from cove.model.url import Url
from support.scripted_server import Received, Reply, ScriptedServer, serving

NAME = "foo_bar-1.0-py3-none-any.whl"
METADATA = b"Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0\n"
PLACE = "foo_bar-1.0.dist-info/METADATA"


def wheel(entries: list[tuple[str, bytes]] | None = None, *, stored: bool = False, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries if entries is not None else [("foo.py", b"x" * 100), (PLACE, METADATA)]:
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def noise(size: int) -> bytes:
    import random

    return random.Random(1).randbytes(size)


def ranged(content: bytes) -> Callable[[Received], Reply]:
    """A server that understands byte ranges as RFC 9110 says."""

    def script(received: Received) -> Reply:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", received.headers.get("range", ""))
        if match is None:
            return Reply(200, content)
        first, last = match.groups()
        start = int(first) if first else max(0, len(content) - int(last))
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        headers = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
        return Reply(206, content[start : end + 1], headers)

    return script


def ask(server: ScriptedServer, client: Client | None = None, filename: str = NAME) -> WheelMetadata:
    own = client or Client(Transport())
    try:
        return wheel_metadata(own, Url.parse(f"{server.url}/{filename}"), None, filename)
    finally:
        if client is None:
            own.close()


def test_one_request_for_the_tail() -> None:
    content = wheel([("data.bin", noise(500_000)), (PLACE, METADATA)])
    with serving(ranged(content)) as server:
        assert ask(server) == WheelMetadata(METADATA, None)
        assert [(seen.method, seen.headers["range"], seen.headers["accept-encoding"]) for seen in server.log] == [
            ("GET", "bytes=-65536", "identity")
        ]


def test_a_small_wheel_arrives_whole() -> None:
    content = wheel()
    with serving(ranged(content)) as server:
        assert ask(server) == WheelMetadata(METADATA, content)
        assert len(server.log) == 1


def test_metadata_at_the_beginning_needs_a_second_range() -> None:
    content = wheel([(PLACE, METADATA), ("data.bin", noise(100_000))])
    with serving(ranged(content)) as server:
        assert ask(server).metadata == METADATA
        assert len(server.log) == 2


def test_a_large_directory_needs_more_of_the_tail() -> None:
    content = wheel([(PLACE, METADATA), *((f"package/module_{number:05}.py", b"") for number in range(2000))])
    with serving(ranged(content)) as server:
        assert ask(server).metadata == METADATA
        assert len(server.log) == 3


def test_a_long_comment_is_read_over() -> None:
    content = wheel([("data.bin", noise(100_000)), (PLACE, METADATA)], comment=b"c" * 60_000)
    with serving(ranged(content)) as server:
        assert ask(server).metadata == METADATA


@settings(max_examples=25, deadline=None)
@given(
    before=st.integers(0, 60_000),
    after=st.integers(0, 60_000),
    stored=st.booleans(),
    long=st.integers(0, 40_000),
    files=st.integers(0, 400),
)
def test_the_tail_says_what_the_whole_says(before: int, after: int, stored: bool, long: int, files: int) -> None:
    metadata = METADATA + b"\n" + noise(long)
    entries = [("a.bin", noise(before)), (PLACE, metadata), ("b.bin", noise(after))]
    content = wheel([*entries, *((f"m{number}.py", b"") for number in range(files))], stored=stored)
    with serving(ranged(content)) as server:
        assert ask(server).metadata == metadata
        assert len(server.log) <= 4


def test_a_server_without_ranges_gives_the_whole() -> None:
    content = wheel([("data.bin", noise(50_000)), (PLACE, METADATA)])
    with serving(lambda _: Reply(200, content)) as server:
        assert ask(server) == WheelMetadata(METADATA, content)
        assert len(server.log) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(501),
        Reply(416),
        Reply(400),
        Reply(405),
        Reply(206, b"x" * 100),
        Reply(206, b"x" * 100, {"Content-Range": "bytes 0-99/*"}),
        Reply(206, b"x" * 100, {"Content-Range": "bytes 0-99/50000"}),
        Reply(206, b"x" * 100, {"Content-Range": "bytes 33616-49999/50000"}),
        Reply(206, b"x" * 20_000, {"Content-Range": "bytes 33616-49999/50000"}),
        Reply(206, b"x" * 100, {"Content-Range": f"bytes {'9' * 30}-{'9' * 30}/1"}),
    ],
)
def test_nonsense_leads_to_the_whole_and_is_remembered(reply: Reply) -> None:
    content = wheel([("data.bin", noise(50_000)), (PLACE, METADATA)])

    def script(received: Received) -> Reply:
        return reply if "range" in received.headers else Reply(200, content)

    with serving(script) as server, Client(Transport()) as client:
        assert ask(server, client) == WheelMetadata(METADATA, content)
        assert ask(server, client) == WheelMetadata(METADATA, content)
        assert ["range" in seen.headers for seen in server.log] == [True, False, False]


def test_a_416_for_a_short_file_is_not_held_against_the_server() -> None:
    content = wheel()

    def script(received: Received) -> Reply:
        short = Reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        return short if "range" in received.headers else Reply(200, content)

    with serving(script) as server, Client(Transport()) as client:
        assert ask(server, client) == WheelMetadata(METADATA, content)
        assert not client.ranges.refuses(Url.parse(server.url))


def test_a_wrong_second_range_leads_to_the_whole() -> None:
    content = wheel([(PLACE, METADATA), ("data.bin", noise(100_000))])
    good = ranged(content)

    def script(received: Received) -> Reply:
        asked = received.headers.get("range", "")
        return Reply(206, b"", {"Content-Range": "bytes 0-0/5"}) if asked.startswith("bytes=0") else good(received)

    with serving(script) as server:
        assert ask(server) == WheelMetadata(METADATA, content)
        assert len(server.log) == 3


def test_refusals_are_told_as_such() -> None:
    with serving(lambda _: Reply(401)) as server, pytest.raises(CredentialsMissing, match=NAME):
        ask(server)
    with serving(lambda _: Reply(404)) as server, pytest.raises(UnexpectedStatus, match="404 Not Found"):
        ask(server)


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "zip"),
        (b"not a zip", "zip"),
        (wheel()[:-30], "zip"),
        (wheel([("foo.py", b"")]), "no METADATA file"),
        (wheel([("x/" + PLACE, METADATA)]), "no METADATA file"),
        (wheel([("other-1.0.dist-info/METADATA", METADATA)]), "belongs to another"),
        (wheel([("foo_bar-2.0.dist-info/METADATA", METADATA)]), "belongs to another"),
        (wheel([(PLACE, METADATA), ("other-1.0.dist-info/METADATA", b"")]), "2 METADATA files"),
        (wheel([(PLACE, b"0" * (17 * 1024 * 1024))]), "larger than 16 MB"),
    ],
)
def test_unusable_wheels_are_named_with_their_reason(content: bytes, reason: str) -> None:
    index = Index(Url.parse("http://127.0.0.1/simple"), name="corp")
    with serving(ranged(content)) as server, Client(Transport()) as client:
        with pytest.raises(InvalidArtifact, match=reason) as caught:
            wheel_metadata(client, Url.parse(f"{server.url}/{NAME}"), index, NAME)
        assert f"`{NAME}` from corp" in caught.value.message


def test_two_entries_of_one_name_are_refused() -> None:
    twin = PLACE.replace("foo", "fop")
    content = wheel([(PLACE, METADATA), (twin, METADATA)]).replace(twin.encode(), PLACE.encode())
    with serving(ranged(content)) as server, pytest.raises(InvalidArtifact, match="2 METADATA files"):
        ask(server)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 399), value=st.integers(0, 255))
def test_damage_is_an_error_or_harmless(position: int, value: int) -> None:
    content = bytearray(wheel())
    content[position % len(content)] = value
    with serving(ranged(bytes(content))) as server:
        try:
            assert ask(server).metadata == METADATA
        except InvalidArtifact:
            assert len(server.log) < 6


def test_a_directory_that_points_outside_is_refused() -> None:
    content = bytearray(wheel([("data.bin", noise(50_000)), (PLACE, METADATA)]))
    at = content.rindex(b"PK\x01\x02")
    content[at + 42 : at + 46] = struct.pack("<I", 0x7FFFFFFF)
    with serving(ranged(bytes(content))) as server, pytest.raises(InvalidArtifact):
        ask(server)


def test_names_and_versions_compare_as_the_standards_say() -> None:
    filename = "Foo.Bar-1.0.0-py3-none-any.whl"
    with serving(ranged(wheel())) as server:
        assert ask(server, filename=filename).metadata == METADATA
