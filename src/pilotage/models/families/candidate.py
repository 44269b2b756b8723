"""What every family of models offers: learn from encoded rows, and answer from the files that learning left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import Row, Rows, Slot, Words
from pilotage.models.records import CandidateName
from pilotage.usecase.records import OutcomeKind

Matrix = NDArray[np.float64]
"""Encoded rows × slots, or rows × outputs."""
Vector = NDArray[np.float64]
"""One float per row."""
Settings = Mapping[str, float]
"""What a search may change of a family, by name."""


class RowModel(Protocol):
    """A model read back from its files. It has one margin per *output*; safe for many threads at once.

    A flag has one output, log-odds before calibration; a number one, the value before it; a category one per class,
    whose softmax are probabilities before calibration.
    """

    def margin(self, row: Row) -> float:
        """The margin of the first output of one encoded row."""

    def row(self, row: Row) -> list[float]:
        """The margins of all outputs of one encoded row."""

    def margins(self, rows: Rows) -> Matrix:
        """The margins of many encoded rows: rows × outputs."""

    def contributions(self, row: Row) -> Matrix:
        """What each slot, then each text, adds to every margin against an average row: outputs × (slots + texts).

        Those of an output sum to its margin minus its base.
        """

    @property
    def base(self) -> Vector:
        """The margins of an average row."""


@dataclass(frozen=True)
class Lesson:
    """What there is to learn. ``labels``: 0 and 1 of a flag, codes 0 … outputs - 1 of a category, or numbers.

    ``weights`` say how much each row counts (None: all the same), ``monotone`` per slot whether the margin may only
    rise (1) or fall (-1) in it. ``settings`` change the family's own; ``watched`` is what early stopping looks at.
    """

    rows: Rows
    labels: Vector
    slots: Sequence[Slot]
    kind: OutcomeKind
    outputs: int
    seed: int
    weights: Vector | None = None
    monotone: tuple[int, ...] = ()
    settings: Settings = field(default_factory=dict)
    watched: tuple[Rows, Vector] | None = None

    def setting(self, name: str, usual: float) -> float:
        """A setting, or the family's usual one."""
        return float(self.settings.get(name, usual))


@dataclass(frozen=True)
class Trained:
    """What learning left. ``margins`` asks the library's own estimator, to hold the files against it."""

    files: dict[str, bytes]
    margins: Callable[[Rows], Matrix]
    parameters: dict[str, str]
    rows: int


@dataclass(frozen=True)
class Candidate:
    """A family of models: its names by kind of outcome, its files, how it learns and how its files are read.

    ``texts`` is how it wants texts: as words of their own, or as topics. ``trials`` are settings that a search may try,
    the most promising first.
    """

    name: CandidateName
    titles: Mapping[OutcomeKind, str]
    libraries: tuple[str, ...]
    texts: Words
    train: Callable[[Lesson], Trained]
    read: Callable[[Mapping[str, bytes], int], RowModel]
    trials: tuple[Settings, ...] = ()
