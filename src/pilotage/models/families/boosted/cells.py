"""What a model can tell apart in a slot: its cells. All values of a cell go the same way at every split.

The ways are those of ``Tree::NumericalDecision`` and ``Tree::CategoricalDecision`` in LightGBM 4's ``tree.h``.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from pilotage.models.families.boosted.trees import MISSING_NAN, MISSING_ZERO, Flags, Split, Tree, UnsupportedTree

ZERO = float(np.float32(1e-35))
"""LightGBM takes a number up to this size for zero."""


class NumberCells:
    """Cells between thresholds, the last but one without an upper end, the last for what is missing."""

    def __init__(self, splits: Sequence[Split]) -> None:
        bounds = {split.threshold for split in splits}
        if any(split.missing == MISSING_ZERO for split in splits):
            bounds |= {float(np.nextafter(-ZERO, -math.inf)), ZERO}
        self._bounds = sorted(bounds)
        self._missing = len(self._bounds) + 1
        self._examples = np.array([*self._bounds, math.inf, math.nan])

    def __len__(self) -> int:
        return self._missing + 1

    def at(self, value: float) -> int:
        """The cell of a value."""
        return bisect_left(self._bounds, value) if value == value else self._missing

    def left(self, split: Split) -> Flags:
        """Of each cell, whether it goes left."""
        values = self._examples if split.missing == MISSING_NAN else np.nan_to_num(self._examples, posinf=math.inf)
        absent = np.isnan(values) if split.missing == MISSING_NAN else np.zeros(len(values), dtype=bool)
        if split.missing == MISSING_ZERO:
            absent = np.abs(values) <= ZERO
        return np.where(absent, split.missing_left, values <= split.threshold)


class CategoryCells:
    """A cell per category that some split names, the last for all others and what is missing."""

    def __init__(self, splits: Sequence[Split]) -> None:
        self._codes = sorted(frozenset().union(*(split.codes or () for split in splits)))
        self._places = {code: place for place, code in enumerate(self._codes)}

    def __len__(self) -> int:
        return len(self._codes) + 1

    def at(self, value: float) -> int:
        """The cell of a code."""
        return self._places.get(int(value), len(self._codes)) if math.isfinite(value) else len(self._codes)

    def left(self, split: Split) -> Flags:
        """Of each cell, whether it goes left."""
        codes = split.codes or ()
        return np.array([*(code in codes for code in self._codes), False])


Cells = NumberCells | CategoryCells
FindCell = Callable[[float], int]


def cells_of(trees: Iterable[Tree]) -> dict[int, Cells]:
    """The cells of every slot that some split looks at."""
    splits: dict[int, list[Split]] = {}
    for tree in trees:
        for split in tree.splits:
            splits.setdefault(split.slot, []).append(split)
    return {slot: _cells(found) for slot, found in sorted(splits.items())}


def _cells(splits: Sequence[Split]) -> Cells:
    if all(split.codes is None for split in splits):
        return NumberCells(splits)
    if any(split.codes is None for split in splits):
        raise UnsupportedTree
    return CategoryCells(splits)
