"""MySQL and MariaDB sources: any types, read only, within limits. The server is MariaDB's."""

from __future__ import annotations

import contextlib
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pymysql
import pytest

from pilotage.data import sources
from pilotage.data.records import Extent, Span
from pilotage.data.sources import databases
from pilotage.data.sources.databases import connecting
from tests.data.sources.asking_databases import ask, extent, failure, read, rows, types
from tests.mariadb import ROOT_PASSWORD

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)

MAKE = """
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE other;
USE shop;
SET time_zone = '+02:00', sql_mode = 'ALLOW_INVALID_DATES,ANSI_QUOTES';
CREATE TABLE every (
  a tinyint(1), b smallint unsigned, c bigint unsigned, d bigint unsigned, e decimal(10, 2), f decimal(12, 0),
  g decimal(40, 0), h float, i double, j bit(1), k bit(8), l datetime(6), m timestamp NULL, n date, o time, p year,
  q json, r enum('sad', 'ok'), s set('x', 'y'), t varbinary(4), u blob, v point, w uuid, x inet6, y char(3), z longtext,
  aa varchar(9) CHARACTER SET latin1);
INSERT INTO every VALUES (
  2, 65535, 1, 18446744073709551615, 3.25, 4, 12345678901234567890123, 16777216, 2.5, b'1', b'101',
  '2024-01-01 12:00:00.000001', '2024-01-01 14:00:00', '2024-01-01', '-12:30:00', 2024, '{"a": "é"}', 'ok', 'x,y',
  x'00ff', 'ab', ST_GeomFromText('POINT(1 2)'), '6f1ed002-ab59-4a2e-8b2c-0000c0ffee00', '::1', 'NA',
  'naïve 🎈', 'Zürich');
INSERT INTO every (a) VALUES (NULL);
CREATE TABLE clocks (n int, at datetime, stamp timestamp NULL, day date, KEY on_at (at));
INSERT INTO clocks SELECT seq, '2024-01-01 12:00:00' + INTERVAL seq HOUR, '2024-01-01 14:00:00' + INTERVAL seq HOUR,
  '2024-01-01' + INTERVAL seq DAY FROM seq_0_to_9;
INSERT INTO clocks VALUES (97, '0000-00-00', 0, '0000-00-00'), (98, '2025-00-15', NULL, '2025-02-31'),
  (99, NULL, NULL, NULL);
CREATE TABLE many AS SELECT seq AS n, concat('text ', seq) AS x FROM seq_1_to_60000;
CREATE VIEW fails AS SELECT n, CASE WHEN n < 50000 THEN n ELSE (SELECT m.n FROM many m) END AS x FROM many;
CREATE VIEW sleeps AS SELECT n, sleep(0.05) AS x FROM many;
CREATE VIEW broken AS SELECT n FROM many;
CREATE TABLE "select" ("x""; DROP TABLE y" int, "a b" int, "naïve" int, "%s" int);
INSERT INTO "select" VALUES (1, 2, 3, 4);
CREATE TABLE "x""; DROP TABLE y" (a int);
INSERT INTO "x""; DROP TABLE y" VALUES (1);
CREATE TABLE "a.b" (a int);
INSERT INTO "a.b" VALUES (6);
CREATE TABLE empty (a int, b text, c datetime);
CREATE TABLE other.orders (a int);
CREATE USER reader@'%' IDENTIFIED BY 'p@ss:w/rd?#%';
GRANT SELECT, SHOW VIEW ON shop.* TO reader@'%';
GRANT SELECT ON other.* TO reader@'%';
CREATE USER writer@'%';
GRANT SELECT ON *.* TO writer@'%';
GRANT UPDATE ON other.* TO writer@'%';
CREATE USER painter@'%';
GRANT SELECT, INSERT (n) ON shop.many TO painter@'%';
CREATE ROLE editors;
GRANT DELETE ON "shop".* TO editors;
CREATE USER member@'%';
GRANT SELECT ON shop.* TO member@'%';
GRANT editors TO member@'%';
SET DEFAULT ROLE editors FOR member@'%'
"""


