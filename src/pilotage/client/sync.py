"""The client of an app that waits for its answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from pilotage.client import asking
from pilotage.client.errors import ServiceGone
from pilotage.client.exchange import Asked, Attempt, Exchange, Lost, Reply
from pilotage.client.hands import Hands, Patience
from pilotage.client.records import (
    BatchRow,
    CardToken,
    Decision,
    Fallback,
    Feedback,
    FellBack,
    Gone,
    OutcomeRow,
    Request,
)
from pilotage.client.resilience import Resilience
from pilotage.client.settled import DECISION_MS, NO_RULE_MS, Settled

T = TypeVar("T")


class Client(Settled):
    """Asks the service, and the app's own rule where the service is gone. Safe for threads; make one and keep it.

    ``timeout_ms`` bounds a whole call, its retries and pauses included; the service is told somewhat less than is left
    of it. Where it is absent decisions have 1,000 ms, and the calls that no rule of the app can stand in for 3,000.
    ``on_fallback`` is called after every answer that was not the service's. ``http`` may bring connections of your own
    (a proxy, certificates); it is closed with the client only if the client made it.

    Raises:
        ValueError: the address is no http or https address, or the time is none.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout_ms: float | None = None,
        on_fallback: Callable[[FellBack], object] | None = None,
        resilience: Resilience | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(address, key, timeout_ms, on_fallback, resilience)
        self._brought = http
        self._hands = Hands(http)

    def decide(
        self,
        use_case: str,
        request: Request,
        *,
        fallback: Fallback = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> Decision:
        """Ask one question. There is always a decision; ``produced_by`` says whose.

        Raises:
            Refused: the request is the caller's mistake (a 4xx of the service).
        """
        found = self._exchanged(asking.decide(use_case, request, idempotency_key), timeout_ms, DECISION_MS)
        return self._decided(use_case, request, fallback, found)

    def decide_batch(
        self,
        use_case: str,
        requests: Sequence[Request],
        *,
        fallback: Fallback = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> list[BatchRow]:
        """Ask up to 1,000 questions: for each, in order, a decision or why this one was refused.

        Raises:
            Refused: the whole batch is the caller's mistake.
        """
        found = self._exchanged(asking.decide_batch(use_case, requests, idempotency_key), timeout_ms, DECISION_MS)
        return self._rows(use_case, requests, fallback, found)

    def decision(self, identifier: str, *, timeout_ms: float | None = None) -> Decision:
        """The answer that was given under this identifier.

        Raises:
            Refused, ServiceGone: as with every method that no rule of the app can stand in for.
        """
        return self._present(asking.decision(identifier), timeout_ms)

    def feedback(
        self, decision: str, kind: str, person: str, *, reason: str = "", timeout_ms: float | None = None
    ) -> Feedback:
        """Tell what a person said: shown, useful, wrong, accept, override or escalate; the last two with a reason.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return self._present(asking.feedback(decision, kind, person, reason), timeout_ms)

    def outcomes(self, rows: Sequence[Mapping[str, Any]], *, timeout_ms: float | None = None) -> list[OutcomeRow]:
        """Tell what really happened: for each row, in order, what became of it.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return self._present(asking.outcomes(rows), timeout_ms)

    def card_token(
        self,
        use_case: str,
        *,
        entity: str,
        origin: str,
        person: str,
        actions: Sequence[str] | None = None,
        timeout_ms: float | None = None,
    ) -> CardToken:
        """A token for one card: this entity, this site, five minutes.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return self._present(asking.card_token(use_case, entity, origin, person, actions), timeout_ms)

    def schema(self, use_case: str, *, timeout_ms: float | None = None) -> dict[str, Any]:
        """The JSON Schema of a request.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return self._present(asking.schema(use_case), timeout_ms)

    def close(self) -> None:
        """Give the connections back."""
        self._hands.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _present(self, asked: Asked[T], timeout_ms: float | None) -> T:
        found = self._exchanged(asked, timeout_ms, NO_RULE_MS)
        if isinstance(found, Gone):
            raise ServiceGone(found.reason, found.because)
        return found

    def _exchanged(self, asked: Asked[T], timeout_ms: float | None, usual_ms: float) -> T | Gone:
        exchange = Exchange(asked, self._health, self._patience(timeout_ms, usual_ms))
        try:
            while (attempt := exchange.attempt()) is not None:
                exchange.heard(self._sent(asked, attempt))
                time.sleep(exchange.pause)
        finally:
            exchange.close()
        return exchange.result()

    def _sent(self, asked: Asked[T], attempt: Attempt) -> Reply | Lost:
        if self._hands.pid != os.getpid():
            self._hands = Hands(self._brought)  # threads do not outlive a fork, and connections must not be shared
        return self._hands.send(
            asked.method,
            self._address + asked.path,
            asked.body,
            self._headers | attempt.headers,
            Patience(attempt.due, self._health.clock),
        )
