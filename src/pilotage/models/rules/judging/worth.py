"""What answers are worth, in money, by kind of outcome. Costs are negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.rules.evaluation import Vector
from pilotage.usecase.records import Value
from pilotage.usecase.rules.value import earned


@dataclass(frozen=True)
class Worth:
    """Money of one decision by what came of it, and of one review."""

    value: Value
    review: float

    @classmethod
    def of(cls, value: Value, minutes_per_case: float) -> Worth:
        return cls(value, value.review_minute * minutes_per_case)

    def acting(self, alert: NDArray[np.bool_], positive: NDArray[np.bool_]) -> Vector:
        """Of acting or not on cases that turn out positive or not."""
        came = {"caught": alert & positive, "false_alarm": alert & ~positive, "missed": ~alert & positive}
        return earned(came, self.value)

    def sorting(self, right: NDArray[np.bool_]) -> Vector:
        """Of naming the category that it turns out to be, or another."""
        return earned({"right": right, "wrong": ~right}, self.value)

    def estimating(self, answers: Vector, truth: Vector) -> Vector:
        """Of numbers that lie too low or too high."""
        over = answers - truth
        return earned({"too_low": np.maximum(-over, 0.0), "too_high": np.maximum(over, 0.0)}, self.value)

    @property
    def quantile(self) -> float:
        """The quantile of a number's outcome that costs least to answer (the newsvendor's; Arrow et al. 1951)."""
        both = self.value.too_low + self.value.too_high
        return self.value.too_low / both if both else 0.5
