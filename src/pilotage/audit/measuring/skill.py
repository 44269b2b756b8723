"""How well values order outcomes: areas under ROC curves, from ranks.

Average ranks: a value's rank is the middle of its run of ties (Mann and Whitney, 1947).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
BINS = 32


def auc(scores: Floats, labels: Flags) -> float:
    """The probability that a positive scores above a negative; 0.5 where one kind is missing."""
    return stratified_auc(scores, labels, np.zeros(len(labels), np.int64))[0]


def stratified_auc(scores: Floats, labels: Flags, strata: Codes) -> tuple[float, float]:
    """The same within strata, each weighted by its pairs, and its distance from 0.5 in standard errors."""
    if not len(labels):
        return 0.5, 0.0
    order = np.lexsort((scores, strata))
    stratum, score, positive = strata[order], scores[order], labels[order].astype(np.float64)
    first = np.r_[True, stratum[1:] != stratum[:-1]]
    tie = first | np.r_[True, score[1:] != score[:-1]]
    at = np.flatnonzero(tie)
    lengths = np.diff(np.r_[at, len(tie)])
    starts = np.flatnonzero(first)
    number = np.cumsum(first) - 1
    rank = np.repeat(at + (lengths + 1) / 2, lengths) - starts[number]
    positives = np.add.reduceat(positive, starts)
    negatives = np.diff(np.r_[starts, len(first)]) - positives
    pairs = positives * negatives
    if not pairs.sum():
        return 0.5, 0.0
    won = np.add.reduceat(positive * rank, starts) - positives * (positives + 1) / 2
    area = float(won[pairs > 0].sum() / pairs.sum())
    spread = math.sqrt(float((pairs * (positives + negatives + 1)).sum()) / 12) / float(pairs.sum())
    return area, (area - 0.5) / spread


def error_of(area: float, positives: int, negatives: int) -> float:
    """The standard error of an area (Hanley and McNeil, 1982)."""
    if not positives or not negatives:
        return 1.0
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    square = area * (1 - area) + (positives - 1) * (first - area * area) + (negatives - 1) * (second - area * area)
    return math.sqrt(max(square, 0.0) / (positives * negatives))


def rates_of_the_other_half(codes: Codes, labels: Flags) -> Floats:
    """Each row scored by the share of positives among the rows of its code in the other half of the rows."""
    count = int(codes.max(initial=0)) + 1
    scores = np.full(len(codes), labels.mean() if len(labels) else 0.5)
    half = np.arange(len(codes)) % 2 == 0
    for here in (half, ~half):
        rows = np.bincount(codes[~here], minlength=count)
        positives = np.bincount(codes[~here], labels[~here].astype(np.float64), minlength=count)
        seen = rows[codes] > 0
        rate = positives / np.maximum(rows, 1)
        scores[here & seen] = rate[codes[here & seen]]
    return scores


def binned(values: Floats) -> Codes:
    """Numbers as codes: about as many rows in each, unknown ones have their own."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    codes: Codes = np.searchsorted(edges, values, side="left").astype(np.int64) + 1
    codes[np.isnan(values)] = 0
    return codes
