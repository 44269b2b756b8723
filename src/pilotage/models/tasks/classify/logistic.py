"""Logistic regression on standardised numbers, missing indicators and one weight per level of a category."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Slot
from pilotage.models.tasks.candidate import Matrix, Trained, Vector
from pilotage.models.tasks.classify.summed import SumOfTerms

PENALTY_INVERSE = 1.0
ITERATIONS_MAX = 100


class NumberTerm(msgspec.Struct, frozen=True, tag="number"):
    """Adds ``slope * (value - mean)``, or ``missing`` where there is no value; ``average`` is its mean in training."""

    mean: float
    slope: float
    missing: float
    average: float

    def added(self, values: Vector) -> Vector:
        """What these values add."""
        return np.where(np.isnan(values), self.missing, self.slope * (values - self.mean))


class CategoryTerm(msgspec.Struct, frozen=True, tag="category"):
    """Adds the weight of the code; ``average`` is its mean in training."""

    weights: tuple[float, ...]
    average: float

    def added(self, values: Vector) -> Vector:
        """The weights of these codes."""
        return np.array(self.weights)[values.astype(np.intp)]


class _File(msgspec.Struct, frozen=True):
    intercept: float
    terms: tuple[NumberTerm | CategoryTerm, ...]


class LinearModel(SumOfTerms):
    """A sum of one term per slot. One row and many add in the same order, so they agree to the last bit."""

    def __init__(self, intercept: float, terms: tuple[NumberTerm | CategoryTerm, ...]) -> None:
        super().__init__(intercept, terms)
        self.terms = terms
        # (weights or None, mean, slope, missing): tuples are read twice as fast as attributes
        self._steps = tuple(
            (None, term.mean, term.slope, term.missing)
            if isinstance(term, NumberTerm)
            else (term.weights, 0.0, 0.0, 0.0)
            for term in terms
        )

    @classmethod
    def decoded(cls, content: bytes) -> LinearModel:
        file = msgspec.json.decode(content, type=_File)
        return cls(file.intercept, file.terms)

    def encoded(self) -> bytes:
        return msgspec.json.encode(_File(self.intercept, self.terms))

    def margin(self, row: list[float]) -> float:
        total = self.intercept
        for (weights, mean, slope, missing), value in zip(self._steps, row, strict=True):
            if weights is not None:
                total += weights[int(value)]
            elif value == value:
                total += slope * (value - mean)
            else:
                total += missing
        return total


def train(matrix: Matrix, labels: NDArray[np.bool_], slots: Sequence[Slot], seed: int) -> Trained:
    """Fit by Newton's method; ``seed`` is not needed, nothing here is random."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    means, scales = _moments(matrix, slots)
    estimator = LogisticRegression(C=PENALTY_INVERSE, solver="newton-cholesky", max_iter=ITERATIONS_MAX)
    with threadpool_limits(1):  # as with the trees: on busy cores two threads wait for each other
        estimator.fit(_design(matrix, slots, means, scales), labels)
    model = _exported(float(estimator.intercept_[0]), estimator.coef_[0], matrix, slots, means, scales)
    return Trained(
        content=model.encoded(),
        margins=lambda rows: estimator.decision_function(_design(rows, slots, means, scales)),
        parameters={"C": str(PENALTY_INVERSE), "solver": "newton-cholesky", "max_iter": str(ITERATIONS_MAX)},
        rows=len(matrix),
    )


def _moments(matrix: Matrix, slots: Sequence[Slot]) -> tuple[Vector, Vector]:
    """Mean and standard deviation per slot of numbers; 0 and 1 where a slot never had a value or never varied."""
    means, scales = np.zeros(len(slots)), np.ones(len(slots))
    for slot in range(len(slots)):
        known = matrix[~np.isnan(matrix[:, slot]), slot]
        if not slots[slot].codes and len(known):
            means[slot] = known.mean()
            scales[slot] = known.std() or 1.0
    return means, scales


def _design(matrix: Matrix, slots: Sequence[Slot], means: Vector, scales: Vector) -> Matrix:
    """What the estimator sees: a number as standardised value and missing indicator, a category as one 0/1 per code."""
    design = np.zeros((len(matrix), sum(slot.codes or 2 for slot in slots)))
    rows = np.arange(len(matrix))
    at = 0
    for number, slot in enumerate(slots):
        values = matrix[:, number]
        if slot.codes:
            design[rows, at + values.astype(np.intp)] = 1.0
        else:
            missing = np.isnan(values)
            design[:, at] = np.where(missing, 0.0, (values - means[number]) / scales[number])
            design[:, at + 1] = missing
        at += slot.codes or 2
    return design


def _exported(
    intercept: float, weights: Vector, matrix: Matrix, slots: Sequence[Slot], means: Vector, scales: Vector
) -> LinearModel:
    terms: list[NumberTerm | CategoryTerm] = []
    at = 0
    for number, slot in enumerate(slots):
        term: NumberTerm | CategoryTerm
        if slot.codes:
            term = CategoryTerm(tuple(map(float, weights[at : at + slot.codes])), 0.0)
        else:
            slope = float(weights[at] / scales[number])
            term = NumberTerm(float(means[number]), slope, float(weights[at + 1]), 0.0)
        average = float(term.added(matrix[:, number]).mean())
        terms.append(msgspec.structs.replace(term, average=average))
        at += slot.codes or 2
    return LinearModel(intercept, tuple(terms))
