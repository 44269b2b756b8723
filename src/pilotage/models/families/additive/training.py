"""Learning the additive glass box with interpret-core; what is kept are the tables: bin edges and scores.

Source: Lou, Caruana, Gehrke: Intelligible models for classification and regression (KDD 2012).
"""

from __future__ import annotations

import warnings
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.additive.form import AdditiveModel, AdditiveSum, AdditiveTerm
from pilotage.models.families.candidate import Lesson, Matrix, Trained
from pilotage.models.inputs import Rows

ROWS_MAX = 120_000
"""More rows cost seconds in proportion and change the tables little."""
BINS_MAX = 64
BAGS = 1
LEARNING_RATE = 0.04


def train(lesson: Lesson) -> Trained:
    """Fit on at most :data:`ROWS_MAX` rows, drawn evenly over time."""
    drawn = _drawn(lesson)
    bins, bags = int(lesson.setting("bins", BINS_MAX)), int(lesson.setting("bags", BAGS))
    estimator = _estimator(lesson, bins, bags)
    weights = None if lesson.weights is None else lesson.weights[drawn]
    labels = lesson.labels[drawn]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its plots cannot show missing values; ours can
        # a column without any value among the rows drawn: it says nothing, and its bounds are missing
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        estimator.fit(
            lesson.rows.slots[drawn],
            labels if lesson.kind == "number" else labels.astype(np.int64),
            sample_weight=weights,
        )
    model = AdditiveModel([_exported(estimator, lesson, output) for output in range(lesson.outputs)])
    parameters = {"max_bins": str(bins), "learning_rate": str(LEARNING_RATE), "bags": str(bags)}
    return Trained(model.files(), lambda rows: _answers(estimator, rows, lesson), parameters, len(drawn))


def _drawn(lesson: Lesson) -> NDArray[np.intp]:
    """Rows evenly over time; all of them where a class would be missing otherwise."""
    drawn = np.linspace(0, len(lesson.rows) - 1, min(len(lesson.rows), ROWS_MAX)).astype(np.intp)
    if lesson.kind != "number" and len(np.unique(lesson.labels[drawn])) < len(np.unique(lesson.labels)):
        return np.arange(len(lesson.rows))
    return drawn


def _estimator(lesson: Lesson, bins: int, bags: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    kind = ExplainableBoostingRegressor if lesson.kind == "number" else ExplainableBoostingClassifier
    directed = any(lesson.monotone) and lesson.outputs == 1
    return kind(
        feature_names=[f"slot_{number}" for number in range(len(lesson.slots))],
        feature_types=["nominal" if slot.codes else "continuous" for slot in lesson.slots],
        interactions=0,
        outer_bags=bags,
        max_bins=bins,
        learning_rate=LEARNING_RATE,
        monotone_constraints=list(lesson.monotone) if directed else None,
        n_jobs=1,
        random_state=lesson.seed,
    )


def _answers(estimator: Any, rows: Rows, lesson: Lesson) -> Matrix:
    if lesson.kind == "number":
        found = np.asarray(estimator.predict(rows.slots), dtype=np.float64)
    else:
        found = np.asarray(estimator.decision_function(rows.slots), dtype=np.float64)
    if found.ndim == 2:
        return found
    return np.column_stack([-found / 2, found / 2]) if lesson.outputs > 1 else found.reshape(-1, 1)


def _exported(estimator: Any, lesson: Lesson, output: int) -> AdditiveSum:
    learnt = zip(estimator.term_features_, estimator.term_scores_, strict=True)
    scores_of = {features[0]: _of(scores, lesson, output) for features, scores in learnt}
    terms = []
    for number, slot in enumerate(lesson.slots):
        bins, scores = estimator.bins_[number][0], scores_of.get(number, np.zeros(3))
        if slot.codes:
            place = {int(float(code)): int(at) for code, at in bins.items()}
            # a code that training did not see takes the table's last score, the library's own for the unknown
            by_code = tuple(float(scores[place.get(code, -1)]) for code in range(slot.codes))
            term = AdditiveTerm((), by_code, True, 0.0)
        else:
            term = AdditiveTerm(tuple(map(float, bins)), tuple(map(float, scores[: len(bins) + 2])), False, 0.0)
        average = float(term.added(lesson.rows.slots[:, number]).mean())
        terms.append(msgspec.structs.replace(term, average=average))
    return AdditiveSum(float(np.ravel(_of(estimator.intercept_, lesson, output))[0]), tuple(terms))


def _of(scores: Any, lesson: Lesson, output: int) -> Any:
    """One output's part of what was learnt; of two classes the library learns one margin, half against, half for."""
    found = np.asarray(scores, dtype=np.float64)
    if lesson.outputs > 2:
        return found[..., output]
    if lesson.outputs == 1:
        return found
    return found / 2 if output else -found / 2
