"""Yes or no: answers without a model, rules, and what a threshold makes of probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from pilotage.models.rules.judging.flag import rates_behind
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Constraint, Policy, Value
from tests.models.rules.test_evaluation import WORTH, drawn, judge, judged


def test_always_and_never_are_measured_as_candidates_that_always_and_never_act() -> None:
    time, guess = drawn()
    found = {one.name: (one, draws) for one, draws in judge(time).trivial(None, 0.25)}
    always, never = judged(time, np.ones_like(guess)), judged(time, np.zeros_like(guess))
    assert found["always"][0].money.value == pytest.approx(always.money.value)
    assert found["never"][0].money.value == pytest.approx(never.money.value)
    assert found["always"][1] == pytest.approx(always.money_draws)
    assert "last_value" not in found


def test_the_base_rate_for_everybody_has_a_log_loss_and_acts_at_the_threshold() -> None:
    time, _ = drawn()
    found = {one.name: one for one, _ in judge(time).trivial(None, 0.25)}
    base = found["base_rate"]
    assert base.loss is not None
    assert base.loss.value == pytest.approx(log_loss(time.labels, np.full(len(time.labels), 0.3)))
    assert base.money == found["always"].money
    assert {one.name: one for one, _ in judge(time).trivial(None, 0.4)}["base_rate"].money == found["never"].money


def test_the_outcome_known_last_is_an_answer_like_any_other() -> None:
    time, _ = drawn()
    last = np.roll(time.labels, 80)
    found = {one.name: one for one, _ in judge(time).trivial(last, 0.25)}
    acted = WORTH.acting(last, time.labels)
    assert found["last_value"].money.value == pytest.approx(1000 * acted.mean())


def test_what_acting_is_worth_follows_the_money() -> None:
    time, _ = drawn()
    dear = judge(time, Worth(Value(currency="USD", caught=180, false_alarm=-1, missed=-50), 0)).trivial(None, 0.25)
    cheap = judge(time, Worth(Value(currency="USD", caught=1, false_alarm=-180), 0)).trivial(None, 0.25)
    assert max(dear, key=lambda one: one[0].money.value)[0].name == "always"
    assert max(cheap, key=lambda one: one[0].money.value)[0].name == "never"


def test_a_rules_answers_become_the_rates_found_behind_them() -> None:
    said = np.array([True] * 8 + [False] * 8)
    labels = np.array([True] * 5 + [False] * 3 + [True] + [False] * 7)
    assert rates_behind(said, labels) == (2 / 10, 6 / 10)
    time, _ = drawn()
    told = judge(time).told(time.labels, np.arange(100) % 4 == 0)
    assert told.answers is time.labels
    assert np.unique(told.outputs).tolist() == [1 / 77, 26 / 27]
    assert not told.review.any()


def test_a_constraint_sets_the_threshold_on_the_calibration_part() -> None:
    time, _ = drawn()
    one = judge(time, policy=Policy(threshold=Constraint(a_day=1)))
    outputs = np.linspace(0, 1, 100).reshape(-1, 1)
    assert one.threshold(outputs) == 0.0  # a hundred days in that part: one case a day is all of them
