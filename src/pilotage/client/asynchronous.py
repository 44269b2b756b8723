"""The same client for an app that runs on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from pilotage.client import asking
from pilotage.client.errors import ServiceGone
from pilotage.client.exchange import Asked, Attempt, Exchange, Lost, Reply
from pilotage.client.losing import lost
from pilotage.client.records import (
    BECAUSE,
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


class AsyncClient(Settled):
    """As ``Client``, awaited. A rule and ``on_fallback`` are plain functions and run on the loop: keep them short.

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
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(address, key, timeout_ms, on_fallback, resilience)
        self._owned = http is None
        self._http = http or httpx.AsyncClient()

    async def decide(
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
        found = await self._exchanged(asking.decide(use_case, request, idempotency_key), timeout_ms, DECISION_MS)
        return self._decided(use_case, request, fallback, found)

    async def decide_batch(
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
        found = await self._exchanged(asking.decide_batch(use_case, requests, idempotency_key), timeout_ms, DECISION_MS)
        return self._rows(use_case, requests, fallback, found)

    async def decision(self, identifier: str, *, timeout_ms: float | None = None) -> Decision:
        """The answer that was given under this identifier.

        Raises:
            Refused, ServiceGone: as with every method that no rule of the app can stand in for.
        """
        return await self._present(asking.decision(identifier), timeout_ms)

    async def feedback(
        self, decision: str, kind: str, person: str, *, reason: str = "", timeout_ms: float | None = None
    ) -> Feedback:
        """Tell what a person said: shown, useful, wrong, accept, override or escalate; the last two with a reason.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return await self._present(asking.feedback(decision, kind, person, reason), timeout_ms)

    async def outcomes(self, rows: Sequence[Mapping[str, Any]], *, timeout_ms: float | None = None) -> list[OutcomeRow]:
        """Tell what really happened: for each row, in order, what became of it.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return await self._present(asking.outcomes(rows), timeout_ms)

    async def card_token(
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
        return await self._present(asking.card_token(use_case, entity, origin, person, actions), timeout_ms)

    async def schema(self, use_case: str, *, timeout_ms: float | None = None) -> dict[str, Any]:
        """The JSON Schema of a request.

        Raises:
            Refused, ServiceGone: as :meth:`decision`.
        """
        return await self._present(asking.schema(use_case), timeout_ms)

    async def aclose(self) -> None:
        """Give the connections back."""
        if self._owned:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _present(self, asked: Asked[T], timeout_ms: float | None) -> T:
        found = await self._exchanged(asked, timeout_ms, NO_RULE_MS)
        if isinstance(found, Gone):
            raise ServiceGone(found.reason, found.because)
        return found

    async def _exchanged(self, asked: Asked[T], timeout_ms: float | None, usual_ms: float) -> T | Gone:
        exchange = Exchange(asked, self._health, self._patience(timeout_ms, usual_ms))
        try:
            while (attempt := exchange.attempt()) is not None:
                exchange.heard(await self._sent(asked, attempt))
                await asyncio.sleep(exchange.pause)
        finally:
            exchange.close()
        return exchange.result()

    async def _sent(self, asked: Asked[T], attempt: Attempt) -> Reply | Lost:
        headers = self._headers | attempt.headers
        address = self._address + asked.path
        try:
            async with asyncio.timeout(attempt.due - self._health.clock()):
                response = await self._http.request(
                    asked.method, address, content=asked.body, headers=headers, timeout=None, follow_redirects=False
                )
        except TimeoutError:
            return Lost("timed_out", BECAUSE["timed_out"])
        except httpx.RequestError as error:
            return lost(error)
        return Reply(response.status_code, response.headers, response.content)
