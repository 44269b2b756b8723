"""From which probability on to act."""

from __future__ import annotations

import numpy as np
import pytest

from pilotage.models.rules import thresholds
from pilotage.models.rules.judging.judge import Learnt
from pilotage.usecase.records import Constraint, Policy, Value

ACTIONS = {"positive": "Act", "negative": "Leave"}


def test_the_threshold_is_where_acting_begins_to_pay() -> None:
    value = Value(currency="USD", caught=180, false_alarm=-60)
    assert thresholds.threshold(Policy(actions=ACTIONS), value) == pytest.approx(0.25)


@pytest.mark.parametrize("missed", [0.0, -50.0, -500.0])
def test_at_the_threshold_acting_and_leaving_are_worth_the_same(missed: float) -> None:
    value = Value(currency="USD", caught=40, false_alarm=-25, missed=missed)
    at = thresholds.threshold(Policy(actions=ACTIONS), value)
    assert at * value.caught + (1 - at) * value.false_alarm == pytest.approx(at * value.missed)


def test_a_number_in_the_policy_goes_before_the_value() -> None:
    value = Value(currency="USD", caught=180, false_alarm=-60)
    assert thresholds.threshold(Policy(actions=ACTIONS, threshold=0.4), value) == 0.4


@pytest.mark.parametrize(("caught", "false_alarm", "missed"), [(-80, -60, 0), (-5, -1, -1), (-80, 60, 0), (0, -5, 1)])
def test_where_acting_never_pays_it_never_acts(caught: float, false_alarm: float, missed: float) -> None:
    value = Value(currency="USD", caught=caught, false_alarm=false_alarm, missed=missed)
    assert thresholds.threshold(Policy(actions=ACTIONS), value) == thresholds.NEVER


@pytest.mark.parametrize(("missed", "false_alarm"), [(-50_000.0, -10.0), (-10.0, -50_000.0)])
def test_very_rare_and_very_sure_cases_have_their_own_threshold(missed: float, false_alarm: float) -> None:
    value = Value(currency="USD", caught=0, false_alarm=false_alarm, missed=missed)
    at = thresholds.threshold(Policy(actions=ACTIONS), value)
    assert at == pytest.approx(false_alarm / (missed + false_alarm))
    assert (1 - at) * value.false_alarm == pytest.approx(at * value.missed)


def test_where_acting_costs_nothing_it_always_acts() -> None:
    value = Value(currency="USD", caught=50, false_alarm=5, missed=0)
    assert thresholds.threshold(Policy(actions=ACTIONS), value) == 0


def test_the_band_lies_around_the_threshold_and_within_zero_and_one() -> None:
    assert thresholds.uncertain_band(Policy(actions=ACTIONS, uncertain_within=0.03), 0.25) == pytest.approx(
        (0.22, 0.28)
    )
    assert thresholds.uncertain_band(Policy(actions=ACTIONS, uncertain_within=0.3), 0.1)[0] == 0


def scored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that mean what they say, over ten days."""
    random = np.random.default_rng(4)
    probabilities = np.round(random.random(2_000), 3)
    return probabilities, random.random(2_000) < probabilities, np.repeat(np.arange(10), 200)


def test_the_lowest_threshold_that_keeps_the_precision_is_taken() -> None:
    probabilities, labels, days = scored()
    at = thresholds.constrained(Constraint(precision=0.8), probabilities, Learnt(labels, labels, days))
    assert labels[probabilities >= at].mean() >= 0.8
    lower = np.unique(probabilities[probabilities < at])[-5:]
    assert all(labels[probabilities >= each].mean() < 0.8 for each in lower)
    assert at == pytest.approx(0.6, abs=0.05)  # above it the mean of evenly spread probabilities is 0.8


def test_no_more_cases_a_day_are_acted_on_than_the_file_allows() -> None:
    probabilities, labels, days = scored()
    at = thresholds.constrained(Constraint(a_day=40), probabilities, Learnt(labels, labels, days))
    assert 390 <= (probabilities >= at).sum() <= 400


def test_days_without_any_case_count_as_days() -> None:
    probabilities, labels, days = scored()
    at = thresholds.constrained(Constraint(a_day=40), probabilities, Learnt(labels, labels, days * 2))
    assert 390 < (probabilities >= at).sum() <= 40 * 19


def test_where_nothing_keeps_to_the_constraint_it_never_acts() -> None:
    probabilities, labels, days = scored()
    at = thresholds.constrained(
        Constraint(precision=0.999), probabilities, Learnt(labels, labels & (probabilities < 0.9), days)
    )
    assert at > 1
    assert not (np.array([1.0]) >= at).any()


def test_decisions_without_an_outcome_count_among_those_of_a_day() -> None:
    probabilities, labels, days = scored()
    at = thresholds.constrained(Constraint(a_day=40), probabilities, Learnt(labels, labels, days, share=0.25))
    assert 90 <= (probabilities >= at).sum() <= 100  # with three more unseen beside each, forty a day
