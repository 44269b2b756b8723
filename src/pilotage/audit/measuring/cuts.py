"""The best single cut of a column: how often it tells the label, and where it lies."""

from __future__ import annotations

import numpy as np

from pilotage.audit.measuring.sample import Vector
from pilotage.audit.measuring.skill import Flags, Floats

LEVELS_MAX = 50


def best_cut(vector: Vector, labels: Flags) -> tuple[float, str]:
    """The share of labels that the column tells, each missing value told by what is usual there; and the cut in words.

    Numbers are cut once, below or above. Few categories are told by what is usual in each; of many the codes say
    nothing, because rare ones would be told by themselves.
    """
    known = vector.known
    missing = labels[~known]
    told = max(int(missing.sum()), len(missing) - int(missing.sum()))
    if vector.codes is not None:
        right, words = _by_level(vector, labels, known)
    elif vector.numbers is not None and known.any():
        right, words = _by_number(vector.numbers[known], labels[known], vector.type == "datetime")
    else:
        right, words = 0, ""
    if not words and len(missing):
        words = "filled or not"
    return (told + right) / max(len(labels), 1), words


def _by_number(values: Floats, labels: Flags, times: bool) -> tuple[int, str]:
    order = np.argsort(values, kind="stable")
    ordered, positive = values[order], labels[order]
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    positives = np.cumsum(positive)[ends]
    negatives = ends + 1 - positives
    above = negatives + positives[-1] - positives  # positive above the cut
    below = positives + negatives[-1] - negatives
    best = int(np.argmax(np.maximum(above, below)))
    right = int(max(above[best], below[best]))
    if best == len(ends) - 1:
        return right, ""
    cut = (ordered[ends[best]] + ordered[ends[best] + 1]) / 2
    side = above[best] >= below[best]
    if times:
        return right, f"{'later' if side else 'earlier'} than {cut / 3600:.1f} hours after the decision"
    return right, f"{'above' if side else 'below'} {cut:.6g}"


def _by_level(vector: Vector, labels: Flags, known: Flags) -> tuple[int, str]:
    codes = vector.codes[known] if vector.codes is not None else np.zeros(0, np.int64)
    if len(vector.levels) > LEVELS_MAX or not len(codes):
        usual = int(labels[known].sum())
        return max(usual, int(known.sum()) - usual), ""
    rows = np.bincount(codes, minlength=len(vector.levels))
    positives = np.bincount(codes, labels[known].astype(np.float64), len(vector.levels))
    telling = [vector.levels[code] for code in np.flatnonzero(positives * 2 > rows)]
    right = int(np.maximum(positives, rows - positives).sum())
    return right, " or ".join(repr(level)[:40] for level in telling[:3])
