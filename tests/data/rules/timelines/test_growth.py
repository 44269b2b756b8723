"""How timelines grow: no operator holds a partition in memory, and extremes change as seldom as they do."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.data.rules import timelines as lines
from pilotage.platform.engine import analytical
from pilotage.usecase.records import Latest, Plan, RequestColumn, Source, Window

START = datetime(2024, 3, 1, tzinfo=UTC).replace(tzinfo=None)
SOURCE = Source(key=["visit"], event_time="happened", known_at="known")
TAKEN = ("visit", "happened", "known", "shop", "score")
DAY = 86400
COLUMNS: tuple[Latest | Window, ...] = (
    Latest("newest", "number", "visits", ("shop",), "score", DAY),
    *(
        Window(aggregate, "number", "visits", ("shop",), "score", aggregate, DAY)
        for aggregate in ("count", "std", "distinct", "min", "max", "since")
    ),
)
Visit = tuple[int, datetime, datetime, str, float | None]


def visits(connection: duckdb.DuckDBPyConnection, rows: Sequence[Visit], corrected: bool, of: str = "") -> list[str]:
    """The statements that make the timelines of these visits, which are in the engine; all, or that of a column."""
    connection.execute(
        "CREATE TABLE visits (visit BIGINT, happened TIMESTAMP, known TIMESTAMP, shop VARCHAR, score DOUBLE, "
        "_known_at TIMESTAMP, _deleted BOOLEAN)"
    )
    for at in range(0, len(rows), 500):
        some = rows[at : at + 500]
        values = ", ".join(["(?, ?, ?, ?, ?, ?, false)"] * len(some))
        connection.execute(f"INSERT INTO visits VALUES {values}", [value for row in some for value in (*row, row[2])])
    plan = Plan("order", "", {"shop": RequestColumn(kind="category")}, COLUMNS, "")
    largest = max((abs(score) for *_, score in rows if score is not None), default=0.0)
    facts = lines.SourceFacts(corrected=corrected, largest={"score": largest})
    wanted = [line for line in lines.timelines(plan) if not of or of in [column.name for column in line.columns]]
    made = [lines.timeline_sql(line, facts) for line in wanted]
    return [lines.history_sql("visits", SOURCE, TAKEN, facts), *made]


def timeline(rows: Sequence[Visit], column: str) -> list[tuple[Any, ...]]:
    """The instants of a column's timeline with its values."""
    with analytical(threads=1) as connection:
        for statement in visits(connection, rows, corrected=False, of=column):
            connection.execute(statement)
        plan = Plan("order", "", {"shop": RequestColumn(kind="category")}, COLUMNS, "")
        (line,) = (line for line in lines.timelines(plan) if column in [c.name for c in line.columns])
        return list(connection.execute(f'SELECT _from, "{column}" FROM {line.name} ORDER BY ALL').fetchall())


def visit(number: int, minute: float, score: float | None) -> Visit:
    at = START + timedelta(minutes=minute)
    return number, at, at, "a", score


@pytest.mark.parametrize("corrected", [False, True])
def test_no_step_holds_a_partition_of_rows_in_memory(corrected: bool) -> None:
    """A window with a partition does; one that rows stream through, a sort and an aggregate can spill."""
    with analytical(threads=1) as connection:
        for statement in visits(connection, [visit(1, 0, 1.0), visit(2, 1, 2.0)], corrected):
            plan = json.loads(connection.execute(f"EXPLAIN (FORMAT json) {statement}").fetchall()[0][1])
            operators = list(names(plan))
            is_copy = statement.startswith('CREATE TABLE "history_') and not corrected
            assert is_copy or "STREAMING_WINDOW" in operators
            assert "WINDOW" not in operators, statement
            connection.execute(statement)


def names(plan: Any) -> Any:
    for node in plan if isinstance(plan, list) else [plan]:
        yield node["name"].strip().upper().replace(" ", "_")
        yield from names(node.get("children", []))


def test_extremes_of_values_in_no_order_change_seldom() -> None:
    numbers = random.Random(7)
    rows = [visit(n, n, numbers.random()) for n in range(2000)]
    assert len(timeline(rows, "count")) == 2000 + 2000 - (2000 - DAY // 60)  # in and out, many at one instant
    assert len(timeline(rows, "max")) < 150


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_an_extreme_is_one_of_the_values_to_the_last_bit(values: list[float]) -> None:
    rows = [visit(n, n, value) for n, value in enumerate(values)]
    for column, function in (("min", min), ("max", max)):
        reached = last(rows, column)
        assert reached == function(values)
        assert bits(reached) in {bits(value) for value in values}


def last(rows: list[Visit], column: str) -> float:
    """The value once all have come and none has gone."""
    newest = max(row[1] for row in rows)
    return float([value for at, value in timeline(rows, column) if at <= newest][-1])


def bits(value: float) -> bytes:
    return struct.pack(">d", value)


def test_minus_zero_stays_minus_zero() -> None:
    assert math.copysign(1.0, timeline([visit(1, 0, -0.0)], "max")[0][1]) == -1.0


def test_a_row_without_a_finite_clock_is_never_the_newest() -> None:
    with analytical(threads=1) as connection:
        statements = visits(connection, [visit(1, 0, 1.0), visit(2, 1, 9.0)], corrected=False)
        connection.execute("UPDATE visits SET happened = 'infinity', _known_at = 'infinity' WHERE visit = 2")
        for statement in statements:
            connection.execute(statement)
        assert connection.execute("SELECT newest FROM timeline_1").fetchall() == [(1.0,)]
