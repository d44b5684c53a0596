"""What the network did, in words: the HTTP library's chain of causes becomes one of our errors."""

from cove.errors import IndexUnreachable, NetworkError, TruncatedDownload

_MEANINGS = (
    ("failed to lookup address", "the host name is not known"),
    ("dns error", "the host name could not be looked up"),
    ("connection refused", "the connection was refused"),
    ("connection reset", "the connection was reset"),
    ("network is unreachable", "the network is unreachable"),
    ("no route to host", "there is no route to the host"),
    ("invalidcontenttype", "the server does not speak TLS on this port"),
    ("tunnel", "the proxy did not open a tunnel"),
    ("timed out", "it did not answer in time"),
)
_HINTS = {
    "the host name is not known": "check the spelling of the URL, or the VPN and DNS settings",
    "the server does not speak TLS on this port": "use http:// in the URL if the index is meant to be served without TLS",
    "it did not answer in time": "raise UV_HTTP_TIMEOUT if the server is known to be slow",
}
_CERTIFICATE_HINT = (
    "set SSL_CERT_FILE to the certificate of the authority that signed it, or name the host in allow-insecure-host"
)


class CertificateRefused(IndexUnreachable):
    """The server's TLS certificate is not trusted; asking again changes nothing."""


def unreachable(who: str, details: tuple[str, ...]) -> IndexUnreachable:
    """No answer from ``who`` (an index's label or a host); ``details`` is the chain of causes, outermost first."""
    text = " / ".join(details).lower()
    if "certificate" in text:
        return CertificateRefused(
            f"the TLS certificate of {who} is not trusted", causes=details[-1:], hints=(_CERTIFICATE_HINT,)
        )
    for marker, meaning in _MEANINGS:
        if marker in text:
            hint = _HINTS.get(meaning)
            return IndexUnreachable(f"{who} cannot be reached: {meaning}", hints=(hint,) if hint else ())
    return IndexUnreachable(f"{who} cannot be reached: {details[-1] if details else 'the connection failed'}")


def broken_off(who: str, subject: str, details: tuple[str, ...]) -> NetworkError:
    """The body of an answer ended early: ``TruncatedDownload``, or ``IndexUnreachable`` when the server fell silent."""
    if any("timed out" in detail.lower() or "timeout" in detail.lower() for detail in details):
        return IndexUnreachable(
            f"{who} stopped sending `{subject}`", hints=("raise UV_HTTP_TIMEOUT if the server is known to be slow",)
        )
    return TruncatedDownload(f"the download of `{subject}` from {who} broke off before its end", causes=details[-1:])
