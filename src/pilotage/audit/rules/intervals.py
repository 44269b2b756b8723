"""Intervals of a share."""

from __future__ import annotations

import math

Z_95 = 1.959964
"""The 97.5th percentile of the normal distribution: 95 % lie within."""


def wilson(positives: int, rows: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a share (Wilson, 1927): honest also for few rows and shares near 0 or 1.

    ``rows`` is at least 1.
    """
    share = positives / rows
    centre = share + z * z / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def z_for(comparisons: int) -> float:
    """The z of an interval so wide that, of so many, all hold together in 95 % of cases (Bonferroni)."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - 0.025 / max(1, comparisons))
