"""Promise 7: idempotency keys, asked of two served processes, through their restart and over a day of the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pilotage.decisions import store
from pilotage.platform.replies import kept_replies
from pilotage.platform.workspace import Workspace
from tests.living import NAME
from tests.promises.asking import App, Reply, apps
from tests.promises.installation import BODY, PATH, Running, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

FEW, MANY = 12, 1_500
TWINS = 4
AT_ONCE = 6
PROMISED = timedelta(hours=24)


def keyed(number: int) -> dict[str, str]:
    return {"Idempotency-Key": f'"order-{number}"'}


def body(number: int, size: int = 7) -> dict[str, Any]:
    return {**BODY, "thing": f"t{number}", "size": size}


async def each_of(served: Running, numbers: Sequence[int], ask: Any, key: Mapping[str, str] | None = None) -> list[Any]:
    """What comes of asking ``ask(app, number)`` for every number, over some new connections; in their order."""
    found: dict[int, Any] = {}
    left = iter(numbers)

    async def one(app: App) -> None:
        for number in left:
            found[number] = await ask(app, number)

    async with apps(served.port, key or served.headers, AT_ONCE) as made:
        await asyncio.gather(*(one(app) for app in made))
    return [found[number] for number in numbers]


async def first(app: App, number: int) -> Reply:
    return await app.ask(PATH, body(number), keyed(number))


async def other_body(app: App, number: int) -> Reply:
    return await app.ask(PATH, body(number, size=3), keyed(number))


def replayed(before: Sequence[Reply], after: Sequence[Reply]) -> int:
    """How many got the same bytes again, and were told so."""
    same = (
        one.status == other.status == 200
        and one.content == other.content
        and other.headers.get("idempotency-replayed") == "true"
        for one, other in zip(before, after, strict=True)
    )
    return sum(same)


def decided(work: Workspace) -> int:
    with work.database.reading() as connection:
        return len(store.recent(connection, NAME, 1_000_000))


def move_back(work: Workspace, by: timedelta) -> None:
    """As if what is kept had been kept so much longer."""
    with work.database.writing() as connection:
        table = kept_replies
        for row in connection.execute(table.select()).all():
            own = (table.c.caller == row.caller, table.c.key == row.key)
            connection.execute(table.update().where(*own).values(begun_at=row.begun_at - by))


@pytest.mark.parametrize("n", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_a_key_has_one_effect_and_one_reply(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, n: int
) -> None:
    here = installed(work, monkeypatch)
    here.break_with(model="slow", seconds=0.002)
    numbers = range(n)
    with running(here) as one, running(here) as served:  # each with a worker of its own, over one installation
        given = asyncio.run(each_of(one, numbers, first))
        again = replayed(given, asyncio.run(each_of(served, numbers, first)))
        refused = asyncio.run(each_of(served, numbers, other_body))
        stranger = {"Authorization": f"Bearer {here.new_key('stranger')}"}
        wait_until(lambda: asyncio.run(App(served.port, stranger).ask(PATH, body(0))).status == 200)
        foreign = asyncio.run(each_of(served, numbers, first, stranger))
        here.break_with(model="slow", seconds=0.25)
        twins = asyncio.run(twins_of((one, served), [f"twin-{number}" for number in range(max(2, n // 30))]))
        here.break_with()
    with running(here, PILOTAGE_DRAIN_SECONDS="0") as served:
        restarted = replayed(given, asyncio.run(each_of(served, numbers, first)))
        move_back(work, PROMISED)
        a_day_later = replayed(given, asyncio.run(each_of(served, numbers, first)))
        served.process.terminate()
        served.process.wait(60)
    ids = {each.json["id"] for each in given}
    unprocessable = sum(each.status == 422 for each in refused)
    independent = sum(each.status == 200 and each.json["id"] not in ids for each in foreign)
    counts = {
        "same on the other worker": again,
        "after a restart": restarted,
        "after 24 h": a_day_later,
        "422 for another body": unprocessable,
        "own reply for another caller": independent,
    }
    promise(
        7,
        what="keys",
        figure=", ".join(f"{name} {count:,}" for name, count in counts.items()),
        n=n,
        passed=len(ids) == n and all(count == n for count in counts.values()),
    )
    in_flight, effects = twins
    promise(
        7,
        what="in flight",
        figure=f"409 for {in_flight:,} twins, {effects:,} effects",
        n=max(2, n // 30),
        passed=in_flight == max(2, n // 30) * (TWINS - 1) and effects == max(2, n // 30),
    )
    with_key = len(ids) + len({each.json["id"] for each in foreign}) + effects
    without_key = decided(work) - with_key
    assert 0 < without_key < 200, "each key has one decision; the rest are questions without one, to see it run"


async def twins_of(both: Sequence[Running], keys: Sequence[str]) -> tuple[int, int]:
    """Of requests that are sent while their twin is being answered, here or by the other process: how many were told
    so; and different replies."""
    conflicts, ids = 0, set()
    here, there = both
    async with apps(here.port, here.headers, TWINS // 2) as some, apps(there.port, there.headers, TWINS // 2) as others:
        for key in keys:
            name = {"Idempotency-Key": key}
            came = await asyncio.gather(*(app.ask(PATH, body(0), name) for app in (*some, *others)))
            conflicts += sum(each.status == 409 and int(each.headers["retry-after"]) >= 1 for each in came)
            ids |= {each.json["id"] for each in came if each.status == 200}
    return conflicts, len(ids)
