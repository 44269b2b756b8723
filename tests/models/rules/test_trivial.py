"""Always, never, and the base rate for everybody."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from pilotage.models.rules import evaluation, trivial
from pilotage.models.rules.evaluation import Worth
from tests.models.rules.test_evaluation import WORTH, drawn


def test_always_and_never_are_measured_as_candidates_that_always_and_never_act() -> None:
    time, guess = drawn()
    same, draws = trivial.measured(time, 0.3, 0.25, WORTH)
    always = evaluation.measured(time, np.ones_like(guess), 0.25, None, WORTH)
    never = evaluation.measured(time, np.zeros_like(guess), 0.25, None, WORTH)
    assert same.always.value == pytest.approx(always.money.value)
    assert same.never.value == pytest.approx(never.money.value)
    assert same.money.value == max(same.always.value, same.never.value)
    assert draws == pytest.approx(always.money_draws if same.best == "always" else never.money_draws)


def test_the_base_rate_for_everybody_has_a_log_loss_and_acts_at_the_threshold() -> None:
    time, _ = drawn()
    same, _ = trivial.measured(time, 0.3, 0.25, WORTH)
    assert same.log_loss.value == pytest.approx(log_loss(time.labels, np.full(len(time.labels), 0.3)))
    assert same.at_threshold == "always"
    assert trivial.measured(time, 0.2, 0.25, WORTH)[0].at_threshold == "never"


def test_the_better_of_the_two_follows_the_money() -> None:
    time, _ = drawn()
    assert trivial.measured(time, 0.3, 0.25, Worth(180, -1, -50, 0))[0].best == "always"
    assert trivial.measured(time, 0.3, 0.25, Worth(1, -180, 0, 0))[0].best == "never"
