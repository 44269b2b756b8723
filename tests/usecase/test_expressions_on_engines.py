"""One expression, one value: in Python, DuckDB, SQLite and PostgreSQL, to the last bit."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pilotage.usecase.rules import expressions
from pilotage.usecase.rules.expressions import Dialect, ExpressionError
from tests import postgres
from tests.usecase.grammar import KNOWN, every_shape, expression_texts

EXAMPLES = 25 if not os.environ.get("PROMISES") else 600
EXPRESSIONS_A_QUERY = 12
Row = dict[str, Any]
Difference = tuple[str, Row, dict[str, Any]]
Ask = Callable[[Sequence[str], Sequence[Row]], list[tuple[Any, ...]]]
NUMBERS = [0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 0.1, 1e-5, 1e15, 1e16, 1e20, 123456789012345.6, 12345.675, -7.0]
SAFE_NUMBERS = st.one_of(
    st.integers(-50, 50).map(float),
    st.floats(-1e9, 1e9).filter(lambda number: number == 0 or abs(number) > 1e-9),
    st.sampled_from(NUMBERS),
)
ALL_NUMBERS = SAFE_NUMBERS | st.floats() | st.sampled_from([sys.float_info.max, 5e-324, 2.0**53, 1e300, -1e300])
LARGE = [2**53 + 1, 2**63 - 1, -(2**63), 2**53]
WORDS = [
    *("", " x ", "\u00a0x\u3000", "\tx\n", "AA", "aa", "dl", "N1%", "N1\\", "a_b", "[a]*?", "%x", "'", "{0}", "%s"),
    *(
        "7",
        "-2.5",
        "+1e3",
        "1e",
        ".5",
        "5.",
        "0.30000000000000004",
        "1e400",
        "inf",
        "NaN",
        "1_0",
        "true",
        "NO",
        "Y",
        "on",
    ),
    *("Straße", "ÉCLAIR", "ǆ", "日本語", "😀", "2013-12-01", "2013-12-01 05:30", "2013-12-01T05:30", "2013-02-29"),
    *(
        "2012-02-29T23:59:59.25Z",
        "2013-12-01Z",
        "2013-13-01",
        "2013-00-10",
        "2013-12-01T24:00",
        "2013-12-01 05:30:07.5",
    ),
    "2013-12-01T05:30:00.1234567",
]
TEXTS = st.sampled_from(WORDS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0x2FFF), max_size=6
)
MOMENTS = [
    datetime.fromisoformat(text)
    for text in (
        "2013-03-10T07:00",
        "2013-11-03T05:59:59.999999",
        "2013-03-31T01:00",
        "0001-01-01T00:00",
        "9999-12-31T23:59:59.999999",
        "2012-02-29T00:00",
        "1969-12-31T23:59:59.500000",
    )
]
INSTANTS = st.sampled_from(MOMENTS) | st.integers(-70 * 366 * 86400, 80 * 366 * 86400).map(
    lambda second: datetime.fromisoformat("2013-01-01") + timedelta(seconds=second, microseconds=abs(second) % 10**6)
)


def rows_of(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[Row]]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "delay": numbers,
        "stops": st.integers(-9, 9) | st.sampled_from(LARGE),
        "carrier": TEXTS,
        "note": TEXTS,
        "late": st.booleans(),
        "departure": INSTANTS,
        "arrival": INSTANTS,
    }
    row = st.fixed_dictionaries({name: st.none() | value for name, value in values.items()})
    return st.lists(row, min_size=6, max_size=6)


BATCH = st.lists(expression_texts(), min_size=EXPRESSIONS_A_QUERY, max_size=EXPRESSIONS_A_QUERY)


def written(texts: Sequence[str], dialect: Dialect) -> dict[str, str]:
    """The SQL of those that the engine does not refuse."""
    found = {}
    for text in texts:
        try:
            found[text] = expressions.to_sql(text, dialect=dialect, kinds=KNOWN)
        except ExpressionError as error:
            assert "cannot do" in str(error), (text, str(error))
    return found


def as_closure(value: Any, meant: Any) -> Any:
    """A value of an engine as the closure would give it."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(meant, datetime) and isinstance(value, str):
        assert len(value) == 26
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return bool(value) if isinstance(meant, bool) and type(value) is int else value


