"""Learning boosted trees with LightGBM."""

from __future__ import annotations

from typing import Any

import numpy as np

from pilotage.models.families.boosted.form import FILE, SCORING_THREADS
from pilotage.models.families.candidate import Lesson, Matrix, Trained
from pilotage.models.inputs import Rows
from pilotage.usecase.records import OutcomeKind

TREES = 200
TREES_OF_CLASSES_MAX = 3_000
"""Trees of all classes together: with many classes fewer rounds, or the model would be slow and large."""
TREES_SEARCHED_MAX = 1_000
PATIENCE = 30
"""A search stops adding trees after so many that did not make the watched rows better."""
TRAINING_THREADS = 1
"""Each of thousands of small steps waits for the slowest thread. On two busy cores, two threads took 87 s where one
took 5; on two idle cores they save 2 s."""
PARAMETERS: dict[str, Any] = {
    "num_leaves": 31,
    "learning_rate": 0.05,
    "cat_smooth": 20.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
OBJECTIVES: dict[OutcomeKind, str] = {"flag": "binary", "category": "multiclass", "number": "regression"}
LEAF_ROWS_MAX = 100
LEAF_ROWS_MIN = 20


def train(lesson: Lesson) -> Trained:
    """Fit a fixed number of trees, or as many as make the watched rows better; smaller leaves where rows are few."""
    import lightgbm

    parameters = _parameters(lesson)
    stops = [] if lesson.watched is None else [lightgbm.early_stopping(PATIENCE, verbose=False)]
    data = _data(lesson, lesson.rows.slots, lesson.labels, lesson.weights)
    watched = None if lesson.watched is None else [_data(lesson, lesson.watched[0].slots, lesson.watched[1], None)]
    most = TREES_SEARCHED_MAX if lesson.watched else int(lesson.setting("trees", TREES))
    rounds = max(1, min(most, TREES_OF_CLASSES_MAX // lesson.outputs))
    booster = lightgbm.train(parameters, data, num_boost_round=rounds, valid_sets=watched, callbacks=stops)
    trees = booster.best_iteration if lesson.watched and booster.best_iteration > 0 else rounds
    return Trained(
        files={FILE: booster.model_to_string(num_iteration=trees).encode()},
        margins=lambda rows: _raw_scores(booster, rows, lesson.outputs),
        parameters={name: str(value) for name, value in parameters.items()} | {"trees": str(trees)},
        rows=len(lesson.rows),
    )


def _raw_scores(booster: Any, rows: Rows, outputs: int) -> Matrix:
    """The margins of many rows: rows × outputs."""
    found = booster.predict(rows.slots, raw_score=True, num_threads=SCORING_THREADS)
    return np.asarray(found, dtype=np.float64).reshape(len(rows), outputs)


def _parameters(lesson: Lesson) -> dict[str, Any]:
    leaf_rows = min(LEAF_ROWS_MAX, max(LEAF_ROWS_MIN, len(lesson.rows) // 500))
    found = PARAMETERS | {
        "objective": OBJECTIVES[lesson.kind],
        "seed": lesson.seed,
        "num_threads": TRAINING_THREADS,
        "min_data_in_leaf": leaf_rows,
        "num_leaves": int(lesson.setting("leaves", PARAMETERS["num_leaves"])),
        "learning_rate": lesson.setting("rate", PARAMETERS["learning_rate"]),
        "feature_fraction": lesson.setting("columns", 1.0),
    }
    if lesson.outputs > 1:
        found["num_class"] = lesson.outputs
    if any(lesson.monotone) and lesson.outputs == 1:
        found["monotone_constraints"] = list(lesson.monotone)
    return found


def _data(lesson: Lesson, slots: Any, labels: Any, weights: Any) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        slots,
        np.asarray(labels, dtype=np.float64),
        weight=weights,
        feature_name=[f"slot_{number}" for number in range(len(lesson.slots))],
        categorical_feature=[number for number, slot in enumerate(lesson.slots) if slot.codes],
    )
