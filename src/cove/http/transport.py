"""Requests over the wire: the only module that imports the HTTP library."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Lock

from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import BodyDecodeError, DetailedPyreqwestError, PyreqwestError
from pyreqwest.http import Url as LibraryUrl
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import SyncStreamRequest
from pyreqwest.response import SyncResponse

from cove.errors import ConfigurationError, CoveError, IndexUnreachable, InvalidResponse
from cove.http.failures import broken_off, unreachable
from cove.http.gunzip import gunzipped
from cove.http.messages import Headers, Request, Response
from cove.http.tls import is_insecure, read_certificates, read_identity
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Times in seconds; empty texts and ``None`` mean "not given".

    The library trusts the operating system's roots (on Linux it consults ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` itself in
    their place); ``cert_file`` and ``cert_dir`` are trusted in addition on every system. ``client_cert`` is a PEM file with
    certificate and key. ``insecure_hosts`` are those whose certificate is not checked. The library's own look-up of proxy
    variables is off: only the proxies given here are used, and not for hosts in ``no_proxy`` (comma-separated).
    """

    user_agent: str = "cove"
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    upload_timeout: float = 900.0
    cert_file: str = ""
    cert_dir: str = ""
    client_cert: str = ""
    insecure_hosts: tuple[str, ...] = ()
    http_proxy: Url | None = None
    https_proxy: Url | None = None
    no_proxy: str = ""
    http2: bool = True


