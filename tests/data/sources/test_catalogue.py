"""What SQLite, DuckDB, PostgreSQL and MariaDB say of their tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pymysql
import pysqlite3
import pytest
import sqlalchemy as sa

from pilotage.data.sources import NoSuchTable
from pilotage.data.sources.databases.catalogue import Points, Table, catalogue, sample
from pilotage.platform.errors import SourceUnavailable
from tests.mariadb import ROOT_PASSWORD

COMMON = """
CREATE TABLE customers (id integer PRIMARY KEY, email varchar(99) NOT NULL, UNIQUE (email));
CREATE TABLE order_lines (order_id integer, line integer, customer integer, amount decimal(9, 2), placed_at timestamp,
  PRIMARY KEY (order_id, line), FOREIGN KEY (customer) REFERENCES customers (id));
CREATE UNIQUE INDEX one_a_day ON order_lines (customer, placed_at);
INSERT INTO customers VALUES (1, 'a@example.com'), (2, 'b@example.com');
INSERT INTO order_lines VALUES (1, 1, 1, 9.5, '2024-01-01 12:00:00'), (1, 2, 2, 3, '2024-01-02 12:00:00');
CREATE VIEW big_orders AS SELECT * FROM order_lines WHERE amount > 5;
"""
POSTGRESQL = """
CREATE SCHEMA "my shop"; CREATE TABLE "my shop".visits (at timestamptz, who int REFERENCES customers);
CREATE TABLE parts (n int) PARTITION BY RANGE (n); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
CREATE UNIQUE INDEX only_some ON order_lines (amount) WHERE amount > 100;
COMMENT ON TABLE customers IS 'Who buys'; COMMENT ON COLUMN customers.email IS 'Where bills go';
CREATE TABLE secret (a int); CREATE ROLE lister LOGIN; GRANT USAGE ON SCHEMA "my shop" TO lister;
GRANT SELECT ON ALL TABLES IN SCHEMA public, "my shop" TO lister; REVOKE SELECT ON secret FROM lister; ANALYZE;
"""
MARIADB = """
ALTER TABLE customers COMMENT 'Who buys', MODIFY email varchar(99) NOT NULL COMMENT 'Where bills go';
CREATE TABLE gone (a int); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone;
CREATE USER lister@'%'; GRANT SELECT, SHOW VIEW ON small.* TO lister@'%'; ANALYZE TABLE customers, order_lines;
"""

DUCKDB = """
COMMENT ON TABLE customers IS 'Who buys'; COMMENT ON COLUMN customers.email IS 'Where bills go';
CREATE SCHEMA "my shop"; CREATE TABLE "my shop".visits (seen timestamptz, who int);
CREATE UNIQUE INDEX of_two ON "my shop".visits ((who % 2));
"""


SERVERS = [pytest.param("postgresql", marks=pytest.mark.postgres), "mariadb"]


@pytest.fixture(scope="module", params=["sqlite", "duckdb", *SERVERS])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same small shop in each database, with what only this one has."""
    if request.param == "sqlite":
        return _sqlite(tmp_path_factory.mktemp("shop") / "shop.db")
    if request.param == "duckdb":
        return _duckdb(tmp_path_factory.mktemp("shop") / "shop.duckdb")
    server = request.getfixturevalue(f"{request.param}_server")
    return _postgresql(server) if request.param == "postgresql" else _mariadb(server)


def _sqlite(path: Path) -> str:
    connection = pysqlite3.connect(str(path))
    connection.executescript(COMMON + "CREATE VIEW broken AS SELECT a FROM gone;")
    connection.close()
    return f"sqlite:///{path}"


def _duckdb(path: Path) -> str:
    with duckdb.connect(str(path)) as connection:
        connection.execute(COMMON + DUCKDB)
    return f"duckdb:///{path}"


