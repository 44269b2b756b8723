"""Questions that come together: how many begin in one turn of the event loop, and how many more a worker reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilotage.decisions.answering.service import Service
from pilotage.decisions.http import route
from pilotage.decisions.http.route import IN_FLIGHT_MAX, DecisionRoute
from pilotage.platform.workspace import Workspace

SCOPE = {"type": "http", "method": "POST", "path": "/v1/use-cases/small/decisions", "headers": []}


class Counted(DecisionRoute):
    """One whose questions only wait, in the turn of the event loop in which they began."""

    turn = 0

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.began: list[tuple[int, int]] = []
        self.end = asyncio.Event()

    async def _answered(self, use_case: str, scope: Any, receive: Any, send: Any) -> None:
        self.began.append((self.turn, int(use_case)))
        await self.end.wait()


@pytest.fixture
def service(work: Workspace) -> Service:
    return Service(work)


async def _nothing(*_: object) -> dict[str, object]:
    return {"type": "http.request"}


def test_what_comes_together_begins_in_the_order_in_which_it_came_so_many_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "IN_ONE_TURN_MAX", 8)

    async def ask() -> list[tuple[int, int]]:
        counted, asked = Counted(service), 27
        tasks = [asyncio.create_task(counted(str(number), SCOPE, _nothing, _nothing)) for number in range(asked)]
        while len(counted.began) < asked:
            await asyncio.sleep(0)
            counted.turn += 1
        counted.end.set()
        await asyncio.gather(*tasks)
        return counted.began

    began = asyncio.run(ask())
    turns = [turn for turn, _ in began]
    assert [number for _, number in began] == list(range(len(began)))
    assert {turns.count(turn) for turn in set(turns)} == {8, 3}


def test_a_worker_is_full_of_what_it_has_read_before_any_of_it_begins(service: Service) -> None:
    async def read() -> list[bool]:
        asked = DecisionRoute(service)
        full = []
        for _ in range(IN_FLIGHT_MAX):
            full.append(not asked.has_place())
            asked.comes()
        full.append(not asked.has_place())
        await asyncio.sleep(0)
        return [*full, not asked.has_place()]

    assert asyncio.run(read()) == [False] * IN_FLIGHT_MAX + [True, False]
