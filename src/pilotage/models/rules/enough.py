"""Whether there are enough outcomes to learn from, to calibrate on and to judge by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.data.rules.least import POSITIVES_MIN, ROWS_MIN
from pilotage.platform.counting import plural
from pilotage.platform.errors import EvidenceMissing
from pilotage.usecase.records import OutcomeKind

POSITIVES_PART_MIN = 10
ROWS_PART_MIN = 30
NUMBER_MAX = 1e18
"""Greater outcomes are no measurements: their squares and sums leave what candidates calculate with."""
_MORE = "Sync more history, or look at the outcome's expression: pilotage audit."
_LOOK = "Look at the outcome's expression: pilotage audit."


def demand_enough(kind: OutcomeKind, labels: NDArray[Any]) -> None:
    """Refuse what nothing can be learnt from.

    Raises:
        EvidenceMissing: too few outcomes, or all of them the same.
    """
    if kind == "flag":
        _demand_positives(labels)
        return
    if len(labels) < ROWS_MIN:
        raise EvidenceMissing(
            f"Training needs at least {ROWS_MIN} rows with an outcome; there are {len(labels):,}.", _MORE
        )
    if len(np.unique(labels)) < 2:
        raise EvidenceMissing(
            f"Training needs outcomes that differ; all {len(labels):,} are {labels[0]}.",
            _LOOK,
        )
    if kind == "number" and (beyond := np.abs(labels) > NUMBER_MAX).any():
        raise EvidenceMissing(
            f"Training needs numbers between -{NUMBER_MAX:g} and {NUMBER_MAX:g}; "
            f"{plural(int(beyond.sum()), 'outcome')} of {len(labels):,} {'lies' if beyond.sum() == 1 else 'lie'} "
            f"outside, such as {labels[beyond][0]:g}.",
            "Correct them in the source, or leave them out: number: CASE WHEN amount < 1000000 THEN amount END",
        )


def demand_in_part(kind: OutcomeKind, name: str, labels: NDArray[Any]) -> None:
    """Refuse a part of the history that cannot do its work.

    Raises:
        EvidenceMissing: too few outcomes in this part.
    """
    if kind != "flag":
        if len(labels) < ROWS_PART_MIN:
            raise EvidenceMissing(
                f"The {name} part of the history needs at least {ROWS_PART_MIN} rows with an outcome; "
                f"it has {len(labels):,}.",
                "Sync more history, or look whether outcomes stopped arriving: pilotage audit.",
            )
        return
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if min(positives, negatives) < POSITIVES_PART_MIN:
        raise EvidenceMissing(
            f"The {name} part of the history needs at least {POSITIVES_PART_MIN} positive and negative outcomes; "
            f"it has {positives} and {negatives}.",
            "Sync more history, or look whether outcomes stopped arriving: pilotage audit.",
        )


def _demand_positives(labels: NDArray[np.bool_]) -> None:
    positives = int(labels.sum())
    if positives < POSITIVES_MIN:
        raise EvidenceMissing(
            f"Training needs at least {POSITIVES_MIN} positive outcomes; there are {positives} in "
            f"{plural(len(labels), 'row')}.",
            _MORE,
        )
    if positives == len(labels):
        raise EvidenceMissing(
            f"Training needs rows with a negative outcome; all {positives:,} outcomes are positive.", _LOOK
        )
