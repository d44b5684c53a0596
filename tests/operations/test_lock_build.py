"""Upload times as uv writes them: cut to milliseconds, no zeros at the end."""

import pytest

from cove.operations.lock.build import upload_time


@pytest.mark.parametrize(
    "given, written",
    [
        ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123Z"),
        ("2026-01-02T03:04:05.620999Z", "2026-01-02T03:04:05.62Z"),
        ("2026-01-02T03:04:05.000999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.010000Z", "2026-01-02T03:04:05.01Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z"),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_upload_times(given: str | None, written: str) -> None:
    assert upload_time(given) == written
