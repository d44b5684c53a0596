import gzip
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.errors import ConfigurationError, IndexUnreachable, InvalidResponse, TruncatedDownload
from cove.http.messages import Request
from cove.http.transport import Transport, TransportOptions
from cove.model.secret import Secret
from cove.model.url import Url
from support.scripted_server import Received, Reply, serving


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(TransportOptions(connect_timeout=2, read_timeout=0.5, upload_timeout=5))
    yield transport
    transport.close()


def test_pages_are_decoded_and_files_are_left_alone(transport: Transport) -> None:
    packed = gzip.compress(b"hello" * 1000) + gzip.compress(b"world")
    with serving(lambda _: Reply(200, packed, {"Content-Encoding": "gzip"})) as server:
        page = transport.send(Request("GET", Url.parse(f"{server.url}/simple/")))
        assert page.body.read() == b"hello" * 1000 + b"world"
        assert "content-encoding" not in page.headers
        assert server.log[-1].headers["accept-encoding"] == "gzip"
        file = transport.send(Request("GET", Url.parse(f"{server.url}/f.tar.gz"), {"Accept-Encoding": "identity"}))
        assert file.body.read() == packed
        assert server.log[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"x" * 10000, mtime=0)[:-9]])
def test_broken_compression_is_an_error(transport: Transport, body: bytes) -> None:
    with serving(lambda _: Reply(200, body, {"Content-Encoding": "gzip"})) as server:
        response = transport.send(Request("GET", Url.parse(server.url)))
        with pytest.raises((InvalidResponse, TruncatedDownload)):
            response.body.read()


def test_an_unasked_encoding_is_an_error(transport: Transport) -> None:
    with serving(lambda _: Reply(200, b"x", {"Content-Encoding": "br"})) as server, pytest.raises(InvalidResponse):
        transport.send(Request("GET", Url.parse(server.url)))


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_truncated_body_is_an_error_that_names_file_and_host(transport: Transport, size: int) -> None:
    with serving(lambda _: Reply(200, b"x" * size, announced=size + 5)) as server:
        url = Url.parse(f"{server.url}/foo-1.0.tar.gz".replace("://", "://ada:canary@"))
        with pytest.raises(TruncatedDownload, match=r"`foo-1.0.tar.gz` from 127.0.0.1 broke off") as caught:
            transport.send(Request("GET", url)).body.read()
        assert "canary" not in f"{caught.value}{caught.value!r}{caught.value.causes}"


def test_a_body_can_be_read_elsewhere_and_in_pieces(transport: Transport) -> None:
    content = bytes(range(256)) * 20000
    with serving(lambda _: Reply(200, content)) as server:
        response = transport.send(Request("GET", Url.parse(server.url), {"Accept-Encoding": "identity"}))
        pieces: list[bytes] = []
        thread = threading.Thread(target=lambda: pieces.extend(response.body.chunks()))
        thread.start()
        thread.join()
        assert b"".join(pieces) == content
        response.body.close()
        response.body.close()


def test_a_body_may_be_closed_unread(transport: Transport) -> None:
    with serving(lambda _: Reply(200, b"x" * 5_000_000)) as server:
        transport.send(Request("GET", Url.parse(server.url))).body.close()
        assert transport.send(Request("GET", Url.parse(server.url))).body.read() == b"x" * 5_000_000


def test_requests_run_in_many_threads(transport: Transport) -> None:
    with serving(lambda received: Reply(200, received.path.encode(), delay=0.1)) as server:
        answers: dict[int, bytes] = {}

        def ask(number: int) -> None:
            answers[number] = transport.send(Request("GET", Url.parse(f"{server.url}/{number}"))).body.read()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {number: f"/{number}".encode() for number in range(16)}


def test_an_upload_is_streamed_with_its_length(transport: Transport) -> None:
    piece = b"x" * 100_000
    digest = hashlib.sha256(piece * 30).hexdigest().encode()
    with serving(lambda received: Reply(200, hashlib.sha256(received.body).hexdigest().encode())) as server:
        request = Request("POST", Url.parse(server.url), body=lambda: iter([piece] * 30), content_length=3_000_000)
        assert transport.send(request).body.read() == digest
        assert transport.send(request).body.read() == digest
        assert server.log[0].headers["content-length"] == "3000000"
        assert "transfer-encoding" not in server.log[0].headers
        assert transport.send(Request("POST", Url.parse(server.url), body=b"abc")).status == 200
        assert server.log[-1].body == b"abc"


