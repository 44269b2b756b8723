"""The recommendation."""

from __future__ import annotations

import dataclasses
import re

import msgspec
import numpy as np
import pytest

from pilotage.models.records import CandidateName, Difference, Estimate, Measured, Trivial
from pilotage.models.rules import choice, evaluation, reasons
from pilotage.models.rules.choice import Contest

NONE = Estimate(0, 0, 0, 0)


def measured(name: CandidateName, money: float, log_loss: float = 0.3) -> Measured:
    figure = msgspec.structs.replace(NONE, value=money)
    loss = msgspec.structs.replace(NONE, value=log_loss)
    return Measured(name, name.capitalize(), {"log_loss": loss}, "log_loss", figure, 0.25, 0.1, 0.0, 1.0, 1, 0.0)


def contest(
    money: dict[CandidateName, float],
    losses: dict[CandidateName, float] | None = None,
    never: float = -5000,
    p: float = 0.001,
) -> Contest:
    """Candidates on 40 days, where every difference between two has a standard error of about 140."""
    random = np.random.default_rng(5)
    draws = {name: np.append(value, value + random.normal(0, 100, 2_000)) for name, value in money.items()}
    candidates = tuple(measured(name, value, (losses or {}).get(name, 0.3)) for name, value in money.items())
    models = [name for name in money if name != "rule"]
    apart = tuple(
        Difference(name, evaluation.estimate(draws[name] - draws["rule"]), p / len(models), p) for name in models
    )
    value = msgspec.structs.replace(NONE, value=never)
    loss = msgspec.structs.replace(NONE, value=0.5)
    same = np.append(never, never + random.normal(0, 100, 2_000))
    trivial = (
        (Trivial("never", "never acting", value), same),
        (Trivial("base_rate", "giving everybody 20 %", msgspec.structs.replace(NONE, value=-9000), loss), same - 9000),
    )
    return Contest(candidates, draws, apart, trivial, 4_000, 40, "USD")


def advised(
    money: dict[CandidateName, float],
    losses: dict[CandidateName, float] | None = None,
    never: float = -5000,
    p: float = 0.001,
) -> choice.Recommendation:
    return choice.recommend(contest(money, losses, never, p), reasons.reason)


def test_the_simplest_within_one_standard_error_is_recommended() -> None:
    advice = advised({"rule": -2000, "linear": 950, "additive": 1000, "boosted": 1040})
    assert (advice.best, advice.recommended, advice.verdict) == ("boosted", "linear", "pilot")
    assert advice.reason.startswith(
        "Use the linear: USD 2,950 more than the rule per 1,000 decisions (95 % interval USD "
    )
    assert "Boosted would add USD 90" in advice.reason


def test_a_richer_model_is_recommended_when_it_is_measurably_worth_more() -> None:
    advice = advised({"rule": 0, "linear": 500, "additive": 520, "boosted": 2000})
    assert advice.recommended == advice.best == "boosted"


def test_the_rule_is_kept_where_every_model_earns_less() -> None:
    advice = advised({"rule": 1000, "linear": 980, "additive": 900, "boosted": 910})
    assert (advice.recommended, advice.verdict) == ("rule", "keep_rule")
    assert advice.reason.startswith("Keep the rule: per 1,000 decisions the best model (Linear) is worth USD 20 less")


def test_a_model_ahead_by_less_than_chance_explains_is_not_enough_evidence_and_what_is_missing_is_told() -> None:
    advice = advised({"rule": 1000, "linear": 1020, "additive": 900, "boosted": 1090}, p=0.6)
    assert (advice.best, advice.recommended, advice.verdict) == ("boosted", "rule", "not_enough_evidence")
    assert advice.reason.startswith(
        "Not enough evidence: per 1,000 decisions the best model (Boosted) is worth USD 90 "
    )
    assert "p = 0.6, corrected for 3 candidates" in advice.reason
    # (2.394 + 0.842)² · (144 / 90)² is about 27 times the present 4,000 decisions: 26 times them are missing
    more = re.search(r"About ([0-9,]+) more held-out decisions", advice.reason)
    assert more is not None
    assert int(more[1].replace(",", "")) == pytest.approx(104_000, rel=0.1)
    assert "if the difference stays as it is" in advice.reason


