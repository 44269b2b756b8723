"""Standard deviations, shares, ages and conditions: training, memory and a plain loop say the same."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Latest, Window
from tests.data.shop import TEXT, shop
from tests.data.test_point_in_time import (
    START,
    Visit,
    columns_both_ways,
    minutes,
    orders,
    ties,
    training_rows,
    visible,
    visits,
)

INPUTS = """
  amount: request
  store: request
  last_score: {latest: visits, by: store, take: score, where: grade = 'x', within: 3 hours}
  last_graded: {latest: visits, by: store, take: grade, kind: category, where: score > 0, within: 1 day}
  any_score: {latest: visits, by: store, take: score, within: 1 day}
  spread: {windows: visits, by: store, take: score, aggregate: std, over: [2 hours, 1 day]}
  spread_x: {windows: visits, by: store, take: score, aggregate: std, where: grade = 'x', over: 2 hours}
  good: {windows: visits, by: store, aggregate: share, where: score > 0, over: [2 hours, 1 day]}
  bad: {windows: visits, by: store, aggregate: share, where: grade = 'z' OR score < 0, over: 2 hours}
  quiet: {windows: visits, by: store, aggregate: since, over: [2 hours, 1 day]}
  quiet_x: {windows: visits, by: store, aggregate: since, where: grade = 'x', over: 2 hours}
  visits: {windows: visits, by: store, aggregate: count, where: grade <> 'x', over: 2 hours}
  total: {windows: visits, by: store, take: score, aggregate: sum, where: "grade IN ('x', 'y')", over: 2 hours}
  middle: {windows: visits, by: store, take: score, aggregate: mean, over: 2 hours}
  least: {windows: visits, by: store, take: score, aggregate: min, where: score > 0, over: 2 hours}
  most: {windows: visits, by: store, take: score, aggregate: max, where: score > 0, over: 2 hours}
  least_ever: {windows: visits, by: store, take: score, aggregate: min, over: 1 day}
  most_ever: {windows: visits, by: store, take: score, aggregate: max, over: 1 day}
  scores: {windows: visits, by: store, take: [score, grade], aggregate: distinct, over: [2 hours, 1 day]}
  grades_x: {windows: visits, by: store, take: score, aggregate: distinct, where: grade = 'x', over: 2 hours}
"""
DEFINITION = shop(TEXT[: TEXT.index("inputs:\n") + 8] + INPUTS.lstrip("\n") + "\n" + TEXT[TEXT.index("rule:\n") :])
LOOKED_UP = tuple(c for c in DEFINITION.plan.columns if isinstance(c, (Latest, Window)))
CONDITIONS = {
    "": lambda row: True,
    "grade = 'x'": lambda row: row.grade == "x",
    "grade <> 'x'": lambda row: row.grade not in (None, "x"),
    "grade IN ('x', 'y')": lambda row: row.grade in ("x", "y"),
    "score > 0": lambda row: row.score is not None and row.score > 0,
    "grade = 'z' OR score < 0": lambda row: row.grade == "z" or (row.score is not None and row.score < 0),
}


def expected(column: Latest | Window, rows: list[Visit], store: str | None, moment: datetime) -> Any:
    """The column's value by its definition."""
    if store is None:
        return None
    fulfils = CONDITIONS[column.where]
    there = [row for row in visible(rows, moment) if row.store == store]
    if isinstance(column, Latest):
        oldest = moment - timedelta(seconds=column.within_seconds)
        newest = max(filter(fulfils, there), key=lambda row: (row.happened_at, *ties(row)), default=None)
        return None if newest is None or newest.happened_at < oldest else getattr(newest, column.take)
    inside = [row for row in there if row.happened_at > moment - timedelta(seconds=column.over_seconds)]
    fulfilling = [row for row in inside if fulfils(row)]
    if column.aggregate == "share":
        return len(fulfilling) / len(inside) if inside else None
    if column.aggregate == "since":
        newest_at = max((row.happened_at for row in fulfilling), default=None)
        return None if newest_at is None else (moment - newest_at).total_seconds()
    values = [getattr(row, column.take) if column.take else 1 for row in fulfilling]
    return aggregated(column.aggregate, [value for value in values if value is not None])


def aggregated(aggregate: str, values: list[Any]) -> float | None:
    if aggregate in ("count", "distinct"):
        return len(values) if aggregate == "count" else len(set(values))
    if aggregate == "std":
        return statistics.stdev(values) if len(values) > 1 else None
    if not values:
        return None
    return {"sum": sum, "min": min, "max": max, "mean": statistics.fmean}[aggregate](values)


def agree(rows: list[Visit], asked: list[tuple[str | None, datetime]]) -> None:
    """Training and live give the same bits, and what the definition says."""
    training, live = columns_both_ways(rows, asked, definition=DEFINITION)
    assert len(training) == len(asked)
    for row, (store, moment) in zip(training, asked, strict=True):
        answer = live.assemble({"store": store, "amount": 1.0, "placed_at": moment}, moment.replace(tzinfo=UTC))
        assert answer == {name: row[name] for name in DEFINITION.plan.names}
        for column in LOOKED_UP:
            value = pytest.approx(expected(column, rows, store, moment), abs=1e-9)
            assert row[column.name] == value, (column.name, store, moment)


@settings(max_examples=12, deadline=None)
@given(st.lists(visits, max_size=30), orders)
def test_every_aggregate_and_condition_is_what_was_known_at_the_moment(
    rows: list[Visit], asked: list[tuple[str | None, datetime]]
) -> None:
    agree(rows, asked)


