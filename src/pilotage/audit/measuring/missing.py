"""Whether a value is missing, against the outcome: within stretches of time, because both change with time."""

from __future__ import annotations

import math

import numpy as np

from pilotage.audit.measured.label import MissingByLabel
from pilotage.audit.measuring.sample import Sample, Vector
from pilotage.audit.measuring.skill import Flags

ROWS_MIN = 20
STRETCH_ROWS = 500


def missing_by_label(source: str, vector: Vector, labels: Flags, sample: Sample) -> MissingByLabel | None:
    """The difference of the rates of positives; None where too few values are missing or known to say."""
    missing = ~vector.known
    rows, count = len(labels), int(missing.sum())
    if count < ROWS_MIN or rows - count < ROWS_MIN:
        return None
    rate_missing, rate_known = float(labels[missing].mean()), float(labels[~missing].mean())
    difference, error = _within_time(missing, labels)
    return MissingByLabel(
        source=source,
        column=vector.name,
        missing=count,
        rows=rows,
        rate_missing=rate_missing,
        rate_known=rate_known,
        difference=difference,
        low=difference - 1.96 * error,
        high=difference + 1.96 * error,
        effect=_effect(rate_missing, rate_known),
        sampled=sample.sampled,
    )


def _within_time(missing: Flags, labels: Flags) -> tuple[float, float]:
    """The difference of rates by stretch of time, weighted as Mantel and Haenszel do, and its standard error."""
    stretch = np.arange(len(labels)) // STRETCH_ROWS
    count = int(stretch.max(initial=0)) + 1
    positive = labels.astype(np.float64)

    def totals(rows: Flags) -> tuple[np.ndarray, np.ndarray]:
        return np.bincount(stretch[rows], minlength=count), np.bincount(stretch[rows], positive[rows], count)

    (n1, p1), (n0, p0) = totals(missing), totals(~missing)
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return 0.0, 1.0
    n1, p1, n0, p0 = n1[both], p1[both], n0[both], p0[both]
    weight = n1 * n0 / (n1 + n0)
    difference = float((weight * (p1 / n1 - p0 / n0)).sum() / weight.sum())
    # A rate of 0 or 1 among few rows is not certain: half a row of each kind is added.
    r1, r0 = (p1 + 0.5) / (n1 + 1), (p0 + 0.5) / (n0 + 1)
    variance = (weight**2 * (r1 * (1 - r1) / n1 + r0 * (1 - r0) / n0)).sum() / weight.sum() ** 2
    return difference, math.sqrt(float(variance))


def _effect(one: float, other: float) -> float:
    """Cohen's h: 0.2 is small, 0.5 medium, 0.8 large."""
    return 2 * math.asin(math.sqrt(one)) - 2 * math.asin(math.sqrt(other))
