"""Asking again when a failure may pass by itself."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from cove.errors import IndexUnreachable, TruncatedDownload
from cove.http.dates import http_date
from cove.http.failures import CertificateRefused
from cove.http.messages import Request, Response, Send
from cove.model.dataclasses import replace

_LONGEST_WAIT = 30.0
_FIRST_WAIT = 0.5
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_NEVER_PASSING = frozenset({501, 505})


class Retry:
    """Repeats after 408, 429, 5xx (not 501 and 505: they do not pass) and after failures of the connection.

    ``retries`` is how often it asks again. Idempotent requests are repeated, and uploads, whose bodies can be opened anew
    (a registry that took the first copy answers that it has the file). The wait doubles from half a second, is varied at
    random so that many clients do not return at once, or is what ``Retry-After`` says; never more than 30 seconds.
    """

    def __init__(
        self,
        retries: int = 3,
        *,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self._retries = retries
        self._sleep = sleep
        self._chance = chance

    def __call__(self, request: Request, send: Send) -> Response:
        """The first answer that is not worth repeating, or the last of all."""
        retries = self._retries if request.method in _IDEMPOTENT or request.body is not None else 0
        for attempt in range(retries):
            try:
                response = send(replace(request, headers=dict(request.headers)))
            except CertificateRefused:
                raise
            except (IndexUnreachable, TruncatedDownload):
                self._sleep(self._backoff(attempt))
                continue
            if not is_passing(response.status):
                return response
            response.body.close()
            asked = _asked_wait(response)
            self._sleep(self._backoff(attempt) if asked is None else asked)
        return self._last(request, send, retries)

    def _last(self, request: Request, send: Send, retries: int) -> Response:
        try:
            return send(request)
        except (IndexUnreachable, TruncatedDownload) as error:
            if retries and not isinstance(error, CertificateRefused):
                error.causes = (*error.causes, f"tried {retries + 1} times")
            raise

    def _backoff(self, attempt: int) -> float:
        if self._chance is None:
            from random import random  # noqa: PLC0415 - few commands ever wait

            self._chance = random
        return min(_LONGEST_WAIT, _FIRST_WAIT * float(1 << attempt) * (1 + self._chance()))


def is_passing(status: int) -> bool:
    """Whether a status tells of trouble that may be over in a moment."""
    return status in (408, 429) or (500 <= status < 600 and status not in _NEVER_PASSING)


def _asked_wait(response: Response) -> float | None:
    """Seconds from ``Retry-After`` (RFC 9110, 10.2.3: a number of seconds or a date), at most 30; ``None`` without one."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(_LONGEST_WAIT, float(value[:9]))
    date = http_date(value)
    if date is None:
        return None
    return min(_LONGEST_WAIT, max(0.0, (date - datetime.now(UTC)).total_seconds()))
