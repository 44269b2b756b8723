"""A quick reference model: what an input is worth, and what to expect of a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotage.audit.measured.reference import ReferenceFigures
from pilotage.audit.measuring.sample import Sample, Vector
from pilotage.audit.measuring.skill import Flags, Floats, auc

if TYPE_CHECKING:
    import lightgbm

EARLIER_SHARE = 0.7
JUDGED_ROWS = 8_000
OUTCOMES_MIN = 50
LEVELS_MAX = 60
INPUTS_MAX = 300
ROUNDS = 40
FOLDS = 3
_PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.12,
    "min_data_in_leaf": 40,
    "max_bin": 63,
    "cat_smooth": 20.0,
    # One thread: others may be at work on the machine, and threads that wait for each other then cost seconds.
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    "verbose": -1,
}


def measure_reference(sample: Sample) -> ReferenceFigures:
    """Train on the earlier decisions, judge on the later ones, shuffle one input after the other."""
    cut = int(sample.rows * EARLIER_SHARE)
    if not _trainable(sample.labels[:cut]) or not _trainable(sample.labels[cut:]) or not sample.inputs:
        return ReferenceFigures()
    inputs = sample.inputs[:INPUTS_MAX]
    matrix, categories = encoded(inputs)
    model = _train(matrix[:cut], sample.labels[:cut], categories)
    later = np.arange(cut, sample.rows)
    judged = later[:: -(-len(later) // JUDGED_ROWS)]
    rows, labels = matrix[judged], sample.labels[judged]
    whole = auc(_predicted(model, rows), labels)
    used = model.feature_importance()
    shuffled = np.random.default_rng(1).permutation(len(judged))
    importance = {}
    for number, vector in enumerate(inputs):
        importance[vector.name] = 0.0
        if used[number]:
            changed = rows.copy()
            changed[:, number] = rows[shuffled, number]
            importance[vector.name] = max(whole - auc(_predicted(model, changed), labels), 0.0)
    return ReferenceFigures(whole, sample.rows, importance, sample.sampled)


def later_auc(sample: Sample, inputs: Sequence[Vector]) -> float:
    """The AUC on the later decisions of a model that was trained on the earlier ones with these inputs only."""
    cut = int(sample.rows * EARLIER_SHARE)
    if not inputs or not _trainable(sample.labels[:cut]) or not _trainable(sample.labels[cut:]):
        return 0.5
    matrix, categories = encoded(inputs)
    return auc(_predicted(_train(matrix[:cut], sample.labels[:cut], categories), matrix[cut:]), sample.labels[cut:])


def held_out_auc(sample: Sample, inputs: Sequence[Vector]) -> float:
    """The AUC of models with these inputs only, each row judged by one that did not see it; no order in time."""
    expected = expected_outcomes(sample.labels, inputs)
    return 0.5 if expected is None else auc(expected, sample.labels)


def expected_outcomes(labels: Flags, inputs: Sequence[Vector]) -> Floats | None:
    """For each row the probability that a model gives it which did not see it; None where there is too little."""
    if not inputs or not _trainable(labels):
        return None
    matrix, categories = encoded(inputs[:INPUTS_MAX])
    fold = np.random.default_rng(1).integers(0, FOLDS, len(labels))
    probabilities = np.zeros(len(labels))
    for number in range(FOLDS):
        here = fold == number
        probabilities[here] = _predicted(_train(matrix[~here], labels[~here], categories), matrix[here])
    return probabilities


def encoded(inputs: Sequence[Vector]) -> tuple[Floats, list[int]]:
    """Rows × inputs, unknown is NaN, and which of them are categories: their most frequent levels have codes."""
    columns, categories = [], []
    for number, vector in enumerate(inputs):
        if vector.codes is None:
            columns.append(vector.numbers)
            continue
        categories.append(number)
        counts = np.bincount(vector.codes[vector.codes >= 0], minlength=len(vector.levels) or 1)
        place = np.full(len(counts), float(LEVELS_MAX))
        frequent = np.argsort(-counts, kind="stable")[:LEVELS_MAX]
        place[frequent] = np.arange(len(frequent))
        columns.append(np.where(vector.codes >= 0, place[np.maximum(vector.codes, 0)], np.nan))
    return np.column_stack([column for column in columns if column is not None]), categories


def _trainable(labels: Flags) -> bool:
    positives = int(labels.sum())
    return min(positives, len(labels) - positives) >= OUTCOMES_MIN


def _train(matrix: Floats, labels: Flags, categories: list[int]) -> lightgbm.Booster:
    import lightgbm

    rows = lightgbm.Dataset(
        matrix, labels.astype(np.float64), categorical_feature=categories, params={**_PARAMETERS}, free_raw_data=True
    )
    return lightgbm.train(_PARAMETERS, rows, ROUNDS)


def _predicted(model: lightgbm.Booster, matrix: Floats) -> Floats:
    return np.asarray(model.predict(matrix, num_threads=1), np.float64)
