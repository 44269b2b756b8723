"""The one place that asks what time it is. Everything else is handed a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant, always with time zone UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved: for tests and replays."""

    def __init__(self, now: datetime) -> None:
        self._now = as_utc(now)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC; an instant without a zone is read as UTC, as sources store it."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """RFC 3339 text of an instant, to the microsecond, in UTC: ``2013-12-01T05:00:00.000000Z``."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
