"""Answers of a model from elsewhere in the terms of models that were learnt here: margins, in the outcome's order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.brought import Foreign
from pilotage.models.brought.graph.scorer import MatrixScorer
from pilotage.usecase.records import OutcomeKind
from pilotage.usecase.records.candidates import Scale

if TYPE_CHECKING:
    import pyarrow as pa

    from pilotage.models.inputs import Encoder

LEAST = 1e-9
"""A probability of 0 has no logarithm: the nearest to certainty that an answer can be."""


class Margins:
    """Log-odds of a flag, logarithms of a category's probabilities, a number as it is. Safe for many threads at once.

    ``classes`` are the outcome's; one that the model does not have gets the least probability.
    """

    def __init__(self, foreign: Foreign, kind: OutcomeKind, classes: tuple[str, ...] = ()) -> None:
        self.foreign, self.kind = foreign, kind
        self._places = [foreign.classes.index(name) if name in foreign.classes else -1 for name in classes]

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The margins of one row, one per output.

        Raises:
            ValueError: a value cannot be given to the model, or its answer is none.
        """
        outputs = self.foreign.row(values)
        if self.kind == "flag":
            return outputs if self.foreign.scale == "log_odds" else [_log_odds(outputs[0])]
        if self.kind == "category":
            return [math.log(max(LEAST, outputs[place])) if place >= 0 else math.log(LEAST) for place in self._places]
        return outputs

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """The margins of many rows: rows × outputs.

        Raises:
            ValueError: a value cannot be given to the model, or its answer is none.
        """
        return margins(self.foreign.table(table), self.kind, self.foreign.scale, self._places)


def margins(
    outputs: NDArray[np.float64], kind: OutcomeKind, scale: Scale = "probability", places: list[int] | None = None
) -> NDArray[np.float64]:
    """The margins of rows × outputs; ``places`` are the outcome's classes among the outputs, -1 for one it has not."""
    if kind == "flag" and scale == "probability":
        return np.array([[_log_odds(one)] for one in outputs[:, 0].tolist()]).reshape(-1, 1)
    if kind == "category":
        padded = np.column_stack([outputs, np.zeros(len(outputs))])
        chosen = outputs if places is None else padded[:, places]
        return np.log(np.maximum(LEAST, chosen))
    return outputs


def _log_odds(probability: float) -> float:
    inside = min(max(probability, LEAST), 1 - LEAST)
    return math.log(inside / (1 - inside))


class EncodedForeign:
    """A candidate of one's own behind the encoder whose slots it learnt from."""

    def __init__(self, encoder: Encoder, model: MatrixScorer) -> None:
        self.encoder, self.model = encoder, model

    @property
    def classes(self) -> tuple[str, ...]:
        return self.model.answered.classes

    @property
    def scale(self) -> Scale:
        return self.model.answered.scale

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The outputs of one row."""
        return self.model.row(self.encoder.row(values).slots)

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """The outputs of many rows: rows × outputs."""
        return self.model.matrix(self.encoder.table(table).slots)
