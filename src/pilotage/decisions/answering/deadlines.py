"""How long an answer may take: the use case's budget, shortened by what the caller still has."""

from __future__ import annotations

import time
from collections.abc import Iterable

from msgspec import Struct

HEADERS = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")
"""What a caller, or a proxy before us, says it will wait: whole milliseconds."""

RECORD_SHARE = 0.2
RECORD_SECONDS_MAX = 0.005
"""Of the budget, what is kept back to make the decision durable."""


class Deadline(Struct, frozen=True):
    """When an answer is due, by the monotonic clock, in seconds; ``score_by`` leaves time to record it.

    ``overrun_at`` is when a score overruns the use case's own budget, however little patience its caller has.
    """

    due: float
    score_by: float
    overrun_at: float

    @property
    def is_callers(self) -> bool:
        """Whether the caller waits less long than the use case allows."""
        return self.score_by < self.overrun_at

    def left_to_score(self) -> float:
        """Seconds until the model must have answered; negative when that has passed."""
        return self.score_by - time.perf_counter()

    def left(self) -> float:
        """Seconds until the answer is due; negative when that has passed."""
        return self.due - time.perf_counter()


def deadline(began: float, budget_ms: float, patience_ms: float | None = None) -> Deadline:
    """``began`` is when the request came, ``patience_ms`` how long the caller said it will wait."""
    own = budget_ms / 1000
    seconds = own if patience_ms is None else min(own, patience_ms / 1000)
    return Deadline(began + seconds, began + _to_score(seconds), began + _to_score(own))


def _to_score(seconds: float) -> float:
    """Of a budget, what the model may take."""
    return seconds - min(RECORD_SECONDS_MAX, RECORD_SHARE * seconds)


def patience_of(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """The shortest time, in milliseconds, that the headers name; what is no number above zero says nothing."""
    named = [int(value) for name, value in headers if name in HEADERS and value.isdigit() and len(value) < 10]
    return min((each for each in named if each > 0), default=None)
