"""Free texts by their meaning: the 384 numbers that a sentence model gives a text, a slot each.

Nothing is learnt from the rows. What is kept names the model by its hash, and is read with no other one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs import sentences

if TYPE_CHECKING:
    import pyarrow as pa

_NOTHING = [float("nan")] * sentences.DIMENSIONS


class EmbeddingInput(msgspec.Struct, frozen=True, tag="embedding"):
    """A text that is read by the sentence model of these hashes."""

    name: str
    sha256: str
    vocabulary_sha256: str

    @classmethod
    def fitted(cls, name: str, column: pa.ChunkedArray) -> EmbeddingInput:
        """Nothing is learnt."""
        return cls(name, sentences.SHA256, sentences.VOCABULARY_SHA256)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        return tuple((f"{self.name}.meaning_{number}", 0) for number in range(1, sentences.DIMENSIONS + 1))

    def _model(self) -> sentences.SentenceModel:
        return sentences.sentence_model(self.sha256, self.vocabulary_sha256)

    def reader(self) -> Callable[[Any, list[float]], None]:
        """Appends the meaning of one text to an encoded row; NaN where there is none.

        The model is opened here, so that a version that cannot be asked is not loaded.
        """
        model = self._model()

        def read(value: Any, into: list[float]) -> None:
            into += _NOTHING if value is None else model.one(str(value)).tolist()

        return read

    def columns(self, column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
        """The meanings of many texts."""
        import pyarrow as pa

        texts = column.cast(pa.string())
        matrix = np.full((len(texts), sentences.DIMENSIONS), np.nan)
        known = np.flatnonzero(texts.is_valid().to_numpy())
        if len(known):
            matrix[known] = self._model().many(texts.drop_null().to_pylist(), self.name)
        return list(matrix.T)
