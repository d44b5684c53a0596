"""Signing a request for AWS (Signature Version 4)."""

import hashlib
import hmac
from datetime import datetime
from urllib.parse import parse_qsl, quote

from cove.model.url import Url


def signed_headers(
    method: str, url: Url, *, service: str, region: str, key_id: str, key: str, session: str, at: datetime
) -> dict[str, str]:
    """The headers that make a request without body one by ``key_id``; ``session`` is empty for keys that do not end.

    As in "Create a signed AWS API request" (AWS Identity and Access Management User Guide). ``at`` is in UTC.
    """
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = {"host": _host(url), "x-amz-date": stamp} | ({"x-amz-security-token": session} if session else {})
    names = ";".join(sorted(headers))
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in parse_qsl(url.query, keep_blank_values=True))
    canonical = "\n".join(
        (
            method,
            quote(url.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(b"").hexdigest(),
        )
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signing = f"AWS4{key}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.digest(signing, to_sign.encode(), "sha256").hex()
    del headers["host"]
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _host(url: Url) -> str:
    """As it is sent: the port only where it is not that of the scheme."""
    _, host, port = url.realm
    return host if port in (None, {"http": 80, "https": 443}.get(url.scheme)) else f"{host}:{port}"


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
