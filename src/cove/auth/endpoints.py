"""Services of the machine itself that give out tokens: plain HTTP on a link-local address, never through a proxy."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

from cove.model.dataclasses import dataclass, field

_MOST = 1 << 16
"""Bytes: a token is a few thousand."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer; ``values`` is its JSON object, empty where it is none."""

    status: int
    headers: Mapping[str, str]
    values: Mapping[str, object] = field(repr=False)


def ask(url: str, headers: Mapping[str, str], time_limit: float) -> Told:
    """``GET url``. Raises ``OSError`` (``TimeoutError`` after ``time_limit`` seconds) when there is no answer."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise OSError("its address is not an http URL")
    until = monotonic() + time_limit
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=time_limit)
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}".rstrip("?"), headers=dict(headers))
        answer = connection.getresponse()
        body = b""
        while (piece := answer.read1(_MOST)) and len(body) <= _MOST:
            body += piece
            if monotonic() > until:
                raise TimeoutError(f"no answer within {time_limit:g} seconds")
    except (HTTPException, ValueError) as error:
        raise OSError("its answer is not HTTP") from error
    finally:
        connection.close()
    return Told(answer.status, {name.lower(): value for name, value in answer.getheaders()}, json_object(body))


def json_object(text: str | bytes) -> Mapping[str, object]:
    """The JSON object that ``text`` is; empty where it is anything else."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return cast("Mapping[str, object]", values) if isinstance(values, dict) else {}
