"""LightGBM's C library alone, which reads its text and scores.

Its Python package brings pandas, scikit-learn and SciPy with it: 125 MB and 4 s in each worker that meets its first
trees. Who only answers needs none of them.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import numpy as np

from pilotage.models.families.candidate import Matrix

_RAW_SCORE, _CONTRIBUTIONS = 1, 3
_DOUBLE = 1  # C_API_DTYPE_FLOAT64
_ALL = ctypes.c_int(-1)


class UnreadableTrees(ValueError):
    """LightGBM's library refuses what it was given."""


@functools.cache
def library() -> ctypes.CDLL:
    """The library, found as its own package finds it, without what that imports besides.

    Raises:
        ModuleNotFoundError: LightGBM is not installed.
    """
    package = importlib.util.find_spec("lightgbm")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("lightgbm is not installed.", name="lightgbm")
    place = str(Path(package.origin).with_name("libpath.py"))
    found = ModuleType("lightgbm_libpath")
    found.__file__ = place
    SourceFileLoader(found.__name__, place).exec_module(found)
    loaded: ctypes.CDLL = found._LIB
    loaded.LGBM_GetLastError.restype = ctypes.c_char_p
    return loaded


@functools.cache
def held() -> ctypes.PyDLL:
    """The same, called with Python's lock held."""
    return ctypes.PyDLL(library()._name)


def check(status: int) -> None:
    """That a call succeeded.

    Raises:
        UnreadableTrees: it did not; with what the library says.
    """
    if status:
        raise UnreadableTrees(library().LGBM_GetLastError().decode(errors="replace"))


class Trees:
    """A model read from LightGBM's text; a handle of the library, freed with it.

    Raises:
        UnreadableTrees: the library cannot read it, or it has another number of outputs: more than it is given room
            for it would write beyond.
    """

    def __init__(self, text: str, outputs: int) -> None:
        self.text = text
        self.handle = ctypes.c_void_p()
        check(
            library().LGBM_BoosterLoadModelFromString(
                ctypes.c_char_p(text.encode()), ctypes.byref(ctypes.c_int()), ctypes.byref(self.handle)
            )
        )
        self.slots = self._told(library().LGBM_BoosterGetNumFeature)
        self.count = self._told(library().LGBM_BoosterNumberOfTotalModel)
        self.outputs = self._told(library().LGBM_BoosterGetNumClasses)
        if self.outputs != outputs:
            raise UnreadableTrees(f"The trees have {self.outputs} outputs; {outputs} were wanted.")

    def margins(self, slots: Matrix, threads: int) -> Matrix:
        """Rows × outputs."""
        return self._predicted(slots, _RAW_SCORE, self.outputs, threads)

    def contributions(self, slots: Matrix) -> Matrix:
        """Rows × (outputs × (slots + 1)): by output what each slot adds, and the base."""
        return self._predicted(slots, _CONTRIBUTIONS, self.outputs * (self.slots + 1), threads=1)

    def _predicted(self, slots: Matrix, kind: int, wide: int, threads: int) -> Matrix:
        rows = np.ascontiguousarray(slots, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.slots:
            raise UnreadableTrees(f"The trees read {self.slots} slots a row; rows of shape {rows.shape} came.")
        found = np.empty((len(rows), wide))
        if not len(rows):
            return found
        length = ctypes.c_int64(0)
        check(
            library().LGBM_BoosterPredictForMat(
                self.handle,
                rows.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(_DOUBLE),
                ctypes.c_int32(len(rows)),
                ctypes.c_int32(self.slots),
                ctypes.c_int(1),
                ctypes.c_int(kind),
                ctypes.c_int(0),
                _ALL,
                ctypes.c_char_p(b"num_threads=%d" % threads),
                ctypes.byref(length),
                found.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
            )
        )
        if length.value != found.size:
            raise UnreadableTrees(f"The trees gave {length.value} numbers; {found.size} were wanted.")
        return found

    def _told(self, ask: ctypes._NamedFuncPointer) -> int:
        found = ctypes.c_int()
        check(ask(self.handle, ctypes.byref(found)))
        return found.value

    def __del__(self) -> None:
        if self.handle:
            library().LGBM_BoosterFree(self.handle)


class FastRow:
    """One thread's handle and buffers for the single-row call; it keeps the trees that it points into."""

    def __init__(self, trees: Trees, *, is_held: bool) -> None:
        self._trees = trees
        self._free = library().LGBM_FastConfigFree
        self._predict = (held() if is_held else library()).LGBM_BoosterPredictForMatSingleRowFast
        self._row = (ctypes.c_double * trees.slots)()
        self._length = ctypes.c_int64(0)
        self._out = (ctypes.c_double * trees.outputs)()
        self._config = ctypes.c_void_p()
        check(
            library().LGBM_BoosterPredictForMatSingleRowFastInit(
                trees.handle,
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(0),
                _ALL,
                ctypes.c_int(_DOUBLE),
                ctypes.c_int32(trees.slots),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(self._config),
            )
        )
        self._length_at = ctypes.byref(self._length)

    def __call__(self, row: list[float]) -> ctypes.Array[ctypes.c_double]:
        self._row[:] = row  # type: ignore[assignment]
        status = self._predict(self._config, self._row, self._length_at, self._out)
        if status:
            check(status)
        return self._out

    def __del__(self) -> None:
        if self._config:
            self._free(self._config)