def test_a_difference_that_the_best_of_many_shows_by_chance_is_not_enough_evidence() -> None:
    doubted = advised({"rule": 0, "linear": 20, "boosted": 320}, p=0.12)
    assert (doubted.verdict, doubted.recommended, doubted.best) == ("not_enough_evidence", "rule", "boosted")
    assert "on 40 days, with 2 candidates tried, chance alone would show as much in 12 of 100 cases." in doubted.reason
    # p alone is 0.06, which is 1.88 standard errors where (2.241 + 0.842) are wanted: 1.7 times the 4,000 are missing
    assert "About 6,800 more held-out decisions (some 68 days like these 40)" in doubted.reason
    assert advised({"rule": 0, "linear": 20, "boosted": 320}, p=0.04).verdict == "pilot"


def test_groups_of_decisions_that_are_too_few_are_told_as_days_are() -> None:
    few = dataclasses.replace(contest({"rule": 0, "boosted": 900}, p=0.5), day="group", days=2)
    advice = choice.recommend(few, reasons.reason)
    assert advice.verdict == "not_enough_evidence"
    assert "Judged on 2 groups p cannot fall below 0.5, whatever a model earns" in advice.reason
    assert "at least 4 more groups must judge" in advice.reason
    assert "let decision.judged name decisions of more days" in advice.reason


def test_a_model_calibrated_by_outcomes_that_nobody_knew_is_not_enough_evidence() -> None:
    advice = advised({"rule": 0, "boosted": 900})
    assert choice.unripe(advice, "Boosted trees", "") is advice
    held = choice.unripe(advice, "Boosted trees", "Outcomes take 90 days.")
    assert (held.best, held.recommended, held.verdict) == ("boosted", "rule", "not_enough_evidence")
    assert held.reason.endswith("not as it would have stood on that day. Outcomes take 90 days.")
    kept = advised({"rule": 1000, "boosted": 910})
    assert choice.unripe(kept, "Boosted trees", "Outcomes take 90 days.") is kept


def test_a_difference_too_small_ever_to_show_is_said_to_be_so() -> None:
    advice = advised({"rule": 1000, "boosted": 1001}, p=0.9)
    assert "more than 100 times as many held-out decisions" in advice.reason


def test_no_model_is_recommended_that_earns_less_than_never_acting() -> None:
    advice = advised({"rule": -3000, "linear": -90, "boosted": -50}, never=0)
    assert (advice.recommended, advice.verdict) == ("rule", "keep_rule")
    assert advice.reason.startswith("Keep the rule: never acting is worth USD 0 per 1,000 decisions, no less than the")
    assert "It is worth more than the rule, too, with −USD 3,000" in advice.reason


def test_a_lead_over_never_acting_that_chance_could_explain_is_told() -> None:
    reason = advised({"rule": -3000, "boosted": 150}, never=0).reason
    assert "Against never acting it is worth USD 150 more (95 % interval −USD" in reason
    assert reason.endswith(": not yet proved.")
    assert "never acting" not in advised({"rule": -3000, "boosted": 600}, never=0).reason


def test_a_model_that_predicts_worse_than_one_rate_for_everybody_is_not_recommended() -> None:
    advice = advised({"rule": 0, "boosted": 5000}, {"rule": 0.7, "boosted": 0.6})
    assert advice.verdict == "keep_rule"
    assert "worse than giving everybody 20 %, with a log loss of 0.600 against 0.500" in advice.reason


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
    assert (held.best, held.recommended, held.verdict) == ("boosted", "rule", "blocked")
    assert held.reason.endswith("Column a leaks. Column b leaks. Column c leaks. And 1 more.")
    assert "4 things that block" in held.reason
