"""One of several categories: the measures are those of scikit-learn, and rules are judged like models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from pilotage.models.rules import evaluation
from pilotage.models.rules.judging.category import CategoryJudge
from pilotage.models.rules.judging.judge import Learnt
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Policy, Value

CLASSES = ("billing", "delivery", "returns")
ROWS = 900
WORTH = Worth(Value(currency="EUR", right=2, wrong=-5), review=-1)


@pytest.fixture(scope="module")
def judge() -> CategoryJudge:
    random = np.random.default_rng(6)
    labels = random.choice(3, ROWS, p=[0.6, 0.3, 0.1])
    labels[:9] = -1  # of a class that training did not see
    time = evaluation.held_out(labels, np.repeat(np.arange(30), 30), random)
    train, calibrate = random.choice(3, 500, p=[0.6, 0.3, 0.1]), random.choice(3, 200, p=[0.6, 0.3, 0.1])
    return CategoryJudge(time, Learnt(train, calibrate, np.arange(200)), Policy(confidence=0.5), WORTH, CLASSES)


@pytest.fixture(scope="module")
def outputs(judge: CategoryJudge) -> np.ndarray:
    random = np.random.default_rng(7)
    margins = random.normal(0, 1, (ROWS, 3)) + 2 * (judge.time.labels[:, None] == np.arange(3))
    powers = np.exp(margins)
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_measures_are_those_of_scikit_learn(judge: CategoryJudge, outputs: np.ndarray) -> None:
    found = judge.judged(judge.answered(outputs, None), True, np.random.default_rng(1)).measures
    truth, answers = judge.time.labels, outputs.argmax(axis=1)
    known = truth >= 0
    assert found["accuracy"].value == pytest.approx(accuracy_score(truth, answers))
    assert found["balanced_accuracy"].value == pytest.approx(balanced_accuracy_score(truth[known], answers[known]))
    expected = f1_score(truth, answers, labels=[0, 1, 2], average="macro")
    assert found["macro_f1"].value == pytest.approx(expected)
    known_loss = log_loss(truth[known], outputs[known]) * known.sum()
    assert found["log_loss"].value == pytest.approx((known_loss - 9 * np.log(1e-12)) / ROWS)
    assert all(one.low < one.value < one.high for one in found.values())


def test_money_counts_right_and_wrong_answers_and_reviews_of_unsure_ones(
    judge: CategoryJudge, outputs: np.ndarray
) -> None:
    judged = judge.judged(judge.answered(outputs, None), True, np.random.default_rng(1))
    right = (outputs.argmax(axis=1) == judge.time.labels).sum()
    unsure = (outputs.max(axis=1) < 0.5).sum()
    assert 0 < unsure < ROWS
    assert judged.said.review.sum() == unsure
    assert judged.money.value == pytest.approx(1000 * (2 * right - 5 * (ROWS - right) - unsure) / ROWS)


def test_a_rule_that_says_nothing_is_wrong_and_says_as_much_as_the_usual_shares(judge: CategoryJudge) -> None:
    silent = np.full(ROWS, -1)
    said = judge.told(silent, np.full(200, -1))
    found = judge.judged(said, False, np.random.default_rng(1))
    assert found.measures["accuracy"].value == 0
    assert said.outputs[0] == pytest.approx([0.6, 0.3, 0.1], abs=0.07)


def test_what_a_rules_answers_meant_is_found_in_the_calibration_part(judge: CategoryJudge) -> None:
    said = judge.told(judge.time.labels.clip(0), judge.learnt.calibrate)
    assert said.outputs[judge.time.labels == 2][0].argmax() == 2
    assert said.outputs.max(axis=1).min() > 0.9


def test_the_most_frequent_category_for_everybody_is_measured(judge: CategoryJudge) -> None:
    (most, _), (last, _) = judge.trivial(np.roll(judge.time.labels, 1), None)
    assert most.title == "always answering billing"
    billing = (judge.time.labels == 0).mean()
    assert most.money.value == pytest.approx(1000 * (2 * billing - 5 * (1 - billing)))
    assert most.loss is not None
    assert last.name == "last_value"
