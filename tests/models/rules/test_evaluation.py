"""Measures on the held-out time and their intervals by resampling days."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, precision_score, recall_score, roc_auc_score

from pilotage.models.rules import evaluation
from pilotage.models.rules.evaluation import HeldOut
from pilotage.models.rules.judging.flag import FlagJudge
from pilotage.models.rules.judging.judge import Answers, Judged, Learnt
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Policy, Value

VALUE = Value(currency="USD", caught=180, false_alarm=-60, missed=-10)
WORTH = Worth(VALUE, review=-2)
POLICY = Policy(actions={"positive": "Act", "negative": "Leave"}, threshold=0.25, uncertain_within=0.05)


def judge(time: HeldOut, worth: Worth = WORTH, policy: Policy = POLICY) -> FlagJudge:
    """A judge whose training part had three positive outcomes in ten."""
    calibrate = np.arange(100) % 4 == 0
    return FlagJudge(time, Learnt(np.arange(10) < 3, calibrate, np.arange(100)), policy, worth)


def judged(time: HeldOut, guess: np.ndarray, one: FlagJudge | None = None) -> Judged:
    """What a model is worth that says these probabilities; nobody reviews."""
    one = one or judge(time)
    said = one.answered(guess.reshape(-1, 1), one.threshold(guess.reshape(-1, 1)))
    alone = Answers(said.outputs, said.answers, np.zeros_like(said.review), said.threshold)
    return one.judged(alone, False, np.random.default_rng(1))


def drawn(days_count: int = 30, rows_per_day: int = 80, seed: int = 3) -> tuple[HeldOut, np.ndarray]:
    """Probabilities and outcomes with days that are bad as a whole."""
    random = np.random.default_rng(seed)
    days = np.repeat(np.arange(days_count), rows_per_day) + 15_000
    margin = random.normal(-1, 1, len(days)) + np.repeat(random.normal(0, 1.2, days_count), rows_per_day)
    labels = random.random(len(days)) < 1 / (1 + np.exp(-margin))
    guess = np.round(1 / (1 + np.exp(-(margin + random.normal(0, 1, len(days))))), 2)  # rounded: with ties
    return evaluation.held_out(labels, days, random), guess


@pytest.fixture(scope="module")
def measured() -> tuple[HeldOut, np.ndarray, Judged]:
    time, guess = drawn()
    one = judge(time)
    said = one.answered(guess.reshape(-1, 1), 0.25)
    return time, guess, one.judged(said, True, np.random.default_rng(1))


def test_the_figures_are_those_of_scikit_learn(measured: tuple[HeldOut, np.ndarray, Judged]) -> None:
    time, guess, figures = measured
    alert = guess >= 0.25
    assert figures.measures["auc"].value == pytest.approx(roc_auc_score(time.labels, guess))
    assert figures.measures["precision"].value == pytest.approx(precision_score(time.labels, alert))
    assert figures.measures["recall"].value == pytest.approx(recall_score(time.labels, alert))
    assert figures.measures["log_loss"].value == pytest.approx(log_loss(time.labels, np.clip(guess, 1e-12, 1 - 1e-12)))


def test_the_auc_of_a_resample_is_that_of_weighted_rows(measured: tuple[HeldOut, np.ndarray, Judged]) -> None:
    time, guess, _ = measured
    draws = evaluation.auc_draws(time, guess)
    for number in (1, 50, 200):
        expected = roc_auc_score(time.labels, guess, sample_weight=time.weights[number][time.days])
        assert draws[number] == pytest.approx(expected)


def test_money_counts_outcomes_and_reviews_per_thousand(measured: tuple[HeldOut, np.ndarray, Judged]) -> None:
    time, guess, figures = measured
    alert, late = guess >= 0.25, time.labels
    reviews = ((guess >= 0.2) & (guess <= 0.3)).sum()
    total = 180 * (alert & late).sum() - 60 * (alert & ~late).sum() - 10 * (~alert & late).sum() - 2 * reviews
    assert figures.money.value == pytest.approx(1000 * total / len(guess))
    assert figures.said.review.sum() == reviews


def test_resampling_days_gives_wider_intervals_than_resampling_rows_where_days_differ() -> None:
    time, guess = drawn()
    each_row_a_day = evaluation.held_out(time.labels, np.arange(len(guess)), np.random.default_rng(3))
    late = time.labels.astype(float)
    by_day, by_row = evaluation.resampled(time, late), evaluation.resampled(each_row_a_day, late)
    assert by_day.value == by_row.value
    assert by_day.error > 2 * by_row.error
    assert by_day.high - by_day.low > 2 * (by_row.high - by_row.low)


def test_every_interval_holds_its_figure(measured: tuple[HeldOut, np.ndarray, Judged]) -> None:
    figures = measured[2]
    for one in (*figures.measures.values(), figures.money):
        assert one.low < one.value < one.high
        assert one.error > 0


def test_the_calibration_curve_holds_every_row_and_rises(measured: tuple[HeldOut, np.ndarray, Judged]) -> None:
    guess, figures = measured[1:]
    assert sum(one.rows for one in figures.curve) == len(guess)
    predicted = [one.predicted for one in figures.curve]
    assert predicted == sorted(predicted)


def test_who_never_alerts_has_precision_zero_and_no_money() -> None:
    time, guess = drawn(5, 20)
    figures = judged(
        time, np.zeros_like(guess), judge(time, Worth(Value(currency="USD", caught=180, false_alarm=-60), 0))
    )
    assert figures.measures["precision"].value == 0
    assert figures.money.value == 0
    assert figures.measures["auc"].value == pytest.approx(0.5)
