"""Who switches does not wait for who asks: control requests have threads of their own."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest

from pilotage.app import Application
from pilotage.decisions.answering.scoring import Scoring
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.breaker import Breaker
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.web.lanes import Lanes, open_lanes
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.small import FILE, Model, serving

IN_FLIGHT = 128
HOGS = 100
"""Pages and uploads at once, each of which takes long: many times the threads for them."""


def sleeping() -> float:
    """A model that waits for something, and overruns its budget."""
    time.sleep(3)
    return 0.9


def computing() -> float:
    """A model that overruns its budget and keeps the interpreter to itself meanwhile."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        sum(range(100))
    return 0.9


@asynccontextmanager
async def steered(work: Workspace, model: Callable[[], float]) -> AsyncIterator[tuple[httpx.AsyncClient, Application]]:
    """The application, an app's key, and an owner who is logged in."""
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    password = governing.add_person(work, SYSTEM, "olga", (Grant(Role.OWNER, "small"),))
    session = governing.log_in(work, "olga", password)
    open_lanes()
    async with asked(work, serving(definition, Model(model)), key_of(work)) as (client, app):
        app.service.phase = "running"
        app.service.scoring = Scoring(breaker=lambda: Breaker(failures_max=1_000_000))  # it is asked again and again
        client.cookies.set(SESSION, session)
        yield client, app


async def token_of(client: httpx.AsyncClient) -> str:
    """What a form of ours carries."""
    return (await client.get("/log-in")).text.split('name="_csrf_token" value="')[1].split('"')[0]


async def control(client: httpx.AsyncClient, rounds: int, token: str) -> list[float]:
    """Seconds of each of four control requests, again and again; the switch really switches."""
    taken = []
    for number in range(rounds):
        form = {"enabled": "true" if number % 2 else "false", "reason": "look", "_csrf_token": token}
        for path in ("/healthz", "/readyz", "/metrics", "/use-cases/small/switch"):
            began = time.perf_counter()
            reply = await (client.post(path, data=form) if path.endswith("switch") else client.get(path))
            taken.append(time.perf_counter() - began)
            assert reply.status_code in (200, 303), reply.text
    return taken


@pytest.fixture(autouse=True)
def own_turns() -> Iterator[None]:
    """Turns are as long as they were, for the tests that follow."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


async def under_load(work: Workspace, model: Callable[[], float], rounds: int) -> tuple[list[float], list[float], int]:
    """Control requests before, and while scoring and pages are saturated; and how many questions were in flight."""
    over = threading.Event()
    async with steered(work, model) as (client, app):
        token = await token_of(client)
        quiet = await control(client, rounds, token)
        hogs = [asyncio.create_task(asyncio.to_thread(over.wait, 60)) for _ in range(HOGS)]

        async def keep_asking(number: int) -> None:
            await asyncio.sleep(number / IN_FLIGHT)  # apps do not ask all at the same instant
            while not over.is_set():
                await client.post(PATH, json=QUESTION)
                await asyncio.sleep(1)  # those that are turned away at once come again, and not at once

        asking = [asyncio.create_task(keep_asking(number)) for number in range(IN_FLIGHT)]
        await asyncio.sleep(1.2)
        in_flight = app._decisions._in_flight
        busy = await control(client, rounds, token)
        over.set()
        await asyncio.gather(*hogs, *asking)
    return quiet, busy, in_flight


@pytest.mark.parametrize("model", [sleeping, computing])
def test_control_answers_while_scoring_and_pages_are_saturated(work: Workspace, model: Callable[[], float]) -> None:
    demand_quick(work, model, rounds=10, quantile=0.9)


@pytest.mark.long
@pytest.mark.parametrize("model", [sleeping, computing])
def test_control_answers_while_scoring_and_pages_are_saturated_for_long(
    work: Workspace, model: Callable[[], float]
) -> None:
    demand_quick(work, model, rounds=500, quantile=0.99)


def demand_quick(work: Workspace, model: Callable[[], float], rounds: int, quantile: float) -> None:
    """Under 100 ms; on a machine that is busy elsewhere, not much longer than without load."""
    quiet, busy, in_flight = asyncio.run(under_load(work, model, rounds))
    assert rounds % 2 == 0  # so that it is on before and after
    before, while_busy = (1000 * float(np.quantile(each, quantile)) for each in (quiet, busy))
    told = (
        f"p{100 * quantile:.0f} {while_busy:.1f} ms with {in_flight} in flight, n = {len(busy)}; {before:.1f} ms idle"
    )
    print(f"control, {model.__name__}: {told}")
    assert in_flight >= 0.8 * IN_FLIGHT
    assert while_busy < max(100.0, 5 * before)
    assert len(releasing.history(work, "small", limit=None)) == 2 * rounds


def test_what_fills_one_lane_leaves_the_other_free() -> None:
    over = threading.Event()

    async def once() -> float:
        from pilotage.web.lanes import _is_control

        asyncio.get_running_loop().set_default_executor(Lanes(2, 1))
        hogs = [asyncio.create_task(asyncio.to_thread(over.wait, 20)) for _ in range(10)]
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        token = _is_control.set(True)
        name = await asyncio.to_thread(lambda: threading.current_thread().name)
        _is_control.reset(token)
        taken = time.perf_counter() - began
        over.set()
        await asyncio.gather(*hogs)
        assert name.startswith("control")
        return taken

    assert asyncio.run(once()) < 5
