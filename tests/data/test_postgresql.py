"""A PostgreSQL source gives the rows that SQLite gives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pilotage.data import flow
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.shop import TEXT, shop
from tests.postgres import scratch_cluster

pytestmark = pytest.mark.postgres

MAKE = """
CREATE TABLE orders (order_id text, store varchar(20), amount numeric(10, 2), placed_at timestamp,
                     known_at timestamptz);
CREATE TABLE visits_kept (visit_id integer, store text, score numeric, grade text, happened_at timestamp,
                          known_at timestamp, extra jsonb);
CREATE VIEW visits AS SELECT * FROM visits_kept;
CREATE TABLE returns (order_id text, returned smallint, known_at timestamp);
INSERT INTO orders SELECT 'o' || n, 'north', n, t, t AT TIME ZONE 'UTC'
FROM (SELECT n, timestamp '2013-12-01' + n * interval '70 minutes' AS t FROM generate_series(0, 59) n) g;
INSERT INTO visits_kept SELECT n, 'north', mod(n, 9) + 0.5, 'a', t, t, '{"a": 1}'
FROM (SELECT n, timestamp '2013-12-01' + n * interval '30 minutes' AS t FROM generate_series(0, 149) n) g;
INSERT INTO returns SELECT 'o' || n, (mod(n, 3) = 0)::int, timestamp '2013-12-02' + n * interval '70 minutes'
FROM generate_series(0, 59) n;
CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with scratch_cluster() as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(MAKE)
        engine.dispose()
        yield str(sa.make_url(url).set(username="reader"))


def test_numbers_zones_and_views_are_read_and_a_training_set_is_built(
    work: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", address)
    assert [result.rows_new for result in flow.sync(work, shop())] == [60, 150, 60]
    assert [result.rows_new for result in flow.sync(work, shop())] == [0, 0, 0]
    built = flow.build(work, shop())
    rows = flow.training_rows(work, built).to_pylist()
    by_entity = {row["entity"]: row for row in rows}
    assert by_entity["o6"]["amount"] == 6.0
    assert by_entity["o6"]["moment"].replace(tzinfo=DAY.tzinfo) == DAY + timedelta(hours=7)
    assert by_entity["o6"]["last_score"] == 14 % 9 + 0.5
    assert by_entity["o6"]["label"] is True


def test_a_missing_table_is_named_with_the_nearest(
    work: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", address)
    with pytest.raises(SourceUnavailable, match="Did you mean visits"):
        flow.sync(work, shop(TEXT.replace("table: visits", "table: vists")))


def test_without_adbc_the_same_rows_come_by_psycopg(
    work: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", address)
    by_adbc = [result.version for result in flow.sync(work, shop())]
    with work.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    assert [result.version for result in flow.sync(work, shop())] == by_adbc
