"""From which probability on to act: by value, as the file says, or so that a constraint is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilotage.models.rules.judging.judge import Learnt
from pilotage.usecase.records import Constraint, Policy, Value
from pilotage.usecase.rules.value import pays_from

NEVER = float(np.nextafter(1.0, 2.0))
"""No probability reaches it."""
ROWS_MIN = 20
"""A precision among fewer cases than this says nothing."""


def threshold(policy: Policy, value: Value) -> float:
    """From which probability on acting is worth it, ``NEVER`` where it never is; a number in the policy goes before."""
    if isinstance(policy.threshold, (int, float)):
        return float(policy.threshold)
    at = pays_from(value)
    return NEVER if at is None else at


def uncertain_band(policy: Policy, at: float) -> tuple[float, float]:
    """Probabilities so near to the threshold that a person should look."""
    return max(0.0, at - policy.uncertain_within), min(1.0, at + policy.uncertain_within)


def constrained(asked: Constraint, probabilities: NDArray[np.float64], learnt: Learnt) -> float:
    """The lowest threshold that keeps to the constraint on the calibration part, of which no candidate has learnt.

    A precision: among all cases at or above it, the share of positive ones is at least so great, for at least 20 cases.
    Cases a day: on an average day, from the first to the last, at most so many lie at or above it, counted for all
    decisions of these days. Where nothing keeps to it the threshold lies above 1: it never acts.
    """
    labels, days = learnt.calibrate, learnt.clusters
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    count = np.arange(1, len(ranked) + 1)
    if asked.precision is not None:
        keeps = (np.cumsum(labels[order]) / count >= asked.precision) & (count >= ROWS_MIN)
    else:
        keeps = count / learnt.share <= (asked.a_day or 0) * (int(days.max()) - int(days.min()) + 1)
    ends = np.append(ranked[1:] < ranked[:-1], True)  # cases of one probability are acted on together
    kept = np.flatnonzero(keeps & ends)
    return float(ranked[kept[-1]]) if len(kept) else NEVER
