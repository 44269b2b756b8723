"""What is tried again and again and fails: said when it begins, at most once a minute after that, and when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from pilotage.platform.errors import in_short

AGAIN_SECONDS = 60.0

log = structlog.get_logger()


class Outage:
    """One thing that is tried again and again, perhaps by several threads: ``event`` names its failure, ``who`` says in
    the log what it is. It is over when it has not failed for ``quiet_seconds``.
    """

    def __init__(
        self, event: str, clock: Callable[[], float] = time.monotonic, quiet_seconds: float = 0.0, **who: str
    ) -> None:
        self._event, self._who, self._clock, self._quiet_seconds = event, who, clock, quiet_seconds
        self._began = self._failed_at = self._said_at = 0.0
        self._failures = 0
        self._lock = threading.Lock()

    def failed(self, why: Exception | str) -> None:
        """It failed: so it began, or goes on. Of an error is said what may be logged of it."""
        now, said = self._clock(), why if isinstance(why, str) else in_short(why)
        with self._lock:
            self._failures += 1
            self._failed_at = now
            if self._failures == 1:
                self._began = self._said_at = now
                log.error(self._event, **self._who, error=said)
            elif now - self._said_at >= AGAIN_SECONDS:
                self._said_at = now
                lasted = round(now - self._began)
                log.error(self._event, **self._who, error=said, failures=self._failures, seconds=lasted)

    def ended(self) -> None:
        """It worked."""
        with self._lock:
            if self._failures and self._clock() - self._failed_at >= self._quiet_seconds:
                lasted = round(self._failed_at - self._began, 1)
                log.warning(f"{self._event}_no_more", **self._who, failures=self._failures, seconds=lasted)
                self._failures = 0
