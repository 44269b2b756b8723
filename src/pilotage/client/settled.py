"""What both clients settle once: where the service is, the key, the patience, what is known of the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from pilotage.client.falling_back import Fallbacks
from pilotage.client.records import BatchRow, Decision, Fallback, FellBack, Gone, Request
from pilotage.client.resilience import Health, Resilience

AGENT = "pilotage-client-python"
DECISION_MS = 1_000.0
"""What a decision has where nobody says another time: after it the app's own rule answers."""
NO_RULE_MS = 3_000.0
"""What other calls have: a Retry-After of a second fits in."""


class Settled:
    """What a client is made of, besides its connections."""

    def __init__(
        self,
        address: str,
        key: str,
        timeout_ms: float | None = None,
        on_fallback: Callable[[FellBack], object] | None = None,
        resilience: Resilience | None = None,
    ) -> None:
        self._address = _checked(address)
        self._timeout_ms = None if timeout_ms is None else _positive(timeout_ms)
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": AGENT,
        }
        self._health = Health(resilience or Resilience())
        self._fallbacks = Fallbacks(on_fallback)

    def fallback_counts(self) -> dict[str, int]:
        """How many answers were not the service's, by reason."""
        return self._fallbacks.counts()

    def recent_fallbacks(self) -> list[FellBack]:
        """The newest 100 answers that were not the service's, oldest first."""
        return self._fallbacks.recent()

    def _patience(self, timeout_ms: float | None, usual_ms: float) -> float:
        if timeout_ms is not None:
            return _positive(timeout_ms)
        return usual_ms if self._timeout_ms is None else self._timeout_ms

    def _decided(self, use_case: str, request: Request, rule: Fallback, found: Decision | Gone) -> Decision:
        return self._fallbacks.answer(use_case, request, rule, found) if isinstance(found, Gone) else found

    def _rows(
        self, use_case: str, requests: Sequence[Request], rule: Fallback, found: list[BatchRow | Gone] | Gone
    ) -> list[BatchRow]:
        rows = [found] * len(requests) if isinstance(found, Gone) else found
        return [
            BatchRow(decision=self._fallbacks.answer(use_case, request, rule, row)) if isinstance(row, Gone) else row
            for request, row in zip(requests, rows, strict=True)
        ]


def _checked(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"The address must be like https://pilotage.example (got {address!r}).")
    return address.rstrip("/")


def _positive(timeout_ms: float) -> float:
    if not 0 < timeout_ms < 86_400_000:
        raise ValueError(f"timeout_ms must lie above 0 and below a day (got {timeout_ms!r}).")
    return timeout_ms
