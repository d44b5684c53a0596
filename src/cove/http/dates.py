"""Dates in headers."""

from datetime import UTC, datetime


def http_date(text: str) -> datetime | None:
    """The moment that an HTTP date (RFC 9110, 5.6.7) names, ``None`` for anything else."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - loads sockets and encodings; dates are rarely read

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)
