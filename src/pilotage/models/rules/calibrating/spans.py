"""From a model's number to the answer that costs least and an interval that holds the truth nine times in ten.

Source: split conformal prediction (Vovk, Gammerman, Shafer 2005; Lei et al. 2018) within groups of like predictions
(Mondrian), so that the interval is wide where the model is unsure. Between the groups' middles, straight lines.

The answer lies within its interval: where one direction costs so much more that the answer is a quantile beyond the
interval's, the interval is widened to it, and then holds the truth more often than nine times in ten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
COVERAGE = 0.9
GROUP_ROWS_MIN = 200
GROUPS_MAX = 20


class Spans(Struct, frozen=True, tag="spans"):
    """At each of ``points`` (what the model says): what is added for the answer, the low end and the high end."""

    points: tuple[float, ...]
    shifts: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def outputs(self, margins: Matrix) -> Matrix:
        """Answer, low and high end of many rows: rows × 3."""
        read = self.row()
        return np.array([read([float(value)]) for value in margins[:, 0]]).reshape(-1, 3)

    def row(self) -> Callable[[list[float]], list[float]]:
        """Answer, low and high end of one row: low <= answer <= high."""
        points, last = self.points, len(self.points) - 1
        added = tuple(zip(self.shifts, self.lows, self.highs, strict=True))

        def around(answer: float, low: float, high: float) -> list[float]:
            return [answer, min(low, answer), max(high, answer)]

        def read(margins: list[float]) -> list[float]:
            said = margins[0]
            at = bisect_right(points, said) - 1
            if at < 0 or at >= last:
                return around(*(said + part for part in added[max(at, 0)]))
            share = (said - points[at]) / (points[at + 1] - points[at])
            pairs = zip(added[at], added[at + 1], strict=True)
            return around(*(said + low + share * (high - low) for low, high in pairs))

        return read


def fitted(said: Vector, labels: Vector, quantile: float) -> Spans:
    """From what the model said of rows that it has not learnt from, and what they turned out to be.

    ``quantile`` is that of the outcome which costs least to answer: 0.5, the median, where too low and too high cost
    the same.
    """
    points: list[float] = []
    shifts, lows, highs = [], [], []
    for rows in _groups(said):
        left = np.sort(labels[rows] - said[rows])
        points.append(float(said[rows].mean()))
        shifts.append(float(np.quantile(left, quantile)))
        lows.append(_bound(left, (1 - COVERAGE) / 2))
        highs.append(-_bound(-left[::-1], (1 - COVERAGE) / 2))
    return Spans(tuple(points), tuple(shifts), tuple(lows), tuple(highs))


def _groups(said: Vector) -> list[NDArray[np.intp]]:
    """Rows of like predictions, about as many in each group; those with the very same stay together."""
    order = np.argsort(said, kind="stable")
    ranked, count = said[order], int(np.clip(len(said) // GROUP_ROWS_MIN, 1, GROUPS_MAX))
    ends = np.searchsorted(ranked, ranked[np.arange(1, count) * len(said) // count - 1], side="right")
    return [rows for rows in np.split(order, np.unique(ends)) if len(rows)]


def _bound(ascending: Vector, share: float) -> float:
    """The value below which at most ``share`` of further ones are to be expected; the least where rows are few."""
    rank = int(np.floor(share * (len(ascending) + 1)))
    return float(ascending[max(rank - 1, 0)])
