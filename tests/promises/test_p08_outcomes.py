"""Promise 8: outcomes have one effect for each (source, id, version), however they are told to two served processes."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from pilotage.decisions import store as ledger
from pilotage.outcomes import flow as outcomes
from pilotage.outcomes.reports_store import reports
from pilotage.platform.workspace import Workspace
from tests.living import NAME
from tests.promises.asking import App, apps
from tests.promises.installation import BODY, PATH, Running, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

ADDRESS = "/v1/outcomes"
SMALL, LARGE = (12, 2), (150, 4)
"""How many things are decided, and how often each report is told."""
VERSIONS = (1, 2, 3, 4)
ROWS_MAX = 8
SEED = 8
Row = dict[str, Any]

pytestmark = pytest.mark.both_stores


def story_of(thing: str, chance: random.Random) -> list[Row]:
    """What a system tells of a thing: the first word and its corrections, the newest of which counts."""
    return [
        {
            "source": "crm",
            "id": f"event-{thing}",
            "version": version,
            "happened": chance.random() < 0.5,
            "known_at": f"2013-12-{6 + version:02}T{chance.randrange(24):02}:00:00Z",
            "use_case": NAME,
            "entity": thing,
        }
        for version in VERSIONS
    ]


def in_parts(rows: Sequence[Row], times: int, chance: random.Random) -> Iterator[list[Row]]:
    """Every row so often, shuffled, in requests of one row to some."""
    told = [row for row in rows for _ in range(times)]
    chance.shuffle(told)
    while told:
        count = chance.randint(1, ROWS_MAX)
        yield told[:count]
        del told[:count]


@dataclass
class Telling:
    """What was answered to each row, by source, id and version."""

    effects: dict[tuple[str, str, int], Counter[str]] = field(default_factory=dict)
    rows: int = 0
    failed: int = 0

    async def tell(self, app: App, part: Sequence[Row]) -> None:
        """Tell some rows; what was not taken is told again, as an app would."""
        reply = await app.ask(ADDRESS, {"outcomes": list(part)})
        while reply.status != 200:
            self.failed += 1
            assert self.failed < 1_000, reply
            reply = await app.ask(ADDRESS, {"outcomes": list(part)})
        self.rows += len(part)
        for row, result in zip(part, reply.json["results"], strict=True):
            known = self.effects.setdefault((row["source"], row["id"], row["version"]), Counter())
            known[result["effect"]] += 1


async def tell_all(both: Sequence[Running], parts: Iterator[list[Row]], telling: Telling) -> None:
    async def one(app: App) -> None:
        for part in parts:
            await telling.tell(app, part)

    here, there = both
    async with apps(here.port, here.headers, 3) as some, apps(there.port, there.headers, 3) as others:
        await asyncio.gather(*(one(app) for app in (*some, *others)))


async def decide(served: Running, things: Sequence[str]) -> None:
    async with apps(served.port, served.headers, 1) as (app,):
        for thing in things:
            reply = await app.ask(PATH, {**BODY, "thing": thing})
            assert reply.status == 200, reply


def counting(work: Workspace) -> dict[str, tuple[Any, str]]:
    """By entity, what counts and which report said so."""
    newest = outcomes.newest(work, NAME).values()
    return {each.entity: (each.happened, each.told_by) for each in newest if each.told_by}


def wanted(rows: Sequence[Row]) -> Mapping[str, tuple[Any, str]]:
    newest = VERSIONS[-1]
    return {row["entity"]: (row["happened"], f"crm/{row['id']}/{newest}") for row in rows if row["version"] == newest}


@pytest.mark.parametrize(("things", "times"), [SMALL, pytest.param(*LARGE, marks=pytest.mark.long)])
def test_each_report_has_one_effect_and_the_unknown_wait_for_their_decision(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, store: str, things: int, times: int
) -> None:
    here = installed(work, monkeypatch)
    chance = random.Random(SEED)
    names = [f"o{number}" for number in range(things)]
    rows = list(itertools.chain.from_iterable(story_of(name, chance) for name in names))
    known, unknown = names[::2], names[1::2]
    telling = Telling()
    with running(here) as one, running(here) as two:
        asyncio.run(decide(one, known))
        wait_until(lambda: len(in_ledger(work)) >= len(known))
        asyncio.run(tell_all((one, two), in_parts(rows, times, chance), telling))
        early = counting(work)
        waiting = {each.entity for each in quarantined(work)}
        asyncio.run(decide(two, unknown))
        wait_until(lambda: not quarantined(work), 60)
        late = counting(work)
        asyncio.run(tell_all((one, two), in_parts(rows, 1, chance), telling))
    is_joined = early == {name: said for name, said in wanted(rows).items() if name in known}
    more_than_one = sum(sum(kinds.values()) - kinds["repeated"] != 1 for kinds in telling.effects.values())
    assert counting(work) == late, "what is told again changes nothing"
    assert kept(work) == len(rows)
    promise(
        8,
        what=store,
        figure=(
            f"{more_than_one} of {len(rows):,} reports without exactly one effect in {telling.rows:,} tellings, "
            f"{len(waiting):,} quarantined and joined"
        ),
        n=telling.rows,
        passed=more_than_one == 0 and is_joined and waiting == set(unknown) and late == wanted(rows),
    )


def in_ledger(work: Workspace) -> set[str]:
    with work.database.reading() as connection:
        return {each.entity for each in ledger.recent(connection, NAME, 100_000)} - {BODY["thing"]}


def quarantined(work: Workspace) -> list[Any]:
    with work.database.reading() as connection:
        return list(connection.execute(sa.select(reports).where(reports.c.quarantined)))


def kept(work: Workspace) -> int:
    with work.database.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(reports)).scalar_one())
