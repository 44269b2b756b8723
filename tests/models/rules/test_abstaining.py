"""What a model is worth if it only answers when it is sure, and what its bands of probability came to."""

from __future__ import annotations

import numpy as np
import pytest

from pilotage.models.rules import abstaining
from pilotage.models.rules.judging.judge import Answers
from tests.models.rules.test_evaluation import drawn, judge


def answers() -> tuple:
    """A judge, a model that knows something, and a rule that never acts."""
    time, guess = drawn()
    one = judge(time)
    said = one.answered(guess.reshape(-1, 1), 0.25)
    nobody = np.zeros(len(guess), dtype=bool)
    return one, said, Answers(np.zeros((len(guess), 1)), nobody, nobody, 0.5), guess


def test_the_surest_lie_farthest_from_the_threshold_and_are_more_often_right() -> None:
    one, said, rule, guess = answers()
    found = abstaining.surest(one, said, rule)
    assert [at.share for at in found] == [1.0, 0.9, 0.75, 0.5, 0.25, 0.1]
    assert [at.rows for at in found] == [round(share * len(guess)) for share in (1.0, 0.9, 0.75, 0.5, 0.25, 0.1)]
    right = (guess >= 0.25) == one.time.labels
    odds = np.abs(np.log(np.maximum(guess, 1e-9)) - np.log(np.maximum(1 - guess, 1e-9)) - np.log(0.25 / 0.75))
    half = np.argsort(-odds, kind="stable")[: len(guess) // 2]
    assert found[0].right.value == pytest.approx(right.mean())
    assert found[3].right.value == pytest.approx(right[half].mean())
    assert found[3].right.value > found[0].right.value


def test_the_rule_answers_what_the_model_does_not() -> None:
    one, said, rule, _ = answers()
    found = abstaining.surest(one, said, rule)
    assert found[0].money.value == pytest.approx(1000 * one.earned(said).mean())
    sure = np.argsort(-abstaining.sureness(one, said), kind="stable")[: found[4].rows]
    money = one.earned(rule).copy()
    money[sure] = one.earned(said)[sure]
    assert found[4].money.value == pytest.approx(1000 * money.mean())


def test_the_precision_is_that_of_the_alerts_among_the_surest() -> None:
    one, said, rule, _ = answers()
    found = abstaining.surest(one, said, rule)[2]
    sure = np.argsort(-abstaining.sureness(one, said), kind="stable")[: found.rows]
    alerts = said.answers[sure]
    assert found.alerts == alerts.sum()
    assert found.precision is not None
    assert found.precision.value == pytest.approx(one.time.labels[sure][alerts].mean())


def test_a_model_that_is_equally_sure_of_all_has_no_surest() -> None:
    one, _, rule, guess = answers()
    flat = one.answered(np.full((len(guess), 1), 0.3), 0.25)
    assert abstaining.surest(one, flat, rule) == ()


def test_the_bands_are_what_the_policy_makes_of_probabilities() -> None:
    one, said, _, guess = answers()
    low, uncertain, high = abstaining.bands(one, said, 0.05)
    assert [band.name for band in (low, uncertain, high)] == ["low", "uncertain", "high"]
    assert low.rows + uncertain.rows + high.rows == len(guess)
    near = (guess >= 0.2) & (guess <= 0.3)
    assert uncertain.rows == near.sum()
    assert uncertain.observed.value == pytest.approx(one.time.labels[near].mean())
    assert high.predicted == pytest.approx(guess[guess > 0.3].mean())
    assert low.observed.value < uncertain.observed.value < high.observed.value


def test_without_uncertainty_there_are_two_bands() -> None:
    one, _, _, guess = answers()
    nobody = np.zeros(len(guess), dtype=bool)
    said = Answers(guess.reshape(-1, 1), guess >= 0.25, nobody, 0.25)
    assert [band.name for band in abstaining.bands(one, said, 0.0)] == ["low", "high"]
