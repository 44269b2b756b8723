"""Many questions in one request: each with a status of its own, recorded by group commit.

All rows are answered by one version. A switch, or another stage, counts for the rows still to come; a release or a
roll-back for the next batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from pilotage.decisions import rules
from pilotage.decisions.answering.places import Places
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.http.exchange import defect
from pilotage.decisions.records import Decision
from pilotage.govern.records import Principal
from pilotage.platform import requests, tracing
from pilotage.platform.errors import InvalidRequest, PilotageError, Problem, TooLarge, Unavailable
from pilotage.platform.problems import problem_details
from pilotage.platform.strictness import UNDECODABLE, demand_unique_names, rows_apart

ROWS_MAX = 1_000
SECONDS_MAX = 30.0
"""A whole batch; rows whose turn comes later are answered by the rule or the default, as too slow."""

_AT_ONCE = 2
_QUEUED_MAX, _QUEUED_OF_ONE_MAX = 16, 6
_QUICK_ROWS = 8
"""Rows of a quick model between two looks at other requests: some hundred microseconds."""
_SLOW_ROWS = 1
"""Slow models have few threads: a batch takes one of them at a time, the others are for single questions."""
_READ_ROWS = 8
"""Rows that wait for a database at once."""


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent: one request of the use case's own contract per row."""

    requests: list[msgspec.Raw]


_decode = msgspec.json.Decoder(Batch).decode
_encode = msgspec.json.Encoder().encode


def rows_of(body: bytes) -> list[bytes]:
    """The rows of a batch's body, undecoded.

    Raises:
        InvalidRequest: it is not such an object, or empty.
        TooLarge: it has more than ``ROWS_MAX`` rows.
    """
    try:
        rows = [bytes(row) for row in _decode(body).requests]
    except UNDECODABLE as error:
        rows = rows_apart(body, "requests")
        if not rows:
            problem = Problem("body", f"must be a JSON object with the list requests. {error}.")
            raise InvalidRequest("The batch cannot be read.", problems=[problem]) from None
    if body.count(b'"') != 2 + sum(row.count(b'"') for row in rows):
        demand_unique_names(body)
    if len(rows) > ROWS_MAX:
        raise TooLarge(f"The batch has {len(rows):,} rows; {ROWS_MAX:,} is the limit.", "Send it in parts, or a job.")
    if not rows:
        raise InvalidRequest("The batch is empty.", "Send at least one request.", [Problem("requests", "is empty.")])
    return rows


