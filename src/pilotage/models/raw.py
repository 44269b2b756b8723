"""What a scorer asks, whatever kind of model is behind it: margins of column values, and what columns add to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.candidate import RowModel
from pilotage.models.families.linear.form import LinearModel
from pilotage.models.inputs import Encoder, Row
from pilotage.platform.errors import PilotageError

if TYPE_CHECKING:
    import pyarrow as pa

Matrix = NDArray[np.float64]
FAILURES = (ArithmeticError, LookupError, TypeError, ValueError, OSError, PilotageError)
"""What a model may raise in place of an answer; PilotageError where an endpoint does not give one."""
WORDS_TOLD = 3


class RawScorer(Protocol):
    """Answers from column values, before calibration. Safe for many threads at once."""

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The margins of one row, one per output."""

    def table(self, table: pa.Table) -> Matrix:
        """The margins of many rows: rows × outputs."""


class Encoded:
    """A model that was learnt here, behind the encoder that it learnt with."""

    def __init__(self, encoder: Encoder, model: RowModel) -> None:
        self.encoder, self.model = encoder, model
        self._columns = [slot.column for slot in encoder.slots] + [text.name for text in encoder.texts]
        self._are_apart = len(set(self._columns)) == len(self._columns)

    def row(self, values: Mapping[str, Any]) -> list[float]:
        return self.model.row(self.encoder.row(values))

    def margin(self, values: Mapping[str, Any]) -> float:
        """The only margin of one row."""
        return self.model.margin(self.encoder.row(values))

    def table(self, table: pa.Table) -> Matrix:
        return self.model.margins(self.encoder.table(table))

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Matrix:
        """The margins of many rows: rows × outputs."""
        return self.model.margins(self.encoder.rows(rows))

    def contributions(self, row: Row, output: int = 0) -> dict[str, float]:
        """What each column adds to a margin against an average row; of several outputs, beyond what it adds to all.

        A softmax only looks at how margins differ: what a column adds to all of them alike says nothing.
        """
        found = _apart(self.model.contributions(row))[output].tolist()
        if self._are_apart:
            return dict(zip(self._columns, found, strict=True))
        weights: dict[str, float] = {}
        for column, weight in zip(self._columns, found, strict=True):
            weights[column] = weights.get(column, 0.0) + weight
        return weights

    def base(self, output: int = 0) -> float:
        """The margin of an average row, in the same terms."""
        return self.standing(self.model.base.tolist(), output)

    def standing(self, margins: list[float], output: int = 0) -> float:
        """The margin of a row in the same terms: contributions sum to it minus the base."""
        return margins[output] - math.fsum(margins) / len(margins) if len(margins) > 1 else margins[output]

    def words(self, row: Row, output: int = 0) -> dict[str, list[tuple[str, float]]]:
        """By each text the words that add most to a margin, with what they add; none where words have no weights."""
        if not isinstance(self.model, LinearModel) or not self.encoder.texts:
            return {}
        return {
            text.name: [
                (text.vocabulary[place], weight) for place, weight in self.model.loudest(row, at, output)[:WORDS_TOLD]
            ]
            for at, text in enumerate(self.encoder.texts)
        }


def _apart(margins: Matrix) -> Matrix:
    """Margins beyond the mean of all outputs, where there are several: outputs × anything."""
    return margins - margins.mean(axis=0) if len(margins) > 1 else margins
