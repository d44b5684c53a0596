"""Requests over the wire: the only module that imports the HTTP library."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Lock
from time import perf_counter

from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import BodyDecodeError, DecodeError, DetailedPyreqwestError, PyreqwestError
from pyreqwest.http import Url as LibraryUrl
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import SyncStreamRequest
from pyreqwest.response import SyncResponse

from cove.errors import ConfigurationError, CoveError, IndexUnreachable, InvalidResponse
from cove.http.failures import broken_off, nonsense, too_long, too_slow, unreachable
from cove.http.gunzip import gunzipped
from cove.http.messages import Headers, Request, Response
from cove.http.tls import is_insecure, read_certificates, read_identity
from cove.model.dataclasses import dataclass
from cove.model.url import Url

_STREAM_WINDOW, _CONNECTION_WINDOW = 4 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes that a server may send of one answer, and of all, before it hears that they have arrived (RFC 9113, 6.9)."""
_SLOWEST = 256
"""Bytes a second: a server that sends less on average, time-out after time-out, does not mean to come to an end."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Times in seconds; empty texts and ``None`` mean "not given".

    The library trusts the operating system's roots (on Linux it consults ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` itself in
    their place); ``cert_file`` and ``cert_dir`` are trusted in addition on every system. ``client_cert`` is a PEM file with
    certificate and key. ``insecure_hosts`` are those whose certificate is not checked. The library's own look-up of proxy
    variables is off: only the proxies given here are used (``http://``, ``https://``, ``socks5://``, or ``socks5h://``,
    which has the proxy look up host names), and not for hosts in ``no_proxy`` (comma-separated; ``*`` means all).

    An index's own ``ca-cert``, ``client-cert``, ``proxy`` and ``timeout`` come before these for requests on its behalf; its
    client certificate, which tells who we are, is shown to its own realm only.
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """What belongs to a client of the library, so that there is one for each combination; of an index's own options, what
    applies."""

    insecure: bool
    upload: bool
    ca_cert: str = ""
    client_cert: str = ""
    proxy: Url | None = None
    timeout: float | None = None

    @classmethod
    def of(cls, request: Request, options: TransportOptions) -> "_Kind":
        insecure, upload = is_insecure(request.url, options.insecure_hosts), request.body is not None
        index = request.index
        if index is None or not (index.ca_cert or index.client_cert or index.proxy or index.timeout):
            return cls(insecure, upload)
        client_cert = index.client_cert if request.url.realm == index.url.realm else ""
        return cls(insecure, upload, index.ca_cert, client_cert, index.proxy, index.timeout)


def agent(version: str) -> str:
    """The ``User-Agent``: who asks, in which Python on which system, and nothing else about whoever uses it."""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"cove/{version} ({sys.implementation.name} {python}; {sys.platform})"


class Transport:
    """Sends one request as it is: no redirects, no retries, no credentials but those in its headers.

    Thread-safe; connections are shared. A request without ``Accept-Encoding`` asks for gzip and is given the decoded body;
    with one (``identity`` for wheels and sdists) the body is what is on the wire, byte for byte.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._options = options or TransportOptions()
        self._clients: dict[_Kind, SyncClient] = {}
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        """The answer as soon as its headers are there. Raises ``IndexUnreachable``, ``TruncatedDownload``,
        ``InvalidResponse``, ``ConfigurationError``, and what reading a streamed request body raises."""
        url = request.url.without_credentials().without_fragment()
        decode = "accept-encoding" not in {name.lower() for name in request.headers}
        who = request.index.label if request.index is not None else url.host
        _assert_same_realm(url)
        failed = partial(_as_error, who=who, subject=url.filename or url.public)
        kind = _Kind.of(request, self._options)
        client = self._client(kind)
        try:
            exchange = _prepared(client, request, url, decode=decode)
        except ValueError:
            raise InvalidResponse(f"the URL {url} cannot be requested") from None
        try:
            answer = exchange.__enter__()
        except PyreqwestError as error:
            raise failed(error) from None  # the library's own text repeats the URL and says less
        headers = Headers(list(answer.headers.items()))
        chunks = _received(exchange, answer, failed, _Pace(who, kind.timeout or self._options.read_timeout))
        if decode and "content-encoding" in headers:
            chunks = gunzipped(chunks, headers["content-encoding"], who)
            headers = Headers(
                {name: headers[name] for name in headers if name not in ("content-encoding", "content-length")}
            )
        if request.most is not None:
            chunks = _at_most(request.most, chunks, who)
        final = request.url.without_credentials()
        return Response(answer.status, headers, final, _Streamed(exchange, chunks), request.credential)

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _client(self, kind: _Kind) -> SyncClient:
        with self._lock:
            client = self._clients.get(kind)
            if client is None:
                client = self._clients[kind] = _built(self._options, kind)
            return client


