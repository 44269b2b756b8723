"""Whether probabilities mean what they say, beside what chance would do to a model that is perfectly calibrated.

A calibration error says little alone: that of a perfect model is 0.12 at 100 rows. So the losses are held against those
that a perfect model with the same probabilities would have, and slope and intercept carry intervals.
"""

from __future__ import annotations

import numpy as np

from pilotage.models.records import Estimate, Perfect, Reliability
from pilotage.models.rules.differences import sign_flipped
from pilotage.models.rules.evaluation import HeldOut, Vector

NULLS = 499
CELLS_AT_ONCE = 2_000_000
PROBABILITY_MIN = 1e-6
STEPS_MAX = 50


def measured(time: HeldOut, probabilities: Vector, random: np.random.Generator) -> Reliability:
    """Log loss and Brier score against their nulls, and Cox's slope and intercept, on the held-out time."""
    safe = np.clip(probabilities, PROBABILITY_MIN, 1 - PROBABILITY_MIN)
    labels = time.labels.astype(np.float64)
    negative = -np.log1p(-safe)  # the log loss of a negative row; a positive one adds ``extra`` to it
    extra = np.column_stack([-np.log(safe) - negative, 1 - 2 * safe])
    base = np.array([negative.mean(), (safe**2).mean()])
    null = base + _perfect(safe, extra, random)
    seen = base + labels @ extra / len(safe)
    slope, intercept = cox(time, safe)
    log_loss, brier = (
        _against(seen[at], null[:, at], _days(time, (labels - safe) * extra[:, at]), len(safe), random) for at in (0, 1)
    )
    return Reliability(log_loss, brier, float(probabilities.mean()), float(labels.mean()), slope, intercept)


def _perfect(safe: Vector, extra: Vector, random: np.random.Generator) -> Vector:
    """What outcomes drawn from the probabilities themselves add to both losses: draws × 2."""
    found, count = [], max(1, CELLS_AT_ONCE // len(safe))
    for first in range(0, NULLS, count):
        drawn = random.random((min(count, NULLS - first), len(safe)), dtype=np.float32) < safe.astype(np.float32)
        found.append(drawn.astype(np.float64) @ extra / len(safe))
    return np.vstack(found)


def _against(seen: float, null: Vector, per_day: Vector, rows_count: int, random: np.random.Generator) -> Perfect:
    """One loss beside its null: outcomes drawn from the probabilities (Seillier-Moiseiwitsch, Dawid 1993).

    Drawn outcomes are independent, those of one day are not: the surplus of each day is flipped in sign, too, and the
    greater of the two p-values counts. Two-sided, (k + 1) / (draws + 1). The range is widened as days ask for it.
    """
    expected = float(null.mean())
    rows = (int((np.abs(null - expected) >= abs(seen - expected)).sum()) + 1) / (len(null) + 1)
    low, high = np.quantile(null, (0.025, 0.975))
    wider, spread = 1.0, float(null.std())
    if len(per_day) > 1 and spread > 0:  # a half for every row has the same loss whatever happens
        wider = max(1.0, float(per_day.std(ddof=1)) * len(per_day) ** 0.5 / rows_count / spread)
    return Perfect(
        value=float(seen),
        expected=expected,
        low=expected - wider * (expected - float(low)),
        high=expected + wider * (float(high) - expected),
        p=max(rows, sign_flipped(per_day, random)),
    )


def cox(time: HeldOut, probabilities: Vector) -> tuple[Estimate, Estimate]:
    """Slope and intercept of outcomes on the log-odds of probabilities (Cox 1958): 1 and 0 are perfect.

    A slope below 1 says too extreme, above 1 too timid. Intervals allow for outcomes of one day that go together
    (sandwich by days, Liang and Zeger 1986), with Student's t of days - 1.
    """
    from scipy.special import stdtrit  # here, because every command would wait for it

    labels = time.labels.astype(np.float64)
    design = np.column_stack([np.log(probabilities) - np.log1p(-probabilities), np.ones_like(probabilities)])
    found = np.array([1.0, 0.0])
    for _ in range(STEPS_MAX):
        fitted = 1 / (1 + np.exp(-np.clip(design @ found, -500, 500)))
        bread = (design * (fitted * (1 - fitted))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(bread, design.T @ (labels - fitted))
        found = found + np.clip(step, -1, 1)  # a step of Newton's that is far too long would never come back
        if np.abs(step).max() < 1e-10:
            break
    scores = np.column_stack([_days(time, (labels - fitted) * design[:, at]) for at in (0, 1)])
    inverse, days = np.linalg.inv(bread), time.days_count
    errors = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse) * days / max(days - 1, 1))
    reach = float(stdtrit(max(days - 1, 1), 0.975)) * errors
    slope, intercept = (
        Estimate(float(found[at]), float(found[at] - reach[at]), float(found[at] + reach[at]), float(errors[at]))
        for at in (0, 1)
    )
    return slope, intercept


def _days(time: HeldOut, per_row: Vector) -> Vector:
    """The sum of each day."""
    return np.bincount(time.days, per_row, time.days_count).astype(np.float64)
