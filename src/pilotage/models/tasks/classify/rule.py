"""The rule that the app uses today, measured like any other candidate. Where its columns are missing it is negative."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pilotage.models.tasks.candidate import Vector

TITLE = "The rule of today"
THRESHOLD = 0.5
"""The rule scores 0 or 1; anything between separates them."""


def scores(says: Iterable[bool | None]) -> Vector:
    """1 where the rule says yes, 0 where it says no or cannot say."""
    return np.array([1.0 if one else 0.0 for one in says])


def rates(calibrate: Vector, labels: NDArray[np.bool_]) -> tuple[float, float]:
    """How often the outcome was positive where the rule said no and where it said yes, by Laplace's rule."""
    positive = calibrate > THRESHOLD
    return tuple(  # type: ignore[return-value]
        float((labels[here].sum() + 1) / (here.sum() + 2)) for here in (~positive, positive)
    )


def probabilities(scored: Vector, found: tuple[float, float]) -> Vector:
    """The rule's answers as probabilities, so that its log loss can be compared."""
    return np.where(scored > THRESHOLD, found[1], found[0])
