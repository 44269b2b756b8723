"""Boosted trees as they are kept: LightGBM's text. One row is scored by its C library's fast single-row call.

That call costs 18 µs where the Python ``predict`` costs 49. It needs a configuration handle that no two threads may
use at once: each thread makes its own. Signals are LightGBM's at first, and its equals from ``signals.py`` as soon as
they are made: beside the answers, once enough were asked for.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from pilotage.models.families.boosted.signals import Signals
from pilotage.models.families.boosted.trees import UnsupportedTree
from pilotage.models.families.candidate import Matrix, Vector
from pilotage.models.inputs import Row, Rows

FILE = "model.txt"
SCORING_THREADS = 2
SIGNALS_PAY_AFTER = 10
"""Asked for so often, signals will be asked for again: making fast ones takes as long as a thousand slow ones."""
_DOUBLE = 1  # C_API_DTYPE_FLOAT64
_RAW_SCORE = 1  # C_API_PREDICT_RAW_SCORE
HELD_TREES_MAX = 1_000
"""A row of so few trees takes 0.1 ms at most. Who gave the interpreter's lock away for it would wait up to 5 ms for a
thread that took it meanwhile."""


class TreesModel:
    """A LightGBM model read from its text."""

    def __init__(self, content: bytes, outputs: int) -> None:
        import lightgbm

        self._booster = lightgbm.Booster(model_str=content.decode())
        self._slots: int = self._booster.num_feature()
        self._outputs = outputs
        self._own = threading.local()
        self._asked = count(1)
        self._making = threading.Lock()
        self._signals: Signals | None = None
        nothing = np.full((1, self._slots), np.nan)
        self.base: Vector = self._explained(nothing)[:, -1]

    @classmethod
    def read(cls, files: Mapping[str, bytes], outputs: int) -> TreesModel:
        """The model from the files of an artefact."""
        return cls(files[FILE], outputs)

    def margin(self, row: Row) -> float:
        return float(self._fast(row.slots)[0])

    def row(self, row: Row) -> list[float]:
        return list(self._fast(row.slots))

    @property
    def _fast(self) -> _FastRow:
        try:
            fast: _FastRow = self._own.fast
        except AttributeError:
            fast = self._own.fast = _FastRow(self._booster, self._slots, self._outputs)
        return fast

    def margins(self, rows: Rows) -> Matrix:
        return raw_scores(self._booster, rows, self._outputs)

    def contributions(self, row: Row) -> Matrix:
        """Exact TreeSHAP values (Lundberg, Lee 2018); by LightGBM, about 2 ms, until faster ones are made."""
        if self._signals is not None:
            found = self._signals(row.slots)
        else:
            found = self._explained(np.array([row.slots]))[:, :-1]
            if next(self._asked) == SIGNALS_PAY_AFTER:
                threading.Thread(target=self.make_signals, name="signals of trees", daemon=True).start()
        return np.column_stack([found, np.zeros((self._outputs, len(row.words)))])

    def make_signals(self) -> bool:
        """Make what answers ``contributions`` fast, and wait for it: a second or two. False: only LightGBM can."""
        with self._making:
            if self._signals is None:
                try:
                    self._signals = Signals(self._booster.model_to_string(), self._slots, self._outputs)
                except UnsupportedTree:
                    return False
        return True

    def _explained(self, slots: Matrix) -> Matrix:
        """What each slot adds, and the base: outputs × (slots + 1)."""
        found = np.asarray(self._booster.predict(slots, pred_contrib=True, num_threads=1), dtype=np.float64)
        return found.reshape(self._outputs, self._slots + 1)


def raw_scores(booster: Any, rows: Rows, outputs: int) -> Matrix:
    """The margins of many rows: rows × outputs."""
    found = booster.predict(rows.slots, raw_score=True, num_threads=SCORING_THREADS)
    return np.asarray(found, dtype=np.float64).reshape(len(rows), outputs)


@functools.cache
def _held() -> ctypes.PyDLL:
    """LightGBM's library, called with Python's lock held."""
    from lightgbm.basic import _LIB

    return ctypes.PyDLL(_LIB._name)


class _FastRow:
    """One thread's handle and buffers for the single-row call."""

    def __init__(self, booster: Any, slots: int, outputs: int) -> None:
        from lightgbm.basic import _LIB, _safe_call

        self._booster = booster  # kept alive as long as the handle that points into it
        self._slots = slots
        self._free = _LIB.LGBM_FastConfigFree
        library = _held() if booster.num_trees() <= HELD_TREES_MAX else _LIB
        self._predict = library.LGBM_BoosterPredictForMatSingleRowFast
        self._check = _safe_call
        self._row = (ctypes.c_double * slots)()
        self._length = ctypes.c_int64(0)
        self._out = (ctypes.c_double * outputs)()
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

    def __call__(self, row: list[float]) -> Any:
        self._row[:] = row  # type: ignore[assignment]
        status = self._predict(self._config, self._row, self._length_at, self._out)
        if status:
            self._check(status)
        return self._out

    def __del__(self) -> None:
        if self._config:
            self._free(self._config)
