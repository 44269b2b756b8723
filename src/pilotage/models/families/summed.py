"""What models that are a sum of one term per column have in common: they explain themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from pilotage.models.families.candidate import Matrix, Vector
from pilotage.models.inputs import Row, Rows


class Term(Protocol):
    """What one slot adds. ``average`` is the mean of that in training."""

    @property
    def average(self) -> float: ...

    def added(self, values: Vector) -> Vector: ...

    def adds(self, value: float) -> float:
        """The same of one value: numpy would take ten times as long for it."""


class Sum(Protocol):
    """A sum of terms with one output, which adds the terms of one row in the same order as :func:`added`."""

    @property
    def intercept(self) -> float: ...

    @property
    def terms(self) -> Sequence[Term]: ...

    def margin(self, slots: Sequence[float]) -> float: ...


def added(intercept: float, terms: Sequence[Term], slots: Matrix) -> Vector:
    """The sum over many rows, term after term: one row alone gets the very same bits."""
    total = np.full(len(slots), intercept)
    for slot, term in enumerate(terms):
        total += term.added(slots[:, slot])
    return total


class SumsModel:
    """One sum per output, without words of texts."""

    def __init__(self, sums: Sequence[Sum]) -> None:
        self.sums = tuple(sums)
        self._first = self.sums[0].margin

    def margin(self, row: Row) -> float:
        return self._first(row.slots)

    def row(self, row: Row) -> list[float]:
        return [one.margin(row.slots) for one in self.sums]

    def margins(self, rows: Rows) -> Matrix:
        return np.column_stack([added(one.intercept, one.terms, rows.slots) for one in self.sums])

    def contributions(self, row: Row) -> Matrix:
        return np.array(
            [
                [term.adds(value) - term.average for term, value in zip(one.terms, row.slots, strict=True)]
                for one in self.sums
            ]
        )

    @cached_property
    def base(self) -> Vector:
        """The margins of an average row."""
        return np.array([one.intercept + sum(term.average for term in one.terms) for one in self.sums])
