"""How much each row counts in learning, and in which columns a model may only rise or fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Slot
from pilotage.models.rules.judging.judge import Labels
from pilotage.usecase.records import Direction, OutcomeKind

Weights = Literal["balanced"] | Mapping[str, float] | None


def weights(asked: Weights, labels: Labels, kind: OutcomeKind, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """A weight per row: so that all outcomes count the same in sum, or as the file says; None where all count alike.

    A flag's outcomes are called positive and negative. The calibration afterwards is without weights, so that
    probabilities mean what they say all the same.
    """
    if asked is None or kind == "number":
        return None
    codes = labels.astype(np.intp)
    names = ["negative", "positive"] if kind == "flag" else list(classes)
    if asked == "balanced":
        counts = np.bincount(codes, minlength=len(names))
        by_code = len(codes) / (len(names) * np.maximum(counts, 1))
    else:
        by_code = np.array([float(asked.get(name, 1.0)) for name in names])
    found: NDArray[np.float64] = by_code[codes]
    return found


def directions(asked: Mapping[str, Direction], slots: Sequence[Slot]) -> tuple[int, ...]:
    """Per slot 1 where the prediction may only rise in it, -1 where it may only fall, 0 where it may do both."""
    signs = {"rises": 1, "falls": -1}
    return tuple(signs[asked[slot.column]] if slot.column in asked and not slot.codes else 0 for slot in slots)
