"""One column in training and live: equal, within the tolerance of sums, or different in one of three ways. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pilotage.releases.records import ColumnParity, ParityExample
from pilotage.usecase.records import Column, Derived, Window

TOLERANCE = 1e-9
"""The relative difference up to which sums, and numbers derived from such, are equal: the order of adding may vary."""

_CANCELLING = frozenset({"sum", "mean", "std"})
_SUMS = _CANCELLING | {"share"}


def tolerance_of(column: Column) -> float:
    """What a column's values may differ by, relatively: nothing but for sums and numbers derived from them."""
    if isinstance(column, Window) and column.aggregate in _SUMS:
        return TOLERANCE
    return TOLERANCE if isinstance(column, Derived) and column.kind == "number" else 0.0


def size_of(column: Column, trained: Sequence[Any]) -> float:
    """What a column's values in a sample of training reach in magnitude; 0 where they cannot cancel.

    A sum of large parts that leaves a small rest is as uncertain as the parts are, not as the rest is. What the parts
    were is not known here: the largest value that the column has in the sample stands for them.
    """
    adds_up = isinstance(column, Window) and column.aggregate in _CANCELLING
    if not adds_up and not (isinstance(column, Derived) and column.kind == "number"):
        return 0.0
    return largest(trained)


def largest(values: Sequence[Any]) -> float:
    """The greatest magnitude of finite numbers among values; 0 where there is none."""
    numbers = (value for value in values if isinstance(value, float) and math.isfinite(value))
    return max(map(abs, numbers), default=0.0)


class Tally:
    """Counts how a column compares, row by row, and keeps the first example of each way in which it differs.

    Two numbers are equal within ``tolerance`` times the larger one, or times ``size`` where that is larger still: what
    is as small as 1e-12 must not pass for equal because it is small, as it would within an absolute tolerance.
    """

    def __init__(self, column: str, tolerance: float, shown: Callable[[Any], str], size: float = 0.0) -> None:
        self.column = column
        self._tolerance = tolerance
        self._size = size
        self._shown = shown
        self._compared = self._mismatch = self._missing = self._extra = 0
        self._example: ParityExample | None = None

    def add(self, trained: Any, live: Any, entity: str, moment: datetime) -> bool:
        """Compare one row; whether the two are the same to the last bit."""
        self._compared += 1
        if trained == live:
            return True
        trained, live = _known(trained), _known(live)
        if trained is None and live is None:
            return True
        if trained is None:
            self._extra += 1
        elif live is None:
            self._missing += 1
        elif _close(trained, live, self._tolerance, self._size):
            return False
        else:
            self._mismatch += 1
        if self._example is None:
            self._example = ParityExample(entity, moment, self._shown(trained), self._shown(live))
        return False

    @property
    def differing(self) -> int:
        """How many rows differed so far."""
        return self._mismatch + self._missing + self._extra

    def counted(self) -> ColumnParity:
        """What was counted so far."""
        counts = (self._compared, self._mismatch, self._missing, self._extra)
        return ColumnParity(self.column, *counts, self._tolerance, self._example)


def plainly(value: Any) -> str:
    """A value as an example shows it: to the last digit, so that two that differ look different."""
    return "nothing" if value is None else value.isoformat() if isinstance(value, datetime) else repr(value)


def _known(value: Any) -> Any:
    """A number that is none, such as NaN, is unknown: so models take it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _close(trained: Any, live: Any, tolerance: float, size: float) -> bool:
    if not tolerance or not isinstance(trained, float) or not isinstance(live, float):
        return False
    return abs(trained - live) <= tolerance * max(size, abs(trained), abs(live))
