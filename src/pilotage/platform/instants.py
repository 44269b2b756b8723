"""Instants are always in UTC, with their zone; these two functions see to it."""

from __future__ import annotations

from datetime import UTC, datetime

from pilotage.platform.errors import InvalidRequest


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC; an instant without a zone is read as UTC, as sources store it.

    Raises:
        InvalidRequest: in UTC it lies in no year that there is.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        message = "An instant must lie between the years 1 and 9999, in UTC."
        raise InvalidRequest(message, "Send one that does.") from None


def iso(instant: datetime) -> str:
    """RFC 3339 text of an instant, to the microsecond, in UTC: ``2013-12-01T05:00:00.000000Z``."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
