"""From a model's margin to a probability that means what it says: a table of a few dozen points, kept beside the model.

Two ways are tried: Platt's curve (Platt 1999) and isotonic regression (Zadrozny, Elkan 2002), centred so that it has no
steps (Oron, Flournoy 2017): a step would turn a difference in the last bit into another decision.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Way = Literal["platt", "isotonic"]

GROUPS_MAX = 200
GROUP_ROWS_MIN = 20
GAP_MIN = 1e-6
POINTS_OF_CURVE = 201
FOLDS = 5


class ProbabilityCurve(Struct, frozen=True, tag="curve"):
    """Probability at each margin; straight lines between the points, constant outside."""

    way: Way
    margins: tuple[float, ...]
    probabilities: tuple[float, ...]

    def outputs(self, margins: Vector) -> Vector:
        """Probabilities of many rows: rows × 1."""
        return self.many(margins[:, 0]).reshape(-1, 1)

    def row(self) -> Callable[[list[float]], list[float]]:
        """The probability of one row."""
        read = self.reader()
        return lambda margins: [read(margins[0])]

    def many(self, margins: Vector) -> Vector:
        """Probabilities of many margins, by the same operations in the same order as :meth:`reader`.

        It is ``np.interp`` spelt out: its C code may fuse the multiplication and the addition where the processor can,
        and a row alone would then differ in the last bit.
        """
        points, values = np.array(self.margins), np.array(self.probabilities)
        slopes = (values[1:] - values[:-1]) / (points[1:] - points[:-1])
        inside = np.clip(margins, points[0], points[-1])
        place = np.minimum(np.searchsorted(points, inside, side="right") - 1, len(slopes) - 1)
        found: Vector = slopes[place] * (inside - points[place]) + values[place]
        return found

    def reader(self) -> Callable[[float], float]:
        """The probability of one margin."""
        points, values = self.margins, self.probabilities
        last = len(points) - 2
        slopes = [(values[at + 1] - values[at]) / (points[at + 1] - points[at]) for at in range(last + 1)]
        low, high = points[0], points[-1]

        def probability(margin: float) -> float:
            inside = low if margin < low else high if margin > high else margin
            at = bisect_right(points, inside) - 1
            if at > last:
                at = last
            return slopes[at] * (inside - points[at]) + values[at]

        return probability


def fitted(margins: Vector, labels: NDArray[np.bool_], days: NDArray[np.int64]) -> ProbabilityCurve:
    """The better of the two ways by log loss on days it was not fitted on, then fitted on all of them."""
    fold = np.searchsorted(np.unique(days), days) * FOLDS // len(np.unique(days))
    losses = dict.fromkeys(_WAYS, 0.0)
    for number in range(FOLDS):
        out = fold == number
        if out.all() or not out.any() or len(np.unique(labels[~out])) < 2:
            continue
        for way, fit in _WAYS.items():
            losses[way] += log_losses(fit(margins[~out], labels[~out]).many(margins[out]), labels[out]).sum()
    best = min(losses, key=lambda way: losses[way])
    return _WAYS[best](margins, labels)


def log_losses(probabilities: Vector, labels: NDArray[np.bool_]) -> Vector:
    """The loss of every row: minus the logarithm of the probability given to what happened."""
    safe = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.where(labels, -np.log(safe), -np.log1p(-safe))


def _platt(margins: Vector, labels: NDArray[np.bool_]) -> ProbabilityCurve:
    """A logistic curve through the margins, by Newton's method, with Platt's softened targets."""
    positives, negatives = labels.sum(), (~labels).sum()
    target = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([margins, np.ones_like(margins)])
    weights = np.array([1.0, 0.0])
    for _ in range(25):
        found = _logistic(design @ weights)
        step = np.linalg.solve(
            (design * (found * (1 - found))[:, None]).T @ design + 1e-9 * np.eye(2), design.T @ (found - target)
        )
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            break
    low, high = float(margins.min()), float(margins.max())
    points = np.linspace(low, max(high, low + 1e-3), POINTS_OF_CURVE)
    return ProbabilityCurve("platt", _listed(points), _listed(_logistic(points * weights[0] + weights[1])))


def _isotonic(margins: Vector, labels: NDArray[np.bool_]) -> ProbabilityCurve:
    """Rising rates over groups of neighbouring margins; each pooled block is a point at its mean margin."""
    from scipy.optimize import isotonic_regression  # here, because every command would wait for it

    order = np.argsort(margins, kind="stable")
    groups = int(np.clip(len(order) // GROUP_ROWS_MIN, 2, GROUPS_MAX))
    cuts = (np.arange(groups) * len(order)) // groups
    rows = np.diff(np.append(cuts, len(order))).astype(np.float64)
    sums = np.add.reduceat(margins[order], cuts)
    rates = np.add.reduceat(labels[order].astype(np.float64), cuts) / rows
    blocks = isotonic_regression(rates, weights=rows).blocks[:-1]
    weights = np.add.reduceat(rows, blocks)
    points = np.add.reduceat(sums, blocks) / weights
    values = np.add.reduceat(rates * rows, blocks) / weights
    values = np.clip(values, 1 / (len(order) + 2), 1 - 1 / (len(order) + 2))
    kept = np.append(True, np.diff(points) > GAP_MIN)
    points, values = points[kept], values[kept]
    if len(points) == 1:
        points, values = np.array([points[0], points[0] + 1.0]), np.repeat(values, 2)
    return ProbabilityCurve("isotonic", _listed(points), _listed(values))


_WAYS: dict[Way, Callable[[Vector, NDArray[np.bool_]], ProbabilityCurve]] = {"platt": _platt, "isotonic": _isotonic}


def _logistic(margins: Vector) -> Vector:
    found: Vector = 1 / (1 + np.exp(-np.clip(margins, -500, 500)))
    return found


def _listed(values: Vector) -> tuple[float, ...]:
    return tuple(map(float, values))
