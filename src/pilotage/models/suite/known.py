"""What values a number is known to have: how far they vary, between which ends, and whether all of them are whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilotage.models.suite.changing import Numbers, numbers_of

if TYPE_CHECKING:
    import pyarrow as pa

AT_END = 0.01
"""Such a share of equal values at an end says that nothing lies beyond it."""


@dataclass(frozen=True)
class Known:
    """``deviation`` is 0 where there is one value or none. ``steps`` are the values of a number that is whole
    wherever it is known, in order: a count, or a 0 and a 1; else there are none.

    ``low`` and ``high`` are the least and the greatest value; ``ends_above``: many lie at the greatest.
    """

    deviation: float
    low: float
    high: float
    ends_above: bool
    steps: Numbers | None

    @classmethod
    def of(cls, learnt: pa.Table, column: str) -> Known:
        """As the rows have it that taught."""
        values = numbers_of(learnt, column)
        values = values[np.isfinite(values)]
        if not len(values):
            return cls(0.0, -np.inf, np.inf, False, None)
        high, steps = float(values.max()), np.unique(values)
        whole = bool((steps == np.round(steps)).all())
        ends_above = float((values == high).mean()) >= AT_END
        return cls(float(values.std()), float(values.min()), high, ends_above, steps if whole else None)

    def disturbed(self, values: Numbers, by: Numbers, random: np.random.Generator) -> Numbers:
        """Each value off by its own amount: turned round where that would leave what is known, whole where all are."""
        low, high = np.minimum(self.low, values), np.maximum(self.high, values)
        target = values + by
        target = np.clip(np.where((target < low) | (target > high), values - by, target), low, high)
        return self._stepped(values, target, random)

    def shifted(self, values: Numbers, by: float, random: np.random.Generator) -> Numbers:
        """Each value larger by as much; not above the greatest where the column ends there."""
        if self.steps is None and not self.ends_above:
            return values + by
        target = np.minimum(values + by, np.maximum(self.high, values))
        return self._stepped(values, target, random)

    def _stepped(self, values: Numbers, target: Numbers, random: np.random.Generator) -> Numbers:
        """One of the two neighbouring whole values, by chance: so that on average it is the one that was meant."""
        if self.steps is None:
            return target
        steps = np.union1d(self.steps, values[np.isfinite(values)])
        place = np.clip(np.searchsorted(steps, target, side="right") - 1, 0, max(0, len(steps) - 2))
        below, above = steps[place], steps[np.minimum(place + 1, len(steps) - 1)]
        nearness = np.divide(target - below, above - below, out=np.zeros_like(target), where=above > below)
        return np.where(np.isfinite(target), np.where(random.random(len(target)) < nearness, above, below), values)
