"""What an answer means, and when a delivery is tried again."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The schedule that Standard Webhooks gives as an example: ten attempts in a little over three days.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
ATTEMPTS_MAX = len(PAUSES) + 1
JITTER = 0.2
RETRY_AFTER_MAX = timedelta(hours=24)
REST_MAX = timedelta(minutes=1)
DISABLED_AFTER = timedelta(days=2)
"""An endpoint that answered nothing well for so long is disabled when a delivery to it is given up."""

_GONE = 410
_ASKS_TO_WAIT = frozenset({429, 503})


class Meaning(enum.Enum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    GONE = "gone"
    FAILED = "failed"


def meaning(status: int | None) -> Meaning:
    """2xx: it has it. 410: it wants nothing any more. Everything else, redirects and silence too: it has it not."""
    if status is None:
        return Meaning.FAILED
    if 200 <= status < 300:
        return Meaning.DELIVERED
    return Meaning.GONE if status == _GONE else Meaning.FAILED


def why(status: int | None, error: str) -> str:
    """Why an attempt failed, for the log; nothing where it did not."""
    if status is None:
        return error
    if 300 <= status < 400:
        return "It answered with a redirect, and no redirect is followed: register the address it leads to."
    return error


def asked_to_wait(status: int | None, headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long 429 or 503 asks us to wait (``Retry-After``, RFC 9110: seconds or a date), at most a day; else 0."""
    text = headers.get("retry-after", "").strip()
    if status not in _ASKS_TO_WAIT or not text:
        return timedelta(0)
    if text.isascii() and text.isdigit():
        wanted = timedelta(seconds=min(int(text[:9]), RETRY_AFTER_MAX.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(text)
            wanted = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
        except (ValueError, TypeError, OverflowError):  # no date, or one beyond all calendars
            return timedelta(0)
    return min(max(wanted, timedelta(0)), RETRY_AFTER_MAX)


def next_attempt(attempts: int, now: datetime, wait: timedelta, chance: float) -> datetime | None:
    """When to try again after so many attempts; None when it was the last.

    ``chance`` in [0, 1) spreads the pause by a fifth to either side, so that what failed together does not come back
    together. It is never sooner than the other side asked for (``wait``).
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    spread = 1 + JITTER * (2 * chance - 1)
    return now + max(PAUSES[max(attempts, 1) - 1] * spread, wait)


def resting_until(failures: int, now: datetime, wait: timedelta) -> datetime:
    """Until when an endpoint that failed so many times in a row is left alone, whatever else waits for it."""
    return now + max(min(timedelta(seconds=2 ** min(failures, 10)), REST_MAX), wait)


def is_hopeless(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint failed for so long, without a single success, that it is disabled."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER
