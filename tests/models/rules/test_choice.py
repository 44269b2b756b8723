"""The threshold by value and the recommendation."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from pilotage.models.records import CandidateName, Estimate, Measured
from pilotage.models.rules import choice
from pilotage.usecase.records import Policy, Value

ACTIONS = {"positive": "Act", "negative": "Leave"}
NONE = Estimate(0, 0, 0, 0)


def measured(name: CandidateName, money: float, log_loss: float = 0.3) -> Measured:
    figure = msgspec.structs.replace(NONE, value=money)
    loss = msgspec.structs.replace(NONE, value=log_loss)
    return Measured(name, name.capitalize(), NONE, NONE, NONE, loss, NONE, figure, 0.25, 0.1, 0.0, 1.0, 1, 0.0, ())


def advised(
    money: dict[CandidateName, float], losses: dict[CandidateName, float] | None = None
) -> choice.Recommendation:
    """Recommend, where every difference between candidates has a standard error of about 140."""
    random = np.random.default_rng(5)
    draws = {name: np.append(value, value + random.normal(0, 100, 200)) for name, value in money.items()}
    candidates = tuple(measured(name, value, (losses or {}).get(name, 0.3)) for name, value in money.items())
    return choice.recommend(candidates, draws, "USD")


def test_the_threshold_is_where_acting_begins_to_pay() -> None:
    value = Value(currency="USD", caught=180, false_alarm=-60)
    assert choice.threshold(Policy(actions=ACTIONS), value) == pytest.approx(0.25)


@pytest.mark.parametrize("missed", [0.0, -50.0, -500.0])
def test_at_the_threshold_acting_and_leaving_are_worth_the_same(missed: float) -> None:
    value = Value(currency="USD", caught=40, false_alarm=-25, missed=missed)
    at = choice.threshold(Policy(actions=ACTIONS), value)
    assert at * value.caught + (1 - at) * value.false_alarm == pytest.approx(at * value.missed)


def test_a_number_in_the_policy_goes_before_the_value() -> None:
    value = Value(currency="USD", caught=180, false_alarm=-60)
    assert choice.threshold(Policy(actions=ACTIONS, threshold=0.4), value) == 0.4


def test_where_acting_never_pays_almost_nothing_is_acted_on() -> None:
    value = Value(currency="USD", caught=-80, false_alarm=-60, missed=0)
    assert choice.threshold(Policy(actions=ACTIONS), value) == choice.THRESHOLD_MAX


def test_the_band_lies_around_the_threshold_and_within_zero_and_one() -> None:
    assert choice.uncertain_band(Policy(actions=ACTIONS, uncertain_within=0.03), 0.25) == pytest.approx((0.22, 0.28))
    assert choice.uncertain_band(Policy(actions=ACTIONS, uncertain_within=0.3), 0.1)[0] == 0


def test_the_simplest_within_one_standard_error_is_recommended() -> None:
    advice = advised({"rule": -2000, "logistic": 950, "additive": 1000, "boosted": 1040})
    assert (advice.best, advice.recommended) == ("boosted", "logistic")
    assert advice.reason.startswith(
        "Use the logistic: USD 2,950 more than the rule per 1,000 decisions (95 % interval USD "
    )
    assert "Boosted would add USD 90" in advice.reason


def test_a_richer_model_is_recommended_when_it_is_measurably_worth_more() -> None:
    advice = advised({"rule": 0, "logistic": 500, "additive": 520, "boosted": 2000})
    assert advice.recommended == advice.best == "boosted"


def test_the_rule_is_kept_when_no_model_is_measurably_worth_more() -> None:
    advice = advised({"rule": 1000, "logistic": 1020, "additive": 900, "boosted": 1090})
    assert advice.recommended == "rule"
    assert advice.reason.startswith("Keep the rule")
    assert "USD 90 more" in advice.reason


def test_a_model_that_knows_less_than_the_rule_is_not_recommended() -> None:
    advice = advised({"rule": 0, "boosted": 5000}, {"rule": 0.3, "boosted": 0.4})
    assert advice.recommended == "rule"
    assert "log loss of 0.400 against 0.300" in advice.reason


def test_where_every_model_was_refused_the_rule_stays() -> None:
    advice = advised({"rule": 0})
    assert advice.recommended == "rule"
    assert "no model could be trained" in advice.reason


def test_what_the_audit_blocks_is_not_recommended_and_the_first_three_reasons_are_told() -> None:
    advice = advised({"rule": 0.0, "boosted": 5_000.0})
    assert choice.blocked(advice, ()) is advice
    held = choice.blocked(advice, tuple(f"Column {name} leaks." for name in "abcd"))
    assert (held.best, held.recommended) == ("boosted", "rule")
    assert held.reason.endswith("Column a leaks. Column b leaks. Column c leaks. And 1 more.")
    assert "4 things that block" in held.reason
