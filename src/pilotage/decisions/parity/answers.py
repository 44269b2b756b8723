"""What a version answers for many rows and for one, and when two answers are two decisions.

A flag is decided by its threshold, and by the band around it in which a person looks; a category by its likeliest
class, and by how sure it must be; a number by the threshold of the policy, and by how wide its interval may be.
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
    """Where decisions change: at each of ``bounds``, and of numbers beyond ``width``; nowhere where there is none."""

    kind: OutcomeKind
    bounds: tuple[float, ...]
    width: float | None = None

    def distances(self, outputs: Outputs) -> NDArray[np.float64]:
        """How far each row is from each place where it would be decided otherwise: rows × places.

        Infinite where an output is no number; there may be no places at all.
        """
        scores = outputs.max(axis=1) if self.kind == "category" else outputs[:, 0]
        near = [np.abs(scores - bound) for bound in self.bounds]
        if self.kind == "category" and outputs.shape[1] > 1:
            near.append(scores - np.partition(outputs, -2, axis=1)[:, -2])
        if self.width is not None:
            near.append(np.abs(outputs[:, 2] - outputs[:, 1] - self.width))
        found = np.column_stack(near) if near else np.empty((len(outputs), 0))
        return np.where(np.isnan(found), np.inf, found)

    def flips(self, trained: Sequence[float], live: Sequence[float]) -> bool:
        """Whether two answers are decided differently at a bound, or one ulp to either side of it."""
        if self.kind == "category":
            if _likeliest(trained) != _likeliest(live):
                return True
            return self._parts(max(trained), max(live))
        if self._parts(trained[0], live[0]):
            return True
        return self.width is not None and _parted(trained[2] - trained[1], live[2] - live[1], self.width)

    def _parts(self, trained: float, live: float) -> bool:
        return any(_parted(trained, live, bound) for bound in self.bounds)


def policy_of(scorer: Scorer) -> Policy:
    """Where the decisions of a version change."""
    manifest = scorer.manifest
    if scorer.kind == "category":
        return Policy(scorer.kind, _known(manifest.confidence))
    if scorer.kind == "number":
        return Policy(scorer.kind, _known(manifest.threshold), manifest.width)
    # An end of the band at 0 or 1 parts nothing: no probability lies beyond it.
    band = [end for end in (manifest.uncertain_low, manifest.uncertain_high) if 0 < end < 1]
    return Policy(scorer.kind, tuple(dict.fromkeys([*_known(manifest.threshold), *band])))


def _known(bound: float | None) -> tuple[float, ...]:
    return () if bound is None else (bound,)


def _parted(one: float, other: float, bound: float) -> bool:
    if one == other:
        return False
    bounds = (math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf))
    return any((one >= each) != (other >= each) for each in bounds)


def _likeliest(outputs: Sequence[float]) -> int:
    return max(range(len(outputs)), key=outputs.__getitem__)
