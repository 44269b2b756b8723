"""Whether a candidate earns more than the rule by more than chance: paired by day, corrected for the family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from pilotage.models.records import Estimate
from pilotage.models.rules.evaluation import Vector

FLIPS = 9_999
FLIPS_AT_ONCE = 1_000
SIGNIFICANT = 0.05
POWER = 0.8
GROWTH_MAX = 100.0
"""More held-out decisions than this many times the present ones are not worth counting."""
EXACT_DAYS_MAX = 13
"""Of so few days every flip is tried: there are fewer than are drawn else."""


def sign_flipped(per_day: Vector, random: np.random.Generator) -> float:
    """The two-sided p-value of the sum of daily differences, by flipping whole days' signs.

    If nothing but chance told two candidates apart, each day's difference would as well have come the other way round
    (Fisher 1935; for days as clusters Canay, Romano, Shaikh 2017). With D days it is never below 2 / 2^D: a few days
    prove nothing. Up to ``EXACT_DAYS_MAX`` days all flips are tried. Else, of ``FLIPS`` drawn ones, k are as extreme as
    what was seen, and p is (k + 1) / (FLIPS + 1), never 0 (Phipson, Smyth 2010).
    """
    seen = abs(float(per_day.sum()))
    tolerance = 1e-9 * float(np.abs(per_day).sum())
    if len(per_day) <= EXACT_DAYS_MAX:
        return float((np.abs(_all_signs(len(per_day)) @ per_day) >= seen - tolerance).mean())
    extreme, left = 0, FLIPS
    while left:
        count = min(left, FLIPS_AT_ONCE)
        signs = 2.0 * random.integers(0, 2, (count, len(per_day)), dtype=np.int8) - 1.0
        extreme += int((np.abs(signs @ per_day) >= seen - tolerance).sum())
        left -= count
    return (extreme + 1) / (FLIPS + 1)


def _all_signs(days: int) -> Vector:
    """Every way to flip these days: 2^days × days of 1 and -1."""
    flipped = (np.arange(2**days)[:, None] >> np.arange(days)) & 1
    signs: Vector = 1.0 - 2.0 * flipped.astype(np.float64)
    return signs


def days_min(tried: int) -> int:
    """On how many days at least a difference can show: with fewer, 2 / 2^D is too much for so many candidates tried."""
    return math.ceil(1 + math.log2(max(tried, 1) / SIGNIFICANT))


def is_significant(difference: Estimate, p_family: float) -> bool:
    """Whether something is surely worth more: its interval lies above 0, and few flips of days show as much.

    The interval alone proves nothing on few days, where resampling them makes it too narrow, or where it is the best of
    several; the p-value alone does not say which of the two is worth more.
    """
    return difference.low > 0 and p_family <= SIGNIFICANT


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value corrected for all of them, so that at most 5 in 100 families hold any false find (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = highest
    return corrected


def growth(difference: float, error: float, days: int, p: float = 0.0, tried: int = 1) -> float:
    """How many times the present days would show the difference in four cases of five, with so many candidates tried.

    Assumes that the difference stays as it is and that its standard error falls with the square root of the days. ``p``
    is that of flipped days: where it says less than the standard error, as on few days, it is believed. Infinite where
    nothing was seen.
    """
    normal = NormalDist()
    wanted = normal.inv_cdf(1 - SIGNIFICANT / (2 * tried)) + normal.inv_cdf(POWER)
    flipped = normal.inv_cdf(1 - p / 2) if p > 0 else math.inf
    seen = min(difference / error if error > 0 else math.inf, flipped)
    return max((wanted / seen) ** 2, 1 + 1 / days) if seen > 0 else math.inf


def rounded_up(count: float) -> int:
    """To two significant digits: an estimate should not look exact."""
    unit = int(10 ** max(0, math.floor(math.log10(max(count, 1))) - 1))
    return math.ceil(count / unit) * unit
