"""A candidate week by week."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pilotage.models.rules import stability
from pilotage.models.rules.evaluation import held_out
from tests.models.rules.test_evaluation import judge

MONDAY = 15_799  # 2013-04-04 was a Thursday; 1970-01-01 too
MONDAY -= (MONDAY + 3) % 7


def weeks(count: int, fading: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, outcomes and probabilities of so many weeks; the probabilities know less and less of the outcomes."""
    random = np.random.default_rng(4)
    days = np.repeat(np.arange(7 * count), 60) + MONDAY
    margin = random.normal(-1, 1.5, len(days))
    labels = random.random(len(days)) < 1 / (1 + np.exp(-margin))
    noise = random.normal(0, 1, len(days)) * np.linspace(0, fading, len(days))
    return days, labels, 1 / (1 + np.exp(-margin - noise))


def test_each_week_has_the_figures_of_its_own_rows() -> None:
    days, labels, guess = weeks(8, 0.0)
    one = judge(held_out(labels, days, np.random.default_rng(7)))
    found = stability.measured(one, "boosted", one.answered(guess.reshape(-1, 1), 0.25), days)
    assert found is not None
    assert (found.span, len(found.periods)) == ("week", 8)
    assert [one.begins.weekday() for one in found.periods] == [0] * 8
    first = days < MONDAY + 7
    assert found.periods[0].measure.value == pytest.approx(roc_auc_score(labels[first], guess[first]))
    assert found.periods[0].rows == 420
    assert found.change.low < 0 < found.change.high


def test_a_model_that_knows_less_and_less_is_seen_to_fade() -> None:
    days, labels, guess = weeks(8, 6.0)
    one = judge(held_out(labels, days, np.random.default_rng(7)))
    found = stability.measured(one, "boosted", one.answered(guess.reshape(-1, 1), 0.25), days)
    assert found is not None
    middle = days < MONDAY + 28
    halves = [roc_auc_score(labels[here], guess[here]) for here in (middle, ~middle)]
    assert found.halves == pytest.approx(halves)
    assert found.change.high < 0


def test_many_weeks_are_told_by_months_and_a_short_time_not_at_all() -> None:
    days, labels, guess = weeks(26, 0.0)
    one = judge(held_out(labels, days, np.random.default_rng(7)))
    found = stability.measured(one, "boosted", one.answered(guess.reshape(-1, 1), 0.25), days)
    assert found is not None
    assert found.span == "month"
    assert {period.begins.day for period in found.periods} == {1}
    days, labels, guess = weeks(1, 0.0)
    one = judge(held_out(labels, days, np.random.default_rng(7)))
    assert stability.measured(one, "boosted", one.answered(guess.reshape(-1, 1), 0.25), days) is None
