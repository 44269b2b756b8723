"""Figures with intervals, by resampling whole days of the held-out time.

Rows of one day share weather and crews: resampling rows would give intervals far too narrow. All figures are functions
of sums per day, so a resample is a weighting of days and costs a matrix product. Very many days are taken in spans of
several; decisions without a clock in groups drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Bin, Estimate

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
RESAMPLES = 2_000
BINS = 10
DAYS_MAX = 400
"""More days than this are taken in spans: a resample weighs each of them."""


@dataclass(frozen=True)
class HeldOut:
    """The judging time: the label and day (0 … days - 1) of every row, and how often each resample draws each day.

    A label is true or false, a class's code, or a number.
    """

    labels: NDArray[Any]
    days: NDArray[np.intp]
    weights: Vector  # resamples × days; row 0 counts every day once: the figure itself

    @property
    def days_count(self) -> int:
        return int(self.weights.shape[1])


def held_out(labels: NDArray[Any], days: NDArray[np.int64], random: np.random.Generator) -> HeldOut:
    """The judging time with its resamples of days, or of spans of days where there are more than ``DAYS_MAX``."""
    found, place = np.unique(days, return_inverse=True)
    if len(found) > DAYS_MAX:
        place = place * DAYS_MAX // len(found)
    count = int(place.max()) + 1
    drawn = random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return HeldOut(labels, place.astype(np.intp), np.vstack([np.ones(count), drawn]))


def total(time: HeldOut, rows: NDArray[Any]) -> Vector:
    """The weighted sum over rows: itself first, then one per resample."""
    drawn: Vector = time.weights @ np.bincount(time.days, rows.astype(np.float64), time.days_count)
    return drawn


def resampled(time: HeldOut, per_row: Vector) -> Estimate:
    """The mean of any figure per row, with its interval over days."""
    return estimate(mean_draws(time, per_row))


def mean_draws(time: HeldOut, per_row: Vector) -> Vector:
    """The mean of any figure per row: itself first, then one per resample."""
    return ratio(total(time, per_row), total(time, np.ones_like(per_row)))


def auc_draws(time: HeldOut, scores: Vector) -> Vector:
    """Area under the ROC curve per resample, exactly.

    ``wins[i, j]`` counts the pairs of a positive of day i and a negative of day j that are ranked rightly (ties count
    half). A resample weighs each pair by how often it drew both days: ``wᵀ·wins·w``.
    """
    ranked = np.unique(scores, return_inverse=True)[1].astype(np.int32)  # in the same order, searched faster
    positives, positive_days = ranked[time.labels], time.days[time.labels]
    order = np.argsort(positives, kind="stable")
    positives, positive_days = positives[order], positive_days[order]
    wins = np.zeros((time.days_count, time.days_count))
    negatives, negative_days = ranked[~time.labels], time.days[~time.labels]
    for day in range(time.days_count):
        theirs = np.sort(negatives[negative_days == day])
        below = np.searchsorted(theirs, positives, side="left") + np.searchsorted(theirs, positives, side="right")
        wins[:, day] = np.bincount(positive_days, below / 2, time.days_count)
    weights = time.weights
    pairs = (weights @ np.bincount(positive_days, minlength=time.days_count)) * (
        weights @ np.bincount(negative_days, minlength=time.days_count)
    )
    return ratio(np.einsum("ri,ij,rj->r", weights, wins, weights, optimize=True), pairs)


def calibration_curve(
    time: HeldOut, probabilities: Vector, happened: NDArray[np.bool_]
) -> tuple[tuple[Bin, ...], Vector]:
    """The curve over bins of equally many rows, and per resample the mean distance between predicted and observed."""
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, probabilities, side="left")
    count = len(edges) + 1

    def sums(rows: Vector) -> Vector:
        """Per resample and bin."""
        flat = np.bincount(time.days * count + place, rows, time.days_count * count)
        drawn: Vector = time.weights @ flat.reshape(time.days_count, count)
        return drawn

    rows, predicted, observed = (
        sums(np.ones_like(probabilities)),
        sums(probabilities),
        sums(happened.astype(np.float64)),
    )
    error = ratio(np.abs(predicted - observed).sum(axis=1), rows.sum(axis=1))
    curve = tuple(
        Bin(float(predicted[0, at] / rows[0, at]), float(observed[0, at] / rows[0, at]), int(rows[0, at]))
        for at in range(count)
        if rows[0, at]
    )
    return curve, error


def ratio(above: Vector, below: Vector) -> Vector:
    """Division where nothing over nothing is 0."""
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)


def estimate(draws: Vector, looked_at: int = 1) -> Estimate:
    """The figure itself comes first, the resamples after it. The interval is that of one among so many looked at."""
    low, high = np.quantile(draws[1:], (0.025 / looked_at, 1 - 0.025 / looked_at))
    return Estimate(float(draws[0]), float(low), float(high), float(draws[1:].std(ddof=1)))
