"""How often a model that is exactly as good as the rule is called better: on few days, and as the best of several."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from pilotage.models.records import Difference, Measured, Verdict
from pilotage.models.rules import choice, evaluation, reasons
from pilotage.models.rules.choice import Contest
from pilotage.models.rules.differences import SIGNIFICANT, holm, sign_flipped
from pilotage.models.rules.evaluation import HeldOut
from pilotage.models.rules.judging.flag import FlagJudge
from pilotage.models.rules.judging.judge import Answers, Learnt
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Policy, Value

ROWS = 800
RUNS = 100
WORTH = Worth(Value(currency="USD", caught=0, missed=-100, false_alarm=-25), 0)
ROOM = RUNS * SIGNIFICANT + NormalDist().inv_cdf(0.999) * (RUNS * SIGNIFICANT * (1 - SIGNIFICANT)) ** 0.5
"""Of so many runs no more are wrong, but once in a thousand, where 5 in 100 may be."""


def compared(seed: int, days_count: int, models: int, noise: float) -> tuple[Verdict, str]:
    """A rule that sees what decides through a noise of 0.8, and models that see it through their own.

    All act on what looks positive. Returns the verdict and its reason.
    """
    random = np.random.default_rng(seed)
    days = np.arange(ROWS) * days_count // ROWS
    truth, before = random.normal(0, 1, ROWS), random.normal(0, 1, ROWS)
    labels, known = (random.random(ROWS) < 1 / (1 + np.exp(1 - 2 * one)) for one in (truth, before))
    time = evaluation.held_out(labels, days, random)
    judge = FlagJudge(time, Learnt(known, known, days), Policy(uncertain_within=0.0), WORTH)
    rule, ruled = (one + random.normal(0, 0.8, ROWS) > 0 for one in (truth, before))
    said = {"rule": judge.told(rule, ruled)}
    for number in range(models):
        seen = truth + random.normal(0, noise, ROWS)
        probabilities = 1 / (1 + np.exp(0.8 - 1.2 * seen))
        said[f"model_{number}"] = Answers(probabilities.reshape(-1, 1), seen > 0, np.zeros(ROWS, dtype=bool), 0.3)
    contest = contested(judge, said, random)
    advice = choice.recommend(contest, reasons.reason)
    return advice.verdict, advice.reason


def contested(judge: FlagJudge, said: dict[str, Answers], random: np.random.Generator) -> Contest:
    """What the recommendation reads."""
    time = judge.time
    earned = {name: judge.earned(one) for name, one in said.items()}
    draws = {name: 1000 * evaluation.mean_draws(time, money) for name, money in earned.items()}
    others = [name for name in said if name != "rule"]
    alone = [sign_flipped(days_of(time, earned[name] - earned["rule"]), random) for name in others]
    return Contest(
        candidates=tuple(measured(judge, name, one, draws[name]) for name, one in said.items()),
        money_draws=draws,
        differences=tuple(
            Difference(name, evaluation.estimate(draws[name] - draws["rule"]), p, p_family)
            for name, p, p_family in zip(others, alone, holm(alone), strict=True)
        ),
        trivial=judge.trivial(None, 0.3),
        rows=ROWS,
        days=time.days_count,
        currency="USD",
    )


def days_of(time: HeldOut, rows: np.ndarray) -> np.ndarray:
    """The sum of every day."""
    return np.bincount(time.days, rows, time.days_count).astype(np.float64)


def measured(judge: FlagJudge, name: str, said: Answers, draws: np.ndarray) -> Measured:
    loss = evaluation.resampled(judge.time, judge.losses(said))
    return Measured(name, name, {"log_loss": loss}, "log_loss", evaluation.estimate(draws), 0.3, 0.5, 0, 0, 0, 0)


@pytest.mark.parametrize("models", [1, 3])
@pytest.mark.parametrize("days", [1, 4, 7, 30])
def test_models_as_good_as_the_rule_are_recommended_no_more_often_than_five_times_in_a_hundred(
    days: int, models: int
) -> None:
    pilots = sum(compared(seed, days, models, noise=0.8)[0] == "pilot" for seed in range(RUNS))
    assert pilots <= ROOM


def test_a_model_that_is_better_is_recommended_once_there_are_days_enough() -> None:
    assert sum(compared(seed, 30, 3, noise=0.1)[0] == "pilot" for seed in range(20)) >= 16


@pytest.mark.parametrize(
    ("days", "models", "told"),
    [
        (
            1,
            1,
            "Judged on 1 day p cannot fall below 1, whatever a model earns, and 0.05 is asked for: at least 5 more ",
        ),
        (4, 1, "Judged on 4 days p cannot fall below 0.12, whatever a model earns, and 0.05 is asked for: at least 2 "),
        (5, 1, "at least 1 more day must judge, some 160 decisions. So sync more history."),
        (6, 3, "Judged on 6 days p cannot fall below 0.094, whatever a model earns"),
    ],
)
def test_where_days_are_too_few_for_any_proof_that_is_said_with_how_many_are_wanted(
    days: int, models: int, told: str
) -> None:
    verdict, reason = compared(3, days, models, noise=0.1)
    assert verdict == "not_enough_evidence"
    assert told in reason
