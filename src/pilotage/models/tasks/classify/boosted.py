"""Boosted trees by LightGBM, with categories as they are; one row is scored by its C library's fast single-row call.

That call costs 18 µs where the Python ``predict`` costs 49. It needs a configuration handle that no two threads may
use at once: each thread makes its own.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Slot
from pilotage.models.tasks.candidate import Matrix, Trained, Vector

TREES = 200
TRAINING_THREADS = 1
"""Each of thousands of small steps waits for the slowest thread. On two busy cores, two threads took 87 s where one
took 5; on two idle cores they save 2 s."""
SCORING_THREADS = 2
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "cat_smooth": 20.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
LEAF_ROWS_MAX = 100
_DOUBLE = 1  # C_API_DTYPE_FLOAT64
_RAW_SCORE = 1  # C_API_PREDICT_RAW_SCORE


class BoostedModel:
    """A LightGBM model read from its text."""

    def __init__(self, content: bytes) -> None:
        import lightgbm

        self._booster = lightgbm.Booster(model_str=content.decode())
        self._slots: int = self._booster.num_feature()
        self._own = threading.local()
        nothing = np.full((1, self._slots), np.nan)
        self.base = float(self._booster.predict(nothing, pred_contrib=True)[0, -1])

    def margin(self, row: list[float]) -> float:
        try:
            fast: _FastRow = self._own.fast
        except AttributeError:
            fast = self._own.fast = _FastRow(self._booster, self._slots)
        return fast(row)

    def margins(self, matrix: Matrix) -> Vector:
        return np.asarray(self._booster.predict(matrix, raw_score=True, num_threads=SCORING_THREADS), dtype=np.float64)

    def contributions(self, row: list[float]) -> list[float]:
        """Exact TreeSHAP values (Lundberg, Lee 2018), by LightGBM; about 2 ms."""
        found = self._booster.predict(np.array([row]), pred_contrib=True, num_threads=1)[0]
        return [float(value) for value in found[:-1]]


class _FastRow:
    """One thread's handle and buffers for the single-row call."""

    def __init__(self, booster: Any, slots: int) -> None:
        from lightgbm.basic import _LIB, _safe_call

        self._booster = booster  # kept alive as long as the handle that points into it
        self._slots = slots
        self._free = _LIB.LGBM_FastConfigFree
        self._predict = _LIB.LGBM_BoosterPredictForMatSingleRowFast
        self._check = _safe_call
        self._row = (ctypes.c_double * slots)()
        self._length = ctypes.c_int64(0)
        self._out = (ctypes.c_double * 1)()
        self._config = ctypes.c_void_p()
        _safe_call(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(_DOUBLE),
                ctypes.c_int32(slots),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(self._config),
            )
        )
        self._length_at = ctypes.byref(self._length)

    def __call__(self, row: list[float]) -> float:
        self._row[:] = row  # type: ignore[assignment]
        status = self._predict(self._config, self._row, self._length_at, self._out)
        if status:
            self._check(status)
        return self._out[0]

    def __del__(self) -> None:
        if self._config:
            self._free(self._config)


def train(matrix: Matrix, labels: NDArray[np.bool_], slots: Sequence[Slot], seed: int) -> Trained:
    """Fit :data:`TREES` trees; smaller leaves where there are few rows."""
    import lightgbm

    leaf_rows = min(LEAF_ROWS_MAX, max(20, len(matrix) // 500))
    parameters = PARAMETERS | {"seed": seed, "num_threads": TRAINING_THREADS, "min_data_in_leaf": leaf_rows}
    data = lightgbm.Dataset(
        matrix,
        labels.astype(np.float64),
        feature_name=[f"slot_{number}" for number in range(len(slots))],
        categorical_feature=[number for number, slot in enumerate(slots) if slot.codes],
    )
    booster = lightgbm.train(parameters, data, num_boost_round=TREES)

    def margins(rows: Matrix) -> Vector:
        return np.asarray(booster.predict(rows, raw_score=True, num_threads=SCORING_THREADS), dtype=np.float64)

    return Trained(
        content=booster.model_to_string().encode(),
        margins=lambda rows: np.asarray(
            booster.predict(rows, raw_score=True, num_threads=SCORING_THREADS), dtype=np.float64
        ),
        parameters={name: str(value) for name, value in parameters.items()} | {"trees": str(TREES)},
        rows=len(matrix),
    )