def differences(texts: Sequence[str], rows: Sequence[Row], dialect: Dialect, ask: Ask) -> list[Difference]:
    """What the engine gives otherwise than the closure: the text, the row, both values."""
    sql = written(texts, dialect)
    if not sql:
        return []
    found: list[Difference] = []
    for row, values in zip(rows, ask(list(sql.values()), rows), strict=True):
        for text, value in zip(sql, values, strict=True):
            meant = expressions.compile_row(text)(row)
            given_ = as_closure(value, meant)
            if type(given_) is not type(meant) or given_ != meant:
                used = {name: row[name] for name in expressions.columns_of(text)}
                found.append((text, used, {"closure": meant, dialect: value}))
    return found


@pytest.fixture(scope="module")
def duckdb_engine() -> Iterator[Ask]:
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE TABLE rows (n INTEGER, delay DOUBLE, stops BIGINT, carrier VARCHAR, note VARCHAR, late BOOLEAN, "
        "departure TIMESTAMP, arrival TIMESTAMPTZ)"
    )

    def ask(columns: Sequence[str], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        connection.execute("DELETE FROM rows")
        values = [
            [n, *({**row, "arrival": row["arrival"] and row["arrival"].replace(tzinfo=UTC)}[name] for name in KNOWN)]
            for n, row in enumerate(rows)
        ]
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return connection.execute(f"SELECT {', '.join(columns)} FROM rows ORDER BY n").fetchall()

    yield ask
    connection.close()


@pytest.fixture(scope="module")
def sqlite_engine() -> Iterator[Ask]:
    import pysqlite3

    connection = pysqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE rows (n INTEGER, delay REAL, stops INTEGER, carrier TEXT COLLATE NOCASE, note TEXT, "
        "late BOOLEAN, departure TIMESTAMP, arrival TEXT)"
    )

    def ask(columns: Sequence[str], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        connection.execute("DELETE FROM rows")
        values = [[n, *(_for_sqlite(name, row[name], n) for name in KNOWN)] for n, row in enumerate(rows)]
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return list(connection.execute(f"SELECT {', '.join(columns)} FROM rows ORDER BY n").fetchall())

    yield ask
    connection.close()


def _for_sqlite(name: str, value: Any, n: int) -> Any:
    """Instants as ISO text in the forms that programs write."""
    if not isinstance(value, datetime):
        return value
    if name == "departure":
        return value.isoformat(" ")
    if n % 2 and 1 < value.year < 9999:
        return (value + timedelta(hours=5, minutes=30)).isoformat() + "+05:30"
    return value.isoformat() + "Z"


@pytest.fixture(scope="module")
def postgresql_engine() -> Iterator[Ask]:
    import psycopg

    with (
        postgres.cluster_or_skip("expressions on PostgreSQL") as address,
        psycopg.connect(address, autocommit=True, options="-c TimeZone=UTC") as connection,
    ):
        connection.execute(
            "CREATE TABLE rows (n int, delay double precision, stops bigint, carrier text, note text, late boolean,"
            " departure timestamp, arrival timestamptz)"
        )

        def ask(columns: Sequence[str], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
            connection.execute("TRUNCATE rows")
            values = [
                [n, *({**row, "arrival": row["arrival"] and row["arrival"].replace(tzinfo=UTC)}[k] for k in KNOWN)]
                for n, row in enumerate(rows)
            ]
            places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(values))
            connection.execute(f"INSERT INTO rows VALUES {places}", [v for row in values for v in row])
            return connection.execute(f"SELECT {', '.join(columns)} FROM rows ORDER BY n".encode()).fetchall()

        yield ask


ENOUGH = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a batch shrinks slowly, and says its shortest difference
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


def shortest(found: list[Difference]) -> Difference | None:
    return min(found, key=lambda difference: len(str(difference)), default=None)


@ENOUGH
@given(texts=BATCH, rows=rows_of(ALL_NUMBERS))
def test_duckdb_and_sqlite_give_what_the_closure_gives(
    duckdb_engine: Ask, sqlite_engine: Ask, texts: list[str], rows: list[Row]
) -> None:
    assert shortest(differences(texts, rows, "duckdb", duckdb_engine)) is None
    assert shortest(differences(texts, rows, "sqlite", sqlite_engine)) is None


@ENOUGH
@given(texts=BATCH, rows=rows_of(SAFE_NUMBERS))
def test_postgresql_gives_what_the_closure_gives(postgresql_engine: Ask, texts: list[str], rows: list[Row]) -> None:
    assert shortest(differences(texts, rows, "postgresql", postgresql_engine)) is None


def many_rows() -> list[Row]:
    """Every value that is awkward to one engine or another, in 160 rows."""
    chance = random.Random(7)
    values: dict[str, list[Any]] = {
        "delay": [None, 0.0, -0.0, *NUMBERS],
        "stops": [None, -9, 0, 1, 7, 2**53, *LARGE],
        "carrier": [None, *WORDS],
        "note": [None, *WORDS],
        "late": [None, True, False],
        "departure": [None, *MOMENTS],
        "arrival": [None, *MOMENTS],
    }
    return [{name: chance.choice(values[name]) for name in KNOWN} for _ in range(160)]


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgresql"])
def test_every_operation_gives_what_the_closure_gives(dialect: Dialect, request: pytest.FixtureRequest) -> None:
    ask = request.getfixturevalue(f"{dialect}_engine")
    texts = list(dict.fromkeys(every_shape()))
    assert len(texts) > 400
    for start in range(0, len(texts), 100):
        assert shortest(differences(texts[start : start + 100], many_rows(), dialect, ask)) is None


def test_what_an_engine_cannot_do_identically_is_refused_and_the_operation_named() -> None:
    with pytest.raises(ExpressionError, match="SQLite cannot do UPPER as it is meant here: it changes"):
        expressions.to_sql("UPPER(carrier) = 'AA'", dialect="sqlite", kinds=KNOWN)


def test_an_engine_that_is_asked_live_is_told_the_kinds() -> None:
    with pytest.raises(ExpressionError, match="There is no column delay"):
        expressions.to_sql("delay > 30", dialect="sqlite")
    with pytest.raises(ExpressionError, match="column carrier is a text"):
        expressions.to_sql("carrier > 30", dialect="postgresql", kinds=KNOWN)


def test_a_number_too_large_is_unknown_and_not_greater_than_everything(duckdb_engine: Ask, sqlite_engine: Ask) -> None:
    row = dict.fromkeys(KNOWN) | {"delay": 1e308}
    for text in ("delay * 10 > 5", "1 / (delay * 10)", "delay * 10 - delay * 10", "(delay * 10) % 7", "-(delay * 10)"):
        assert expressions.compile_row(text)(row) is None
        for dialect, ask in (("duckdb", duckdb_engine), ("sqlite", sqlite_engine)):
            assert differences([text], [row], dialect, ask) == []  # type: ignore[arg-type]


def test_postgresql_says_an_error_where_a_number_grows_too_large(
    postgresql_engine: Ask,
) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        differences(["delay * 10 > 5"], [dict.fromkeys(KNOWN) | {"delay": 1e308}], "postgresql", postgresql_engine)


def test_sqlite_says_an_error_where_it_cannot_read_all_digits_of_a_text(sqlite_engine: Ask) -> None:
    import pysqlite3

    row = dict.fromkeys(KNOWN) | {"note": "41589783231728516.00001"}
    with pytest.raises(pysqlite3.OperationalError):
        differences(["CAST(note AS DOUBLE)"], [row], "sqlite", sqlite_engine)


def test_a_division_nested_many_times_is_not_written_twice_each_time(duckdb_engine: Ask) -> None:
    deep = "delay"
    for _ in range(22):
        deep = f"7 / ({deep})"
    nested = "delay"
    for number in range(22):
        nested = f"NULLIF({nested}, {number})"
    for text in (deep, nested):
        assert len(expressions.to_sql(text)) < 5000
        assert differences([text], [dict.fromkeys(KNOWN) | {"delay": 2.5}], "duckdb", duckdb_engine) == []
