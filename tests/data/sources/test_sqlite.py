"""SQLite files of strangers: any types, any text, any form of an instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pysqlite3
import pytest

from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources import databases
from pilotage.data.sources.databases import connecting
from tests.data.sources.asking_databases import ask, extent, failure, read, rows, types

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a shop.db"


def make(path: Path, *statements: str, fill: Iterable[Sequence[Any]] = (), into: str = "t") -> str:
    """Run statements, insert rows; the address."""
    connection = pysqlite3.connect(str(path))
    for statement in statements:
        connection.execute(statement)
    for row in fill:
        connection.execute(f"INSERT INTO {into} VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def instants(path: Path, span: Span) -> set[datetime]:
    """What remains of a span once the engine filtered exactly, as sync does."""
    table = read(ask(f"sqlite:///{path}", "t", known_at="at"), span)
    if table is None:
        return set()
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("given", table)
        found = engine.execute("SELECT CAST(\"at\" AS TIMESTAMPTZ) AT TIME ZONE 'UTC' FROM given").fetchall()
    moments = {moment.replace(tzinfo=UTC) for (moment,) in found if moment is not None}
    low, high = span.after or datetime.min.replace(tzinfo=UTC), span.until or datetime.max.replace(tzinfo=UTC)
    return {moment for moment in moments if low <= moment <= high}


def test_values_decide_where_the_declaration_does_not(path: Path) -> None:
    address = make(
        path,
        "CREATE TABLE t (a INTEGER, b INT, c NUMERIC, d BOOLEAN, e DATETIME, f DATE, g BLOB, h, i VARCHAR(3), j REAL)",
        fill=[
            (1, "n/a", 1, True, "2024-01-01 10:00:00", "01/02/2024", b"\x00\xff", "2024-01-01", "007", 1.5),
            (2, 5, 2**60, False, "2024-01-02 10:00:00", None, None, "2024-01-02", "NA", 2),
        ],
    )
    assert types(ask(address, "t")) == {
        "a": "BIGINT", "b": "VARCHAR", "c": "BIGINT", "d": "BOOLEAN", "e": "TIMESTAMP", "f": "VARCHAR",
        "g": "VARCHAR", "h": "TIMESTAMP", "i": "VARCHAR", "j": "DOUBLE",
    }  # fmt: skip
    first, second = rows(ask(address, "t"))
    assert first == {
        "a": 1, "b": "n/a", "c": 1, "d": True, "e": "2024-01-01 10:00:00", "f": "01/02/2024", "g": "\\x00ff",
        "h": "2024-01-01", "i": "007", "j": 1.5,
    }  # fmt: skip
    assert (second["b"], second["c"], second["i"]) == ("5", 2**60, "NA")


def test_an_empty_text_in_a_number_is_null(path: Path) -> None:
    address = make(path, "CREATE TABLE t (a INTEGER, b REAL)", fill=[(1, ""), ("", 2.5)])
    assert rows(ask(address, "t")) == [{"a": 1, "b": None}, {"a": None, "b": 2.5}]


def test_order_numbers_that_begin_like_a_date_stay_text(path: Path) -> None:
    address = make(path, "CREATE TABLE t (a TEXT)", fill=[("2024-01-01-0007",)])
    assert types(ask(address, "t")) == {"a": "VARCHAR"}


def test_text_that_is_no_utf_8_is_read_with_replacements_and_nul_bytes_stay(path: Path) -> None:
    address = make(
        path,
        "CREATE TABLE t (a TEXT)",
        "INSERT INTO t VALUES ('good'), (CAST(x'66e4696c' AS TEXT)), ('a' || char(0) || 'b')",
    )
    assert [row["a"] for row in rows(ask(address, "t"))] == ["good", "f\ufffdil", "a\x00b"]


FORMS = [
    ("2024-01-01 12:00:00", NOON),
    ("2024-01-01T12:00:00Z", NOON),
    ("2024-01-01T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
    ("2024-01-02T02:00:00+14:00", NOON),
    ("2024-01-01T00:00:00-12:00", NOON),
    ("2024-01-01 12:00:00+00", NOON),
    ("2024-01-01", NOON.replace(hour=0)),
]


@pytest.mark.parametrize(("text", "moment"), FORMS)
def test_no_form_of_an_instant_loses_its_row(path: Path, text: str, moment: datetime) -> None:
    make(path, "CREATE TABLE t (at TEXT, n INTEGER)", fill=[(text, 1)])
    second = timedelta(seconds=1)
    assert instants(path, Span(moment, moment)) == {moment}
    assert instants(path, Span(None, moment)) == {moment}
    assert instants(path, Span(moment, None)) == {moment}
    assert instants(path, Span(None, moment - second)) == set()
    assert instants(path, Span(moment + second, None)) == set()


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (1704110400, NOON),
        (1704110400.5, NOON + timedelta(milliseconds=500)),
        (1704110400250, NOON + timedelta(milliseconds=250)),
        (1704110400000001, NOON + timedelta(microseconds=1)),
        (1704110400000001000, NOON + timedelta(microseconds=1)),
        (20240101, NOON.replace(hour=0)),
        (2460310.5, NOON.replace(hour=0)),
        (-86400000, datetime(1967, 4, 7, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("declared", ["INTEGER", "DATETIME", ""])
def test_a_number_is_an_instant_by_its_size(path: Path, number: float, moment: datetime, declared: str) -> None:
    make(path, f"CREATE TABLE t (at {declared}, n INTEGER)", fill=[(number, 1), (None, 2)])
    assert instants(path, Span(moment, moment)) == {moment}
    assert instants(path, Span(moment + timedelta(seconds=1), None)) == set()


def test_text_and_numbers_in_one_clock_are_both_read(path: Path) -> None:
    make(path, "CREATE TABLE t (at, n INTEGER)", fill=[(1704110400, 1), ("2024-01-01T13:00:00+00:00", 2)])
    assert instants(path, Span(NOON, None)) == {NOON, NOON + timedelta(hours=1)}
    assert instants(path, Span(None, NOON)) == {NOON}


def test_numbers_that_come_later_than_the_sample_are_not_lost(path: Path) -> None:
    make(path, "CREATE TABLE t (at DATETIME)", fill=[*[("2023-01-01 00:00:00",)] * 10_001, (1704110400,)])
    assert instants(path, Span(NOON, NOON)) == {NOON}


def test_an_index_on_the_clock_is_used(path: Path) -> None:
    address = make(path, "CREATE TABLE t (at DATETIME, n INTEGER)", "CREATE INDEX i ON t (at)")
    asked = ask(address, "t", known_at="at")
    with databases.opened(asked, address) as database:
        (place,) = database.places()
        found = (FoundColumn("at", "datetime", "TIMESTAMP"),)
        statement = database.statement(place, found, Span(NOON, NOON), 10)
        plan = str(database.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
    assert "SEARCH t USING" in plan
    assert "SCAN t" not in plan


def test_small_numbers_are_no_clock(path: Path) -> None:
    address = make(path, "CREATE TABLE t (at INTEGER)", fill=[(2024,), (2025,)])
    assert types(ask(address, "t", known_at="at")) == {"at": "BIGINT"}


def test_what_is_no_instant_in_a_clock_is_let_through_so_that_sync_names_it(path: Path) -> None:
    address = make(path, "CREATE TABLE t (at DATETIME, n INTEGER)", fill=[("2024-01-01 12:00:00", 1), ("n/a", 2)])
    assert [row["at"] for row in rows(ask(address, "t", known_at="at"), Span(NOON, NOON))] == [
        "2024-01-01 12:00:00",
        "n/a",
    ]


def test_an_extent_counts_and_has_the_first_and_last(path: Path) -> None:
    fill = [((NOON + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ"), n) for n in range(48)]
    asked = ask(make(path, "CREATE TABLE t (at DATETIME, n INTEGER)", fill=[*fill, (None, 99)]), "t", known_at="at")
    assert extent(asked) == Extent(49, NOON, NOON + timedelta(hours=47))
    assert extent(asked, Span(None, NOON + timedelta(days=40))) == Extent(48, NOON, NOON + timedelta(hours=47))
    assert extent(asked, Span(NOON + timedelta(days=40), None)) == Extent(0, None, None)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"])
def test_an_extent_of_one_form_is_exact(path: Path, form: str) -> None:
    fill = [((NOON + timedelta(hours=n)).strftime(form),) for n in range(-99, 99)]
    asked = ask(make(path, "CREATE TABLE t (at DATETIME)", fill=fill), "t", known_at="at")
    until = NOON + timedelta(hours=5)
    assert extent(asked, Span(NOON, until)) == Extent(6, NOON, until)
    assert extent(asked, Span(NOON + timedelta(minutes=1), until)) == Extent(5, NOON + timedelta(hours=1), until)
    assert extent(asked, Span(NOON + timedelta(minutes=1), NOON + timedelta(minutes=2))) == Extent(0, None, None)


@pytest.mark.parametrize("form", [text for text, _ in FORMS] + [1704110400, 1704110400.5])
def test_an_extent_of_several_forms_is_wide_enough(path: Path, form: Any) -> None:
    address = make(path, "CREATE TABLE t (at)", fill=[(form,), ("2023-12-30 00:00:00Z",), ("2024-01-03 00:00:00.5Z",)])
    found = extent(ask(address, "t", known_at="at"), Span(NOON.replace(hour=0), NOON + timedelta(seconds=1)))
    assert found is not None and found.first is not None and found.last is not None
    assert found.rows == 1
    assert {*instants(path, Span(found.first, found.last))} == {*instants(path, Span(NOON.replace(hour=0), None))} - {
        datetime(2024, 1, 3, 0, 0, 0, 500_000, tzinfo=UTC)
    }


def test_a_static_source_has_a_count_and_all_rows(path: Path) -> None:
    asked = ask(make(path, "CREATE TABLE t (a INTEGER)", fill=[(1,), (None,)]), "t")
    assert extent(asked) == Extent(2, None, None)
    assert rows(asked) == [{"a": 1}, {"a": None}]


@pytest.mark.parametrize("table", ["select", 'x"; DROP TABLE y', "a.b", "two words", "naïve 🎈", "%s"])
@pytest.mark.parametrize("in_quotes", [True, False])
def test_a_table_and_a_column_may_have_any_name(path: Path, table: str, in_quotes: bool) -> None:
    name = '"' + table.replace('"', '""') + '"'
    address = make(path, f"CREATE TABLE {name} ({name} INTEGER)", f"INSERT INTO {name} VALUES (7)")
    assert rows(ask(address, name if in_quotes else table)) == [{table: 7}]


def test_many_columns_are_read(path: Path) -> None:
    names = ", ".join(f'"column {n}" REAL' for n in range(1600))
    address = make(path, f"CREATE TABLE t ({names})", fill=[[float(n) for n in range(1600)]] * 3)
    found = rows(ask(address, "t"))
    assert len(found) == 3
    assert found[0]["column 1599"] == 1599.0


@pytest.mark.parametrize("fill", [[], [(None, None, None)], [(None, None, None)] * 3, [(1, "a", "2024-01-01")]])
def test_small_and_empty_tables_are_read(path: Path, fill: list[tuple[Any, ...]]) -> None:
    asked = ask(make(path, "CREATE TABLE t (a INTEGER, b TEXT, c DATETIME)", fill=fill), "t")
    assert types(asked) == {"a": "BIGINT", "b": "VARCHAR", "c": "TIMESTAMP"}
    assert [tuple(row.values()) for row in rows(asked)] == fill


def test_nothing_can_be_written(path: Path) -> None:
    address = make(path, "CREATE TABLE t (a INTEGER)")
    with databases.opened(ask(address, "t"), address) as database, pytest.raises(Exception, match="readonly database"):
        database.connection.exec_driver_sql("INSERT INTO t VALUES (1)")


def test_a_view_that_fails_half_way_gives_a_failure(path: Path) -> None:
    address = make(
        path,
        "CREATE TABLE t (a INTEGER)",
        "CREATE VIEW v AS SELECT a, abs(CASE WHEN a < 20000 THEN a ELSE -9223372036854775808 END) AS b FROM t",
        fill=[(n,) for n in range(20_010)],
    )
    assert "integer overflow" in failure(ask(address, "v"))


def test_more_rows_than_allowed_give_a_failure(path: Path) -> None:
    address = make(path, "CREATE TABLE t (a INTEGER)", fill=[(n,) for n in range(11)])
    assert "rows_max" in failure(ask(address, "t", rows_max=10))
    assert len(rows(ask(address, "t", rows_max=11))) == 11


def test_a_query_that_takes_too_long_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT count(*) AS a FROM n"
    address = make(path, f"CREATE VIEW t AS {endless}")
    monkeypatch.setattr("pilotage.data.sources.databases.sqlite_session.seconds", lambda duration: 0.05)
    assert "interrupted" in failure(ask(address, "t"))
    assert "`timeout`" in failure(ask(address, "t"))


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_text("this is no database, and it is long enough to be looked at")
    said = failure(ask(f"sqlite:///{path}", "t"))
    assert "a shop.db: file is not a database" in said


def test_a_locked_file_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = make(path, "CREATE TABLE t (a INTEGER)")
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.1)
    writer = pysqlite3.connect(str(path), isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    said = failure(ask(address, "t"))
    writer.close()
    assert "database is locked" in said
    assert "Try again" in said


def test_a_value_that_does_not_fit_names_its_column(path: Path) -> None:
    fill = [(n,) for n in range(10_001)]
    address = make(path, "CREATE TABLE t (a INTEGER)", fill=[*fill, ("n/a",)])
    assert "column a is declared as number" in failure(ask(address, "t"))


def test_a_column_that_vanished_is_named(path: Path) -> None:
    asked = ask(make(path, "CREATE TABLE t (a INTEGER)"), "t")
    with pytest.raises(Exception, match="column b is no longer there"):
        list(databases.read(asked, f"sqlite:///{path}", (FoundColumn("b", "text", "VARCHAR"),), Span()))


def test_amounts_kept_as_text_are_numbers_and_identifiers_are_not(path: Path) -> None:
    fill = [
        ("12.50", "00123", "7", "1.10", "0.5", None),
        ("-3", "00124", "8", "1.1", "x", None),
        ("", "1.5", "9", "2", "1.5", "1.5"),
    ]
    address = make(path, "CREATE TABLE t (a TEXT, code TEXT, n TEXT, version TEXT, mixed TEXT, late)", fill=fill)
    found = ask(address, "t", key=["version"])
    assert types(found) == {
        "a": "DOUBLE", "code": "VARCHAR", "n": "VARCHAR", "version": "VARCHAR", "mixed": "VARCHAR", "late": "DOUBLE",
    }  # fmt: skip
    assert [row["a"] for row in rows(found)] == [12.5, -3.0, None]


def test_a_text_beyond_the_sample_keeps_a_column_of_amounts_a_text(path: Path) -> None:
    address = make(path, "CREATE TABLE t (a TEXT)", fill=[("1.5",)] * 2_500 + [("none",)])
    assert types(ask(address, "t")) == {"a": "VARCHAR"}
