"""The token bucket: so many at once, and as many again each minute."""

from __future__ import annotations

import math

from msgspec import Struct

MINUTE = 60.0


class Bucket(Struct):
    """Tokens that were left at an instant of some monotonic clock, in seconds.

    It may owe tokens: a request that needs many is taken while there is one left, and paid for by what comes next.
    """

    size: float
    tokens: float
    at: float

    def take(self, count: int, now: float) -> bool:
        """Take tokens if there is one at least; whether they were taken."""
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.size / MINUTE)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= count
        return True

    def seconds_until(self, tokens: float) -> int:
        """Whole seconds until there are so many tokens, 0 where there are."""
        return max(0, math.ceil((tokens - self.tokens) * MINUTE / self.size))


def full(size: float, now: float) -> Bucket:
    """A bucket that nobody took from."""
    return Bucket(size, size, now)
