"""The additive glass box: one table of scores per column, learnt by boosting one column at a time.

Source: Lou, Caruana, Gehrke: Intelligible models for classification and regression (KDD 2012), by interpret-core.
What is kept are the tables: bin edges and scores.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Slot
from pilotage.models.tasks.candidate import Matrix, Trained, Vector
from pilotage.models.tasks.classify.summed import SumOfTerms

ROWS_MAX = 120_000
"""More rows cost seconds in proportion and change the tables little."""
BINS_MAX = 64
BAGS = 1
LEARNING_RATE = 0.04


class AdditiveTerm(msgspec.Struct, frozen=True):
    """Scores of one slot: the first where the value is missing, then one per bin between ``cuts``.

    A category has no cuts: its scores are by code. ``average`` is the mean score in training.
    """

    cuts: tuple[float, ...]
    scores: tuple[float, ...]
    by_code: bool
    average: float

    def added(self, values: Vector) -> Vector:
        """The scores of these values."""
        scores = np.array(self.scores)
        if self.by_code:
            return scores[values.astype(np.intp)]
        bins = 1 + np.searchsorted(np.array(self.cuts), values, side="right")
        return scores[np.where(np.isnan(values), 0, bins)]


class _File(msgspec.Struct, frozen=True):
    intercept: float
    terms: tuple[AdditiveTerm, ...]


class AdditiveModel(SumOfTerms):
    """A sum of one table look-up per slot, added in the same order for one row and many."""

    def __init__(self, intercept: float, terms: tuple[AdditiveTerm, ...]) -> None:
        super().__init__(intercept, terms)
        self.terms = terms
        self._steps = tuple((None if term.by_code else term.cuts, term.scores) for term in terms)

    @classmethod
    def decoded(cls, content: bytes) -> AdditiveModel:
        file = msgspec.json.decode(content, type=_File)
        return cls(file.intercept, file.terms)

    def encoded(self) -> bytes:
        return msgspec.json.encode(_File(self.intercept, self.terms))

    def margin(self, row: list[float]) -> float:
        total = self.intercept
        for (cuts, scores), value in zip(self._steps, row, strict=True):
            if cuts is None:
                total += scores[int(value)]
            elif value == value:
                total += scores[1 + bisect_right(cuts, value)]
            else:
                total += scores[0]
        return total


def train(matrix: Matrix, labels: NDArray[np.bool_], slots: Sequence[Slot], seed: int) -> Trained:
    """Fit on at most :data:`ROWS_MAX` rows, drawn evenly over time."""
    from interpret.glassbox import ExplainableBoostingClassifier

    drawn = np.linspace(0, len(matrix) - 1, min(len(matrix), ROWS_MAX)).astype(np.intp)
    estimator = ExplainableBoostingClassifier(
        feature_names=[f"slot_{number}" for number in range(len(slots))],
        feature_types=["nominal" if slot.codes else "continuous" for slot in slots],
        interactions=0,
        outer_bags=BAGS,
        max_bins=BINS_MAX,
        learning_rate=LEARNING_RATE,
        n_jobs=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its plots cannot show missing values; ours can
        # a column without any value among the rows drawn: it says nothing, and its bounds are missing
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        estimator.fit(matrix[drawn], labels[drawn])
    model = _exported(estimator, matrix, slots)
    return Trained(
        content=model.encoded(),
        margins=lambda rows: np.asarray(estimator.decision_function(rows), dtype=np.float64),
        parameters={"max_bins": str(BINS_MAX), "learning_rate": str(LEARNING_RATE), "bags": str(BAGS)},
        rows=len(drawn),
    )


def _exported(estimator: Any, matrix: Matrix, slots: Sequence[Slot]) -> AdditiveModel:
    learnt = zip(estimator.term_features_, estimator.term_scores_, strict=True)
    scores_of = {features[0]: scores for features, scores in learnt}
    terms = []
    for number, slot in enumerate(slots):
        bins, scores = estimator.bins_[number][0], np.asarray(scores_of.get(number, np.zeros(3)), dtype=np.float64)
        if slot.codes:
            place = {int(float(code)): int(at) for code, at in bins.items()}
            # a code that training did not see takes the table's last score, the library's own for the unknown
            by_code = tuple(float(scores[place.get(code, -1)]) for code in range(slot.codes))
            term = AdditiveTerm((), by_code, True, 0.0)
        else:
            term = AdditiveTerm(tuple(map(float, bins)), tuple(map(float, scores[: len(bins) + 2])), False, 0.0)
        average = float(term.added(matrix[:, number]).mean())
        terms.append(msgspec.structs.replace(term, average=average))
    return AdditiveModel(float(np.ravel(estimator.intercept_)[0]), tuple(terms))
