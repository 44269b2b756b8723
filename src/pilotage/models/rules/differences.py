"""Whether a candidate earns more than the rule by more than chance: paired by day, corrected for the family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from pilotage.models.rules.evaluation import Vector

FLIPS = 9_999
FLIPS_AT_ONCE = 1_000
SIGNIFICANT = 0.05
POWER = 0.8
GROWTH_MAX = 100.0
"""More held-out decisions than this many times the present ones are not worth counting."""


def sign_flipped(per_day: Vector, random: np.random.Generator) -> float:
    """The two-sided p-value of the sum of daily differences, by flipping whole days' signs.

    If nothing but chance told two candidates apart, each day's difference would as well have come the other way round
    (Fisher 1935; for days as clusters Canay, Romano, Shaikh 2017). With D days it is never below 2 / 2^D: a few days
    prove nothing. Of ``FLIPS`` drawn flips, k are as extreme as what was seen, and p is (k + 1) / (FLIPS + 1), never 0
    (Phipson, Smyth 2010).
    """
    seen = abs(float(per_day.sum()))
    tolerance = 1e-9 * float(np.abs(per_day).sum())
    extreme, left = 0, FLIPS
    while left:
        count = min(left, FLIPS_AT_ONCE)
        signs = 2.0 * random.integers(0, 2, (count, len(per_day)), dtype=np.int8) - 1.0
        extreme += int((np.abs(signs @ per_day) >= seen - tolerance).sum())
        left -= count
    return (extreme + 1) / (FLIPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value corrected for all of them, so that at most 5 in 100 families hold any false find (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = highest
    return corrected


def growth(difference: float, error: float, days: int) -> float:
    """How many times the present days would bring the 95 % interval off zero in four cases of five.

    Assumes that the difference stays as it is and that its standard error falls with the square root of the days.
    """
    normal = NormalDist()
    wanted = normal.inv_cdf(1 - SIGNIFICANT / 2) + normal.inv_cdf(POWER)
    return max((wanted * error / difference) ** 2, 1 + 1 / days)


def rounded_up(count: float) -> int:
    """To two significant digits: an estimate should not look exact."""
    unit = int(10 ** max(0, math.floor(math.log10(max(count, 1))) - 1))
    return math.ceil(count / unit) * unit
