"""What users' tests demand holds or raises an error that shows the row, without what is personal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pilotage.models.suite import (
    TestedModel,
    TestedRule,
    assert_answer,
    assert_direction,
    assert_invariant,
    assert_no_worse,
    assert_right,
)
from tests.models.suite.asked import CATEGORY, NUMBER, asked, definition, numbers, rows, sound

HELD_OUT: list[dict[str, Any]] = rows(2).to_pylist()


def model(says: Any = sound, kind: Any = None) -> TestedModel:
    return TestedModel(asked(says) if kind is None else asked(says, kind))


def by_channel(table: pa.Table) -> np.ndarray:
    return np.array([0.9 if value == "Web" else 0.1 for value in table["channel"].to_pylist()])


def test_an_invariance_that_holds_is_silent_and_a_broken_one_shows_the_worst_row() -> None:
    assert_invariant(model(), HELD_OUT, lambda row: {"channel": str(row["channel"]).upper()})
    with pytest.raises(
        AssertionError, match=r"answers change; 0\.0% may\. 0\.9 becomes 0\.1 where .*channel = Web"
    ) as told:
        assert_invariant(model(by_channel), HELD_OUT, lambda row: {"channel": str(row["channel"]).lower()})
    assert "age = •••" in str(told.value)


def test_some_answers_may_change_where_the_test_says_so() -> None:
    def lower(row: Any) -> dict[str, str]:
        return {"channel": str(row["channel"]).lower()}

    share = float(np.mean([row["channel"] == "Web" for row in HELD_OUT]))
    assert_invariant(model(by_channel), HELD_OUT, lower, at_most=share)
    with pytest.raises(AssertionError):
        assert_invariant(model(by_channel), HELD_OUT, lower, at_most=share - 0.01)


def test_a_direction_is_demanded_of_each_row() -> None:
    assert_direction(model(), HELD_OUT, "amount", "rises")
    with pytest.raises(AssertionError, match="should only have fallen with amount"):
        assert_direction(model(), HELD_OUT, "amount", "falls", by=5)


def test_answers_are_told_in_the_words_of_the_kind() -> None:
    large, small = {"amount": 99.0}, {"amount": 1.0}
    assert_answer(model(), large, "positive")
    with pytest.raises(AssertionError, match=r"should be positive \(got negative\) where amount = 1"):
        assert_answer(model(), small, "positive")

    def shares(table: pa.Table) -> np.ndarray:
        return np.column_stack([sound(table), 1 - sound(table)])

    assert_answer(model(shares, CATEGORY), large, "a")
    assert_answer(model(lambda table: numbers(table, "amount"), NUMBER), large, (98, 100))
    with pytest.raises(AssertionError, match=r"between 0 and 1 \(got 99\.0\)"):
        assert_answer(model(lambda table: numbers(table, "amount"), NUMBER), large, (0, 1))


def test_a_category_that_is_not_sure_enough_is_no_answer() -> None:
    unsure = model(lambda table: np.full((table.num_rows, 2), 0.35), CATEGORY)
    assert unsure.answers([{"amount": 1.0}]) == [None]


def test_a_minimum_on_a_slice_is_of_that_slice() -> None:
    assert_right(model(), HELD_OUT, at_least=0.75)
    sure = [row for row in HELD_OUT if row["amount"] > 95]
    assert_right(model(), HELD_OUT, at_least=0.9, where=lambda row: row["amount"] > 95)
    with pytest.raises(AssertionError, match=f"of {len(sure)} answers are right; at least 100.0% should be"):
        assert_right(
            model(lambda table: 1 - sound(table)), HELD_OUT, at_least=1.0, where=lambda row: row["amount"] > 95
        )


def test_the_model_may_not_fall_behind_the_rule() -> None:
    rule = TestedRule(definition())
    assert rule.answers([{"amount": 61}, {"amount": 60}, {"amount": None}]) == ["positive", "negative", None]
    assert_no_worse(model(), rule, HELD_OUT)
    with pytest.raises(AssertionError, match=r"it should fall behind by 0\.0% at most"):
        assert_no_worse(model(lambda table: 1 - sound(table)), rule, HELD_OUT)


def test_a_test_of_no_row_does_not_pass_by_that() -> None:
    with pytest.raises(AssertionError, match="There is no row to test on"):
        assert_right(model(), HELD_OUT, at_least=0.1, where=lambda row: row["amount"] > 1000)
    with pytest.raises(AssertionError, match="There is no row with a value in amount"):
        assert_direction(model(), [{"amount": None}], "amount", "rises")