def _postgresql(server: sa.URL) -> str:
    for url, statements in ((server, "CREATE DATABASE small"), (server.set(database="small"), COMMON + POSTGRESQL)):
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statements)
        engine.dispose()
    return server.set(drivername="postgresql", username="lister", database="small").render_as_string()


def _mariadb(port: int) -> str:
    root = pymysql.connect(host="127.0.0.1", port=port, user="root", password=ROOT_PASSWORD, autocommit=True)
    with root, root.cursor() as cursor:
        for statement in ("CREATE DATABASE small; USE small;" + COMMON + MARIADB).strip(";\n ").split(";"):
            cursor.execute(statement)
    return f"mariadb://lister@127.0.0.1:{port}/small"


def named(address: str) -> dict[str, Table]:
    return {table.named: table for table in catalogue(address)}


def test_tables_and_views_have_columns_keys_and_about_their_rows(address: str) -> None:
    found = named(address)
    assert {"customers", "order_lines", "big_orders"} <= set(found)
    lines = found["order_lines"]
    assert not lines.is_view
    assert lines.rows == 2
    assert [column.name for column in lines.columns] == ["order_id", "line", "customer", "amount", "placed_at"]
    assert [column.type for column in lines.columns] == ["number", "number", "number", "number", "datetime"]
    assert [column.nullable for column in lines.columns] == [False, False, True, True, True] or "maria" in address
    assert "int" in lines.columns[0].declared.lower()
    assert lines.primary_key == ("order_id", "line")
    assert lines.unique == (("customer", "placed_at"),)
    assert lines.foreign_keys == (Points(columns=("customer",), table="customers", to=("id",)),)
    assert found["customers"].primary_key == ("id",)
    assert found["customers"].unique == (("email",),)
    assert found["big_orders"].is_view
    assert found["big_orders"].rows is None
    assert len(found["big_orders"].columns) == 5


def test_what_only_some_databases_have_is_listed_as_well(address: str) -> None:
    found = named(address)
    if "sqlite" not in address:
        assert found["customers"].comment == "Who buys"
        assert found["customers"].columns[1].comment == "Where bills go"
    if "postgresql" in address:
        assert set(found) == {"customers", "order_lines", "big_orders", "parts", '"my shop".visits'}
        assert found['"my shop".visits'].foreign_keys[0].table == "customers"
    elif "duckdb" in address:
        assert set(found) == {"customers", "order_lines", "big_orders", '"my shop".visits'}
        assert found['"my shop".visits'].unique == ()
    else:
        assert found["broken"].columns == ()


def test_a_sample_is_typed_as_it_would_be_read(address: str) -> None:
    table = sample(address, "order_lines", 1)
    assert table.num_rows == 1
    assert table.column_names == ["order_id", "line", "customer", "amount", "placed_at"]
    assert table["amount"].to_pylist() == [9.5]
    assert str(table["placed_at"].to_pylist()[0]) == "2024-01-01 12:00:00"
    assert sample(address, "big_orders", 9).num_rows == 1
    with pytest.raises(NoSuchTable, match="Did you mean customers"):
        sample(address, "customer", 1)


def test_an_empty_table_gives_its_columns(tmp_path: Path) -> None:
    pysqlite3.connect(str(tmp_path / "a.db")).execute("CREATE TABLE t (a INTEGER, b TEXT)")
    assert sample(f"sqlite:///{tmp_path / 'a.db'}", "t", 5).column_names == ["a", "b"]


def test_a_user_that_could_write_is_refused_unless_accepted(address: str) -> None:
    url = sa.make_url(address)
    users = {"postgresql": ("postgres", "superuser"), "mariadb": ("root", "ALL PRIVILEGES")}
    if url.drivername in users:
        user, why = users[url.drivername]
        writer = url.set(username=user, password=ROOT_PASSWORD).render_as_string(hide_password=False)
        with pytest.raises(SourceUnavailable, match=why):
            catalogue(writer)
        assert len(catalogue(writer, accept_writer=True)) >= len(catalogue(address))
