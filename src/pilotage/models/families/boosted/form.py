"""Boosted trees as they are kept: LightGBM's text. One row is scored by its C library's fast single-row call.

That call costs 18 µs where the Python ``predict`` costs 49. It needs a configuration handle that no two threads may
use at once: each thread makes its own. Signals are LightGBM's at first, and its equals from ``signals.py`` as soon as
they are made: beside the answers, once enough were asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from itertools import count

import numpy as np

from pilotage.models.families.boosted.library import FastRow, Trees
from pilotage.models.families.boosted.signals import Signals
from pilotage.models.families.boosted.trees import UnsupportedTree
from pilotage.models.families.candidate import Matrix, Vector
from pilotage.models.inputs import Row, Rows

FILE = "model.txt"
SCORING_THREADS = 2
SIGNALS_PAY_AFTER = 10
"""Asked for so often, signals will be asked for again: making fast ones takes as long as a thousand slow ones."""
HELD_TREES_MAX = 1_000
"""A row of so few trees takes 0.1 ms at most. Who gave the interpreter's lock away for it would wait up to 5 ms for a
thread that took it meanwhile."""


class TreesModel:
    """A LightGBM model read from its text."""

    def __init__(self, content: bytes, outputs: int) -> None:
        self._trees = Trees(content.decode(), outputs)
        self._slots = self._trees.slots
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
    def _fast(self) -> FastRow:
        try:
            fast: FastRow = self._own.fast
        except AttributeError:
            is_held = self._trees.count <= HELD_TREES_MAX
            fast = self._own.fast = FastRow(self._trees, is_held=is_held)
        return fast

    def margins(self, rows: Rows) -> Matrix:
        return self._trees.margins(rows.slots, SCORING_THREADS)

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
                    self._signals = Signals(self._trees.text, self._slots, self._outputs)
                except UnsupportedTree:
                    return False
        return True

    def _explained(self, slots: Matrix) -> Matrix:
        """What each slot adds, and the base: outputs × (slots + 1)."""
        return self._trees.contributions(slots).reshape(self._outputs, self._slots + 1)
