"""``POST /v1/use-cases/{name}/decisions:batch`` as a plain ASGI application, beside the route of single questions."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta

from pilotage.decisions import flow
from pilotage.decisions.answering.deadlines import patience_of
from pilotage.decisions.answering.service import Service
from pilotage.decisions.http.arrivals import Arrivals
from pilotage.decisions.http.batches import SECONDS_MAX, Batches, rows_of
from pilotage.decisions.http.exchange import (
    Receive,
    Scope,
    Send,
    bearer,
    defect,
    demand_json,
    demand_method,
    hold_back,
    limit_headers,
    refuse,
    reply,
)
from pilotage.decisions.http.once import Keyed, Once
from pilotage.govern.flow.limits import LimitReached
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission, Principal
from pilotage.platform.errors import PilotageError
from pilotage.platform.replies import Claim, fingerprint_of, key_in

_PATH = re.compile(r"/v1/use-cases/([a-z][a-z0-9_]{0,62})/decisions:batch")
_LEASE = timedelta(seconds=SECONDS_MAX + 15)
_ARRIVING_MAX = 8
"""Batches of one key whose body is still coming."""
_KEY_SECONDS, _KEY_SHARE = 2.0, 0.2
"""How long an idempotency key is waited for, before the rows and after them; of a caller's patience, this share."""


def batch_of(scope: Scope) -> str | None:
    """The use case of which a request asks many questions; None where it is for another route."""
    match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
    return match.group(1) if match else None


class BatchRoute:
    """Answers many questions per request."""

    method = "POST"
    path = "/v1/use-cases/{use_case:str}/decisions:batch"
    policy = needs(Permission.DECIDE)

    def __init__(self, service: Service, once: Once) -> None:
        self._service = service
        self._once = once
        self._batches = Batches(service)
        bytes_max = service.work.settings.batch_bytes_max
        self._arrivals = Arrivals(_ARRIVING_MAX, bytes_max, "Send it in parts, or a job.")

    async def __call__(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, headers = await self._answered(use_case, scope, receive)
        except LimitReached as error:
            await hold_back()
            await refuse(send, error, scope, limit_headers(error.standing))
        except PilotageError as error:
            await refuse(send, error, scope)
        except Exception as error:  # noqa: BLE001  a door: the caller gets a number, the log gets the rest
            await refuse(send, defect(self._service.work, error, use_case), scope)
        else:
            await reply(send, 200, b"application/json", body, headers)

    async def _answered(self, use_case: str, scope: Scope, receive: Receive) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        began = time.perf_counter()
        demand_method(scope, self.method)
        headers = scope["headers"]
        principal = self._service.authenticate(bearer(headers))
        self._service.limits.take(principal, 0)
        self._service.serving(use_case, principal)
        demand_json(headers)
        key = key_in(headers)
        body = await self._arrivals.read(receive, principal.id)
        rows = rows_of(body)
        standing = self._service.limits.take(principal, len(rows))
        due = _due(began, patience_of(headers))
        if key is None:
            return await self._batches.answer(use_case, rows, principal, due), limit_headers(standing)
        keyed = self._once.begin(principal.id, key, fingerprint_of("POST", scope["path"], body), _LEASE)
        patience = min(_KEY_SECONDS, _KEY_SHARE * (due - time.perf_counter()))
        claimed = await keyed.claimed(patience)
        if isinstance(claimed, bytes):
            return claimed, [*limit_headers(standing), (b"idempotency-replayed", b"true")]
        if claimed is None:
            answered = await self._batches.answer(use_case, rows, principal, due, is_key_kept=False)
        else:
            answered = await self._answer_claimed(keyed, claimed, use_case, rows, principal, due)
            await keyed.keep(claimed, answered, patience)
        return answered, limit_headers(standing)

    async def _answer_claimed(
        self, keyed: Keyed, claimed: Claim, use_case: str, rows: list[bytes], principal: Principal, due: float
    ) -> bytes:
        ids = [claimed.id_of("dec", number) for number in range(len(rows))]
        try:
            known = await asyncio.to_thread(flow.find_all, self._service.work, ids) if claimed.taken_over else {}
            return await self._batches.answer(use_case, rows, principal, due, ids, known)
        except BaseException:
            await keyed.release(_KEY_SECONDS)
            raise


def _due(began: float, patience_ms: float | None) -> float:
    """When the reply is due by ``time.perf_counter``; a caller's patience runs since the request came."""
    due = time.perf_counter() + SECONDS_MAX
    return due if patience_ms is None else min(due, began + patience_ms / 1000)
