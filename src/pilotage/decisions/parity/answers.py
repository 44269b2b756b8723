"""What a version answers for many rows and for one, and when two answers are two decisions.

A flag is decided by its threshold; a category by its likeliest class, and by how sure it must be; a number by the
threshold of the policy, and by how wide its interval may be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.scoring import Scorer
from pilotage.usecase.records import OutcomeKind

Outputs = NDArray[np.float64]
"""Rows × outputs: a probability; those of all classes; a value with the ends of its interval."""


@dataclass(frozen=True)
class Policy:
    """Where decisions change: at ``bound``, and of numbers beyond ``width``; nowhere where there is no bound."""

    kind: OutcomeKind
    bound: float | None
    width: float | None = None

    def distances(self, outputs: Outputs) -> NDArray[np.float64]:
        """How far each row is from being decided otherwise; infinite where it never is."""
        scores = outputs.max(axis=1) if self.kind == "category" else outputs[:, 0]
        near = np.full(len(outputs), np.inf) if self.bound is None else np.abs(scores - self.bound)
        if self.kind == "category" and outputs.shape[1] > 1:
            near = np.minimum(near, scores - np.partition(outputs, -2, axis=1)[:, -2])
        if self.width is not None:
            near = np.minimum(near, np.abs(outputs[:, 2] - outputs[:, 1] - self.width))
        return np.where(np.isnan(near), np.inf, near)

    def flips(self, trained: Sequence[float], live: Sequence[float]) -> bool:
        """Whether two answers are decided differently at a bound, or one ulp to either side of it."""
        if self.kind == "category":
            if _likeliest(trained) != _likeliest(live):
                return True
            return _parted(max(trained), max(live), self.bound)
        if _parted(trained[0], live[0], self.bound):
            return True
        return self.width is not None and _parted(trained[2] - trained[1], live[2] - live[1], self.width)


def policy_of(scorer: Scorer) -> Policy:
    """Where the decisions of a version change."""
    manifest = scorer.manifest
    if scorer.kind == "category":
        return Policy(scorer.kind, manifest.confidence)
    return Policy(scorer.kind, manifest.threshold, manifest.width if scorer.kind == "number" else None)


def _parted(one: float, other: float, bound: float | None) -> bool:
    if bound is None or one == other:
        return False
    bounds = (math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf))
    return any((one >= each) != (other >= each) for each in bounds)


def _likeliest(outputs: Sequence[float]) -> int:
    return max(range(len(outputs)), key=outputs.__getitem__)
