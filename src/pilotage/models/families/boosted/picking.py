"""Picking, for one row, what its cells mean to every group and every long way at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.boosted.cells import Cells
from pilotage.models.families.boosted.paths import Classes

Picked = NDArray[np.int16]
Entries = NDArray[np.int64]
Mark = tuple[int, int]
"""A slot and which of its meanings; of no slot at all: -1."""


class Picks:
    """Meanings of cells are gathered slot by slot; a row then copies one line per slot."""

    def __init__(self, cells: Mapping[int, Cells]) -> None:
        self._cells = cells
        self._gathered: dict[int, list[Classes]] = {slot: [] for slot in cells}
        self._starts: dict[int, int] = {}

    def add(self, slot: int, meaning: Classes) -> Mark:
        """A number for each cell of a slot; gives a mark by which its entry is found at the end."""
        self._gathered[slot].append(meaning)
        return slot, len(self._gathered[slot]) - 1

    def never(self) -> Mark:
        """The mark of what is 0 in every row."""
        return -1, 0

    def entries(self, marks: Sequence[Mark]) -> Entries:
        """Where in what is picked the marked ones stand. Only after ``done``."""
        return np.array([self._starts[slot] + at for slot, at in marks], dtype=np.int64)

    def done(self) -> Callable[[Sequence[float]], Picked]:
        """What picks for a row: all entries, one after the other."""
        lines = []
        zero = np.zeros(1, dtype=np.int16)
        start = 1
        self._starts[-1] = 0
        for slot, cells in self._cells.items():
            gathered = self._gathered[slot]
            self._starts[slot] = start
            start += len(gathered)
            if gathered:
                lines.append((slot, cells.at, list(np.ascontiguousarray(np.stack(gathered, axis=1)))))
        self._gathered = {}

        def pick(row: Sequence[float]) -> Picked:
            return np.concatenate([zero, *[line[at(row[slot])] for slot, at, line in lines]])

        return pick