class Batches:
    """One process's batches: few at once, and none holds up the single questions between its rows."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._places = Places(_QUEUED_MAX, _QUEUED_OF_ONE_MAX)

    async def answer(
        self,
        use_case: str,
        rows: Sequence[bytes],
        principal: Principal,
        due: float,
        ids: Sequence[str] = (),
        known: Mapping[str, Decision] = {},
        is_key_kept: bool = True,
    ) -> bytes:
        """The body of the reply: a result per row, in their order, due by ``time.perf_counter``.

        ``ids`` are the identifiers that the decisions must get; of those in ``known`` the answer is told again.
        Where an idempotency key came and could not be kept, each answer says so.

        Raises:
            Unavailable: too many batches wait already, or those before it took as long as its caller waits.
            NotFound: no such use case, or none that the caller may know of.
        """
        serving = self._service.serving(use_case, principal)
        with self._places.one(principal.id):
            if not await _has_place(self._turns, due):
                raise Unavailable("The batches before this one took all its time.", "Try again, or send a job.")
            try:
                asking = _Asking(self._service, serving, principal, due, known, is_key_kept)
                with tracing.span("batch") as span, tracing.unspanned():
                    span.say(pilotage__use_case=use_case, pilotage__rows=len(rows))
                    return _reply(await asking.all(rows, ids or [""] * len(rows)))
            finally:
                self._turns.release()


class _Asking:
    """One batch on its way: what all of its rows share."""

    def __init__(
        self,
        service: Service,
        serving: Serving,
        principal: Principal,
        due: float,
        known: Mapping[str, Decision],
        is_key_kept: bool,
    ) -> None:
        self._service, self._serving, self._principal = service, serving, principal
        self._due, self._known, self._is_key_kept = due, known, is_key_kept

    async def all(self, rows: Sequence[bytes], ids: Sequence[str]) -> list[tuple[int, bytes]]:
        if self._serving.quick or self._serving.scorer is None:
            if not self._serving.waits:
                return await self._in_slices(rows, ids)
            return await self._some_at_once(rows, ids, _READ_ROWS)
        return await self._some_at_once(rows, ids, _SLOW_ROWS)

    async def _in_slices(self, rows: Sequence[bytes], ids: Sequence[str]) -> list[tuple[int, bytes]]:
        """A few rows, then whoever else waits for the event loop; all commits are waited for together."""
        asked: list[asyncio.Task[tuple[int, bytes]]] = []
        for start in range(0, len(rows), _QUICK_ROWS):
            some = zip(rows[start : start + _QUICK_ROWS], ids[start : start + _QUICK_ROWS], strict=True)
            asked += [asyncio.create_task(self._row(row, decision_id)) for row, decision_id in some]
            await asyncio.sleep(0)
        return list(await asyncio.gather(*asked))

    async def _some_at_once(self, rows: Sequence[bytes], ids: Sequence[str], count: int) -> list[tuple[int, bytes]]:
        """So many rows at once. When the batch is due, the rest is decided without a model."""
        places, asked = asyncio.Semaphore(count), list[asyncio.Task[tuple[int, bytes]]]()
        for row, decision_id in zip(rows, ids, strict=True):
            if not await _has_place(places, self._due):
                break
            task = asyncio.create_task(self._row(row, decision_id))
            task.add_done_callback(lambda _: places.release())
            asked.append(task)
        results = list(await asyncio.gather(*asked))
        for start in range(len(asked), len(rows), _QUICK_ROWS):  # few, so that each is durable soon: it is late already
            some = slice(start, start + _QUICK_ROWS)
            results += await asyncio.gather(*map(self._row, rows[some], ids[some]))
        return results

    def _by(self) -> Serving:
        """What answers the next row: as the first, unless the model was switched off or its stage changed."""
        ours, now = self._serving, self._service.serving(self._serving.definition.name, self._principal)
        return ours if now.scorer is not None and now.live.stage is ours.live.stage else now

    async def _row(self, row: bytes, decision_id: str) -> tuple[int, bytes]:
        """Status and result of one row, in a task of its own; what goes wrong with it is its own."""
        requests.part()
        if decision_id in self._known:
            return 200, _encode({"status": 200, "answer": rules.answer_of(self._known[decision_id])})
        began = time.perf_counter()
        left_ms = max(0.0, (self._due - began) * 1000)
        use_case = self._serving.definition.name
        try:
            serving, person = self._by(), self._principal
            pending = await self._service.decide(use_case, row, person, began, left_ms, serving=serving)
            if decision_id:
                pending = pending.named(decision_id)
            answer = await self._service.record(pending if self._is_key_kept else pending.without_key())
        except PilotageError as error:
            return error.status, _refused(error, use_case)
        except Exception as error:  # noqa: BLE001  a door: one row's defect is not the other rows'
            found = defect(self._service.work, error, use_case)
            return found.status, _refused(found, use_case)
        return 200, _encode({"status": 200, "answer": answer})


async def _has_place(places: asyncio.Semaphore, due: float) -> bool:
    """Take a place as soon as one is free; whether one was, before it is due by ``time.perf_counter``."""
    left = due - time.perf_counter()
    if left <= 0:
        return False
    try:
        async with asyncio.timeout(left):
            return await places.acquire()
    except TimeoutError:
        return False


def _refused(error: PilotageError, use_case: str) -> bytes:
    problem = msgspec.Raw(problem_details(error, f"/v1/use-cases/{use_case}/decisions:batch"))
    content: dict[str, Any] = {"status": error.status, "problem": problem}
    return _encode(content)


def _reply(results: Sequence[tuple[int, bytes]]) -> bytes:
    answered = sum(status == 200 for status, _ in results)
    head = b'{"answered":%d,"refused":%d,"results":[' % (answered, len(results) - answered)
    return head + b",".join(result for _, result in results) + b"]}"
