"""Whether two ways to ask one model answer the same: as trained and read back, many at once and one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import Parity
from pilotage.usecase.records import OutcomeKind

DIFFERENCE_MAX = 1e-9
"""Of probabilities; of numbers relative to their size."""
DIFFERENCE_OF_GRAPHS_MAX = 1e-4
"""A graph of ONNX computes in 32 bits."""

Matrix = NDArray[np.float64]
Both = tuple[Matrix, Matrix, NDArray[Any], NDArray[Any]]
"""Outputs of one way and the other, answers of one way and the other."""


def parity(name: str, kind: OutcomeKind, batch: Both, single: Both, difference_max: float = DIFFERENCE_MAX) -> Parity:
    """Hold outputs and answers of many rows at once, and of rows one by one, against the trained estimator's.

    A NaN in any output or answer fails, also where both ways have it.
    """
    difference = float(np.max([apart(kind, *batch[:2]), apart(kind, *single[:2])]))  # NaN where one is
    flips = _flips(kind, batch, difference_max) + _flips(kind, single, difference_max)
    passed = flips == 0 and difference <= difference_max  # a NaN is not at or below anything
    shown = None if np.isnan(difference) else difference
    return Parity(name, len(batch[0]), len(single[0]), shown, flips, passed)


def apart(kind: OutcomeKind, one: Matrix, other: Matrix) -> float:
    """The largest difference between outputs, of numbers relative to their size; NaN where one is."""
    differences = np.abs(one - other)
    if kind == "number":
        differences = differences / np.maximum(1.0, np.abs(one))
    return float(np.max(differences))


def _flips(kind: OutcomeKind, both: Both, difference_max: float) -> int:
    """Answers that differ; of numbers those that do not lie within the tolerance."""
    if kind == "number":
        return int((~(np.abs(both[2] - both[3]) <= difference_max * np.maximum(1.0, np.abs(both[2])))).sum())
    return int((both[2] != both[3]).sum())


def doubtful(kind: OutcomeKind, outputs: Matrix, threshold: float | None) -> NDArray[np.intp]:
    """Positions of all rows, those first whose answer is the nearest to being another."""
    if kind == "category":
        best = np.sort(outputs, axis=1)
        return np.argsort(best[:, -1] - best[:, -2], kind="stable")
    at = 0.0 if threshold is None else threshold
    return np.argsort(np.abs(outputs[:, 0] - at), kind="stable")


def told(found: Parity) -> str:
    """Why a candidate was refused, in a sentence."""
    most = found.difference_max
    how_far = "in answers that are no number" if most is None else f"by up to {most:.1e}"
    return (
        f"Read back, it differs from what was trained {how_far} and decides {found.flips} of "
        f"{found.rows_batch + found.rows_single:,} rows otherwise."
    )
