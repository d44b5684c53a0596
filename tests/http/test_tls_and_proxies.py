"""Whom we trust, who we say we are, and through whom we go: against real servers on the loopback interface."""

from pathlib import Path

import pytest

from cove.errors import ConfigurationError, IndexUnreachable
from cove.http.failures import CertificateRefused
from cove.http.messages import Request
from cove.http.transport import Transport, TransportOptions
from cove.model.index import Index
from cove.model.url import Url
from support.certificates import Authority
from support.proxies import proxying
from support.scripted_server import Received, Reply, serving


def hello(_: Received) -> Reply:
    return Reply(200, b"hello")


def ask(url: str, options: TransportOptions | None = None, index: Index | None = None) -> bytes:
    transport = Transport(options)
    try:
        return transport.send(Request("GET", Url.parse(url), index=index)).body.read()
    finally:
        transport.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def test_an_unknown_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with serving(hello, authority.server_context()) as server:
        for options in (None, TransportOptions(cert_file=str(other.ca))):
            with pytest.raises(CertificateRefused, match=r"127\.0\.0\.1 is not trusted") as caught:
                ask(server.url, options)
            assert "SSL_CERT_FILE" in caught.value.hints[0]
        assert server.log == []


def test_an_authority_is_trusted_from_a_file_a_folder_or_the_index(authority: Authority, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "9d66eef0.0").write_bytes(authority.ca.read_bytes())
    (folder / "README").write_text("not a certificate")
    with serving(hello, authority.server_context()) as server:
        index = Index(Url.parse(server.url), name="corp", ca_cert=str(authority.ca))
        assert ask(server.url, TransportOptions(cert_file=str(authority.ca))) == b"hello"
        assert ask(server.url, TransportOptions(cert_dir=str(folder))) == b"hello"
        assert ask(server.url, index=index) == b"hello"


def test_what_one_index_trusts_is_not_trusted_for_another(authority: Authority) -> None:
    with serving(hello, authority.server_context()) as server:
        transport = Transport()
        url = Url.parse(server.url)
        trusting = Index(url, name="corp", ca_cert=str(authority.ca))
        assert transport.send(Request("GET", url, index=trusting)).status == 200
        with pytest.raises(CertificateRefused):
            transport.send(Request("GET", url, index=Index(url, name="other")))
        transport.close()


@pytest.mark.parametrize("entry, is_trusted", [("127.0.0.1", True), ("*", True), ("127.0.0.1:1", False)])
def test_hosts_whose_certificates_are_not_checked(authority: Authority, entry: str, *, is_trusted: bool) -> None:
    with serving(hello, authority.server_context()) as server:
        options = TransportOptions(insecure_hosts=(entry,))
        if is_trusted:
            assert ask(server.url, options) == b"hello"
        else:
            with pytest.raises(CertificateRefused):
                ask(server.url, options)


def test_a_client_certificate(authority: Authority, tmp_path: Path) -> None:
    clients = Authority(tmp_path, "clients")
    mine, strange = clients.issue("me", is_client=True), Authority(tmp_path, "strangers").issue("you", is_client=True)
    with serving(hello, authority.server_context(clients=clients)) as server:
        ca = str(authority.ca)
        url = Url.parse(server.url)
        assert ask(server.url, TransportOptions(cert_file=ca, client_cert=str(mine))) == b"hello"
        assert ask(server.url, index=Index(url, name="corp", ca_cert=ca, client_cert=str(mine))) == b"hello"
        with pytest.raises(CertificateRefused, match="wants a client certificate") as caught:
            ask(server.url, TransportOptions(cert_file=ca))
        assert "SSL_CLIENT_CERT" in caught.value.hints[0]
        with pytest.raises(CertificateRefused, match="does not accept the client certificate"):
            ask(server.url, TransportOptions(cert_file=ca, client_cert=str(strange)))
        # Another host is not told who we are, though the request is made on behalf of the index.
        elsewhere = Index(Url.parse("https://example.com/"), name="corp", ca_cert=ca, client_cert=str(mine))
        with pytest.raises(CertificateRefused, match="wants a client certificate"):
            ask(server.url, index=elsewhere)


def test_files_of_an_index_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    url = Url.parse("https://127.0.0.1:1/")
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for options, words in (
        ({"ca_cert": str(tmp_path / "gone.pem")}, "gone.pem.*`ca-cert`"),
        ({"client_cert": str(tmp_path / "gone.pem")}, "gone.pem.*`client-cert`"),
        ({"ca_cert": str(empty)}, "empty.pem.*`ca-cert`, holds no certificate"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            ask(str(url), index=Index(url, name="corp", **options))  # type: ignore[arg-type]


# -- proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["http", "socks5h"])
@pytest.mark.parametrize("of_index", [False, True])
def test_plain_requests_go_through_the_proxy(kind: str, *, of_index: bool) -> None:
    with serving(hello) as server, proxying(kind) as proxy:
        port = server.url.rpartition(":")[2]
        url = f"http://index.example:{port}/simple/"
        own = Url.parse(proxy.url("ada:canary"))
        index = Index(Url.parse(url), name="corp", proxy=own) if of_index else None
        options = TransportOptions(http_proxy=None if of_index else own)
        assert ask(url, options, index) == b"hello"
        assert proxy.asked in ([f"GET {url}"], [f"SOCKS index.example:{port}"])
        assert proxy.credentials == ["ada:canary"]
        assert "canary" not in f"{server.log}{options}{index}"


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_tls_goes_through_a_tunnel(authority: Authority, kind: str) -> None:
    with serving(hello, authority.server_context()) as server, proxying(kind) as proxy:
        port = server.url.rpartition(":")[2]
        own = Url.parse(proxy.url("ada:canary"))
        options = TransportOptions(https_proxy=own, cert_file=str(authority.ca))
        assert ask(f"https://localhost:{port}/", options) == b"hello"
        assert proxy.asked in ([f"CONNECT localhost:{port}"], [f"SOCKS 127.0.0.1:{port}"])
        assert proxy.credentials == ["ada:canary"]
        assert "proxy-authorization" not in server.log[0].headers


def test_some_hosts_need_no_proxy() -> None:
    with serving(hello) as server, proxying() as proxy:
        for no_proxy in ("127.0.0.1", "localhost,127.0.0.0/8", "*"):
            options = TransportOptions(http_proxy=Url.parse(proxy.url()), no_proxy=no_proxy)
            assert ask(server.url, options) == b"hello"
        assert proxy.asked == []


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
def test_a_proxy_that_is_not_there_is_told_without_its_password(kind: str) -> None:
    own = Url.parse(f"{kind}://ada:canary@127.0.0.1:1")
    with pytest.raises(IndexUnreachable) as caught:
        ask("http://index.example/", TransportOptions(http_proxy=own))
    assert "canary" not in repr(caught.value) + str(caught.value)
    assert "index.example cannot be reached" in caught.value.message