class Transport:
    """Sends one request as it is: no redirects, no retries, no credentials but those in its headers.

    Thread-safe; connections are shared. A request without ``Accept-Encoding`` asks for gzip and is given the decoded body;
    with one (``identity`` for wheels and sdists) the body is what is on the wire, byte for byte.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._options = options or TransportOptions()
        self._clients: dict[tuple[bool, bool], SyncClient] = {}
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        """The answer as soon as its headers are there. Raises ``IndexUnreachable``, ``TruncatedDownload``,
        ``InvalidResponse``, ``ConfigurationError``, and what reading a streamed request body raises."""
        url = request.url.without_credentials().without_fragment()
        decode = "accept-encoding" not in {name.lower() for name in request.headers}
        who = request.index.label if request.index is not None else url.host
        _assert_same_realm(url)
        failed = partial(_as_error, who=who, subject=url.filename or url.public)
        client = self._client(insecure=is_insecure(url, self._options.insecure_hosts), upload=request.body is not None)
        try:
            exchange = _prepared(client, request, url, decode=decode)
        except ValueError:
            raise InvalidResponse(f"the URL {url} cannot be requested") from None
        try:
            answer = exchange.__enter__()
        except PyreqwestError as error:
            raise failed(error) from None  # the library's own text repeats the URL and says less
        headers = Headers(list(answer.headers.items()))
        chunks = _received(exchange, answer, failed)
        if decode and "content-encoding" in headers:
            chunks = gunzipped(chunks, headers["content-encoding"], who)
            headers = Headers(
                {name: headers[name] for name in headers if name not in ("content-encoding", "content-length")}
            )
        final = request.url.without_credentials()
        return Response(answer.status, headers, final, _Streamed(exchange, chunks), request.credential)

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _client(self, *, insecure: bool, upload: bool) -> SyncClient:
        """Certificate checks and time-outs belong to a client of the library, so there is one for each combination."""
        with self._lock:
            client = self._clients.get((insecure, upload))
            if client is None:
                client = self._clients[insecure, upload] = _built(self._options, insecure=insecure, upload=upload)
            return client


def _built(options: TransportOptions, *, insecure: bool, upload: bool) -> SyncClient:
    builder = (
        SyncClientBuilder()
        .http2(options.http2)
        .follow_redirects(False)  # noqa: FBT003 - the library's signature
        .referer(False)  # noqa: FBT003
        .no_proxy()
        .user_agent(options.user_agent)
        .connect_timeout(timedelta(seconds=options.connect_timeout))
        # The library counts the sending of the body as waiting for the answer.
        .read_timeout(timedelta(seconds=options.upload_timeout if upload else options.read_timeout))
    )
    # The library decodes even what was asked for as identity, which would change files under their hashes.
    builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)  # noqa: FBT003
    if options.http2:
        builder = builder.http2_adaptive_window(True)  # noqa: FBT003
    if insecure:
        builder = builder.danger_accept_invalid_certs(True)  # noqa: FBT003
    try:
        for bundle in read_certificates(options.cert_file, options.cert_dir):
            for certificate in _certificates(bundle):
                builder = builder.add_root_certificate_pem(certificate)
        identity = read_identity(options.client_cert)
        if identity is not None:
            builder = builder.identity_pem(identity)
        for proxy in _proxies(options):
            builder = builder.proxy(proxy)
        return builder.build()
    except (PyreqwestError, ValueError) as error:
        raise ConfigurationError(
            "TLS cannot be set up with the certificates that were given",
            hints=("check the files that SSL_CERT_FILE, SSL_CERT_DIR and SSL_CLIENT_CERT name",),
        ) from error


def _proxies(options: TransportOptions) -> Iterator[ProxyBuilder]:
    for make, url in ((ProxyBuilder.http, options.http_proxy), (ProxyBuilder.https, options.https_proxy)):
        if url is None:
            continue
        try:
            builder = make(url.public)
        except (PyreqwestError, ValueError) as error:
            raise ConfigurationError(
                f"the proxy URL {url} cannot be used", hints=("write it as http://host:port",)
            ) from error
        if url.username is not None:
            builder = builder.basic_auth(url.username, url.password.reveal() if url.password is not None else "")
        yield builder.no_proxy(options.no_proxy or None)


def _certificates(bundle: bytes) -> list[bytes]:
    """The certificates of a PEM bundle one by one: the library takes a single one at a time."""
    end = b"-----END CERTIFICATE-----"
    return [
        piece[piece.index(b"-----BEGIN CERT") :] + end + b"\n"
        for piece in bundle.split(end)[:-1]
        if b"-----BEGIN CERT" in piece
    ]


def _assert_same_realm(url: Url) -> None:
    r"""Refuse a URL that the library understands otherwise than we do: ``https://other\@host/`` names another host to it.

    A credential is chosen by our reading, and would be sent by the library's.
    """
    try:
        theirs = LibraryUrl(url.public)
        host = url.host if url.host.isascii() else url.host.encode("idna").decode()
    except ValueError as error:
        raise InvalidResponse(f"the URL {url} cannot be requested") from error
    scheme, _, port = url.realm
    if (theirs.scheme, (theirs.host_str or "").strip("[]"), theirs.port_or_known_default) != (scheme, host, port):
        raise InvalidResponse(f"the URL {url} is ambiguous: it is not clear which host it names")


def _prepared(client: SyncClient, request: Request, url: Url, *, decode: bool) -> SyncStreamRequest:
    builder = client.request(request.method, url.public)
    for name, value in request.headers.items():
        builder = builder.header(name, value, is_sensitive=name.lower() == "authorization")
    if decode:
        builder = builder.header("Accept-Encoding", "gzip")
    if isinstance(request.body, bytes):
        builder = builder.body_bytes(request.body)
    elif request.body is not None:
        if request.content_length is not None:
            builder = builder.header("Content-Length", str(request.content_length))
        builder = builder.body_stream(request.body())
    return builder.build_streamed()


def _received(exchange: SyncStreamRequest, answer: SyncResponse, failed: "partial[CoveError]") -> Iterator[bytes]:
    try:
        while (chunk := answer.body_reader.read_chunk()) is not None:
            yield chunk.to_bytes()
    except PyreqwestError as error:
        raise failed(error, in_body=True) from None
    finally:
        _give_back(exchange)


def _give_back(exchange: SyncStreamRequest) -> None:
    # Leaving a second time, or a connection that is broken already, is no news: what mattered was raised by reading.
    with suppress(PyreqwestError, RuntimeError):
        exchange.__exit__(None, None, None)


class _Streamed:
    """A body on the wire."""

    def __init__(self, exchange: SyncStreamRequest, chunks: Iterator[bytes]) -> None:
        self._exchange = exchange
        self._chunks = chunks

    def read(self) -> bytes:
        return b"".join(self._chunks)

    def chunks(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        _give_back(self._exchange)


def _as_error(error: PyreqwestError, *, who: str, subject: str, in_body: bool = False) -> CoveError:
    details = _details(error)
    if in_body or isinstance(error, BodyDecodeError):
        return broken_off(who, subject, details)
    failure: IndexUnreachable = unreachable(who, details)
    return failure


def _details(error: PyreqwestError) -> tuple[str, ...]:
    """The library's causes, outermost first, without the one that repeats the URL."""
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    messages = [cause["message"] for cause in causes or ()]
    return tuple(message for message in messages if "for url" not in message) or (error.message,)
