"""What every candidate offers: learn from encoded rows, and score from the file that learning left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Slot
from pilotage.models.records import CandidateName

Matrix = NDArray[np.float64]
"""Encoded rows × slots."""
Vector = NDArray[np.float64]
"""One float per row."""


class RowModel(Protocol):
    """A model read back from its file. Margins are log-odds before calibration; safe for many threads at once."""

    def margin(self, row: list[float]) -> float:
        """The margin of one encoded row."""

    def margins(self, matrix: Matrix) -> Vector:
        """The margins of many encoded rows."""

    def contributions(self, row: list[float]) -> Sequence[float]:
        """What each slot adds to the margin, against an average row: they sum to ``margin - base``."""

    @property
    def base(self) -> float:
        """The margin of an average row."""


@dataclass(frozen=True)
class Trained:
    """What learning left. ``margins`` asks the library's own estimator, to hold the file against it."""

    content: bytes
    margins: Callable[[Matrix], Vector]
    parameters: dict[str, str]
    rows: int


@dataclass(frozen=True)
class Candidate:
    """A way to learn: its name, its file, how it is trained and how its file is read."""

    name: CandidateName
    title: str
    file: str
    libraries: tuple[str, ...]
    train: Callable[[Matrix, NDArray[np.bool_], Sequence[Slot], int], Trained]
    read: Callable[[bytes], RowModel]
