"""How often a key may ask: token buckets in this process's memory.

Workers divide a key's limit among them: each process lets its share through. Where requests fall unevenly on workers, a
key is refused a little early. Over time it gets no more than its limit from one machine; within one minute it can get
more, as a full bucket refills while it is emptied, a batch may overdraw it, and a worker that restarts begins anew.
Replicas do not know of each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from pilotage.govern.records import Principal
from pilotage.govern.rules.buckets import Bucket, full
from pilotage.platform.errors import TooMany
from pilotage.platform.settings import Settings

_POLICY = '"key"'


class Standing(Struct, frozen=True):
    """How a key stands with its limit: requests a minute, how many are left, seconds until all are there again."""

    per_minute: int
    left: int
    full_in: int

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f"{_POLICY};q={self.per_minute};w=60",
            "RateLimit": f"{_POLICY};r={self.left};t={self.full_in}",
        }


class LimitReached(TooMany):
    """A key has used what it may ask in this minute; ``standing`` is for the headers."""

    def __init__(self, standing: Standing, retry_after: int) -> None:
        super().__init__(
            f"This key may ask {standing.per_minute:,} times a minute; that is used up.",
            f"Ask again in {retry_after} seconds, or have a key made with a higher limit.",
        )
        self.standing, self.retry_after = standing, retry_after


class Limits:
    """One process's buckets, a bucket per key that has a limit."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._usual = settings.key_requests_per_minute
        self._workers = max(1, settings.workers)
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, principal: Principal, count: int = 1) -> Standing | None:
        """Count so many questions of a key; how it stands then, None where it has no limit.

        Raises:
            LimitReached: it asked as often as it may.
        """
        per_minute = principal.requests_per_minute or self._usual
        if not per_minute or principal.kind != "key":
            return None
        size, now = max(1.0, per_minute / self._workers), self._clock()
        with self._lock:
            bucket = self._buckets.get(principal.id)
            if bucket is None or bucket.size != size:
                bucket = self._buckets[principal.id] = full(size, now)
            taken = bucket.take(count, now)
            left = max(0, int(bucket.tokens * self._workers))
            standing = Standing(per_minute, min(left, per_minute), bucket.seconds_until(size))
            again = max(1, bucket.seconds_until(1))
        if not taken:
            raise LimitReached(standing, again)
        return standing
