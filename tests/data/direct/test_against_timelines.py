"""What the direct queries say, in all engines and forms, is what the timelines say of the same rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotage.data.records import FoundColumn
from pilotage.data.rules.direct import SPELLINGS, Rows, groups, history_query, live_query, now_query, relation_rows
from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Latest, Window
from tests.data.direct.engines import Engine, engine, read, utc
from tests.data.shop import TEXT, shop
from tests.data.test_point_in_time import START, Visit, columns_both_ways, minutes, orders, training_rows, visits
from tests.data.test_windows import INPUTS

MORE = """
  seen: {latest: visits, by: store, take: happened_at, kind: datetime, within: 1 day}
  graded: {latest: visits, by: {store: store, amount: score}, take: grade, kind: category, within: 1 day}
  ones: {windows: visits, by: {amount: score}, aggregate: count, over: [2 hours, 1 day]}
  scored: {windows: visits, by: store, take: score, aggregate: count, over: [2 hours, 3 hours]}
  graded_rows: {windows: visits, by: store, take: [grade, happened_at], aggregate: count, over: [2 hours, 3 hours]}
"""
DEFINITION = shop(
    TEXT[: TEXT.index("inputs:\n") + 8] + (INPUTS.rstrip() + MORE).lstrip("\n") + "\n" + TEXT[TEXT.index("rule:\n") :]
)
LOOKED_UP = tuple(c for c in DEFINITION.plan.columns if isinstance(c, (Latest, Window)))
GROUPS = groups(DEFINITION.plan)
VISITS = {
    "visit_id": "text",
    "store": "text",
    "score": "number",
    "grade": "text",
    "happened_at": "datetime",
    "known_at": "datetime",
    "_known_at": "datetime",
    "_deleted": "flag",
}
ENGINE_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "datetime": "TIMESTAMP"}
FOUND = {
    name: FoundColumn(name, type_, ENGINE_TYPES[type_])  # type: ignore[arg-type]
    for name, type_ in VISITS.items()
    if not name.startswith("_")
}
INEXACT = {"sum", "mean", "std"}


def rows_of_visits() -> dict[str, Rows]:
    use_case = DEFINITION.use_case
    needed = needed_columns(DEFINITION)["visits"]
    return {"visits": relation_rows("visits", use_case.sources["visits"], needed, FOUND)}


@pytest.fixture(scope="module", params=["duckdb", "sqlite", "postgresql"])
def asked_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with engine(request.param) as opened:
        yield opened


def fill(engine: Engine, rows: Sequence[Visit]) -> None:
    values = [(r.visit_id, r.store, r.score, r.grade, r.happened_at, r.known_at, r.known_at, r.deleted) for r in rows]
    engine.fill("visits", VISITS, values)


def same(column: Latest | Window, value: Any, meant: Any, rows: Sequence[Visit]) -> bool:
    """Equal to the last bit; sums within 1e-9 of what was added up, deviations of their own size."""
    if not (isinstance(column, Window) and column.aggregate in INEXACT) or value is None or meant is None:
        return type(value) is type(meant) and value == meant
    finite = (row.score for row in rows if row.score is not None and math.isfinite(row.score))
    size = max(map(abs, finite), default=0.0)
    return bool(value == pytest.approx(meant, rel=1e-9, abs=1e-9 * size * max(1, len(rows))))


def differences(
    answers: Sequence[dict[str, Any]],
    meant: Sequence[dict[str, Any]],
    rows: Sequence[Visit],
    columns: Sequence[Latest | Window] = LOOKED_UP,
) -> list[tuple[str, Any, Any]]:
    return [
        (column.name, row[column.name], wanted[column.name])
        for row, wanted in zip(answers, meant, strict=True)
        for column in columns
        if not same(column, read(row[column.name], column.kind), wanted[column.name], rows)
    ]


def check_history_and_live(
    engine: Engine,
    rows: list[Visit],
    asked: list[tuple[str | None, datetime]],
    columns: Sequence[Latest | Window] = LOOKED_UP,
) -> None:
    training = training_rows(rows, asked, definition=DEFINITION)
    fill(engine, rows)
    spelling = SPELLINGS[engine.dialect]
    spine = {"number": "number", "store": "text", "amount": "number", "_moment": "datetime"}
    engine.fill("moments", spine, [(n, store, 1.0, moment) for n, (store, moment) in enumerate(asked)])
    found = engine.ask(history_query("moments", GROUPS, rows_of_visits(), spelling) + " ORDER BY number")
    assert differences(found, training, rows, columns) == []
    one = live_query(GROUPS, rows_of_visits(), spelling)
    live = [engine.ask(one, {"store": store, "amount": 1.0, "moment": moment})[0] for store, moment in asked]
    assert differences(live, training, rows, columns) == []


def held(engine: Engine, rows: Sequence[Visit]) -> list[Visit]:
    """The rows as the engine can hold them: SQLite has no NaN."""
    if engine.dialect != "sqlite":
        return list(rows)
    return [replace(row, score=None) if row.score is not None and math.isnan(row.score) else row for row in rows]


strange = st.sampled_from([None, None, None, math.nan, math.inf, -math.inf])
some_not_finite = st.builds(lambda row, score: row if score is None else replace(row, score=score), visits, strange)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(some_not_finite, max_size=30), asked=orders)
def test_numbers_that_are_not_finite_are_counted_by_none_and_taken_by_none(
    asked_engine: Engine, rows: list[Visit], asked: list[tuple[str | None, datetime]]
) -> None:
    taken = [column for column in LOOKED_UP if "score" not in column.where]  # what is taken, not what is compared
    check_history_and_live(asked_engine, held(asked_engine, rows), asked, taken)


def test_a_count_alone_counts_what_a_mean_beside_it_has(asked_engine: Engine) -> None:
    scores = [1.0, math.inf, 3.0, -math.inf, *([] if asked_engine.dialect == "sqlite" else [math.nan])]
    rows = [Visit(str(n), "a", score, "x", START, START) for n, score in enumerate(scores)]
    training, memory = columns_both_ways(rows, [("a", START)], definition=DEFINITION)
    fill(asked_engine, rows)
    asked = {"store": "a", "amount": 1.0, "moment": START}
    live = asked_engine.ask(live_query(GROUPS, rows_of_visits(), SPELLINGS[asked_engine.dialect]), asked)[0]
    remembered = memory.assemble({"store": "a", "amount": 1.0, "placed_at": START}, utc(START))
    # the count over two hours stands beside a sum and a mean, that over three alone
    for found in (training[0], live, remembered):
        assert [found[f"count_score_by_store_{over}"] for over in ("2h", "3h")] == [2.0, 2.0]
        assert [found[f"count_grade_by_store_{over}"] for over in ("2h", "3h")] == [len(scores)] * 2
        assert found["distinct_score_by_store_2h"] == 2.0


def test_zero_is_one_value_whatever_its_sign(asked_engine: Engine) -> None:
    rows = [Visit(str(n), "a", score, "x", START, START) for n, score in enumerate([0.0, -0.0, -1.0, -0.0])]
    training, memory = columns_both_ways(rows, [("a", START)], definition=DEFINITION)
    fill(asked_engine, rows)
    asked = {"store": "a", "amount": 1.0, "moment": START}
    live = asked_engine.ask(live_query(GROUPS, rows_of_visits(), SPELLINGS[asked_engine.dialect]), asked)[0]
    remembered = memory.assemble({"store": "a", "amount": 1.0, "placed_at": START}, utc(START))
    assert [found["distinct_score_by_store_2h"] for found in (training[0], live, remembered)] == [2.0] * 3


some_without_a_key = visits.map(lambda row: replace(row, visit_id=None) if row.visit_id in ("0", "7", "9") else row)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(some_without_a_key, max_size=30), asked=orders)
def test_history_and_live_say_what_the_timelines_say_of_late_corrected_and_deleted_rows(
    asked_engine: Engine, rows: list[Visit], asked: list[tuple[str | None, datetime]]
) -> None:
    check_history_and_live(asked_engine, rows, asked)


uneven = st.builds(lambda at, us: at + timedelta(microseconds=us), minutes, st.integers(-3, 3))


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.builds(
            Visit,
            visit_id=st.integers(0, 12).map(str),
            store=st.sampled_from(["a", "b"]),
            score=st.integers(-3, 3).map(float),
            grade=st.sampled_from(["x", "y"]),
            happened_at=uneven,
            known_at=uneven,
        ),
        min_size=5,
        max_size=30,
    )
)
def test_a_microsecond_before_and_after_each_change_is_told_apart(asked_engine: Engine, rows: list[Visit]) -> None:
    cuts = [timedelta(hours=hours, microseconds=us) for hours in (0, 2, 24) for us in (-1, 0)]
    edges = [row.known_at + cut for row in rows[:3] for cut in cuts]
    check_history_and_live(asked_engine, rows, [("a", moment) for moment in edges])


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.one_of(visits, some_not_finite), min_size=1, max_size=30), moment=minutes)
def test_all_keys_now_have_the_values_that_each_key_has_live(
    asked_engine: Engine, rows: list[Visit], moment: datetime
) -> None:
    rows = held(asked_engine, rows)
    fill(asked_engine, rows)
    spelling = SPELLINGS[asked_engine.dialect]
    relations = rows_of_visits()
    for group in GROUPS:
        found = asked_engine.ask(now_query(group, relations["visits"], spelling), {"moment": moment})
        keys = {tuple(row[by] for by in group.by) for row in found}
        assert len(keys) == len(found)
        one = live_query([group], relations, spelling)
        for row in found:
            alone = asked_engine.ask(one, {**{by: row[by] for by in group.by}, "moment": moment})[0]
            assert {name: row[name] for name in alone} == alone
    stores = {row.store for row in rows if row.store is not None and row.happened_at is not None}
    of_stores = asked_engine.ask(now_query(GROUPS[0], relations["visits"], spelling), {"moment": moment})
    assert stores <= {row["store"] for row in of_stores}


def test_a_row_that_a_correction_moved_to_another_key_is_gone_from_the_first(asked_engine: Engine) -> None:
    rows = [
        Visit("1", "a", 1.0, "x", START, START),
        Visit("1", "b", 1.0, "x", START, START + timedelta(minutes=10)),
    ]
    fill(asked_engine, rows)
    one = live_query(GROUPS[:1], rows_of_visits(), SPELLINGS[asked_engine.dialect])
    counts = [
        asked_engine.ask(one, {"store": store, "moment": START + timedelta(minutes=minute)})[0]
        for minute in (5, 15)
        for store in ("a", "b")
    ]
    assert [row["any_score"] for row in counts] == [1.0, None, None, 1.0]


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e9, 1e14])
def test_a_standard_deviation_far_from_zero_keeps_its_digits(asked_engine: Engine, offset: float) -> None:
    rows = [Visit(str(n), "a", offset + n / 8, "x", START, START) for n in (0, 1, 5, 2, 7, 3)]
    training = training_rows(rows, [("a", START)], definition=DEFINITION)
    fill(asked_engine, rows)
    one = live_query(GROUPS, rows_of_visits(), SPELLINGS[asked_engine.dialect])
    answer = asked_engine.ask(one, {"store": "a", "amount": 1.0, "moment": START})[0]
    assert answer["std_score_by_store_2h"] == pytest.approx(training[0]["std_score_by_store_2h"], rel=1e-9)
