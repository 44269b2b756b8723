"""A live question on a DuckDB file: the snapshot's values, from the file as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import duckdb
import pytest

from pilotage.data import flow
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.places.test_source import NEWEST, placed, request
from tests.data.shop import TEXT

_SCHEMA = """
CREATE TABLE orders (order_id INTEGER, store {store}, amount DECIMAL(10, 2), placed_at TIMESTAMPTZ,
                     known_at TIMESTAMPTZ);
CREATE TABLE visits (visit_id INTEGER, store {store}, score FLOAT, grade VARCHAR, happened_at TIMESTAMPTZ,
                     known_at TIMESTAMP);
CREATE TABLE returns (order_id INTEGER, returned INTEGER, known_at TIMESTAMP);
"""
_VISIT = "INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?)"


@pytest.fixture(
    params=["VARCHAR", "INTEGER", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("BIGINT", "DOUBLE"))]
)
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "shop.duckdb"
    monkeypatch.setenv("SHOP", f"duckdb:///{path}")
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_SCHEMA.format(store=request.param))
        orders = [(n, n % 3, n, DAY + n * timedelta(minutes=70)) for n in range(60)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", [(*row, row[-1]) for row in orders])
        returns = [(n, int(n % 3 == 0), (at + timedelta(hours=20)).replace(tzinfo=None)) for n, _, _, at in orders]
        connection.executemany("INSERT INTO returns VALUES (?, ?, ?)", returns)
        rows = [(n, n % 2, n % 9 / 8, "abc"[n % 3], DAY + n * timedelta(minutes=30)) for n in range(150)]
        connection.executemany(_VISIT, [(*row, row[-1].replace(tzinfo=None)) for row in rows])
        corrected = (NEWEST - timedelta(minutes=50)).replace(tzinfo=None)
        connection.execute(_VISIT, [140, 1, 7.5, "c", NEWEST - timedelta(hours=4), corrected])
    yield path


def test_the_source_gives_what_the_snapshot_gives_whatever_its_key_is_kept_as(work: Workspace, path: Path) -> None:
    definition = placed(TEXT)
    flow.sync(work, definition)
    memory, source = flow.open_live(work, definition, places=False), flow.open_live(work, definition)
    found = set()
    for minutes in range(-90, 60, 15):
        moment = NEWEST + timedelta(minutes=minutes, microseconds=minutes)
        for store in ("0", "1", "01", "x", "9" * 30, None):
            told = source.assemble_told(request(store, moment), moment)
            assert told.missing == {}
            assert told.values == memory.assemble(request(store, moment), moment)
            found.add(told.values["last_score"])
    assert len(found) > 5


@pytest.mark.parametrize("path", ["VARCHAR"], indirect=True)
def test_a_row_that_no_sync_has_seen_yet_counts_as_soon_as_it_is_written(work: Workspace, path: Path) -> None:
    definition = placed(TEXT)
    flow.sync(work, definition)
    live = flow.open_live(work, definition)
    moment = NEWEST + timedelta(minutes=5)
    before = live.assemble(request("1", moment), moment)
    with duckdb.connect(str(path)) as connection:  # a reader that stayed open would keep the writer out
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_VISIT, [999, "1", 8.5, "z", moment, moment.astimezone(UTC).replace(tzinfo=None)])
    after = live.assemble(request("1", moment), moment)
    assert (after["last_score"], after["last_grade"]) == (8.5, "z")
    assert after["count_by_store_2h"] == before["count_by_store_2h"] + 1


@pytest.mark.parametrize("path", ["VARCHAR"], indirect=True)
def test_while_the_file_is_gone_its_columns_are_missing(work: Workspace, path: Path) -> None:
    definition = placed(TEXT)
    flow.sync(work, definition)
    live = flow.open_live(work, definition)
    path.rename(path.with_suffix(".away"))
    told = live.assemble_told(request("1", NEWEST), NEWEST)
    assert told.missing["last_score"] == "unreachable"
    assert told.values["last_score"] is None


@pytest.mark.parametrize("path", ["VARCHAR"], indirect=True)
def test_a_file_is_synced_built_from_and_materialised_into_while_it_is_a_source(work: Workspace, path: Path) -> None:
    definition = placed(TEXT)
    results = flow.sync(work, definition)
    assert {result.source: result.rows for result in results} == {"orders": 60, "visits": 151, "returns": 60}
    assert flow.build(work, definition).rows_in == 60
    written = flow.materialise(work, definition, f"duckdb:///{path}", "shop_now")
    assert written
    assert flow.sync(work, definition)[0].rows_new == 0
