"""Rows held against a contract: every rule in one scan, the rows named and masked, odd names and values survived."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from pilotage.data.contracts.checking import Rows, check, check_freshness, check_unique
from pilotage.data.contracts.records import ColumnContract, Contract
from tests.data.contracts.promises import NOW, broken, promise


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as opened:
        yield opened


def fill(connection: duckdb.DuckDBPyConnection, columns: str, *rows: tuple[object, ...]) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE things ({columns})")
    for row in rows:
        connection.execute(f"INSERT INTO things VALUES ({', '.join('?' * len(row))})", list(row))


def test_each_rule_is_said_with_its_rows_and_limits(connection: duckdb.DuckDBPyConnection) -> None:
    fill(
        connection,
        "id VARCHAR, delay DOUBLE, carrier VARCHAR, tail VARCHAR",
        ("a", 3204.0, "UA", "N12345"),
        ("b", 2500.0, "ZZ", "N12345"),
        ("c", -90.0, "", "12345"),
        ("d", None, None, None),
        ("e", float("nan"), "UA", " "),
    )
    found = broken(
        connection,
        promise(
            "delay: {type: number, required: true, min: -60, max: 2000}\n"
            "carrier: {type: text, required: true, categories: [UA, DL]}\n"
            'tail: {type: text, pattern: "^N[0-9]{5}$"}'
        ),
    )
    assert {name: each.rows for name, each in found.items()} == {
        "delay required": 2,
        "delay range": 3,
        "carrier required": 2,
        "carrier categories": 1,
        "tail pattern": 1,
    }
    said = found["delay range"]
    assert said.message == "delay goes from -90 to 3,204 in 3 of 5 new rows: its contract allows -60 to 2,000."
    assert (said.keys, said.owner, said.severity, said.of) == (("c", "a", "b"), "things@example.com", "warns", 5)
    assert found["carrier categories"].message == (
        "carrier is 'ZZ' in 1 of 5 new rows: not one of the 2 values that its contract names."
    )
    assert found["tail pattern"].keys == ("c",)


def test_one_limit_is_said_as_more_or_less(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, "id INTEGER, a BIGINT, b DOUBLE", *[(n, 3204, -0.5) for n in range(12)], (99, 1, 1))
    found = broken(connection, promise("a: {type: number, max: 2000}\nb: {type: number, min: 0}"))
    assert found["a range"].message == "a is 3,204 in 12 of 13 new rows: more than the 2,000 that its contract allows."
    assert found["b range"].message == "b is -0.5 in 12 of 13 new rows: less than the 0 that its contract allows."
    assert found["a range"].keys == ("0", "1", "10", "11", "2")


def test_a_text_that_should_be_a_number_breaks_its_type_and_its_other_rules_still_count(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, "id INTEGER, age VARCHAR, day VARCHAR, on_ VARCHAR", (1, "12", "2024-01-01", "true"))
    connection.execute(
        "INSERT INTO things VALUES (2, 'n/a', 'soon', 'perhaps'), (3, ' 400 ', '', NULL), (4, '', '', '')"
    )
    found = broken(
        connection,
        promise("age: {type: number, max: 150, required: true}\nday: {type: datetime}\non_: {type: flag}"),
    )
    assert {name: each.rows for name, each in found.items()} == {
        "age type": 1,
        "age required": 1,
        "age range": 1,
        "day type": 1,
        "on_ type": 1,
    }
    assert "'n/a'" in found["age type"].message


def test_a_column_of_another_type_and_a_vanished_one_do_not_hide_the_rest(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fill(connection, "id INTEGER, a TIMESTAMP, b BIGINT, c BIGINT", (1, NOW, 5, 2), (2, None, 5, 0))
    promised = promise("gone: {type: text}\na: {type: number, min: 1}\nb: {type: number, max: 4}\nc: {type: flag}")
    found = broken(connection, promised)
    assert {name: each.rows for name, each in found.items()} == {
        "gone column": 2,
        "a type": 1,
        "b range": 2,
        "c type": 1,
    }


def test_rows_that_say_that_their_key_is_gone_promise_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, "id INTEGER, a BIGINT, _deleted BOOLEAN", (1, None, True), (2, 5, False), (3, 6, None))
    assert broken(connection, promise("a: {type: number, required: true, max: 9}")) == {}


def test_keys_of_several_columns_are_named_and_masked(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, "id VARCHAR, day DATE, a BIGINT", ("jane@example.com", "2024-01-01", 5))
    promised = promise("a: {type: number, max: 1, mask: hide}\nid: {type: text, mask: partial}")
    rows = Rows("things", ("id", "day"), "sync")
    (found,) = check(connection, promised, rows, lambda column, value: "***" if column == "id" else value, NOW)
    assert found.keys == ("id=***, day=2024-01-01",)
    assert "5" not in found.message


def test_columns_with_names_of_sql_and_rows_that_are_none_are_looked_at(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    names = ["select", 'x"; DROP TABLE y', "a b", "a.b", "😀", "'"]
    columns = {name: ColumnContract(type="number", required=True, max=1) for name in names}
    promised = Contract(contract="things", owner="o", columns=columns)
    typed = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" BIGINT' for name in names)
    fill(connection, f"id INTEGER, {typed}")
    assert broken(connection, promised) == {}
    connection.execute(f"INSERT INTO things VALUES (1{', 2' * len(names)})")
    assert len(broken(connection, promised)) == len(names)
    connection.execute(f"INSERT INTO things VALUES (2{', NULL' * len(names)})")
    assert len(broken(connection, promised)) == 2 * len(names)


def test_texts_of_a_contract_cannot_leave_their_quotes(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, "id INTEGER, a VARCHAR", (1, "x' OR 1=1 --"), (2, "y"))
    columns = {"a": ColumnContract(type="text", categories=["x' OR 1=1 --"], pattern="^(x' OR 1=1 --|')$")}
    found = broken(connection, Contract(contract="things", owner="o", columns=columns))
    assert {name: each.rows for name, each in found.items()} == {"a categories": 1, "a pattern": 1}


def test_a_unique_column_is_looked_at_among_the_newest_rows(connection: duckdb.DuckDBPyConnection) -> None:
    fill(
        connection,
        "id INTEGER, mail VARCHAR, since TIMESTAMP, _deleted BOOLEAN",
        (1, "a@x", NOW, False),
        (1, "b@x", NOW + timedelta(hours=1), False),
        (2, "a@x", NOW, False),
        (3, "b@x", NOW, False),
        (4, "b@x", NOW, True),
        (5, None, NOW, False),
        (6, None, NOW, False),
    )
    rows = Rows("things", ("id",), "training", "rows", "since")
    promised = promise("mail: {type: text, unique: true}\nid: {type: number, unique: true}")
    (found,) = check_unique(connection, promised, rows, lambda column, value: value, NOW)
    assert found.message == "A value of mail stands more than once, in 2 of 3 rows; its contract wants each once."
    assert (found.keys, found.rows) == (("1", "3"), 2)


def test_the_newest_row_must_not_be_older_than_promised() -> None:
    fresh = promise("a: {type: text}", "freshness: 12 hours\nseverity: blocks\n")
    assert check_freshness(fresh, NOW - timedelta(hours=12), "sync", NOW) == ()
    (found,) = check_freshness(fresh, NOW - timedelta(hours=30), "sync", NOW)
    assert (found.rule, found.severity) == ("freshness", "blocks")
    assert "2013-12-04 14:00 UTC, 30 hours ago; its contract allows 12 hours" in found.message
    assert check_freshness(fresh, None, "sync", NOW)[0].rule == "freshness"
    assert check_freshness(promise("a: {type: text}"), None, "sync", NOW) == ()


def test_thousands_of_columns_are_checked_in_a_few_scans(connection: duckdb.DuckDBPyConnection) -> None:
    names = [f"c{n}" for n in range(1000)]
    connection.execute(f"CREATE TABLE wide AS SELECT 1 AS id, {', '.join(f'{n} AS c{n}' for n in range(1000))}")
    columns = {name: ColumnContract(type="number", required=True, max=499) for name in names}
    found = broken(connection, Contract(contract="things", owner="o", columns=columns), "wide")
    assert len(found) == 500


def test_a_third_of_a_million_rows_are_checked_within_two_seconds(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE TABLE many AS SELECT 'k' || i AS id, 'UA' AS carrier, 'N' || (10000 + i % 80000) AS tail, "
        "(i % 2100)::DOUBLE AS delay, i AS n FROM range(336776) r(i)"
    )
    promised = promise(
        'id: {type: text, required: true, pattern: "^k[0-9]+$"}\ncarrier: {type: text, categories: [UA, DL]}\n'
        'tail: {type: text, pattern: "^N[0-9]{5}$"}\ndelay: {type: number, required: true, min: 0, max: 2000}'
    )
    began = time.perf_counter()
    found = broken(connection, promised, "many")
    assert time.perf_counter() - began < 2
    assert list(found) == ["delay range"]
