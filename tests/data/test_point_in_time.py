"""Lookups and windows: what SQL makes for training, what memory gives live, and what a plain loop says is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.data import relations
from pilotage.data.live import LiveColumns, live_columns
from pilotage.data.rules.training import training_script
from pilotage.platform.engine import analytical
from pilotage.usecase.records import Definition, Latest, Window
from tests.data.shop import TABLES, WITH_STORES, shop

START = datetime(2024, 3, 1, tzinfo=UTC).replace(tzinfo=None)
DEFINITION = shop(WITH_STORES)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
LOOKED_UP = tuple(c for c in DEFINITION.plan.columns if isinstance(c, (Latest, Window)) and c.source == "visits")


@dataclass(frozen=True)
class Visit:
    """A version of a visit's row."""

    visit_id: str
    store: str | None
    score: float | None
    grade: str | None
    happened_at: datetime | None
    known_at: datetime
    deleted: bool = False


@dataclass(frozen=True)
class Listed:
    """A version of a store's row in the list that has no clocks: when a sync first saw it."""

    store: str
    region: str | None
    seen_at: datetime
    deleted: bool


minutes = st.integers(0, 300).map(lambda n: START + timedelta(minutes=10 * n))
visits = st.builds(
    Visit,
    visit_id=st.integers(0, 25).map(str),
    store=st.sampled_from(["a", "b", None]),
    score=st.one_of(st.none(), st.floats(-1000, 1000, width=32), st.integers(-3, 3).map(float)),
    grade=st.sampled_from(["x", "y", "z", None]),
    happened_at=st.one_of(minutes, minutes, minutes, st.none()),
    known_at=minutes,
    deleted=st.sampled_from([False, False, False, True]),
)
stores = st.lists(
    st.builds(
        Listed,
        store=st.sampled_from(["a", "b"]),
        region=st.sampled_from(["sea", "hill", None]),
        seen_at=st.one_of(st.just(ALWAYS), minutes),
        deleted=st.sampled_from([False, False, True]),
    ),
    max_size=6,
    unique_by=lambda row: (row.store, row.seen_at),
)
orders = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), minutes), min_size=1, max_size=12)


def visible(rows: list[Visit], moment: datetime) -> list[Visit]:
    """The version of each visit that was newest by the moment, if it had happened and was not deleted."""
    newest: dict[str, Visit] = {}
    for row in sorted(rows, key=ties):
        if row.known_at <= moment:
            newest[row.visit_id] = row
    happened = [row for row in newest.values() if row.happened_at is not None and row.happened_at <= moment]
    return [row for row in happened if not row.deleted]


def ties(row: Visit) -> tuple[Any, ...]:
    """Rows of one key by known_at, then deletions, event_time and the other columns, the unknown last."""
    return (
        row.known_at,
        row.deleted,
        last(row.happened_at),
        row.visit_id,
        last(row.grade),
        last(row.score),
        last(row.store),
    )


def last(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)


def expected(column: Latest | Window, rows: list[Visit], store: str | None, moment: datetime) -> Any:
    """The column's value by its definition."""
    if store is None:
        return None
    there = [row for row in visible(rows, moment) if row.store == store]
    if isinstance(column, Latest):
        oldest = moment - timedelta(seconds=column.within_seconds)
        newest = max(there, key=lambda row: (row.happened_at, *ties(row)), default=None)
        return None if newest is None or newest.happened_at < oldest else getattr(newest, column.take)
    after = moment - timedelta(seconds=column.over_seconds)
    values = [getattr(row, column.take) if column.take else 1 for row in there if row.happened_at > after]
    return aggregated(column.aggregate, [value for value in values if value is not None])


def expected_region(rows: list[Listed], store: str | None, moment: datetime) -> str | None:
    """The region of the store's newest version by the moment, if it is still in the list."""
    seen = [row for row in rows if row.store == store and row.seen_at <= moment]
    newest = max(seen, key=lambda row: row.seen_at, default=None)
    return None if newest is None or newest.deleted else newest.region


def aggregated(aggregate: str, values: list[Any]) -> float | None:
    if aggregate == "count":
        return len(values)
    if aggregate == "distinct":
        return len(set(values))
    if not values:
        return None
    return {"sum": sum, "min": min, "max": max, "mean": lambda given: sum(given) / len(given)}[aggregate](values)


def columns_both_ways(
    rows: list[Visit],
    asked: list[tuple[str | None, datetime]],
    listed: Sequence[Listed] = (),
    definition: Definition = DEFINITION,
) -> tuple[list[dict[str, Any]], LiveColumns]:
    """The training rows, and the live columns made from the same relations."""
    training = training_rows(rows, asked, listed, definition)
    with analytical(threads=1) as connection:
        tables(connection, rows, asked, listed)
        return training, live_columns(connection, definition, {})


def training_rows(
    rows: list[Visit],
    asked: list[tuple[str | None, datetime]],
    listed: Sequence[Listed] = (),
    definition: Definition = DEFINITION,
) -> list[dict[str, Any]]:
    """The rows that a training set would have, in the order of what was asked."""
    with analytical(threads=1) as connection:
        tables(connection, rows, asked, listed)
        facts = relations.measure(connection, definition)
        for statement in training_script(definition, facts, (), datetime(2030, 1, 1, tzinfo=UTC)):
            connection.execute(statement)
        return connection.sql("SELECT * FROM training_set ORDER BY entity").to_arrow_table().to_pylist()


