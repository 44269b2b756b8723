"""A number: errors, intervals, money by too low and too high, and answers without a model."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error

from pilotage.models.rules import evaluation
from pilotage.models.rules.judging.judge import Learnt
from pilotage.models.rules.judging.number import NumberJudge
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Policy, Value

ROWS = 600
WORTH = Worth(Value(currency="EUR", too_low=-3, too_high=-1), review=-2)


@pytest.fixture(scope="module")
def judge() -> NumberJudge:
    random = np.random.default_rng(6)
    time = evaluation.held_out(random.gamma(2, 10, ROWS), np.repeat(np.arange(30), 20), random)
    learnt = Learnt(random.gamma(2, 10, 2_000), random.gamma(2, 10, 500), np.arange(500))
    return NumberJudge(time, learnt, Policy(threshold=30.0, width=25.0), WORTH)


@pytest.fixture(scope="module")
def outputs(judge: NumberJudge) -> np.ndarray:
    random = np.random.default_rng(7)
    said = judge.time.labels + random.normal(1, 5, ROWS)
    reach = random.uniform(5, 15, ROWS)
    return np.column_stack([said, said - reach, said + reach])


def test_the_measures_are_those_of_scikit_learn(judge: NumberJudge, outputs: np.ndarray) -> None:
    found = judge.judged(judge.answered(outputs, 30.0), True, np.random.default_rng(1)).measures
    truth, said = judge.time.labels, outputs[:, 0]
    assert found["mean_absolute_error"].value == pytest.approx(mean_absolute_error(truth, said))
    assert found["root_mean_squared_error"].value == pytest.approx(root_mean_squared_error(truth, said))
    assert found["pinball"].value == pytest.approx(mean_pinball_loss(truth, said, alpha=0.75))
    assert found["bias"].value == pytest.approx((said - truth).mean())
    assert found["coverage"].value == ((truth >= outputs[:, 1]) & (truth <= outputs[:, 2])).mean()
    assert all(one.low < one.value < one.high for one in found.values())


def test_money_counts_units_too_low_and_too_high_and_reviews_of_wide_intervals(
    judge: NumberJudge, outputs: np.ndarray
) -> None:
    judged = judge.judged(judge.answered(outputs, 30.0), True, np.random.default_rng(1))
    over = outputs[:, 0] - judge.time.labels
    wide = (outputs[:, 2] - outputs[:, 1] > 25).sum()
    total = -3 * -over[over < 0].sum() - over[over > 0].sum() - 2 * wide
    assert judged.money.value == pytest.approx(1000 * total / ROWS)
    assert judged.alerts_share == (outputs[:, 0] >= 30).mean()


def test_the_usual_number_is_the_one_that_costs_least_to_say_to_everybody(judge: NumberJudge) -> None:
    ((usual, _),) = judge.trivial(None, None)
    value = float(np.quantile(judge.learnt.train, 0.75))
    assert usual.title == f"always answering {value:,.4g}"
    for other in (value - 5, value + 5):
        there = WORTH.estimating(np.full(ROWS, other), judge.time.labels).mean()
        assert usual.money.value > 1000 * there


def test_a_rule_without_an_answer_gives_the_usual_number(judge: NumberJudge) -> None:
    said = judge.told(np.array([np.nan, 12.0] * 300), np.full(500, np.nan))
    assert said.answers[1] == 12.0
    assert said.answers[0] == pytest.approx(np.quantile(judge.learnt.train, 0.75))
    assert np.isnan(said.outputs[:, 1:]).all()
    assert "coverage" not in judge.judged(said, False, np.random.default_rng(1)).measures