@pytest.fixture(scope="module")
def port(mariadb_server: int) -> int:
    """A server with the tables above."""
    root = pymysql.connect(host="127.0.0.1", port=mariadb_server, user="root", password=ROOT_PASSWORD, autocommit=True)
    with root, root.cursor() as cursor:
        for statement in MAKE.split(";\n"):
            cursor.execute(statement)
        columns = ", ".join(f'"column {n}" float' for n in range(1000))
        cursor.execute(f"CREATE TABLE wide ({columns})")
        cursor.execute(f"INSERT INTO wide VALUES ({', '.join(['1.5'] * 1000)})")
    return mariadb_server


@pytest.fixture(scope="module")
def address(port: int) -> str:
    """The reader's address, as a person writes it."""
    return address_of(port, f"reader:{quote('p@ss:w/rd?#%', safe='')}")


def address_of(port: int, user: str, scheme: str = "mysql", database: str = "shop") -> str:
    return f"{scheme}://{user}@127.0.0.1:{port}/{database}"


def test_every_type_is_read(address: str) -> None:
    asked = ask(address, "every")
    assert {name: kind for name, kind in types(asked).items() if kind != "VARCHAR"} == {
        "a": "BIGINT", "b": "BIGINT", "c": "BIGINT", "e": "DOUBLE", "f": "BIGINT", "h": "DOUBLE", "i": "DOUBLE",
        "j": "BOOLEAN", "k": "BIGINT", "l": "TIMESTAMP", "m": "TIMESTAMP", "n": "TIMESTAMP", "p": "BIGINT",
    }  # fmt: skip
    first, second = rows(asked)
    assert first.pop("v").startswith("\\x0000")
    assert first == {
        "a": 2, "b": 65535, "c": 1, "d": "18446744073709551615", "e": 3.25, "f": 4, "g": "12345678901234567890123",
        "h": 16777216.0, "i": 2.5, "j": True, "k": 5, "l": NAIVE + timedelta(microseconds=1), "m": NAIVE,
        "n": NAIVE.replace(hour=0), "o": "-12:30:00", "p": 2024, "q": '{"a": "é"}', "r": "ok", "s": "x,y",
        "t": "\\x00ff", "u": "\\x6162", "w": "6f1ed002-ab59-4a2e-8b2c-0000c0ffee00", "x": "::1", "y": "NA",
        "z": "naïve 🎈", "aa": "Zürich",
    }  # fmt: skip
    assert set(second.values()) == {None}


@pytest.mark.parametrize("clock", ["at", "stamp", "day"])
def test_a_span_and_its_extent_are_exact(address: str, clock: str) -> None:
    asked = ask(address, "clocks", known_at=clock)
    step, start = (timedelta(days=1), NOON.replace(hour=0)) if clock == "day" else (timedelta(hours=1), NOON)
    span = Span(start + 2 * step, start + 4 * step)
    assert [row["n"] for row in rows(asked, span)] == [2, 3, 4]
    assert extent(asked, span) == Extent(3, start + 2 * step, start + 4 * step)
    assert [row["n"] for row in rows(asked, Span(None, start))] == [0]


def test_dates_that_no_calendar_has_are_null(address: str) -> None:
    zero, invalid, null = rows(ask(address, "clocks"))[-3:]
    assert (zero["at"], zero["stamp"], zero["day"]) == (None, None, None)
    assert (invalid["at"], invalid["day"]) == (None, None)
    assert null["n"] == 99


def test_an_index_on_the_clock_can_be_used(address: str) -> None:
    asked = ask(address, "clocks", known_at="at")
    with databases.opened(asked, address) as database:
        place = next(place for place in database.places() if place.table == "clocks")
        found = database.judged(place, database.declared(place))
        statement = database.statement(place, found, Span(NOON, NOON), 10)
        assert "on_at" in str(database.connection.exec_driver_sql(f"EXPLAIN {statement}").all())


def test_the_session_is_read_only_limited_and_in_utc(address: str) -> None:
    asked = ask(address, "many", timeout="90 minutes")
    with databases.opened(asked, address) as database:
        found = database.connection.exec_driver_sql(
            "SELECT @@tx_read_only, @@tx_isolation, @@max_statement_time, @@time_zone"
        ).one()
    assert tuple(found) == (1, "REPEATABLE-READ", 5400.0, "+00:00")


def test_nothing_can_be_written(port: int) -> None:
    asked = ask(address_of(port, f"root:{quote(ROOT_PASSWORD, safe='')}"), "many", accept_writer=True)
    with (
        pytest.raises(Exception, match="READ ONLY transaction"),
        databases.opened(asked, asked.source.database) as database,
    ):
        database.connection.exec_driver_sql("DELETE FROM many")


