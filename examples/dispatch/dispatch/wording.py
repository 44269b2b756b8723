"""How instants are written on the pages: New York's clock first, UTC beside it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


def local_time(instant: datetime) -> str:
    """A naive UTC instant as New York's clock shows it."""
    return f"{_in_new_york(instant):%H:%M}"


def local_day(instant: datetime) -> str:
    """The day in New York: Sunday 1 December 2013."""
    local = _in_new_york(instant)
    return f"{local:%A} {local.day} {local:%B %Y}"


def local_day_time(instant: datetime) -> str:
    """Day and time in New York, short: 1 Dec 12:05."""
    local = _in_new_york(instant)
    return f"{local.day} {local:%b %H:%M}"


def utc_time(instant: datetime) -> str:
    """The time of day in UTC."""
    return f"{instant:%H:%M}"


def machine_time(instant: datetime) -> str:
    """For a time element's `datetime` attribute."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _in_new_york(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(NEW_YORK)
