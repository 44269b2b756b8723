"""Whatever happens to a source: what is visible is what it has, and what was visible then stays so."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from pilotage.data import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from tests.data.shop import TEXT, WITH_STORES, fill, shop
from tests.data.stored import changed, newest, result_of, versions

EVERYTHING = WITH_STORES.replace(
    "    table: visits\n", "    table: visits\n    deletions: compared\n    late: 2 hours\n"
)
VISIBLE: dict[str, tuple[str, ...]] = {"visits": ("visit_id", "score", "grade"), "stores": ("store", "region")}


def rows_in(path: Path, table: str) -> list[tuple[Any, ...]]:
    """What a table of the shop has now."""
    connection = pysqlite3.connect(str(path))
    rows = connection.execute(f"SELECT {', '.join(VISIBLE[table])} FROM {table}").fetchall()
    connection.close()
    return sorted(rows, key=repr)


def visible(work: Workspace, source: str, moment: datetime) -> list[tuple[Any, ...]]:
    """What the present snapshot says was visible of a source at a moment."""
    key = VISIBLE[source][0]
    by_key: dict[Any, dict[str, Any]] = {}
    for row in versions(work, source):
        if row["_known_at"] <= moment:
            by_key[row[key]] = row
    rows = [tuple(row[name] for name in VISIBLE[source]) for row in by_key.values() if not row["_deleted"]]
    return sorted(rows, key=repr)


def something_happens(path: Path, at: datetime, chance: random.Random) -> None:
    """New rows, corrections with a new clock, changes in place, deletions, and returns of deleted keys."""
    known_at = f"{at:%Y-%m-%d %H:%M:%S.%f}"
    for _ in range(chance.randint(0, 4)):
        visit, score = f"x{chance.randint(0, 5)}", float(chance.randint(0, 9))
        kind = chance.choice(["write", "write", "in place", "delete", "restore"])
        if kind == "write":
            changed(path, f"DELETE FROM visits WHERE visit_id = '{visit}'")
            fill(path, "visits", [(visit, "north", score, "a", at, at)])
        elif kind == "in place":
            recently = f"known_at > '{at - timedelta(hours=2):%Y-%m-%d %H:%M:%S}'"
            changed(path, f"UPDATE visits SET score = {score} WHERE visit_id = '{visit}' AND {recently}")
        elif kind == "delete":
            seen = f"known_at < '{known_at}'"  # one that no sync ever saw would come back as a late row
            changed(path, f"INSERT INTO away SELECT * FROM visits WHERE visit_id = '{visit}' AND {seen}")
            changed(path, f"DELETE FROM visits WHERE visit_id = '{visit}'")
        else:
            gone = "NOT EXISTS (SELECT 1 FROM visits v WHERE v.visit_id = away.visit_id) "
            changed(path, f"INSERT INTO visits SELECT * FROM away WHERE {gone} ORDER BY rowid LIMIT 1")
        store = chance.choice(["north", "south", "east"])
        changed(path, f"DELETE FROM stores WHERE store = '{store}'")
        if chance.random() < 0.7:
            changed(path, f"INSERT INTO stores VALUES ('{store}', '{chance.choice(['sea', 'hill'])}')")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_what_is_visible_is_what_the_source_has_and_what_was_visible_stays_so(
    work: Workspace, shop_path: Path, clock: FixedClock, seed: int
) -> None:
    chance = random.Random(seed)
    fill(shop_path, "stores", [("west", "sea")], "store TEXT, region TEXT")
    changed(shop_path, "CREATE TABLE away AS SELECT * FROM visits WHERE false")
    flow.sync(work, shop(EVERYTHING))
    then: dict[datetime, dict[str, list[tuple[Any, ...]]]] = {}
    for _ in range(6):
        clock.advance(timedelta(minutes=chance.choice([10, 50, 200])))
        something_happens(shop_path, clock.now() - timedelta(seconds=1), chance)
        flow.sync(work, shop(EVERYTHING))
        then[clock.now().replace(tzinfo=None)] = {source: rows_in(shop_path, source) for source in VISIBLE}
    for source in VISIBLE:
        assert sorted(newest(work, source, *VISIBLE[source]), key=repr) == rows_in(shop_path, source)
        for moment, was in then.items():
            assert visible(work, source, moment) == was[source], (source, moment)


def test_a_column_that_a_source_gained_does_not_cost_its_history(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    text = EVERYTHING
    fill(shop_path, "stores", [("north", "sea"), ("south", "hill")], "store TEXT, region TEXT")
    flow.sync(work, shop(text))
    clock.advance(timedelta(hours=1))
    first_change = clock.now().replace(tzinfo=None)
    changed(shop_path, "DELETE FROM visits WHERE visit_id = 'v7'")
    changed(shop_path, "UPDATE visits SET score = 77 WHERE visit_id = 'v149'")
    changed(shop_path, "UPDATE stores SET region = 'coast' WHERE store = 'north'")
    flow.sync(work, shop(text))
    before = {source: [{**row} for row in versions(work, source)] for source in VISIBLE}
    clock.advance(timedelta(hours=1))
    changed(shop_path, "ALTER TABLE visits ADD COLUMN stars REAL DEFAULT 5")
    changed(shop_path, "ALTER TABLE stores ADD COLUMN size REAL DEFAULT 3")
    more = "  last_stars: {latest: visits, by: store, take: stars}\n  size: {latest: stores, by: store}\n  last_grade:"
    results = flow.sync(work, shop(text.replace("  last_grade:", more)))
    assert [(r.rows_new, r.late, r.corrected, r.deleted) for r in results] == [(0, 0, 0, 0)] * 4
    assert result_of(results, "visits").rows == len(before["visits"])
    for source, gained in (("visits", "stars"), ("stores", "size")):
        after = versions(work, source)
        assert [{k: v for k, v in row.items() if k != gained} for row in after] == before[source]
        present = [row[gained] for row in after if (row["_known_at"], row["_deleted"]) == (first_change, False)]
        assert present == [5.0 if source == "visits" else 3.0]
    assert flow.build(work, shop(text.replace("  last_grade:", more))).rows > 0


def test_frequent_syncs_leave_few_segments_and_every_row_once(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    for number in range(6):
        clock.advance(timedelta(minutes=5))
        fill(shop_path, "visits", [(f"w{number}", "north", 1.0, "a", clock.now(), clock.now())])
        flow.sync(work, shop(TEXT))
    assert len(versions(work, "visits")) == 156
    assert len(flow.snapshot(work, "returns", "visits").segments) <= 3
