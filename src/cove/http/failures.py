"""What the network did, in words: the HTTP library's chain of causes becomes one of our errors."""

from cove.errors import IndexUnreachable, InvalidResponse, NetworkError, TruncatedDownload, UnexpectedStatus

_MEANINGS = (
    ("failed to lookup address", "the host name is not known"),
    ("dns error", "the host name could not be looked up"),
    ("connection refused", "the connection was refused"),
    ("connection reset", "the connection was reset"),
    ("network is unreachable", "the network is unreachable"),
    ("no route to host", "there is no route to the host"),
    ("invalidcontenttype", "the server does not speak TLS on this port"),
    ("tunnel", "the proxy did not open a tunnel"),
    ("socks", "the proxy did not open a connection"),
    ("timed out", "it did not answer in time"),
)
_HINTS = {
    "the host name is not known": "check the spelling of the URL, or the VPN and DNS settings",
    "the server does not speak TLS on this port": "use http:// in the URL if the index is meant to be served without TLS",
    "it did not answer in time": "raise UV_HTTP_TIMEOUT if the server is known to be slow",
}
_CERTIFICATE_HINT = (
    "set SSL_CERT_FILE (or `ca-cert` of the index) to the certificate of the authority that signed it, "
    "or name the host in allow-insecure-host"
)
_TLS_HINT = "TLS 1.2 is the oldest version that is spoken: the server may be set up for older ones only"
_IDENTITY_HINT = "set SSL_CLIENT_CERT (or `client-cert` of the index) to a PEM file with your certificate and its key"


class TlsFailed(IndexUnreachable):
    """There was a connection, but no agreement on how to protect it."""


class CertificateRefused(TlsFailed):
    """The server's TLS certificate is not trusted; asking again changes nothing."""


class ServerTrouble(UnexpectedStatus):
    """An answer that tells of trouble on the server's side, given after all retries: it is up, and cannot be asked."""


def unreachable(who: str, details: tuple[str, ...]) -> IndexUnreachable:
    """No answer from ``who`` (an index's label or a host); ``details`` is the chain of causes, outermost first."""
    text = " / ".join(details).lower()
    if "certificaterequired" in text.replace(" ", ""):
        return CertificateRefused(f"{who} wants a client certificate", hints=(_IDENTITY_HINT,))
    if "received fatal alert" in text and any(word in text for word in ("certificate", "unknownca", "accessdenied")):
        return CertificateRefused(
            f"{who} does not accept the client certificate", causes=details[-1:], hints=(_IDENTITY_HINT,)
        )
    if "certificate" in text:
        return CertificateRefused(
            f"the TLS certificate of {who} is not trusted", causes=details[-1:], hints=(_CERTIFICATE_HINT,)
        )
    if "received fatal alert" in text:
        return TlsFailed(
            f"{who} cannot be reached: it does not agree on a way to encrypt", causes=details[-1:], hints=(_TLS_HINT,)
        )
    for marker, meaning in _MEANINGS:
        if marker in text:
            hint = _HINTS.get(meaning)
            kind = TlsFailed if marker == "invalidcontenttype" else IndexUnreachable
            return kind(f"{who} cannot be reached: {meaning}", hints=(hint,) if hint else ())
    return IndexUnreachable(f"{who} cannot be reached: {details[-1] if details else 'the connection failed'}")


def nonsense(who: str, details: tuple[str, ...]) -> InvalidResponse:
    """What came is not HTTP, or its headers are too many or too long (the library reads 100 lines and 400 kB)."""
    return InvalidResponse(f"the answer of {who} is not sound HTTP: {details[-1] if details else 'it cannot be read'}")


def too_long(who: str, most: int) -> InvalidResponse:
    """More than ``most`` bytes came where there is no need for as many."""
    return InvalidResponse(f"{who} sent more than {most // (1024 * 1024)} MB where no answer is that long")


def too_slow(who: str) -> IndexUnreachable:
    """Bytes come, but so few that the end is not to be expected."""
    return IndexUnreachable(
        f"{who} sends its answer too slowly", hints=("raise UV_HTTP_TIMEOUT if the server is known to be slow",)
    )


def broken_off(who: str, subject: str, details: tuple[str, ...]) -> NetworkError:
    """The body of an answer ended early: ``TruncatedDownload``, or ``IndexUnreachable`` when the server fell silent."""
    if any("timed out" in detail.lower() or "timeout" in detail.lower() for detail in details):
        return IndexUnreachable(
            f"{who} stopped sending `{subject}`", hints=("raise UV_HTTP_TIMEOUT if the server is known to be slow",)
        )
    return TruncatedDownload(f"the download of `{subject}` from {who} broke off before its end", causes=details[-1:])