@pytest.mark.parametrize(
    ("user", "table", "right"),
    [
        (f"root:{quote(ROOT_PASSWORD, safe='')}", "many", "ALL PRIVILEGES ON"),
        ("writer", "other.orders", 'UPDATE ON "other".*'),
        ("painter", "many", 'INSERT ("n") ON "shop"."many"'),
        ("member", "many", 'DELETE ON "shop".*'),
    ],
)
def test_a_user_that_could_write_is_refused_with_the_lines_that_make_another(
    port: int, user: str, table: str, right: str
) -> None:
    said = failure(ask(address_of(port, user), table))
    database = "other" if "." in table else "shop"
    assert f"has the right {right}" in said
    assert f"GRANT SELECT, SHOW VIEW ON `{database}`.* TO pilotage_reader@'%';" in said
    assert ROOT_PASSWORD not in said
    assert types(ask(address_of(port, user), table, accept_writer=True))


def test_a_user_that_may_write_elsewhere_reads(port: int) -> None:
    assert types(ask(address_of(port, "writer"), "empty"))


def test_a_view_that_fails_half_way_gives_a_failure(address: str) -> None:
    assert "more than 1 row" in failure(ask(address, "fails"))


def test_a_query_that_takes_too_long_is_stopped(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotage.data.sources.databases.mysql_session.seconds", lambda duration: 1)
    said = failure(ask(address, "sleeps"))
    assert "max_statement_time exceeded" in said
    assert "`timeout`" in said


def test_more_rows_than_allowed_give_a_failure(address: str) -> None:
    assert "more than 59,999 rows" in failure(ask(address, "many", rows_max=59_999))
    assert len(rows(ask(address, "many", rows_max=60_000))) == 60_000


def test_a_read_that_is_left_early_leaves_nothing_behind(address: str) -> None:
    asked = ask(address, "many")
    batches = sources.read(asked, sources.introspect(asked), Span())
    assert next(batches).num_rows == 1000
    batches.close()  # type: ignore[attr-defined]
    assert len(rows(asked)) == 60_000


def test_odd_names_are_read(address: str) -> None:
    assert rows(ask(address, "select")) == [{'x"; DROP TABLE y': 1, "a b": 2, "naïve": 3, "%s": 4}]
    assert rows(ask(address, '"x""; DROP TABLE y"')) == rows(ask(address, 'x"; DROP TABLE y')) == [{"a": 1}]
    assert rows(ask(address, 'shop."a.b"')) == rows(ask(address, "a.b")) == [{"a": 6}]


def test_wide_and_empty_tables_and_those_of_other_databases_are_read(address: str) -> None:
    table = read(ask(address, "wide"))
    assert table is not None and table.num_columns == 1000
    assert types(ask(address, "empty")) == {"a": "BIGINT", "b": "VARCHAR", "c": "TIMESTAMP"}
    assert rows(ask(address, "empty")) == []
    assert extent(ask(address, "empty", known_at="c"), Span(NOON, NOON)) == Extent(0, None, None)
    assert rows(ask(address, "other.orders")) == []


def test_a_missing_table_is_named_with_the_nearest(address: str) -> None:
    with pytest.raises(sources.NoSuchTable, match=r"Did you mean many"):
        types(ask(address, "manny"))


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql2", "mysql+mysqldb"])
def test_addresses_of_several_spellings_are_read(port: int, scheme: str) -> None:
    address = address_of(port, f"reader:{quote('p@ss:w/rd?#%', safe='')}", scheme)
    assert rows(ask(address, "empty")) == []


def test_a_wrong_password_is_said_without_repeating_it(port: int) -> None:
    said = failure(ask(address_of(port, "reader:hunter2canary"), "many"))
    assert "Access denied" in said
    assert "percent-encoded" in said
    assert "hunter2canary" not in said


def test_an_unknown_host_and_database_are_named(port: int, address: str) -> None:
    assert "no-such-host.invalid" in failure(ask("mysql://reader:x@no-such-host.invalid/shop", "many"))
    assert "nowhere" in failure(ask(address.replace("/shop", "/nowhere"), "many"))


def test_a_server_that_accepts_and_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.3)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        said = failure(ask(f"mysql://reader:x@127.0.0.1:{silent.getsockname()[1]}/shop", "many"))
    assert "timed out" in said
