import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cove.errors import (
    CoveError,
    CredentialsMissing,
    HashMismatch,
    IndexUnreachable,
    InvalidArtifact,
    InvalidResponse,
    TruncatedDownload,
    UnexpectedStatus,
)
from cove.http.client import Client
from cove.http.transport import Transport, TransportOptions
from cove.install.fetch import fetch
from cove.install.store import Store, StoredWheel
from cove.model.dist import File
from cove.model.event import Advanced, Event, Finished, Started
from cove.model.index import Index
from cove.model.name import Name
from cove.model.url import Url
from support.scripted_server import Received, Reply, serving
from support.wheel_files import make_wheel

NAME = "foo-1.0-py3-none-any.whl"


@pytest.fixture
def client() -> Iterator[Client]:
    transport = Transport(TransportOptions())
    yield Client(transport)
    transport.close()


@pytest.fixture
def wheel(tmp_path: Path) -> bytes:
    return make_wheel(tmp_path / "made", {"foo.py": b"x = 1\n"}).read_bytes()


class Fetcher:
    def __init__(self, client: Client, store: Store, base: str) -> None:
        self.client, self.store, self.base = client, store, base
        self.events: list[Event] = []

    def __call__(
        self,
        hashes: Mapping[str, str] | None = None,
        *,
        filename: str = NAME,
        size: int | None = None,
        expected: Mapping[str, str] | None = None,
    ) -> StoredWheel | Path:
        url = Url.parse(f"{self.base}/{filename}")
        return fetch(
            self.client,
            File(filename, url, hashes or {}, size=size),
            name=Name("foo"),
            version="1.0",
            index=Index(Url.parse("http://127.0.0.1/simple"), name="corp"),
            store=self.store,
            expected_hashes=expected,
            listener=self.events.append,
        )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_wheel_arrives_once_and_is_reported(client: Client, wheel: bytes, tmp_path: Path) -> None:
    with serving(lambda request: Reply(body=wheel)) as server:
        get = Fetcher(client, Store(tmp_path / "store"), server.url)
        hashes = {"sha256": sha256(wheel), "md5": hashlib.md5(wheel).hexdigest(), "unknown": "x"}
        first = get(hashes, size=len(wheel))
        assert get(hashes) == first
    assert isinstance(first, StoredWheel)
    assert (first.files / "foo.py").read_bytes() == b"x = 1\n"
    assert [request.headers["accept-encoding"] for request in server.log] == ["identity"]
    assert get.events[0] == Started("download", NAME, len(wheel))
    assert get.events[-1] == Finished("download", NAME)
    assert sum(event.amount for event in get.events if isinstance(event, Advanced)) == len(wheel)


def test_without_any_digest_the_file_is_kept_under_its_own(client: Client, wheel: bytes, tmp_path: Path) -> None:
    with serving(lambda request: Reply(body=wheel)) as server:
        stored = Fetcher(client, Store(tmp_path / "store"), server.url)()
    assert isinstance(stored, StoredWheel)
    assert stored.sha256 == sha256(wheel)


def test_an_sdist_is_kept_as_it_is(client: Client, tmp_path: Path) -> None:
    with serving(lambda request: Reply(body=b"sdist", headers={"Content-Type": "application/gzip"})) as server:
        path = Fetcher(client, Store(tmp_path / "store"), server.url)(
            {"sha256": sha256(b"sdist")}, filename="foo-1.0.tar.gz"
        )
    assert isinstance(path, Path)
    assert (path.name, path.read_bytes()) == ("foo-1.0.tar.gz", b"sdist")


@pytest.mark.parametrize("where", ["hashes", "expected"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "blake2b"])
def test_another_digest_is_refused(client: Client, wheel: bytes, tmp_path: Path, where: str, algorithm: str) -> None:
    wrong = {algorithm: hashlib.new(algorithm, b"other").hexdigest()}
    hashes, expected = (wrong, {}) if where == "hashes" else ({}, wrong)
    with serving(lambda request: Reply(body=wheel)) as server, pytest.raises(HashMismatch) as caught:
        Fetcher(client, Store(tmp_path / "store"), server.url)(hashes, expected=expected)
    text = str(caught.value)
    for part in ("foo", "1.0", "corp", NAME, wrong[algorithm], hashlib.new(algorithm, wheel).hexdigest(), server.url):
        assert part in text
    assert not (tmp_path / "store/wheels").exists()


