"""Moments in documents: ISO 8601 or a number in, milliseconds since the epoch out, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
"""Milliseconds of a day."""

MAX_TIME_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: what ISO 8601 can still write with four digits."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_FIRST_MILLISECONDS = 100_000_000_000
"""From this number on it is milliseconds, below it seconds.

As seconds it is the year 5138, as milliseconds 1973: no sender means either.
"""


def time_ms(time: str | float) -> int:
    """Milliseconds since the epoch of an ISO 8601 string, or of epoch seconds or milliseconds.

    Raises:
        ValueError: no such date, or one that falls out of 1970 to 9999 by its zone.
    """
    ms = _iso_ms(time) if isinstance(time, str) else _epoch_ms(time)
    if not 0 <= ms <= MAX_TIME_MS:
        raise ValueError("must be a time between 1970 and 9999")
    return ms


def iso(time_ms: int) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    moment = _EPOCH + time_ms * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("must be a date that exists") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _epoch_ms(number: float) -> int:
    return round(number if number >= _FIRST_MILLISECONDS else number * 1000)