def tables(
    connection: duckdb.DuckDBPyConnection,
    rows: list[Visit],
    asked: list[tuple[str | None, datetime]],
    listed: Sequence[Listed] = (),
) -> None:
    connection.execute("CREATE TABLE stores (store VARCHAR, region VARCHAR, _seen_at TIMESTAMP, _deleted BOOLEAN)")
    for each in listed:
        values = [each.store, None if each.deleted else each.region, each.seen_at, each.deleted]
        connection.execute("INSERT INTO stores VALUES (?, ?, ?, ?)", values)
    connection.execute("ALTER TABLE stores ADD COLUMN _known_at TIMESTAMP")
    connection.execute("UPDATE stores SET _known_at = _seen_at")
    for name, columns in TABLES.items():
        typed = columns.replace("TEXT", "VARCHAR").replace("REAL", "DOUBLE")
        connection.execute(f"CREATE TABLE {name} ({typed}, _known_at TIMESTAMP, _deleted BOOLEAN)")
    for number, (store, moment) in enumerate(asked):
        values = [f"{number:03}", store, moment, moment, moment]
        connection.execute("INSERT INTO orders VALUES (?, ?, 1.0, ?, ?, ?, false)", values)
    for row in rows:
        values = [row.visit_id, row.store, row.score, row.grade, row.happened_at, row.known_at]
        connection.execute("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*values, row.known_at, row.deleted])


@settings(max_examples=15, deadline=None)
@given(st.lists(visits, max_size=25), orders, stores)
def test_training_rows_and_live_answers_are_both_what_was_known_at_the_moment(
    rows: list[Visit], asked: list[tuple[str | None, datetime]], listed: list[Listed]
) -> None:
    training, live = columns_both_ways(rows, asked, listed)
    assert len(training) == len(asked)
    for row, (store, moment) in zip(training, asked, strict=True):
        answer = live.assemble({"store": store, "amount": 1.0, "placed_at": moment}, moment.replace(tzinfo=UTC))
        assert answer == {name: row[name] for name in DEFINITION.plan.names}
        assert row["region"] == expected_region(listed, store, moment)
        for column in LOOKED_UP:
            assert row[column.name] == pytest.approx(expected(column, rows, store, moment), abs=1e-9), column.name


@settings(max_examples=8, deadline=None)
@given(st.lists(visits, min_size=1, max_size=20), orders, st.floats(2000, 9000))
def test_nothing_that_becomes_known_after_the_decision_changes_it(
    rows: list[Visit], asked: list[tuple[str | None, datetime]], score: float
) -> None:
    moment = max(moment for _, moment in asked)
    later = [Visit(str(n), "a", score, "later", moment, moment + timedelta(microseconds=1)) for n in range(25)]
    before = training_rows(rows, asked)
    after = training_rows(rows + later, asked)
    assert after == before


def test_uncorrected_rows_take_the_short_way_and_give_the_same() -> None:
    rows = [
        Visit(str(n), "a", float(n), "x", START + timedelta(minutes=7 * n % 600), START + timedelta(minutes=7 * n))
        for n in range(200)
    ]
    asked = [("a", START + timedelta(minutes=13 * n)) for n in range(100)]
    training = training_rows(rows, asked)
    for row, (store, moment) in zip(training, asked, strict=True):
        for column in LOOKED_UP:
            assert row[column.name] == pytest.approx(expected(column, rows, store, moment), abs=1e-9), column.name


def test_sums_do_not_remember_a_huge_value_that_has_left_the_window() -> None:
    rows = [
        Visit("0", "a", 1e300, "x", START, START),
        *(Visit(str(n), "a", 0.1, "x", START + timedelta(days=2), START + timedelta(days=2)) for n in range(1, 4)),
    ]
    huge = training_rows(rows, [("a", START + timedelta(hours=1))])
    assert huge[0]["sum_score_by_store_2h"] == 1e300
    usual = training_rows(rows[1:], [("a", START + timedelta(days=2, hours=1))])
    assert usual[0]["sum_score_by_store_2h"] == pytest.approx(0.3, abs=1e-15)


def test_columns_opened_from_an_instant_on_answer_the_same_and_refuse_what_lies_before() -> None:
    rows = [
        Visit(
            str(n % 80), "a", n / 3, "xyz"[n % 3], START + n * timedelta(minutes=9), START + n * timedelta(minutes=10)
        )
        for n in range(300)
    ]
    since = (START + timedelta(hours=40)).replace(tzinfo=UTC)
    with analytical(threads=1) as connection:
        tables(connection, rows, [])
        whole = live_columns(connection, DEFINITION, {})
    with analytical(threads=1) as connection:
        tables(connection, rows, [])
        recent = live_columns(connection, DEFINITION, {}, since)
    request = {"store": "a", "amount": 2, "placed_at": START}
    for hours in range(10):
        moment = since + timedelta(hours=hours)
        assert recent.assemble(request, moment) == whole.assemble(request, moment)
    with pytest.raises(ValueError, match="known from"):
        recent.assemble(request, since - timedelta(seconds=1))
