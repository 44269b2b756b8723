"""Whether probabilities mean what they say, against what chance does to a perfect model."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import brier_score_loss, log_loss

from pilotage.models.records import Reliability
from pilotage.models.rules import differences, evaluation, reliability
from pilotage.models.rules.evaluation import HeldOut

DAYS, PER_DAY = 20, 40


def history(random: np.random.Generator, together: float = 0.0, stretch: float = 1.0) -> tuple[HeldOut, np.ndarray]:
    """Rows whose outcomes have exactly the probability told when ``stretch`` is 1; ``together``: how days move them."""
    days = np.repeat(np.arange(DAYS), PER_DAY)
    margin = random.normal(-1, 1, len(days))
    true = 1 / (1 + np.exp(-margin))
    luck = np.sqrt(together) * random.normal(0, 1, DAYS)[days] + np.sqrt(1 - together) * random.normal(0, 1, len(days))
    time = evaluation.held_out(norm.cdf(luck) < true, days, random)
    return time, 1 / (1 + np.exp(-stretch * margin))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few draws, for simulations of hundreds of histories."""
    monkeypatch.setattr(differences, "FLIPS", 199)
    monkeypatch.setattr(reliability, "NULLS", 199)
    monkeypatch.setattr(evaluation, "RESAMPLES", 2)


def found(random: np.random.Generator, together: float = 0.0, stretch: float = 1.0) -> Reliability:
    time, told = history(random, together, stretch)
    return reliability.measured(time, told, random)


def test_the_losses_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    time, told = history(random)
    measured = reliability.measured(time, told, random)
    assert measured.log_loss.value == pytest.approx(log_loss(time.labels, told))
    assert measured.brier.value == pytest.approx(brier_score_loss(time.labels, told))
    assert measured.log_loss.low < measured.log_loss.expected < measured.log_loss.high


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("together", [0.0, 0.1])
def test_a_perfectly_calibrated_model_is_called_so_also_where_days_go_together(together: float) -> None:
    """Of 300 perfect models at most some 5 in 100 are called wrong."""
    random = np.random.default_rng(2)
    many = [found(random, together) for _ in range(300)]
    assert np.mean([one.log_loss.p <= 0.05 for one in many]) < 0.07
    assert np.mean([one.brier.p <= 0.05 for one in many]) < 0.07
    outside = np.mean([not one.log_loss.low <= one.log_loss.value <= one.log_loss.high for one in many])
    assert outside < 0.1


@pytest.mark.usefixtures("quick")
def test_rows_taken_as_independent_would_call_perfect_models_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "sign_flipped", lambda per_day, random: 0.0)
    random = np.random.default_rng(2)
    assert np.mean([found(random, 0.1).log_loss.p <= 0.05 for _ in range(150)]) > 0.1


@pytest.mark.usefixtures("quick")
def test_slope_and_intercept_hold_one_and_zero_in_ninety_five_of_a_hundred() -> None:
    random = np.random.default_rng(3)
    many = [reliability.cox(*history(random, 0.1)) for _ in range(300)]
    assert np.mean([slope.low < 1 < slope.high for slope, _ in many]) == pytest.approx(0.95, abs=0.035)
    assert np.mean([intercept.low < 0 < intercept.high for _, intercept in many]) == pytest.approx(0.95, abs=0.035)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("stretch", "slope"), [(2.0, 0.5), (0.4, 2.5)])
def test_probabilities_too_extreme_or_too_timid_are_found(stretch: float, slope: float) -> None:
    random = np.random.default_rng(4)
    many = [found(random, stretch=stretch) for _ in range(30)]
    assert np.mean([one.slope.value for one in many]) == pytest.approx(slope, rel=0.08)
    assert np.mean([min(one.log_loss.p, one.brier.p) <= 0.05 for one in many]) > 0.8


def test_separable_outcomes_do_not_hang_or_break() -> None:
    days = np.repeat(np.arange(10), 10)
    told = np.tile(np.linspace(0.05, 0.95, 10), 10)
    time = evaluation.held_out(told > 0.5, days, np.random.default_rng(5))
    measure = partial(reliability.measured, time, told)
    assert np.isfinite(measure(np.random.default_rng(5)).slope.value)


def test_a_half_for_every_row_is_measured_though_its_losses_never_vary() -> None:
    random = np.random.default_rng(6)
    time, told = history(random)
    measured = reliability.measured(time, np.full(len(told), 0.5), random)
    assert measured.brier.value == measured.brier.expected == measured.brier.low == measured.brier.high == 0.25
    assert measured.log_loss.value == pytest.approx(np.log(2))
