"""A candidate on every value of a column."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pilotage.models.rules import slices
from tests.models.rules.test_evaluation import drawn, judge, judged


def test_a_slice_has_the_figures_of_its_rows_alone_and_the_worst_comes_first() -> None:
    time, guess = drawn()
    values = np.where(np.arange(len(guess)) % 3 == 0, "a", "b")
    spoilt = np.where(values == "a", 1 - guess, guess)
    model = judged(time, spoilt)
    rule = judged(time, guess)
    found, left_out = slices.measured(judge(time), [("kind", list(values))], model, rule)
    assert [(one.value, one.rows) for one in found] == [("a", 800), ("b", 1600)]
    assert left_out == 0
    here = values == "a"
    assert found[0].measure.value == pytest.approx(roc_auc_score(time.labels[here], spoilt[here]))
    assert found[0].difference.high < 0
    assert found[1].difference.value == 0
    assert found[0].measure.low < found[0].measure.value < found[0].measure.high


def test_slices_with_few_rows_or_few_positive_outcomes_or_few_days_are_counted_and_left_out() -> None:
    time, guess = drawn()
    figures = judged(time, guess)
    negatives = np.flatnonzero(~time.labels)[-100:]
    values: list[str | None] = ["many"] * len(guess)
    for at in negatives:
        values[at] = "no positive outcome"
    for at in range(2_000, 2_049):
        values[at] = None
    for at in range(4 * 80):
        values[at] = "four days"
    found, left_out = slices.measured(judge(time), [("kind", values)], figures, figures)
    assert [one.value for one in found] == ["many"]
    assert left_out == 3


def test_only_what_is_surely_worse_than_all_other_decisions_is_named() -> None:
    time, guess = drawn()
    values = np.where(np.arange(len(guess)) % 3 == 0, "a", "b")
    chance = [str(number % 7) for number in range(len(guess))]
    model = judged(time, np.where(values == "a", 1 - guess, guess))
    found, _ = slices.measured(judge(time), [("kind", list(values)), ("chance", chance)], model, model)
    assert [(one.column, one.value) for one in slices.behind_others(found)] == [("kind", "a")]
    spoilt = slices.behind_others(found)[0]
    assert spoilt.behind is not None and spoilt.elsewhere is not None
    assert spoilt.behind.value == pytest.approx(spoilt.elsewhere - spoilt.measure.value)
    assert slices.below_rule(found) == []


def test_where_the_rule_surely_earns_more_is_named_too() -> None:
    time, guess = drawn()
    values = np.where(np.arange(len(guess)) % 3 == 0, "a", "b")
    model, rule = judged(time, np.where(values == "a", 1 - guess, guess)), judged(time, guess)
    found, _ = slices.measured(judge(time), [("kind", list(values))], model, rule)
    assert [one.value for one in slices.below_rule(found)] == ["a"]


def test_a_slice_that_is_everything_stands_beside_no_others() -> None:
    time, guess = drawn()
    figures = judged(time, guess)
    (found,), _ = slices.measured(judge(time), [("kind", ["a"] * len(guess))], figures, figures)
    assert (found.elsewhere, found.behind) == (None, None)
