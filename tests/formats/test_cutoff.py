"""``exclude-newer``: dates, timestamps, durations."""

from datetime import UTC, datetime

import pytest

from cove.formats.cutoff import NO_MOMENT, moment, recorded

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-01-31", "2026-02-01T00:00:00+00:00"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00+00:00"),
        ("7 days", "2026-11-15T12:00:00+00:00"),
        ("1 week ago", "2026-11-15T12:00:00+00:00"),
        ("P7D", "2026-11-15T12:00:00+00:00"),
        ("PT36H", "2026-11-21T00:00:00+00:00"),
    ],
)
def test_every_form(text: str, expected: str) -> None:
    assert moment(text, NOW) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "P", "PT", "soon", "2026-13-01", "7 fortnights"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a date"):
        moment(text, NOW)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2025-01-01", ("2025-01-02T00:00:00Z", "")),
        ("2025-01-01T12:00:00+02:00", ("2025-01-01T10:00:00Z", "")),
        ("7 days", (NO_MOMENT, "P7D")),
        ("1 week", (NO_MOMENT, "P1W")),
        ("24 hours", (NO_MOMENT, "PT24H")),
        ("p7d", (NO_MOMENT, "P7D")),
    ],
)
def test_as_a_lock_records_it(text: str, expected: tuple[str, str]) -> None:
    assert recorded(text) == expected
