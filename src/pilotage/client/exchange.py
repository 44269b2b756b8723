"""One call as a row of attempts within one deadline: what to send next, and what to make of what came. No I/O."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from msgspec import Struct

from pilotage.client.errors import Refused
from pilotage.client.reading import NotOurs, refused
from pilotage.client.records import BECAUSE, Gone, GoneReason
from pilotage.client.resilience import Health

T = TypeVar("T")

OUTSTANDING = "idempotency-key-in-use"
"""The service's code for a request whose key is that of one that it is still answering."""

KEPT_SHARE = 0.25
KEPT_SHARE_MAX = 0.5
KEPT_MS_MIN = 20.0
KEPT_MS_MAX = 250.0
"""Of what is left of the time, what the service is not told of: its answer at its deadline has to be back by then.

The service may be 20 ms late itself; the rest is for the network, one packet sent again, and a host that stands still.
"""


class Asked(Struct, Generic[T], frozen=True, kw_only=True):
    """One logical call. ``key`` stays the same over its attempts: the service does it once, however often it comes.

    What others of its ``kind`` met decides whether it is tried at all. ``read`` makes the result of a body, or raises
    ``NotOurs``.
    """

    kind: str
    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes | None = None
    key: str = ""


class Attempt(Struct, frozen=True):
    """What to send now; ``due`` by the client's clock, in seconds, is when it must have been answered."""

    headers: dict[str, str]
    due: float


class Reply(Struct, frozen=True):
    """What came back whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(Struct, frozen=True):
    """Nothing came back."""

    reason: GoneReason
    because: str


class _Verdict(Struct, frozen=True):
    reason: GoneReason
    because: str
    again: bool
    healthy: bool = False


class Exchange(Generic[T]):
    """Drives one call: ``attempt()`` until it is None, ``heard()`` after each, ``result()``; at last ``close()``."""

    def __init__(self, asked: Asked[T], health: Health, timeout_ms: float) -> None:
        self._asked, self._health = asked, health
        self._breaker = health.breaker(asked.kind)
        self._due = health.clock() + timeout_ms / 1000
        self._attempts = 0
        self._admitted = False
        self._ended: tuple[T] | Refused | Gone | None = None
        self._last: _Verdict | None = None
        self.pause = 0.0
        """Seconds to wait before the next attempt."""
        health.budget.earn()

    def attempt(self) -> Attempt | None:
        """What to send now; None when the call is over."""
        if self._ended is not None:
            return None
        left = self._due - self._health.clock()
        if left <= 0:
            self._end(self._last or _verdict("timed_out"))
            return None
        if not self._breaker.admits():
            self._end(self._last or _verdict("circuit_open"))
            return None
        self._admitted = True
        self._attempts += 1
        headers = {"X-Request-Timeout-Ms": str(_told_ms(left * 1000)), **_trace_headers()}
        if self._asked.key:
            headers["Idempotency-Key"] = self._asked.key
        return Attempt(headers, self._due)

    def heard(self, what: Reply | Lost) -> None:
        """What came of the attempt."""
        verdict = _Verdict(what.reason, what.because, again=True) if isinstance(what, Lost) else self._replied(what)
        self._admitted, self.pause = False, 0.0
        if verdict is None or verdict.healthy:
            self._breaker.succeeded()
        else:
            self._breaker.failed()
        if verdict is not None:
            self._last = verdict
            self._again_or_end(verdict, _retry_after(what))

    def result(self) -> T | Gone:
        """What the service said, or that it is gone.

        Raises:
            Refused: a mistake of the caller.
        """
        if isinstance(self._ended, Refused):
            raise self._ended
        if isinstance(self._ended, tuple):
            return self._ended[0]
        return self._ended or self._gone(_verdict("timed_out"))

    def close(self) -> None:
        """Give up an attempt of which nothing was heard: cancelled, or stopped from outside."""
        if self._admitted:
            self._breaker.abandoned()

    def _replied(self, reply: Reply) -> _Verdict | None:
        """None when the call is over, with what it ended in kept."""
        known = _known_status(reply.status)
        if known is not None:
            return known
        try:
            if 200 <= reply.status < 300:
                self._ended = (self._asked.read(reply.body),)
                return None
            error = refused(reply.status, reply.body)
        except NotOurs as foreign:
            return _Verdict("unreadable", f"{BECAUSE['unreadable']} {foreign}".strip(), again=False)
        if error.code == OUTSTANDING:
            return _verdict("in_flight", again=True, healthy=True)
        self._ended = error
        return None

    def _again_or_end(self, verdict: _Verdict, retry_after: float | None) -> None:
        resilience = self._health.resilience
        most = min(resilience.backoff_ms * 2 ** (self._attempts - 1), resilience.backoff_ms_max) / 1000
        # Many are told the same second: without the random part after it they would all come back at once.
        pause = (retry_after or 0.0) + random.uniform(0, most)  # noqa: S311  it spreads load, it guards nothing
        possible = (
            verdict.again
            and self._attempts < resilience.attempts_max
            and self._health.clock() + pause < self._due
            and not self._breaker.is_open
        )
        if possible and self._health.budget.spend():
            self.pause = pause
        else:
            self._end(verdict)

    def _end(self, verdict: _Verdict) -> None:
        self._ended = self._gone(verdict)

    def _gone(self, verdict: _Verdict) -> Gone:
        return Gone(verdict.reason, verdict.because, self._attempts)


def _verdict(reason: GoneReason, again: bool = False, healthy: bool = False) -> _Verdict:
    return _Verdict(reason, BECAUSE[reason], again, healthy)


def _known_status(status: int) -> _Verdict | None:
    if status == 429:
        return _verdict("rate_limited", again=True, healthy=True)
    if status == 503:
        return _verdict("overloaded", again=True)
    if status in (502, 504):
        return _verdict("unreachable", again=True)
    if status >= 500 or status == 408:
        return _verdict("server_error" if status >= 500 else "timed_out")
    return None


def _told_ms(left_ms: float) -> int:
    """How long the service is told that it has, so that its answer comes in time."""
    kept = min(max(KEPT_SHARE * left_ms, KEPT_MS_MIN), KEPT_MS_MAX, KEPT_SHARE_MAX * left_ms)
    return max(1, int(left_ms - kept))


def _retry_after(what: Reply | Lost) -> float | None:
    """Seconds, from a number of them or a date (RFC 9110, 10.2.3); None where there is none that can be read."""
    value = what.headers.get("retry-after", "").strip() if isinstance(what, Reply) else ""
    if value.isdigit() and value.isascii():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, or beyond all calendars
        return None


def _trace_headers() -> dict[str, str]:
    """The trace that the app is in, where it uses OpenTelemetry; this library does not need it, nor load it."""
    carrier: dict[str, str] = {}
    propagate = sys.modules.get("opentelemetry.propagate")
    if propagate is not None:
        propagate.inject(carrier)
    return carrier
