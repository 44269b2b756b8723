"""``POST /v1/use-cases/{name}/decisions`` as a plain ASGI application: the one route where microseconds count."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from datetime import timedelta

import msgspec

from pilotage.decisions import flow, metrics, rules
from pilotage.decisions.answering.deadlines import patience_of
from pilotage.decisions.answering.service import Service
from pilotage.decisions.http.arrivals import Arrivals
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
from pilotage.decisions.http.once import Once
from pilotage.govern.flow.limits import LimitReached
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission, Principal
from pilotage.platform.errors import PilotageError, Unavailable
from pilotage.platform.replies import Claim, fingerprint_of, key_in

IN_FLIGHT_MAX = 128
"""Requests of one worker between the last byte of their body and their answer."""
IN_ONE_TURN_MAX = 64
"""Questions that begin in one turn of the event loop: between turns it looks who else came, and refuses those. A turn
takes some 10 ms then. With fewer it takes more to answer as many: answers and refusals push each other out of the
processor's caches.
"""
ARRIVING_MAX = 256
"""Requests of one key whose body is still coming: they hold memory and nothing else."""
_LEASE = timedelta(seconds=15)
"""Longer than a single question is ever answered: body, columns, score and record have their bounds."""
_RELEASE_SECONDS = 2.0
"""A key whose request was refused is free again within this time, or a little after the refusal."""

_FULL_SAID = "Too many questions came at once.", "Try again in a second."
FULL = Unavailable(*_FULL_SAID)
"""For whoever refuses many at once. It is never raised: each that is raised has a traceback of its own."""
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

    method = "POST"
    path = "/v1/use-cases/{use_case:str}/decisions"
    policy = needs(Permission.DECIDE)

    def __init__(self, service: Service, once: Once | None = None) -> None:
        self._service = service
        self._once = once or Once(service.work)
        self._arrivals = Arrivals(ARRIVING_MAX, service.work.settings.request_bytes_max)
        self._in_flight = 0
        self._coming = self._begun = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def __call__(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._in_flight >= IN_FLIGHT_MAX:
            await refuse(send, self._full(), scope)
            return
        self._in_flight += 1
        try:
            await self._take_turn()
            await self._answered(use_case, scope, receive, send)
        finally:
            self._in_flight -= 1

    async def _take_turn(self) -> None:
        """Begin in this turn of the event loop, or in one of the next, in the order in which all came."""
        if self._begun >= IN_ONE_TURN_MAX:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            await turn
            return
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._turn)
        self._begun += 1

    def _turn(self) -> None:
        """So many begin that have waited longest; what was cancelled meanwhile takes nobody's turn."""
        self._begun = 0
        while self._queue and self._begun < IN_ONE_TURN_MAX:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            asyncio.get_running_loop().call_soon(self._turn)

    async def _answered(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            demand_method(scope, self.method)
            headers = scope["headers"]
            principal = self._service.authenticate(bearer(headers))
            standing = self._service.limits.take(principal)
            self._service.serving(use_case, principal)
            demand_json(headers)
            key = key_in(headers)
            body = await self._arrived(receive, principal)
            more = limit_headers(standing)
            if key is None:
                answer = await self._service.answer(use_case, body, principal, began, patience_of(headers))
                content = _encode(answer)
            else:
                content, before = await self._reply_once(key, use_case, body, principal, began, scope)
                if before:
                    more.append((b"idempotency-replayed", b"true"))
        except LimitReached as error:
            await self._held_back()
            await refuse(send, error, scope, limit_headers(error.standing))
        except PilotageError as error:
            await refuse(send, error, scope)
        except Exception as error:  # noqa: BLE001  a door: the caller gets a number, the log gets the rest
            await refuse(send, defect(self._service.work, error, use_case), scope)
        else:
            await reply(send, 200, b"application/json", content, more)

    async def _arrived(self, receive: Receive, principal: Principal) -> bytes:
        """The body. A request whose body is still coming takes no place from those that could be answered."""
        self._in_flight -= 1
        try:
            body = await self._arrivals.read(receive, principal.id)
        finally:
            self._in_flight += 1
        if self._in_flight > IN_FLIGHT_MAX:
            raise self._full()
        return body

    async def _held_back(self) -> None:
        """A refusal that waits takes no place either."""
        self._in_flight -= 1
        try:
            await hold_back()
        finally:
            self._in_flight += 1

    def has_place(self) -> bool:
        """Whether there is a place for one more question now."""
        return self._in_flight + self._coming < IN_FLIGHT_MAX

    def comes(self) -> None:
        """Count a question that was read and begins when the event loop turns next: many may be read before that."""
        if not self._coming:
            asyncio.get_running_loop().call_soon(self._begin)
        self._coming += 1

    def _begin(self) -> None:
        """What came is next to run, and then counts itself."""
        self._coming = 0

    def _full(self) -> Unavailable:
        metrics.turned_away()
        return Unavailable(*_FULL_SAID)

    async def _reply_once(
        self, key: str, use_case: str, body: bytes, principal: Principal, began: float, scope: Scope
    ) -> tuple[bytes, bool]:
        """The body of the reply to this key, and whether it was given before.

        The key is claimed while the question is answered. It has its answer in time also where that cannot be had.
        """
        patience_ms, fingerprint = patience_of(scope["headers"]), fingerprint_of("POST", scope["path"], body)
        keyed = self._once.begin(principal.id, key, fingerprint, _LEASE)
        try:
            pending = await self._service.decide(use_case, body, principal, began, patience_ms)
            claimed = await keyed.claimed(pending.due.left_to_score())
            if isinstance(claimed, bytes):
                return claimed, True
            if claimed is None:
                return _encode(await self._service.record(pending.without_key())), False
            content = await self._told_before(claimed)
            if content is None:
                content = _encode(await self._service.record(pending.named(claimed.id_of("dec"))))
        except BaseException:
            await keyed.release(_RELEASE_SECONDS if patience_ms is None else patience_ms / 1000)
            raise
        await keyed.keep(claimed, content, pending.due.left())
        return content, False

    async def _told_before(self, claimed: Claim) -> bytes | None:
        """The answer that was recorded by whoever held the key before, and died since."""
        if not claimed.taken_over:
            return None
        made = claimed.id_of("dec")
        found = await asyncio.to_thread(flow.find_all, self._service.work, [made])
        return _encode(rules.answer_of(found[made])) if made in found else None
