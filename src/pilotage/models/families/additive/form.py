"""An additive model as it is kept: bin edges and scores per slot and output."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from pilotage.models.families.candidate import Matrix, Vector
from pilotage.models.families.summed import SumsModel
from pilotage.models.inputs import Row

FILE = "additive.json"


class AdditiveTerm(msgspec.Struct, frozen=True):
    """Scores of one slot: the first where the value is missing, then one per bin between ``cuts``.

    A category has no cuts: its scores are by code. ``average`` is the mean score in training.
    """

    cuts: tuple[float, ...]
    scores: tuple[float, ...]
    by_code: bool
    average: float

    def added(self, values: Vector) -> Vector:
        """The scores of these values."""
        scores = np.array(self.scores)
        if self.by_code:
            return scores[values.astype(np.intp)]
        bins = 1 + np.searchsorted(np.array(self.cuts), values, side="right")
        return scores[np.where(np.isnan(values), 0, bins)]

    def adds(self, value: float) -> float:
        """The score of this value."""
        if self.by_code:
            return self.scores[int(value)]
        return self.scores[1 + bisect_right(self.cuts, value) if value == value else 0]


class AdditiveSum(msgspec.Struct, frozen=True, dict=True):
    """One output: its intercept and a table per slot."""

    intercept: float
    terms: tuple[AdditiveTerm, ...]

    def __post_init__(self) -> None:
        self.__dict__["steps"] = tuple((None if term.by_code else term.cuts, term.scores) for term in self.terms)

    def margin(self, slots: Sequence[float]) -> float:
        """The sum over one row."""
        total = self.intercept
        for (cuts, scores), value in zip(self.__dict__["steps"], slots, strict=True):
            if cuts is None:
                total += scores[int(value)]
            elif value == value:
                total += scores[1 + bisect_right(cuts, value)]
            else:
                total += scores[0]
        return total


class AdditiveModel(SumsModel):
    """A sum of one table look-up per slot and output."""

    @classmethod
    def read(cls, files: Mapping[str, bytes], outputs: int) -> AdditiveModel:
        """The model from the files of an artefact."""
        return cls(msgspec.json.decode(files[FILE], type=tuple[AdditiveSum, ...]))

    def contributions(self, row: Row) -> Matrix:
        """A text that has no topics adds nothing."""
        columns = super().contributions(row)
        return np.column_stack([columns, np.zeros((len(self.sums), len(row.words)))]) if row.words else columns

    def files(self) -> dict[str, bytes]:
        """The files of an artefact."""
        return {FILE: msgspec.json.encode(self.sums)}