def test_all_digests_must_match(client: Client, wheel: bytes, tmp_path: Path) -> None:
    with serving(lambda request: Reply(body=wheel)) as server, pytest.raises(HashMismatch, match="md5"):
        Fetcher(client, Store(tmp_path / "store"), server.url)({"sha256": sha256(wheel), "md5": "0" * 32})


def test_index_and_lock_that_disagree_are_noticed_before_a_download(
    client: Client, wheel: bytes, tmp_path: Path
) -> None:
    with (
        serving(lambda request: Reply(body=wheel)) as server,
        pytest.raises(HashMismatch, match="according to the index"),
    ):
        Fetcher(client, Store(tmp_path / "store"), server.url)({"sha256": sha256(wheel)}, expected={"sha256": "0" * 64})
    assert server.log == []


@pytest.mark.parametrize("expected", [{"md5": "0" * 32}, {"crc": "0"}])
def test_a_weak_digest_alone_verifies_nothing(client: Client, tmp_path: Path, expected: dict[str, str]) -> None:
    with pytest.raises(HashMismatch, match="strong"):
        Fetcher(client, Store(tmp_path / "store"), "http://127.0.0.1:9")(expected=expected)


def test_a_truncated_body_is_tried_once_more(client: Client, wheel: bytes, tmp_path: Path) -> None:
    replies = [Reply(body=wheel[:50], announced=len(wheel)), Reply(body=wheel)]
    with serving(lambda request: replies.pop(0)) as server:
        stored = Fetcher(client, Store(tmp_path / "store"), server.url)({"sha256": sha256(wheel)})
    assert isinstance(stored, StoredWheel)
    assert len(server.log) == 2


def test_a_body_that_stays_truncated_is_an_error(client: Client, wheel: bytes, tmp_path: Path) -> None:
    short = Reply(body=wheel[:50], announced=len(wheel))
    with serving(lambda request: short) as server, pytest.raises(TruncatedDownload):
        Fetcher(client, Store(tmp_path / "store"), server.url)({"sha256": sha256(wheel)})
    assert len(server.log) == 2
    assert list((tmp_path / "store/tmp").iterdir()) == []


def test_the_size_that_the_index_announces_counts(client: Client, wheel: bytes, tmp_path: Path) -> None:
    with serving(lambda request: Reply(body=wheel)) as server:
        get = Fetcher(client, Store(tmp_path / "store"), server.url)
        with pytest.raises(TruncatedDownload, match="incomplete"):
            get(size=len(wheel) + 1)
        with pytest.raises(HashMismatch, match="more than"):
            get(size=len(wheel) - 1)


@pytest.mark.parametrize(
    "reply,error",
    [
        (Reply(status=404), UnexpectedStatus),
        (Reply(status=401), CredentialsMissing),
        (Reply(body=b"x", headers={"Content-Encoding": "br"}), InvalidResponse),
        (Reply(body=b"<html>log in</html>"), InvalidArtifact),
        (Reply(body=b""), InvalidArtifact),
    ],
)
def test_other_answers_are_errors(client: Client, tmp_path: Path, reply: Reply, error: type[CoveError]) -> None:
    def script(request: Received) -> Reply:
        return reply

    with serving(script) as server, pytest.raises(error, match="foo"):
        Fetcher(client, Store(tmp_path / "store"), server.url)()


def test_files_on_disk_are_read_there(client: Client, wheel: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "made with spaces"
    folder.mkdir()
    (folder / NAME).write_bytes(wheel)
    get = Fetcher(client, Store(tmp_path / "store"), folder.as_uri())
    assert isinstance(get({"sha256": sha256(wheel)}), StoredWheel)
    (folder / NAME).unlink()
    with pytest.raises(IndexUnreachable, match="cannot be read"):
        get()
