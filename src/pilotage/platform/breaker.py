"""A circuit breaker: what failed some times in a row is left alone for a while, then tried with one request.

Source: Nygard, Release It!, chapter 5.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES_MAX = 5
PAUSE_SECONDS = 30.0


class Breaker:
    """Closed: all pass. Open: none passes. Half-open: one passes, and what comes of it decides. Safe for threads."""

    def __init__(
        self,
        failures_max: int = FAILURES_MAX,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_max, self._pause_seconds, self._clock = failures_max, pause_seconds, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probes = False
        self._proved = False

    def admits(self) -> bool:
        """Whether a request may be sent now; one that was admitted must be reported."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._probes or self._clock() - self._opened_at < self._pause_seconds:
                return False
            self._probes = True
            return True

    def succeeded(self) -> None:
        """The request was answered."""
        with self._lock:
            self._failures, self._opened_at, self._probes = 0, None, False
            self._proved = True

    def failed(self) -> None:
        """The request was not answered, or not in time."""
        with self._lock:
            self._failures += 1
            self._proved = False
            if self._probes or self._failures >= self._failures_max:
                self._opened_at, self._probes = self._clock(), False

    def abandoned(self) -> None:
        """The request was given up before it could tell anything: the next one may try."""
        with self._lock:
            self._probes = False

    @property
    def is_open(self) -> bool:
        """Whether it is being left alone."""
        with self._lock:
            return self._opened_at is not None

    @property
    def is_proved(self) -> bool:
        """Whether all pass, and the last request that was reported was answered."""
        with self._lock:
            return self._opened_at is None and self._proved
