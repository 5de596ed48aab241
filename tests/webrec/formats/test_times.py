"""Timestamps in documents."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrec.formats.samples import NOW, request, request_errors
from webrec.errors import InvalidDocument
from webrec.formats.times import DAY_MS, MAX_TIME_MS


@pytest.mark.parametrize(
    ("timestamp", "at_ms"),
    [
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01T00:00:00", NOW),
        ("2026-01-01t00:00:00z", NOW),
        ("2026-01-01 00:00", NOW),
        ("2026-01-01", NOW),
        ("2026-01-01T02:00:00+02:00", NOW),
        ("2025-12-31T18:30:00-0530", NOW),
        ("2026-01-01T01+01", None),
        ("2026-01-01T00:00:00.123456789Z", NOW + 123),
        ("2026-01-01T00:00:00,5Z", NOW + 500),
        ("1970-01-01", 0),
        (NOW, NOW),
        (NOW // 1000, NOW),
        (NOW / 1000 + 0.123, NOW + 123),
        (float(NOW), NOW),
        (0, 0),
        (99_999_999, 99_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (NOW + DAY_MS, NOW + DAY_MS),
    ],
)
def test_read(timestamp: object, at_ms: int | None) -> None:
    """ISO 8601, epoch seconds and milliseconds are read; no zone means UTC."""
    if at_ms is None:
        assert request_errors(timestamp=timestamp)
    else:
        found = request(timestamp=timestamp).at_ms
        assert (found, type(found)) == (at_ms, int)


@pytest.mark.parametrize(
    ("timestamp", "message"),
    [
        (NOW + DAY_MS + 1, "more than a day ahead"),
        ("2026-01-02T00:00:01Z", "more than a day ahead"),
        (99_999_999_999, "more than a day ahead"),
        (MAX_TIME_MS, "more than a day ahead"),
        (MAX_TIME_MS + 1, "must be at most"),
        (10**400, "must be a number"),
        (1e300, "must be at most"),
        (-1, "must be at least 0"),
        (-1e300, "must be at least 0"),
        (math.nan, "must be a finite number"),
        (math.inf, "must be a finite number"),
        ("1970-01-01T00:00:00+01:00", "between 1970 and 9999"),
        ("9999-12-31T23:59:59-01:00", "between 1970 and 9999"),
        ("1969-12-31", "must be ISO 8601"),
        ("0000-01-01", "must be ISO 8601"),
        ("2026-02-30", "must be a date that exists"),
        ("2026-13-01", "must be ISO 8601"),
        ("2026-01-01T24:00", "must be ISO 8601"),
        ("2026-01-01T00:00:00Z\n", "must be ISO 8601"),
        ("٢٠٢٦-01-01", "must be ISO 8601"),
        ("1767225600", "must be ISO 8601"),
        ("", "must be ISO 8601"),
        (True, "must be ISO 8601"),
        ([], "must be ISO 8601, or seconds"),
    ],
)
def test_refused(timestamp: object, message: str) -> None:
    """A time that cannot be meant is refused with the reason."""
    (error,) = request_errors(timestamp=timestamp)
    assert error.field == "timestamp"
    assert message in error.message


def test_no_zone_means_utc_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time without a zone does not depend on where the service runs."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert request(timestamp="2026-01-01T00:00:00").at_ms == NOW
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text() | st.floats() | st.integers() | st.from_regex(r"[0-9T:+.Z-]{8,30}"))
def test_anything(timestamp: object) -> None:
    """Any value is a time in bounds or refused."""
    try:
        at_ms = request(timestamp=timestamp).at_ms
    except InvalidDocument:
        return
    assert 0 <= at_ms <= NOW + DAY_MS
