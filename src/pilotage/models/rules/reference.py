"""What was usual in training: for the words of signals and for later comparison with what arrives live."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.inputs import Encoder
from pilotage.models.inputs.category import FIRST, MISSING, OTHER, CategoryInput

EDGES_MAX = 19


class NumberReference(Struct, frozen=True, tag="number"):
    """Shares of the known values below, between and above ``edges``; quantiles at 5, 25, 50, 75 and 95 %."""

    quantiles: tuple[float, float, float, float, float]
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float

    @property
    def median(self) -> float:
        return self.quantiles[2]


class CategoryReference(Struct, frozen=True, tag="category"):
    """The share of each level, of all others together, and of rows without one."""

    shares: dict[str, float]
    other: float
    missing: float


SlotReference = NumberReference | CategoryReference


class Reference(Struct, frozen=True):
    """Per slot of the encoder what was usual; ``scores`` are the shares of held-out probabilities in 20 bins."""

    rows: int
    slots: dict[str, SlotReference]
    scores: tuple[float, ...]


def reference(encoder: Encoder, matrix: NDArray[np.float64], probabilities: NDArray[np.float64]) -> Reference:
    """Sum up the encoded training rows and the held-out probabilities."""
    levels = {one.name: one.levels for one in encoder.inputs if isinstance(one, CategoryInput)}
    slots: dict[str, SlotReference] = {}
    for number, slot in enumerate(encoder.slots):
        values = matrix[:, number]
        slots[slot.name] = _category(values, levels[slot.column]) if slot.codes else _number(values)
    scores = np.histogram(np.clip(probabilities, 0, 1), bins=20, range=(0, 1))[0] / max(len(probabilities), 1)
    return Reference(len(matrix), slots, tuple(map(float, scores)))


def _number(values: NDArray[np.float64]) -> NumberReference:
    known = values[~np.isnan(values)]
    missing = 1 - len(known) / max(len(values), 1)
    if not len(known):
        return NumberReference((0.0, 0.0, 0.0, 0.0, 0.0), (), (), missing)
    low, quarter, median, three_quarters, high = map(float, np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95)))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, EDGES_MAX + 2)[1:-1]))
    shares = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1) / len(known)
    return NumberReference(
        (low, quarter, median, three_quarters, high), tuple(map(float, edges)), tuple(map(float, shares)), missing
    )


def _category(codes: NDArray[np.float64], levels: tuple[str, ...]) -> CategoryReference:
    shares = np.bincount(codes.astype(np.intp), minlength=FIRST + len(levels)) / max(len(codes), 1)
    return CategoryReference(
        {level: float(shares[FIRST + number]) for number, level in enumerate(levels)},
        float(shares[OTHER]),
        float(shares[MISSING]),
    )
