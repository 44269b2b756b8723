"""How long a name must wait after wrong passwords, and an address from which many came."""

from __future__ import annotations

from datetime import datetime, timedelta

FREE_FAILURES = 5
_FIRST_WAIT_SECONDS = 30
_WAIT_SECONDS_MAX = 900

ADDRESS_FAILURES = 100
"""Wrong tries that an address may have at once. Hundreds of people may share one, and right passwords do not count."""
ADDRESS_FORGETS_SECONDS = 36
"""After so long an address has one wrong try less: 100 in an hour, 2,400 in a day, of all names together."""


def wait_seconds(failures: int, last_failure_at: datetime, now: datetime) -> int:
    """Seconds until the next try is looked at: 0 for the first five failures, then 30, 60, 120 … up to 900."""
    if failures < FREE_FAILURES:
        return 0
    wait = min(_WAIT_SECONDS_MAX, _FIRST_WAIT_SECONDS << min(failures - FREE_FAILURES, 10))
    left = last_failure_at + timedelta(seconds=wait) - now
    return max(0, int(left.total_seconds() + 0.999))


def still_counted(failures: int, counted_at: datetime, now: datetime) -> tuple[int, datetime]:
    """How many wrong tries of an address count now, and since when: time takes away one after the other."""
    gone = int((now - counted_at).total_seconds()) // ADDRESS_FORGETS_SECONDS
    if gone >= failures or gone < 0:
        return (0, now) if gone >= failures else (failures, counted_at)
    return failures - gone, counted_at + timedelta(seconds=gone * ADDRESS_FORGETS_SECONDS)


def address_wait_seconds(failures: int, counted_at: datetime, now: datetime) -> int:
    """Seconds until an address may try again: 0 while fewer than a hundred of its wrong tries count."""
    if failures < ADDRESS_FAILURES:
        return 0
    over = (failures - ADDRESS_FAILURES + 1) * ADDRESS_FORGETS_SECONDS
    left = counted_at + timedelta(seconds=over) - now
    return max(1, int(left.total_seconds() + 0.999))
