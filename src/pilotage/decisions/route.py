"""``POST /v1/use-cases/{name}/decisions`` as a plain ASGI application: the one route where microseconds count."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta

import msgspec

from pilotage.decisions import flow, metrics, rules
from pilotage.decisions.deadlines import patience_of
from pilotage.decisions.exchange import (
    Receive,
    Scope,
    Send,
    bearer,
    defect,
    demand_json,
    demand_method,
    limit_headers,
    read_body,
    refuse,
    reply,
)
from pilotage.decisions.once import Once
from pilotage.decisions.service import Service
from pilotage.govern.flow.limits import LimitReached
from pilotage.govern.records import Principal
from pilotage.platform.errors import PilotageError, Unavailable
from pilotage.platform.replies import Claim, fingerprint_of, key_in

IN_FLIGHT_MAX = 128
"""Requests of one worker between their first byte and their answer."""
_LEASE = timedelta(seconds=15)
"""Longer than a single question is ever answered: body, columns, score and record have their bounds."""

_PATH = re.compile(r"/v1/use-cases/([a-z][a-z0-9_]{0,62})/decisions")
_encode = msgspec.json.Encoder().encode


def use_case_of(scope: Scope) -> str | None:
    """The use case that a request asks, when it is this route's; None for every other request."""
    if scope["type"] != "http":
        return None
    match = _PATH.fullmatch(scope["path"])
    return match.group(1) if match else None


class DecisionRoute:
    """Answers one question per request.

    Beyond ``IN_FLIGHT_MAX`` at once a request is refused before anything is done for it: so those that were taken are
    answered in time, and memory stays flat.
    """

    def __init__(self, service: Service, once: Once | None = None) -> None:
        self._service = service
        self._once = once or Once(service.work)
        self._bytes_max = service.work.settings.request_bytes_max
        self._in_flight = 0

    async def __call__(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._in_flight >= IN_FLIGHT_MAX:
            metrics.turned_away()
            await refuse(send, Unavailable("Too many questions came at once.", "Try again in a second."), scope)
            return
        self._in_flight += 1
        try:
            await self._answered(use_case, scope, receive, send)
        finally:
            self._in_flight -= 1

    async def _answered(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            demand_method(scope, "POST")
            headers = scope["headers"]
            principal = self._service.authenticate(bearer(headers))
            standing = self._service.limits.take(principal)
            self._service.serving(use_case, principal)
            demand_json(headers)
            key = key_in(headers)
            body = await read_body(receive, self._bytes_max)
            more = limit_headers(standing)
            if key is None:
                answer = await self._service.answer(use_case, body, principal, began, patience_of(headers))
                content = _encode(answer)
            else:
                content, before = await self._reply_once(key, use_case, body, principal, began, scope)
                if before:
                    more.append((b"idempotency-replayed", b"true"))
        except LimitReached as error:
            await refuse(send, error, scope, limit_headers(error.standing))
        except PilotageError as error:
            await refuse(send, error, scope)
        except Exception as error:  # noqa: BLE001  a door: the caller gets a number, the log gets the rest
            await refuse(send, defect(self._service.work, error, use_case), scope)
        else:
            await reply(send, 200, b"application/json", content, more)

    async def _reply_once(
        self, key: str, use_case: str, body: bytes, principal: Principal, began: float, scope: Scope
    ) -> tuple[bytes, bool]:
        async def answer(claimed: Claim) -> bytes:
            made = claimed.id_of("dec")
            if claimed.taken_over:
                found = await asyncio.to_thread(flow.find_all, self._service.work, [made])
                if made in found:
                    return _encode(rules.answer_of(found[made]))
            patience_ms = patience_of(scope["headers"])
            return _encode(await self._service.answer(use_case, body, principal, began, patience_ms, decision_id=made))

        fingerprint = fingerprint_of("POST", scope["path"], body)
        return await self._once.reply(principal.id, key, fingerprint, _LEASE, answer)