def test_what_reading_an_upload_raises_is_what_comes_out(transport: Transport) -> None:
    def unreadable() -> Iterator[bytes]:
        yield b"x"
        raise OSError("the disk is gone")

    with serving(lambda _: Reply()) as server, pytest.raises(OSError, match="the disk is gone"):
        transport.send(Request("POST", Url.parse(server.url), body=unreadable, content_length=1000))


def test_an_upload_may_take_longer_than_a_page(transport: Transport) -> None:
    with serving(lambda _: Reply(200, b"ok", delay=0.8)) as server:
        assert transport.send(Request("POST", Url.parse(server.url), body=b"x")).status == 200
        with pytest.raises(IndexUnreachable, match="did not answer in time"):
            transport.send(Request("GET", Url.parse(server.url)))


@pytest.mark.parametrize(
    "url, words",
    [("http://127.0.0.1:1/", "the connection was refused"), ("http://no-such-host.invalid/", "host name")],
)
def test_no_answer_is_explained_in_plain_words(transport: Transport, url: str, words: str) -> None:
    with pytest.raises(IndexUnreachable, match=words) as caught:
        transport.send(Request("GET", Url.parse(url)))
    assert caught.value.__suppress_context__


def test_tls_to_a_plain_server_is_explained(transport: Transport) -> None:
    with serving(lambda _: Reply()) as server, pytest.raises(IndexUnreachable, match="does not speak TLS"):
        transport.send(Request("GET", Url.parse(server.url.replace("http:", "https:"))))


@pytest.mark.parametrize("url", ["http://other.example\\@example.com/", "http://example.com\\.other.example/"])
def test_urls_that_name_two_hosts_are_refused(transport: Transport, url: str) -> None:
    with pytest.raises(InvalidResponse):
        transport.send(Request("GET", Url(url)))


def test_redirects_are_not_followed_and_cookies_not_kept(transport: Transport) -> None:
    with serving(lambda _: Reply(302, b"", {"Location": "/x", "Set-Cookie": "a=b"})) as server:
        assert transport.send(Request("GET", Url.parse(server.url))).status == 302
        assert transport.send(Request("GET", Url.parse(server.url))).status == 302
        assert "cookie" not in server.log[-1].headers


def test_the_final_url_has_no_user_info(transport: Transport) -> None:
    with serving(lambda _: Reply()) as server:
        url = Url.parse(server.url.replace("://", "://ada:canary@") + "/a#sha256=1")
        response = transport.send(Request("GET", url))
        assert response.url.public == f"{server.url}/a#sha256=1"
        assert response.url.username is None
        assert server.log[0].path == "/a"
        assert "authorization" not in server.log[0].headers


def test_a_proxy_is_used_where_it_is_given() -> None:
    with serving(lambda received: Reply(200, received.path.encode())) as proxy:
        url = Url(proxy.url, "ada", Secret("secret"))
        transport = Transport(TransportOptions(http_proxy=url, no_proxy="127.0.0.1"))
        assert (
            transport.send(Request("GET", Url.parse("http://index.example/a"))).body.read() == b"http://index.example/a"
        )
        assert proxy.log[0].headers["proxy-authorization"] == "Basic YWRhOnNlY3JldA=="
        assert transport.send(Request("GET", Url.parse(f"{proxy.url}/direct"))).body.read() == b"/direct"
        transport.close()
        assert "secret" not in repr(TransportOptions(http_proxy=url))


def test_certificates_that_cannot_be_read_are_named() -> None:
    transport = Transport(TransportOptions(cert_file="/nonexistent/ca.pem"))
    with pytest.raises(ConfigurationError, match=r"ca.pem.*SSL_CERT_FILE"):
        transport.send(Request("GET", Url.parse("http://127.0.0.1:1/")))


def test_a_client_certificate_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_text("nothing")
    transport = Transport(TransportOptions(client_cert=str(path)))
    with pytest.raises(ConfigurationError, match="TLS cannot be set up"):
        transport.send(Request("GET", Url.parse("http://127.0.0.1:1/")))


@pytest.mark.parametrize("headers", [{"A": "b\r\nC: canary"}, {"A b": "c"}])
def test_headers_that_cannot_be_sent_are_an_error(transport: Transport, headers: dict[str, str]) -> None:
    with serving(lambda _: Reply()) as server:
        with pytest.raises(InvalidResponse) as caught:
            transport.send(Request("GET", Url.parse(server.url), headers))
        assert server.log == []
    assert "canary" not in repr(caught.value)


def test_received_is_the_servers(transport: Transport) -> None:
    def script(received: Received) -> Reply:
        return Reply(200, received.headers["user-agent"].encode())

    with serving(script) as server:
        own = Transport(TransportOptions(user_agent="cove/1"))
        assert own.send(Request("GET", Url.parse(server.url))).body.read() == b"cove/1"
        own.close()
