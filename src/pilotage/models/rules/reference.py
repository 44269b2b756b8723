"""What was usual in training: for the words of signals and for later comparison with what arrives live."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.inputs import Encoder
from pilotage.models.inputs.category import FIRST, MISSING, OTHER, CategoryInput
from pilotage.usecase.records import OutcomeKind

EDGES_MAX = 19
BINS = 20


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
    """Per slot of the encoder what was usual.

    ``scores`` are the shares of held-out answers between ``edges``: probabilities, or numbers in the outcome's unit.
    ``usual`` is the mean answer: what an average case is given, per output.
    """

    rows: int
    slots: dict[str, SlotReference]
    edges: tuple[float, ...]
    scores: tuple[float, ...]
    usual: tuple[float, ...]


def reference(
    encoder: Encoder, matrix: NDArray[np.float64], outputs: NDArray[np.float64], kind: OutcomeKind
) -> Reference:
    """Sum up the encoded training rows and the held-out outputs (rows × outputs)."""
    levels = {one.name: one.levels for one in encoder.inputs if isinstance(one, CategoryInput)}
    slots: dict[str, SlotReference] = {}
    for number, slot in enumerate(encoder.slots):
        values = matrix[:, number]
        slots[slot.name] = _category(values, levels[slot.column]) if slot.codes else _number(values)
    edges, scores = _answers(outputs, kind)
    usual = tuple(map(float, outputs.mean(axis=0)))
    return Reference(len(matrix), slots, tuple(map(float, edges)), tuple(map(float, scores)), usual)


def _answers(outputs: NDArray[np.float64], kind: OutcomeKind) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """20 bins: of equal width for probabilities, of equally many rows for numbers."""
    said = outputs.max(axis=1) if kind == "category" else outputs[:, 0]
    edges = np.linspace(0, 1, BINS + 1)
    if kind == "number":
        edges = np.unique(np.quantile(said, edges))
        if len(edges) < 2:
            edges = np.array([edges[0], edges[0] + 1.0])
    else:
        said = np.clip(said, 0, 1)
    return edges, np.histogram(said, bins=edges)[0] / max(len(said), 1)


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
