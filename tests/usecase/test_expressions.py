"""Scalar SQL: one meaning in Python and in DuckDB, and nothing beside the allow-list."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.usecase.rules import expressions
from pilotage.usecase.rules.expressions import ExpressionError
from tests.usecase.grammar import INSTANTS, KNOWN, NUMBERS, TEXTS, every_shape, expression_texts

TABLE = (
    "CREATE TABLE rows (delay DOUBLE, stops BIGINT, carrier VARCHAR, note VARCHAR, late BOOLEAN, "
    "departure TIMESTAMP, arrival TIMESTAMP)"
)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "delay": st.none() | NUMBERS,
            "stops": st.none() | st.integers(-9, 9),
            "carrier": st.none() | TEXTS,
            "note": st.none() | TEXTS,
            "late": st.none() | st.booleans(),
            "departure": st.none() | INSTANTS,
            "arrival": st.none() | INSTANTS,
        }
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(TABLE)
    yield connection
    connection.close()


def load(engine: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    engine.execute("DELETE FROM rows")
    engine.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", [[row[name] for name in KNOWN] for row in rows])


def in_duckdb(engine: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]) -> list[Any]:
    load(engine, rows)
    return [value for (value,) in engine.execute(f"SELECT {expressions.to_sql(text)} FROM rows").fetchall()]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, (int, float)):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(other, datetime):
        return isinstance(one, datetime) and one == other.replace(tzinfo=UTC)
    return type(one) is type(other) and bool(one == other) if isinstance(one, bool) else bool(one == other)


@settings(max_examples=250, deadline=None)
@given(text=expression_texts(), rows=ROWS)
def test_python_and_duckdb_give_the_same_value_nulls_included(
    engine: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]
) -> None:
    assert expressions.check(text, KNOWN) == []
    run = expressions.compile_row(text)
    for row, expected in zip(rows, in_duckdb(engine, text, rows), strict=True):
        assert same(run(row), expected), (text, row, run(row), expected)


def test_every_operation_gives_what_duckdb_gives_over_many_rows(engine: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(7)
    instants = [
        datetime.fromisoformat(f"2013-{month:02}-{month + 12:02} 0{month % 9}:5{month % 9}:07")
        for month in range(1, 13)
    ]
    values: dict[str, list[Any]] = {
        "delay": [None, 0.0, 2.5, -2.5, 3.5, -0.4, 12345.675, 15.0, 1e-5, 1e20],
        "stops": [None, -9, -1, 0, 1, 2, 7],
        "carrier": [None, "", "AA", "dl", "Straße", " x ", "N1%", "abc"],
        "note": [
            None,
            "AA",
            "7",
            "-2.5",
            "1e3",
            "inf",
            "1_0",
            "T",
            "no",
            "on",
            "2013-12-01 05:30",
            "2013-02-30",
            "2013-12-01T05:30:00.25Z",
        ],
        "late": [None, True, False],
        "departure": [None, *instants],
        "arrival": [None, *instants],
    }
    rows = [{name: chance.choice(values[name]) for name in KNOWN} for _ in range(120)]
    texts = list(every_shape())
    assert len(texts) > 300
    load(engine, rows)
    columns = ", ".join(expressions.to_sql(text) for text in texts)
    for row, found in zip(rows, engine.execute(f"SELECT {columns} FROM rows").fetchall(), strict=True):
        for text, expected in zip(texts, found, strict=True):
            assert same(expressions.compile_row(text)(row), expected), (text, row, expected)


@settings(max_examples=200, deadline=None)
@given(value=st.floats(-1e9, 1e9, allow_nan=False), digits=st.integers(-3, 4))
def test_rounding_and_writing_numbers_agree_with_duckdb(
    engine: duckdb.DuckDBPyConnection, value: float, digits: int
) -> None:
    row = {"delay": value}
    for text in (f"ROUND(delay, {digits})", "CAST(delay AS VARCHAR)", "delay % 7", "FLOOR(delay / 3)"):
        sql = expressions.to_sql(text)
        expected = engine.execute(f'SELECT {sql} FROM (SELECT CAST(? AS DOUBLE) AS "delay")', [value]).fetchall()[0][0]
        assert same(expressions.compile_row(text)(row), expected), (text, value)


def test_letters_of_many_alphabets_change_case_as_in_duckdb(engine: duckdb.DuckDBPyConnection) -> None:
    letters = [chr(code) for code in [*range(0x20, 0x250), *range(0x370, 0x590), *range(0x1E00, 0x2000)]]
    for text in ("UPPER(carrier)", "LOWER(carrier)", "TRIM(carrier)"):
        sql = expressions.to_sql(text)
        query = f'SELECT {sql} FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS "carrier")'
        expected = [value for (value,) in engine.execute(query, [letters]).fetchall()]
        ours = [expressions.compile_row(text)({"carrier": letter}) for letter in letters]
        assert [pair for pair in zip(letters, ours, expected, strict=True) if pair[1] != pair[2]] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(SELECT 1)", "A subquery is not allowed"),
        ("delay > (SELECT max(delay) FROM rows)", "A subquery"),
        ("carrier IN (SELECT carrier FROM rows)", "IN holds a subquery"),
        ("EXISTS (SELECT 1)", "A subquery"),
        ("pg_sleep(1)", "The function pg_sleep is not allowed"),
        ("read_text('/etc/passwd')", "The function read_text is not allowed"),
        ("1; DROP TABLE flights", "second statement"),
        ("SUM(delay)", "The aggregate function SUM"),
        ("SUM(delay) OVER ()", "A window function"),
        ("row_number() OVER ()", "A window function"),
        ("NOW()", "not allowed"),
        ("CURRENT_TIMESTAMP", "not allowed"),
        ("random()", "not allowed"),
        ("*", "* is not allowed"),
        ("flights.delay", "qualified name"),
        ("$1", "A parameter"),
        ("?", "A parameter"),
        ("delay AS d", "A second word"),
        ("delay d", "A second word"),
        ("delay, stops", "One expression is wanted"),
        ("1 FROM rows", "FROM belongs to a query"),
        ("1 UNION SELECT 2", "This is a query"),
        ("delay LIMIT 1", "LIMIT belongs to a query"),
        ("carrier LIKE note", "pattern in quotes"),
        ("carrier LIKE 'x' ESCAPE '!!'", "ESCAPE belongs to LIKE and takes one character"),
        ("carrier LIKE '!x' ESCAPE '!'", "comes %, _ or ! itself"),
        ("carrier LIKE 'x!' ESCAPE '!'", "comes %, _ or ! itself"),
        ("TRIM(BOTH 'x' FROM carrier)", "option that is not supported"),
        ("departure - INTERVAL '1' MONTH", "units are SECOND"),
        ("EXTRACT(EPOCH FROM departure)", "EXTRACT knows"),
        ("CAST(delay AS INTEGER)", "CAST goes to"),
        ("delay[1]", "not allowed"),
        ("delay >", "Cannot be read"),
        ("'open", "not closed"),
        ("", "empty"),
        ("(" * 900 + "1" + ")" * 900, "nested too deeply"),
        ("1" + " + 1" * 400, "nested too deeply"),
        ("1" * 3000, "2000 are the most"),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_the_message_says_so(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match="^.*" + says.replace("*", r"\*")):
        expressions.parse(text)
    assert expressions.check(text, KNOWN)


WORDS = """a b 1 1.5e3 'x' ( ) + - * / % || , . ; = < > AND OR NOT IS NULL IN LIKE CASE WHEN THEN END CAST AS DOUBLE
SELECT FROM INTERVAL '1' HOUR EXTRACT DOW :: [ ] { } $1 ? : -> @ # ~ !"""
TOKENS = st.sampled_from(WORDS.split())


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=20) | st.lists(TOKENS, max_size=12).map(" ".join))
def test_whatever_is_written_is_either_an_expression_or_refused_with_a_reason(text: str) -> None:
    try:
        expressions.parse(text)
    except ExpressionError as error:
        assert str(error)
    else:
        assert expressions.to_sql(text)


