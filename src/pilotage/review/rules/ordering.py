"""In which order cases are looked at: by what is at stake, how uncertain it is, and how long it has waited."""

from __future__ import annotations

import math

from pilotage.decisions.records import Decision
from pilotage.usecase.records import CaseReason, UseCase, Value

HOURS_PER_DOUBLING = 1.0
"""A case that is worth twice as much goes before one that has waited an hour longer."""
AMOUNT_HOURS_MAX = 12.0
"""So far an amount moves a case at most, before or behind one with as much at stake as usual."""
_TIMES_MAX = 2 ** (AMOUNT_HOURS_MAX / HOURS_PER_DOUBLING)
_STAKES: dict[CaseReason, float] = {"escalated": 8.0, "high_risk": 8.0, "high_value": 4.0}
_NEUTRAL = 0.5


def rank(decision: Decision, why: CaseReason, blind: bool, opened_at: float, times: float | None = None) -> float:
    """Where a case stands in its queue, in seconds: the lowest comes first.

    What it is worth and how uncertain it is are hours of waiting, given as a start: the order never changes while
    cases wait, so that an index can serve it however many there are. ``times`` is how often the usual amount is at
    stake, None where nobody knows. Nothing of the model moves a blind case.
    """
    uncertain = _NEUTRAL if blind else uncertainty(decision)
    weight = _stakes(why, times) * (0.25 + uncertain)
    return opened_at - 3600 * HOURS_PER_DOUBLING * math.log2(weight)


def usual(value: Value) -> float:
    """What a wrong answer usually costs, in the currency of the file: the dearer mistake; of a number, one unit.

    1 where the file says of no mistake that it costs.
    """
    mistakes = (
        value.caught - value.missed,
        -value.false_alarm,
        value.right - value.wrong,
        -value.too_low,
        -value.too_high,
    )
    dearest = max(mistakes)
    return dearest if dearest > 0 else 1.0


def uncertainty(decision: Decision) -> float:
    """How unsure the model was, 0 to 1: one half where it said nothing that tells."""
    if decision.probability is not None:
        return 4 * decision.probability * (1 - decision.probability)
    if decision.confidence is not None:
        return 1 - decision.confidence
    if decision.low is not None and decision.high is not None:
        return _width(decision.low, decision.high)
    return _NEUTRAL


def in_words(use_case: UseCase) -> str:
    """How the queue of a use case is ordered, in a sentence."""
    stake = use_case.review.at_stake
    of_it = "" if stake is None else f" ({stake}, in {use_case.brief.value.currency})"
    return (
        f"What is at stake{of_it}, how unsure the model was and how long a case has waited say which comes first: "
        "twice as much at stake is worth an hour of waiting."
    )


def _stakes(why: CaseReason, times: float | None) -> float:
    """The weight of what is at stake. An amount stands in place of the reason that there is much."""
    if times is None:
        return _STAKES.get(why, 1.0)
    amount = min(max(times, 1 / _TIMES_MAX), _TIMES_MAX)
    return amount if why == "high_value" else amount * _STAKES.get(why, 1.0)


def _width(low: float, high: float) -> float:
    """How wide an interval is beside the numbers in it, 0 to 1: 1 where it reaches below zero and above."""
    size = abs(low) + abs(high)
    return min(1.0, (high - low) / size) if size else 0.0
