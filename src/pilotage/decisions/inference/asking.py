"""A batch of rows, asked one by one: each is validated before any is decided, and each becomes a recorded decision."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from pilotage.decisions.answering.places import Places
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.inference import describing, tensors
from pilotage.decisions.inference.records import InferenceRequest
from pilotage.decisions.records import Answer
from pilotage.govern.flow.limits import Standing
from pilotage.govern.records import Principal
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound, Problem

SECONDS_MAX = 30.0
"""A whole batch; rows whose turn comes later are answered by the rule or the default, as too slow."""
_QUICK_ROWS, _READ_ROWS, _SLOW_ROWS = 16, 8, 1
"""Rows of one batch that are under way together, by what they wait for: single questions come in between."""
BATCHES_MAX, BATCHES_OF_ONE_MAX = 8, 6
"""Batches of one worker that are under way together: then at most as many rows are as single questions may be."""


class Asking:
    """Answers batches of one worker."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._places = Places(BATCHES_MAX, BATCHES_OF_ONE_MAX)

    async def infer(
        self,
        use_case: str,
        version: str | None,
        request: InferenceRequest,
        binary: bytes,
        principal: Principal,
        patience_ms: float | None,
    ) -> tuple[bytes, int | None, Standing | None]:
        """The reply's body, the size of its JSON where tensors follow as bytes, and how the key stands where
        it was counted for more than the one request.

        Raises:
            InvalidRequest: a tensor or a row that does not fit; then nothing was decided.
            NotFound: no such use case, or ``version`` is not the live one.
            Conflict: another version became live meanwhile; what was decided is recorded.
            TooMany: the key may not ask so often.
            Unavailable: too many batches are under way.
        """
        began = time.perf_counter()
        serving = self.service.serving(use_case, principal)
        demand_live(serving, version)
        kind, plan = serving.definition.use_case.kind, serving.definition.plan
        describing.check_wanted(kind, request.outputs)
        rows = tensors.rows_of(request, binary, describing.datatypes(plan))
        bodies = checked(serving, rows)
        more = len(bodies) - 1  # the request itself was counted when its key was read
        standing = self.service.limits.take(principal, more) if more else None
        with self._places.one(principal.id):
            answers, versions = await self._answers(use_case, version, bodies, principal, began, patience_ms)
        told = versions.pop() if len(versions) == 1 else None
        return *tensors.reply_of(request, use_case, told, describing.outputs(kind, answers, request.outputs)), standing

    async def _answers(
        self,
        use_case: str,
        version: str | None,
        bodies: Sequence[bytes],
        principal: Principal,
        began: float,
        patience_ms: float | None,
    ) -> tuple[list[Answer], set[str | None]]:
        """The answers, and what was live as they were given: a switch counts for the rows that are still to come.

        Each row has the use case's whole budget from its turn; what the caller waits for counts from the start.
        """
        answers: list[Answer] = []
        versions: set[str | None] = set()
        patience_ms = min(SECONDS_MAX * 1000, patience_ms or math.inf)
        while len(answers) < len(bodies):
            serving = self.service.serving(use_case, principal)
            if version is not None and serving.live.version != version:
                live = serving.live.version
                raise Conflict(f"{version} was replaced by {live} meanwhile.", "Ask for none, or for the new one.")
            now = time.perf_counter()
            left_ms = max(0.0, patience_ms - (now - began) * 1000)
            count = _at_once(serving) if left_ms else _QUICK_ROWS  # too late for any model: the rest waits for nothing
            part = bodies[len(answers) : len(answers) + count]
            asked = [self.service.answer(use_case, body, principal, now, left_ms, serving=serving) for body in part]
            answers += await asyncio.gather(*asked)
            versions.add(serving.live.version)
        return answers, versions


def _at_once(serving: Serving) -> int:
    """Slow models have few threads: a batch takes one of them at a time."""
    if serving.scorer is not None and not serving.quick:
        return _SLOW_ROWS
    return _READ_ROWS if serving.waits else _QUICK_ROWS


def checked(serving: Serving, rows: Sequence[dict[str, Any]]) -> list[bytes]:
    """The rows as bodies of single questions, all of which fit the contract.

    Raises:
        InvalidRequest: the first row that does not, counted from 0, with each field at fault.
    """
    bodies = [msgspec.json.encode(describing.known(serving.definition.plan, row)) for row in rows]
    for number, body in enumerate(bodies):
        try:
            serving.contract.decode(body)
        except InvalidRequest as error:
            problems = [Problem(f"row {number}, {one.where}", one.message, one.repair) for one in error.problems]
            raise InvalidRequest(error.message, error.repair, problems) from None
    return bodies


def demand_live(serving: Serving, version: str | None) -> None:
    """That a version, where one is asked for, is the live one: others answer nobody.

    Raises:
        NotFound: it is not.
    """
    if version is not None and version != serving.live.version:
        name, live = serving.definition.name, serving.live.version
        raise NotFound(
            f"Version {version} of {name} is not live.",
            f"Live is {live}: ask for it, or for none."
            if live
            else "None is: the rule answers when none is asked for.",
        )
