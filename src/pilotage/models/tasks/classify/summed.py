"""What models that are a sum of one term per column have in common: they explain themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from pilotage.models.tasks.candidate import Matrix, Vector


class Term(Protocol):
    """What one column adds. ``average`` is the mean of that in training."""

    @property
    def average(self) -> float: ...

    def added(self, values: Vector) -> Vector: ...


class SumOfTerms:
    """An intercept and one term per slot, added in the same order for one row and many: they agree to the last bit."""

    def __init__(self, intercept: float, terms: Sequence[Term]) -> None:
        self.intercept = intercept
        self._summed = tuple(terms)
        self.base = intercept + sum(term.average for term in terms)

    def margins(self, matrix: Matrix) -> Vector:
        """Log-odds of many rows, one column per slot."""
        total = np.full(len(matrix), self.intercept)
        for slot, term in enumerate(self._summed):
            total += term.added(matrix[:, slot])
        return total

    def contributions(self, row: list[float]) -> list[float]:
        """What each slot of a row adds to the log-odds beyond its average."""
        values = np.array([row])
        return [float(term.added(values[:, slot])[0]) - term.average for slot, term in enumerate(self._summed)]
