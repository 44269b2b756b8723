"""How long a name must wait after wrong passwords."""

from __future__ import annotations

from datetime import datetime, timedelta

FREE_FAILURES = 5
_FIRST_WAIT_SECONDS = 30
_WAIT_SECONDS_MAX = 900


def wait_seconds(failures: int, last_failure_at: datetime, now: datetime) -> int:
    """Seconds until the next try is looked at: 0 for the first five failures, then 30, 60, 120 … up to 900."""
    if failures < FREE_FAILURES:
        return 0
    wait = min(_WAIT_SECONDS_MAX, _FIRST_WAIT_SECONDS << min(failures - FREE_FAILURES, 10))
    left = last_failure_at + timedelta(seconds=wait) - now
    return max(0, int(left.total_seconds() + 0.999))
