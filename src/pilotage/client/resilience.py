"""How hard the service is tried: attempts, the budget of retries, the circuit breaker. Safe for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import Struct

Clock = Callable[[], float]


class Resilience(Struct, frozen=True, kw_only=True):
    """How hard a client tries.

    At most ``attempts_max`` attempts a call. Every call earns ``retry_ratio`` of a retry, and at most ``retry_reserve``
    retries are saved up, which a new client has: over many calls no more than that ratio is asked again. The pause
    before a retry is random, up to ``backoff_ms`` doubled each time and at most ``backoff_ms_max``, and comes after
    what the service names in ``Retry-After``. After ``breaker_failures`` failures in a row of one kind of call the
    service is left alone with this kind for ``breaker_pause_ms``, then tried with one call. A kind is a method of the
    client: outcomes that cannot be told do not keep decisions from being asked for.
    """

    attempts_max: int = 3
    retry_ratio: float = 0.1
    retry_reserve: float = 10.0
    backoff_ms: float = 50.0
    backoff_ms_max: float = 1_000.0
    breaker_failures: int = 5
    breaker_pause_ms: float = 30_000.0


class RetryBudget:
    """A bucket of tokens: calls fill it by a fraction, a retry takes a whole one.

    Source: Google, Site Reliability Engineering, chapter 21 (a retry budget per client).
    """

    def __init__(self, ratio: float, reserve: float) -> None:
        self._ratio, self._reserve = ratio, reserve
        self._tokens = reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A call began."""
        with self._lock:
            self._tokens = min(self._reserve, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Whether there is a retry left; it is taken."""
        with self._lock:
            if self._tokens < 1 - 1e-9:  # ten times a tenth is a little less than one
                return False
            self._tokens -= 1
            return True


class Breaker:
    """Closed: all pass. Open: none passes. Half-open: one passes, and what comes of it decides.

    Source: Nygard, Release It!, chapter 5.
    """

    def __init__(self, failures_max: int, pause_seconds: float, clock: Clock) -> None:
        self._failures_max, self._pause_seconds, self._clock = failures_max, pause_seconds, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probes = False

    def admits(self) -> bool:
        """Whether an attempt may be made now; one that was admitted must be reported."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._probes or self._clock() - self._opened_at < self._pause_seconds:
                return False
            self._probes = True
            return True

    def succeeded(self) -> None:
        """The service answered, whatever it said."""
        with self._lock:
            self._failures, self._opened_at, self._probes = 0, None, False

    def failed(self) -> None:
        """The service did not answer, not in time, or not sensibly."""
        with self._lock:
            self._failures += 1
            if self._probes or self._failures >= self._failures_max:
                self._opened_at, self._probes = self._clock(), False

    def abandoned(self) -> None:
        """The attempt was given up by the caller: it tells nothing, and the next one may try."""
        with self._lock:
            self._probes = False

    @property
    def is_open(self) -> bool:
        """Whether the service is being left alone."""
        with self._lock:
            return self._opened_at is not None


class Health:
    """What a client knows about its service, shared by all its calls."""

    def __init__(self, resilience: Resilience, clock: Clock = time.monotonic) -> None:
        self.resilience, self.clock = resilience, clock
        self.budget = RetryBudget(resilience.retry_ratio, resilience.retry_reserve)
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    def breaker(self, kind: str) -> Breaker:
        """That of this kind of call."""
        with self._lock:
            if kind not in self._breakers:
                seconds = self.resilience.breaker_pause_ms / 1000
                self._breakers[kind] = Breaker(self.resilience.breaker_failures, seconds, self.clock)
            return self._breakers[kind]
