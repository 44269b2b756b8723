"""What a candidate is worth on the held-out time, with intervals by resampling whole days.

Rows of one day share weather and crews: resampling rows would give intervals far too narrow. All figures are functions
of sums per day, so a resample is a weighting of days and costs a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Bin, Estimate
from pilotage.models.rules.calibration import log_losses
from pilotage.usecase.records import Value

Vector = NDArray[np.float64]
RESAMPLES = 2_000
BINS = 10


@dataclass(frozen=True)
class HeldOut:
    """The judging time: the label and day (0 … days - 1) of every row, and how often each resample draws each day."""

    labels: NDArray[np.bool_]
    days: NDArray[np.intp]
    weights: Vector  # resamples × days; row 0 counts every day once: the figure itself

    @property
    def days_count(self) -> int:
        return int(self.weights.shape[1])


@dataclass(frozen=True)
class Figures:
    """Everything measured of one candidate.

    ``money_draws`` is paired between candidates: draw i has the same days. ``money_days`` is the money of each day,
    ``money_rows`` of each decision, ``scores`` what it was given.
    """

    auc: Estimate
    precision: Estimate
    recall: Estimate
    log_loss: Estimate
    calibration_error: Estimate
    money: Estimate
    alerts_share: float
    review_share: float
    calibration: tuple[Bin, ...]
    money_draws: Vector
    money_days: Vector
    money_rows: Vector
    scores: Vector


@dataclass(frozen=True)
class Worth:
    """Money of one decision by what came of it, and of one review. Costs are negative."""

    caught: float
    false_alarm: float
    missed: float
    review: float

    @classmethod
    def of(cls, value: Value, minutes_per_case: float) -> Worth:
        return cls(value.caught, value.false_alarm, value.missed, value.review_minute * minutes_per_case)

    def per_row(self, alert: NDArray[np.bool_], positive: NDArray[np.bool_]) -> Vector:
        """The money of every decision, without reviews."""
        acted = np.where(positive, self.caught, self.false_alarm)
        return np.where(alert, acted, np.where(positive, self.missed, 0.0))


def held_out(labels: NDArray[np.bool_], days: NDArray[np.int64], random: np.random.Generator) -> HeldOut:
    """The judging time with its resamples of days."""
    found, place = np.unique(days, return_inverse=True)
    drawn = random.multinomial(len(found), np.full(len(found), 1 / len(found)), size=RESAMPLES)
    return HeldOut(labels, place, np.vstack([np.ones(len(found)), drawn]))


def measured(
    time: HeldOut, probabilities: Vector, threshold: float, uncertain: tuple[float, float] | None, worth: Worth
) -> Figures:
    """Measure one candidate. ``uncertain`` is the band of probabilities that people review; None: nobody reviews."""
    weights, positive = time.weights, time.labels
    alert = probabilities >= threshold
    review = np.zeros_like(alert) if uncertain is None else _within(probabilities, uncertain)

    def total(rows: NDArray[np.bool_] | Vector) -> Vector:
        """Weighted sum over rows, per resample."""
        drawn: Vector = weights @ np.bincount(time.days, rows.astype(np.float64), time.days_count)
        return drawn

    rows = total(np.ones_like(alert))
    caught, false, missed = total(alert & positive), total(alert & ~positive), total(~alert & positive)
    money: Vector = worth.per_row(alert, positive) + review * worth.review
    curve, error = _calibration(time, probabilities)
    per_thousand = _ratio(1000 * total(money), rows)
    return Figures(
        auc=estimate(auc_draws(time, probabilities)),
        precision=estimate(_ratio(caught, caught + false)),
        recall=estimate(_ratio(caught, caught + missed)),
        log_loss=estimate(_ratio(total(log_losses(probabilities, positive)), rows)),
        calibration_error=estimate(error),
        money=estimate(per_thousand),
        alerts_share=float(alert.mean()),
        review_share=float(review.mean()),
        calibration=curve,
        money_draws=per_thousand,
        money_rows=money,
        scores=probabilities,
        money_days=np.bincount(time.days, money, time.days_count).astype(np.float64),
    )


def resampled(time: HeldOut, per_row: Vector) -> Estimate:
    """The mean of any figure per row, with its interval over days."""
    return estimate(mean_draws(time, per_row))


def mean_draws(time: HeldOut, per_row: Vector) -> Vector:
    """The mean of any figure per row: itself first, then one per resample."""

    def total(rows: Vector) -> Vector:
        drawn: Vector = time.weights @ np.bincount(time.days, rows, time.days_count)
        return drawn

    return _ratio(total(per_row), total(np.ones_like(per_row)))


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
    return _ratio(np.einsum("ri,ij,rj->r", weights, wins, weights, optimize=True), pairs)


def _calibration(time: HeldOut, probabilities: Vector) -> tuple[tuple[Bin, ...], Vector]:
    """The curve over bins of equally many rows, and per resample the mean distance between predicted and observed."""
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, probabilities, side="left")
    count = len(edges) + 1

    def sums(rows: Vector) -> Vector:
        """Per resample and bin."""
        flat = np.bincount(time.days * count + place, rows, time.days_count * count)
        drawn: Vector = time.weights @ flat.reshape(time.days_count, count)
        return drawn

    rows, predicted, observed = sums(np.ones_like(probabilities)), sums(probabilities), sums(time.labels.astype(float))
    error = _ratio(np.abs(predicted - observed).sum(axis=1), rows.sum(axis=1))
    curve = tuple(
        Bin(float(predicted[0, at] / rows[0, at]), float(observed[0, at] / rows[0, at]), int(rows[0, at]))
        for at in range(count)
        if rows[0, at]
    )
    return curve, error


def _within(probabilities: Vector, band: tuple[float, float]) -> NDArray[np.bool_]:
    return (probabilities >= band[0]) & (probabilities <= band[1])


def _ratio(above: Vector, below: Vector) -> Vector:
    """Division where nothing over nothing is 0."""
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)


def estimate(draws: Vector) -> Estimate:
    """The figure itself comes first, the resamples after it."""
    low, high = np.quantile(draws[1:], (0.025, 0.975))
    return Estimate(float(draws[0]), float(low), float(high), float(draws[1:].std(ddof=1)))
