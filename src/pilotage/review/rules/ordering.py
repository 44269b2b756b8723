"""In which order cases are looked at: by what is at stake, how uncertain it is, and how long it has waited."""

from __future__ import annotations

import math

from pilotage.decisions.records import Decision
from pilotage.usecase.records import CaseReason

HOURS_PER_DOUBLING = 1.0
"""A case that is worth twice as much goes before one that has waited an hour longer."""
_STAKES: dict[CaseReason, float] = {"escalated": 8.0, "high_risk": 8.0, "high_value": 4.0}
_NEUTRAL = 0.5


def rank(decision: Decision, why: CaseReason, blind: bool, opened_at: float) -> float:
    """Where a case stands in its queue, in seconds: the lowest comes first.

    What it is worth and how uncertain it is are hours of waiting, given as a start: the order never changes while
    cases wait, so that an index can serve it however many there are. Nothing of the model moves a blind case.
    """
    uncertain = _NEUTRAL if blind else uncertainty(decision)
    weight = _STAKES.get(why, 1.0) * (0.25 + uncertain)
    return opened_at - 3600 * HOURS_PER_DOUBLING * math.log2(weight)


def uncertainty(decision: Decision) -> float:
    """How unsure the model was, 0 to 1: one half where it said nothing that tells."""
    if decision.probability is not None:
        return 4 * decision.probability * (1 - decision.probability)
    if decision.confidence is not None:
        return 1 - decision.confidence
    if decision.low is not None and decision.high is not None:
        return _width(decision.low, decision.high)
    return _NEUTRAL


def _width(low: float, high: float) -> float:
    """How wide an interval is beside the numbers in it, 0 to 1: 1 where it reaches below zero and above."""
    size = abs(low) + abs(high)
    return min(1.0, (high - low) / size) if size else 0.0
