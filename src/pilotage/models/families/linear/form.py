"""A linear model as it is kept: a term per slot and output, and the weights of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.candidate import Matrix, Vector
from pilotage.models.families.summed import SumsModel
from pilotage.models.inputs import Row, Rows, Weighed

FILE, WORDS = "linear.json", "words.f64"


class NumberTerm(msgspec.Struct, frozen=True, tag="number"):
    """Adds ``slope * (value - mean)``, or ``missing`` where there is no value; ``average`` is its mean in training."""

    mean: float
    slope: float
    missing: float
    average: float

    def added(self, values: Vector) -> Vector:
        """What these values add."""
        return np.where(np.isnan(values), self.missing, self.slope * (values - self.mean))

    def adds(self, value: float) -> float:
        """What this value adds."""
        return self.slope * (value - self.mean) if value == value else self.missing


class CategoryTerm(msgspec.Struct, frozen=True, tag="category"):
    """Adds the weight of the code; ``average`` is its mean in training."""

    weights: tuple[float, ...]
    average: float

    def added(self, values: Vector) -> Vector:
        """The weights of these codes."""
        return np.array(self.weights)[values.astype(np.intp)]

    def adds(self, value: float) -> float:
        """The weight of this code."""
        return self.weights[int(value)]


LinearTerm = NumberTerm | CategoryTerm


class LinearSum(msgspec.Struct, frozen=True, dict=True):
    """One output: its intercept and a term per slot."""

    intercept: float
    terms: tuple[LinearTerm, ...]

    def __post_init__(self) -> None:
        # (weights or None, mean, slope, missing): tuples are read twice as fast as attributes
        self.__dict__["steps"] = tuple(
            (None, term.mean, term.slope, term.missing)
            if isinstance(term, NumberTerm)
            else (term.weights, 0.0, 0.0, 0.0)
            for term in self.terms
        )

    def margin(self, slots: Sequence[float]) -> float:
        """The sum over one row."""
        total = self.intercept
        for (weights, mean, slope, missing), value in zip(self.__dict__["steps"], slots, strict=True):
            if weights is not None:
                total += weights[int(value)]
            elif value == value:
                total += slope * (value - mean)
            else:
                total += missing
        return total


class _File(msgspec.Struct, frozen=True):
    """``words`` is the number of known words of each text, ``words_average`` per text and output its mean share."""

    outputs: tuple[LinearSum, ...]
    words: tuple[int, ...] = ()
    words_average: tuple[tuple[float, ...], ...] = ()


class LinearModel(SumsModel):
    """A sum per output. One row and many add in the same order, so they agree to the last bit.

    ``weights`` are words × outputs, one array per text.
    """

    def __init__(self, file: _File, weights: Sequence[NDArray[np.float64]]) -> None:
        super().__init__(file.outputs)
        self._file, self._words = file, tuple(weights)
        self._averages = tuple(np.array(average) for average in file.words_average)

    @classmethod
    def of(
        cls,
        outputs: Sequence[LinearSum],
        weights: Sequence[NDArray[np.float64]],
        averages: Sequence[NDArray[np.float64]],
    ) -> LinearModel:
        """The model of what was learnt."""
        words = tuple(len(one) for one in weights)
        return cls(_File(tuple(outputs), words, tuple(tuple(one.tolist()) for one in averages)), weights)

    @classmethod
    def read(cls, files: Mapping[str, bytes], outputs: int) -> LinearModel:
        """The model from the files of an artefact."""
        file = msgspec.json.decode(files[FILE], type=_File)
        flat = np.frombuffer(files.get(WORDS, b""), dtype="<f8").reshape(-1, outputs)
        return cls(file, np.split(flat, np.cumsum(file.words)[:-1]) if file.words else ())

    def files(self) -> dict[str, bytes]:
        """The files of an artefact."""
        kept = {FILE: msgspec.json.encode(self._file)}
        if self._words:
            kept[WORDS] = np.ascontiguousarray(np.vstack(self._words), dtype="<f8").tobytes()
        return kept

    def margin(self, row: Row) -> float:
        if not self._words:
            return self._first(row.slots)
        return self.row(row)[0]

    def row(self, row: Row) -> list[float]:
        found = np.array(super().row(row))
        for weighed, weights in zip(row.words, self._words, strict=True):
            found += _said(weighed, weights)
        return [float(value) for value in found]

    def margins(self, rows: Rows) -> Matrix:
        found = super().margins(rows)
        for texts, weights in zip(rows.words, self._words, strict=True):
            for at, weighed in enumerate(texts):
                found[at] += _said(weighed, weights)
        return found

    def contributions(self, row: Row) -> Matrix:
        said = zip(row.words, self._words, self._averages, strict=True)
        texts = [_said(weighed, weights) - average for weighed, weights, average in said]
        return np.column_stack([super().contributions(row), *texts])

    @cached_property
    def base(self) -> Vector:
        """The margins of an average row, with the usual words of each text."""
        found: Vector = super().base + sum(self._averages)
        return found

    def loudest(self, row: Row, text: int, output: int = 0) -> list[tuple[int, float]]:
        """What each known word of one text adds: (its position in the vocabulary, margin), strongest first."""
        places, weights = row.words[text]
        added = weights * self._words[text][places, output]
        return [(int(places[at]), float(added[at])) for at in np.argsort(-np.abs(added), kind="stable")]


def _said(weighed: Weighed, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the words of one text add to each output; by the same operations for one row and among many."""
    places, shares = weighed
    found: NDArray[np.float64] = shares @ weights[places]
    return found
