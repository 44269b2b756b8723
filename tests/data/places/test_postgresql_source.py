"""A live question on PostgreSQL: the snapshot's values, by the index, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pilotage.data import flow
from pilotage.data.flow.placing import readers_of
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from tests import postgres
from tests.data.conftest import DAY
from tests.data.places.test_source import NEWEST, placed, request
from tests.data.shop import TEXT

SCHEMA = """
CREATE TABLE orders (order_id int, store varchar(20), amount numeric(10, 2), placed_at timestamptz,
                     known_at timestamptz);
CREATE TABLE visits (visit_id int, store {store}, score real, grade text, happened_at timestamptz, known_at timestamp);
CREATE TABLE returns (order_id int, returned int, known_at timestamp);
"""
VISIT = "INSERT INTO visits VALUES (%s, %s, %s, %s, %s, %s)"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.cluster_or_skip("live reading of PostgreSQL") as address:
        yield address


@pytest.fixture(params=["varchar(20)", "int", "bigint", "numeric"])
def database(request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SHOP", url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS orders, visits, returns CASCADE")
        connection.execute(SCHEMA.format(store=request.param))
        for n in range(60):
            at = DAY + n * timedelta(minutes=70)
            connection.execute("INSERT INTO orders VALUES (%s, %s, %s, %s, %s)", [n, str(n % 3), n, at, at])
            connection.execute(
                "INSERT INTO returns VALUES (%s, %s, %s)", [n, int(n % 3 == 0), at + timedelta(hours=20)]
            )
        rows = [(n, n % 2, n % 9 / 8, "abc"[n % 3], DAY + n * timedelta(minutes=30)) for n in range(150)]
        with connection.cursor() as cursor:
            cursor.executemany(VISIT, [(*row, row[-1]) for row in rows])
        connection.execute(
            "INSERT INTO visits VALUES (140, 1, 7.5, 'c', %s, %s)",
            [NEWEST - timedelta(hours=4), NEWEST - timedelta(minutes=50)],
        )
        yield connection


def postgresql_shop() -> Definition:
    text = TEXT.replace("    database: env:SHOP\n", "    database: env:SHOP\n    accept_writer: true\n")
    return placed(text)


def test_the_source_gives_what_the_snapshot_gives_whatever_its_key_is_kept_as(
    work: Workspace, database: Any, clock: FixedClock
) -> None:
    definition = postgresql_shop()
    flow.sync(work, definition)
    memory, source = flow.open_live(work, definition, places=False), flow.open_live(work, definition)
    for minutes in range(-90, 60, 10):
        moment = NEWEST + timedelta(minutes=minutes, microseconds=minutes)
        for store in ("0", "1", "01", "x", "9" * 30, None):
            told = source.assemble_told(request(store, moment), moment)
            assert told.missing == {}
            assert told.values == memory.assemble(request(store, moment), moment)


@pytest.mark.parametrize("database", ["varchar(20)", "int"], indirect=True)
def test_among_many_rows_a_question_is_a_matter_of_an_index(work: Workspace, database: Any) -> None:
    database.execute(
        "INSERT INTO visits SELECT n, n %% 5000, n %% 7, 'a', %s::timestamptz + n * interval '2 seconds', "
        "%s::timestamptz + n * interval '2 seconds' FROM generate_series(1000, 100000) n",
        [DAY, DAY],
    )
    database.execute("CREATE INDEX ON visits (store, happened_at); CREATE INDEX ON visits (visit_id); ANALYZE visits")
    definition = postgresql_shop()
    flow.sync(work, definition)
    reader = readers_of(work, definition, flow.current_snapshots(work, definition))[0]
    session: Any = reader._workers._opened()
    moment = NEWEST.replace(tzinfo=None)
    given = {"moment": moment, "store": "7", "n1_1": 7}
    plan = "\n".join(row[0] for row in database.execute(f"EXPLAIN {session._sql}".encode(), given).fetchall())
    assert "Seq Scan on visits" not in plan, plan
    began = time.perf_counter()
    session.ask({"store": "7"}, NEWEST)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("database", ["varchar(20)"], indirect=True)
def test_a_database_that_locks_its_table_costs_only_the_budget(work: Workspace, database: Any, url: str) -> None:
    definition = postgresql_shop()
    flow.sync(work, definition)
    reader = readers_of(work, definition, flow.current_snapshots(work, definition))[0]
    reader.wait_seconds = 20.0
    assert reader.read({"store": "1"}, NEWEST).missing == {}
    reader.wait_seconds = 0.2
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE visits IN ACCESS EXCLUSIVE MODE")
        began = time.perf_counter()
        read = reader.read({"store": "1"}, NEWEST)
        assert time.perf_counter() - began < 2.0
        assert set(read.missing.values()) == {"too_slow"}
    reader.wait_seconds = 20.0
    assert reader.read({"store": "1"}, NEWEST).missing == {}
