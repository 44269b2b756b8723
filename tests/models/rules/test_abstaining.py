"""What a model is worth if it only answers when it is sure, and what its bands of probability came to."""

from __future__ import annotations

import numpy as np
import pytest

from pilotage.models.records import Surest
from pilotage.models.rules import abstaining
from pilotage.models.rules.evaluation import held_out
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
    found = abstaining.surest(one, said, rule, np.random.default_rng(1))
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
    found = abstaining.surest(one, said, rule, np.random.default_rng(1))
    assert found[0].money.value == pytest.approx(1000 * one.earned(said).mean())
    sure = np.argsort(-abstaining.sureness(one, said), kind="stable")[: found[4].rows]
    money = one.earned(rule).copy()
    money[sure] = one.earned(said)[sure]
    assert found[4].money.value == pytest.approx(1000 * money.mean())


def test_the_precision_is_that_of_the_alerts_among_the_surest() -> None:
    one, said, rule, _ = answers()
    found = abstaining.surest(one, said, rule, np.random.default_rng(1))[2]
    sure = np.argsort(-abstaining.sureness(one, said), kind="stable")[: found.rows]
    alerts = said.answers[sure]
    assert found.alerts == alerts.sum()
    assert found.precision is not None
    assert found.precision.value == pytest.approx(one.time.labels[sure][alerts].mean())


def test_a_model_that_is_equally_sure_of_all_has_no_surest() -> None:
    one, _, rule, guess = answers()
    flat = one.answered(np.full((len(guess), 1), 0.3), 0.25)
    assert abstaining.surest(one, flat, rule, np.random.default_rng(1)) == ()


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


def guessing(seed: int, gain: float = 0.0, days_count: int = 20) -> tuple[Surest, ...]:
    """A model as good as the rule, and better only by ``gain`` on the half of decisions that it is surer of."""
    random = np.random.default_rng(seed)
    days = np.repeat(np.arange(days_count), 1_000 // days_count)
    labels = random.random(len(days)) < 0.4
    sure = np.argsort(np.argsort(random.random(len(days)))) / len(days)
    alerts = np.where(random.random(len(days)) < 0.7 + np.where(sure > 0.5, gain, -gain), labels, ~labels)
    one = judge(held_out(labels, days, random))
    probabilities = np.where(alerts, 0.5 + sure / 2.1, 0.5 - sure / 2.1).reshape(-1, 1)
    said = Answers(probabilities, alerts, np.zeros(len(days), dtype=bool), 0.5)
    rule = np.where(random.random(len(days)) < 0.7, labels, ~labels)
    return abstaining.surest(one, said, one.told(rule, rule[:100]), random)


def test_where_being_sure_means_nothing_a_smaller_share_is_named_in_at_most_five_runs_of_a_hundred() -> None:
    runs = [guessing(seed) for seed in range(60)]
    assert sum(any(abstaining.is_surely_better(one) for one in run) for run in runs) <= 6  # 3 and its room
    assert sum(max(run, key=lambda one: one.money.value).share < 1 for run in runs) > 30  # the best of six, by chance


def test_a_share_that_is_clearly_worth_more_is_named_and_all_decisions_never_are() -> None:
    whole, *others = guessing(1, gain=0.25)
    assert abstaining.is_surely_better(next(one for one in others if one.share == 0.5))
    assert not abstaining.is_surely_better(whole)
    half = next(one for one in others if one.share == 0.5)
    assert half.more is not None
    assert half.more.value == pytest.approx(half.money.value - whole.money.value)


def test_on_few_days_no_share_is_surely_better_however_clear_it_looks() -> None:
    assert not any(abstaining.is_surely_better(one) for one in guessing(1, gain=0.25, days_count=4))