def test_a_refusal_says_what_is_allowed() -> None:
    (message,) = expressions.check("pg_sleep(1)", KNOWN)
    assert "Allowed: columns, numbers" in message


def test_an_unknown_column_names_the_nearest_and_all_unknown_ones_are_named() -> None:
    messages = expressions.check("dealy > 30 AND carier = 'AA'", KNOWN)
    assert messages == [
        "There is no column dealy. Did you mean delay?",
        "There is no column carier. Did you mean carrier?",
    ]


def test_kinds_that_do_not_go_together_are_named() -> None:
    assert "column carrier is a text, 30 is a number" in expressions.check("carrier > 30", KNOWN)[0]
    assert "AND takes true or false" in expressions.check("late AND delay", KNOWN)[0]
    assert "TIMESTAMP '2013" in expressions.check("departure > '2013-12-01'", KNOWN)[0]
    assert "INTERVAL" in expressions.check("departure - 60", KNOWN)[0]
    assert "not a timestamp" in expressions.check("departure > TIMESTAMP 'tomorrow'", KNOWN)[0]


def test_unknown_stays_unknown_through_three_valued_logic() -> None:
    run = expressions.compile_row("delay > 30 OR late")
    assert run({"delay": None, "late": True}) is True
    assert run({"delay": None, "late": False}) is None
    assert run({}) is None
    assert expressions.compile_row("delay > 30 AND late")({"delay": None, "late": False}) is False


def test_a_division_by_zero_is_unknown() -> None:
    assert expressions.compile_row("delay / stops")({"delay": 1.0, "stops": 0}) is None
    assert expressions.compile_row("delay % stops")({"delay": 1.0, "stops": 0}) is None


def test_zero_has_no_sign_as_text(engine: duckdb.DuckDBPyConnection) -> None:
    text = "CAST(ROUND(delay, -2) AS VARCHAR)"
    assert expressions.compile_row(text)({"delay": -1.0}) == "0"
    assert engine.execute(f'SELECT {expressions.to_sql(text)} FROM (SELECT -1e0 AS "delay")').fetchall() == [("0",)]


def test_sunday_is_day_zero() -> None:
    weekday = expressions.compile_row("EXTRACT(DOW FROM departure)")
    assert weekday({"departure": datetime(2013, 12, 1, tzinfo=UTC)}) == 0
    assert weekday({"departure": datetime(2013, 12, 7, tzinfo=UTC)}) == 6


def test_an_instant_without_zone_is_read_as_utc_and_results_are_in_utc() -> None:
    moment = expressions.compile_row("departure - INTERVAL '60' MINUTE")
    assert moment({"departure": datetime.fromisoformat("2013-12-01 05:00")}) == datetime(2013, 12, 1, 4, tzinfo=UTC)


def test_identifiers_are_quoted_and_qualified() -> None:
    sql = expressions.to_sql("late AND delay > 30", {"delay": "arrivals"})
    assert sql == '("late" AND ("arrivals"."delay" > 30e0))'
    assert expressions.to_sql('"odd ""name" > 1') == '("odd ""name" > 1e0)'


def test_texts_in_sql_are_escaped() -> None:
    assert expressions.to_sql("carrier = 'O''Hare'") == "(\"carrier\" = 'O''Hare')"


def test_columns_are_collected() -> None:
    assert expressions.columns_of("COALESCE(delay, stops) > 1 AND delay < 9") == {"delay", "stops"}
