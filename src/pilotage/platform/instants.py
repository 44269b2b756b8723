"""Instants are always in UTC, with their zone; these two functions see to it."""

from __future__ import annotations

from datetime import UTC, datetime


def as_utc(instant: datetime) -> datetime:
    """The same instant in UTC; an instant without a zone is read as UTC, as sources store it."""
    if instant.tzinfo is UTC:
        return instant
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """RFC 3339 text of an instant, to the microsecond, in UTC: ``2013-12-01T05:00:00.000000Z``."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