uneven = st.builds(lambda at, us: at + timedelta(microseconds=us), minutes, st.integers(-3, 3))


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.builds(
            Visit,
            visit_id=st.integers(0, 12).map(str),
            store=st.just("a"),
            score=st.integers(-3, 3).map(float),
            grade=st.sampled_from(["x", "y"]),
            happened_at=uneven,
            known_at=uneven,
        ),
        min_size=5,
        max_size=30,
    ),
    st.lists(uneven, min_size=10, max_size=20),
)
def test_a_microsecond_before_and_after_each_change_is_told_apart(rows: list[Visit], moments: list[datetime]) -> None:
    """Instants on the cuts of windows, corrections that are visible for a microsecond."""
    edges = [row.known_at + timedelta(hours=hours) for row in rows[:6] for hours in (0, 2)]
    agree(rows, [("a", moment) for moment in [*moments, *edges]])


def test_late_rows_before_1970_are_told_apart_as_those_after() -> None:
    start = datetime(1969, 12, 31, 20, tzinfo=UTC).replace(tzinfo=None)
    rows = [
        Visit(str(n), "a", float((n * 7) % 11 - 5), "xyz"[n % 3], at, at + timedelta(minutes=(n * 13) % 150))
        for n, at in ((n, start + timedelta(minutes=5 * n)) for n in range(100))
    ]
    agree(rows, [("a", start + timedelta(minutes=3 * n)) for n in range(200)])


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e9, 1e14])
def test_a_standard_deviation_far_from_zero_keeps_its_digits(offset: float) -> None:
    """The naive difference of squares loses all of them beyond 1e8."""
    scores = [offset + n / 8 for n in (0, 1, 5, 2, 7, 3)]
    rows = [Visit(str(n), "a", score, "x", START, START) for n, score in enumerate(scores)]
    training = training_rows(rows, [("a", START)], definition=DEFINITION)
    assert training[0]["std_score_by_store_2h"] == pytest.approx(statistics.stdev(scores), rel=1e-14)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_a_standard_deviation_of_any_size_is_finite_and_right(size: float) -> None:
    rows = [Visit(str(n), "a", size * n, "x", START, START) for n in range(1, 4)]
    training = training_rows(rows, [("a", START)], definition=DEFINITION)
    assert training[0]["std_score_by_store_2h"] == pytest.approx(size, rel=1e-12)


def test_equal_values_deviate_by_nothing_and_one_value_by_nothing_that_is_known() -> None:
    alike = [Visit(str(n), "a", 0.1, "x", START, START) for n in range(7)]
    assert training_rows(alike, [("a", START)], definition=DEFINITION)[0]["std_score_by_store_2h"] == 0.0
    assert training_rows(alike[:1], [("a", START)], definition=DEFINITION)[0]["std_score_by_store_2h"] is None


def test_an_age_is_null_once_the_newest_row_has_left_the_window() -> None:
    rows = [Visit("1", "a", 1.0, "y", START, START)]
    asked = [("a", START + timedelta(hours=2, microseconds=us)) for us in (-1, 0)]
    inside, outside = training_rows(rows, asked, definition=DEFINITION)  # type: ignore[arg-type]
    assert inside["since_by_store_2h"] == 7199.999999
    assert outside["since_by_store_2h"] is None
    assert outside["since_by_store_1d"] == 7200.0
    assert inside["quiet_x_since_by_store_2h"] is None


def test_a_correction_takes_a_row_out_of_a_condition_from_when_it_is_known() -> None:
    rows = [
        Visit("1", "a", 1.0, "x", START, START),
        Visit("2", "a", 5.0, "x", START + timedelta(minutes=1), START + timedelta(minutes=1)),
        Visit("2", "a", 5.0, "y", START + timedelta(minutes=1), START + timedelta(minutes=10)),
    ]
    asked: list[tuple[str | None, datetime]] = [("a", START + timedelta(minutes=n)) for n in (5, 15)]
    before, after = training_rows(rows, asked, definition=DEFINITION)
    assert (before["last_score"], after["last_score"]) == (5.0, 1.0)
    assert (before["count_by_store_2h"], after["count_by_store_2h"]) == (0.0, 1.0)


def test_columns_that_only_a_condition_reads_are_kept() -> None:
    text = TEXT[: TEXT.index("inputs:\n") + 8] + (
        "  amount: request\n  good: {windows: visits, by: store, aggregate: share, where: grade = 'x', over: 1 day}\n\n"
    )
    definition = shop(text + TEXT[TEXT.index("rule:\n") :].replace("last_score > 5", "amount > 5"))
    assert "grade" in needed_columns(definition)["visits"]
    assert "score" not in needed_columns(definition)["visits"]


def test_live_ages_are_the_same_floats_as_in_training() -> None:
    rows = [Visit("1", "a", 1.0, "x", START, START)]
    asked: list[tuple[str | None, datetime]] = [("a", START + timedelta(microseconds=7919 * n * n)) for n in range(300)]
    training, live = columns_both_ways(rows, asked, definition=DEFINITION)
    for row, (_, moment) in zip(training, asked, strict=True):
        answer = live.assemble({"store": "a", "amount": 1.0, "placed_at": moment}, moment.replace(tzinfo=UTC))
        assert math.isclose(answer["since_by_store_2h"], row["since_by_store_2h"], rel_tol=0, abs_tol=0)