def _built(options: TransportOptions, kind: _Kind) -> SyncClient:
    read_timeout = kind.timeout or options.read_timeout
    builder = (
        SyncClientBuilder()
        .http2(options.http2)
        .follow_redirects(False)  # noqa: FBT003 - the library's signature
        .referer(False)  # noqa: FBT003
        .no_proxy()
        .user_agent(options.user_agent)
        .connect_timeout(timedelta(seconds=min(kind.timeout or options.connect_timeout, options.connect_timeout)))
        # The library counts the sending of the body as waiting for the answer.
        .read_timeout(timedelta(seconds=options.upload_timeout if kind.upload else read_timeout))
    )
    # The library decodes even what was asked for as identity, which would change files under their hashes.
    builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)  # noqa: FBT003
    if options.http2:
        # Windows that adapt begin with 64 KB: every longer page would wait for leave to go on, one round trip at a time.
        builder = builder.http2_initial_stream_window_size(_STREAM_WINDOW)
        builder = builder.http2_initial_connection_window_size(_CONNECTION_WINDOW)
    if kind.insecure:
        builder = builder.danger_accept_invalid_certs(True)  # noqa: FBT003
    try:
        for bundle in (
            *read_certificates(options.cert_file, options.cert_dir),
            *read_certificates(kind.ca_cert, "", setting="`ca-cert`"),
        ):
            for certificate in _certificates(bundle):
                builder = builder.add_root_certificate_pem(certificate)
        own = read_identity(kind.client_cert, setting="`client-cert`")
        identity = own or read_identity(options.client_cert)
        if identity is not None:
            builder = builder.identity_pem(identity)
        for proxy in _proxies(options, kind):
            builder = builder.proxy(proxy)
        return builder.build()
    except (PyreqwestError, ValueError) as error:
        own_files = ("`ca-cert`",) * bool(kind.ca_cert) + ("`client-cert`",) * bool(kind.client_cert)
        raise ConfigurationError(
            "TLS cannot be set up with the certificates that were given",
            hints=(
                f"check the files that {', '.join((*own_files, 'SSL_CERT_FILE, SSL_CERT_DIR and SSL_CLIENT_CERT'))} name",
            ),
        ) from error


def _proxies(options: TransportOptions, kind: _Kind) -> Iterator[ProxyBuilder]:
    if "*" in map(str.strip, options.no_proxy.split(",")):  # which the library does not know
        return
    own = kind.proxy
    given = ((ProxyBuilder.http, own or options.http_proxy), (ProxyBuilder.https, own or options.https_proxy))
    for make, url in given:
        if url is None:
            continue
        try:
            builder = make(url.public)
        except (PyreqwestError, ValueError) as error:
            raise ConfigurationError(
                f"the proxy URL {url} cannot be used", hints=("write it as http://host:port or socks5://host:port",)
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
    # The library would read ahead before it returns, for as long as a server cares to send a byte now and then.
    return builder.streamed_read_buffer_limit(0).build_streamed()


class _Pace:
    """Looks whether a body comes as if it were to end: the library's time-out begins anew with every byte."""

    def __init__(self, who: str, timeout: float) -> None:
        self._who = who
        self._timeout = timeout
        self._waited = 0.0
        self._received = 0

    def note(self, seconds: float, size: int) -> None:
        """``size`` bytes came after waiting for ``seconds``; raises ``IndexUnreachable``."""
        self._waited += seconds
        self._received += size
        if self._waited > 2 * self._timeout and self._received < _SLOWEST * self._waited:
            raise too_slow(self._who)


def _received(
    exchange: SyncStreamRequest, answer: SyncResponse, failed: "partial[CoveError]", pace: _Pace
) -> Iterator[bytes]:
    try:
        while True:
            began = perf_counter()
            chunk = answer.body_reader.read_chunk()
            if chunk is None:
                return
            content = chunk.to_bytes()
            pace.note(perf_counter() - began, len(content))
            yield content
    except PyreqwestError as error:
        raise failed(error, in_body=True) from None
    finally:
        _give_back(exchange)


def _at_most(most: int, chunks: Iterator[bytes], who: str) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > most:
            raise too_long(who, most)
        yield chunk


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
    if isinstance(error, DecodeError):
        return nonsense(who, details)
    failure: IndexUnreachable = unreachable(who, details)
    return failure


def _details(error: PyreqwestError) -> tuple[str, ...]:
    """The library's causes, outermost first, without the one that repeats the URL."""
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    messages = [cause["message"] for cause in causes or ()]
    return tuple(message for message in messages if "for url" not in message) or (error.message,)
