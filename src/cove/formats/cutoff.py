"""The moment from which on files do not exist (``exclude-newer``): a date, a timestamp or a duration, as uv reads them."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}
_WORDS = re.compile(r"(\d+)\s*(second|minute|hour|day|week|month|year)s?(?:\s+ago)?", re.IGNORECASE)
_ISO = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
_OF_A_DAY = ("second", "minute", "hour")
_ISO_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")


NO_MOMENT = "0001-01-01T00:00:00Z"
"""What stands in a lock beside a duration, for those who know moments only."""


def recorded(text: str) -> tuple[str, str]:
    """The cutoff as a lock has it: a moment in UTC and nothing else, or ``NO_MOMENT`` and an ISO 8601 duration.

    Raises ``ValueError``.
    """
    text = text.strip()
    words = _WORDS.fullmatch(text)
    if words:
        letter = words[2][0].upper()
        return NO_MOMENT, f"PT{words[1]}{letter}" if words[2].lower() in _OF_A_DAY else f"P{words[1]}{letter}"
    if _duration(text) is not None:
        return NO_MOMENT, text.upper()
    exact = moment(text, datetime.now(UTC)).astimezone(UTC)
    fraction = f".{exact.microsecond:06d}".rstrip("0") if exact.microsecond else ""
    return f"{exact:%Y-%m-%dT%H:%M:%S}{fraction}Z", ""


def moment(text: str, now: datetime) -> datetime:
    """The first moment that counts as too new, with a time zone.

    A date means the end of that day in UTC (``2026-01-31`` is ``2026-02-01T00:00:00Z``); a time without a zone is UTC; a
    duration (``7 days``, ``P7D``) is counted back from ``now``. Raises ``ValueError``.
    """
    text = text.strip()
    duration = _duration(text)
    if duration is not None:
        return now - duration
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a date, a timestamp or a duration") from None
    if len(text) <= len("2026-01-31"):
        found += timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta | None:
    words = _WORDS.fullmatch(text)
    if words:
        return timedelta(seconds=int(words[1]) * _UNITS[words[2].lower()])
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        amounts = zip(_ISO_UNITS, iso.groups(), strict=True)
        return timedelta(seconds=sum(int(amount) * _UNITS[unit] for unit, amount in amounts if amount))
    return None
