"""A graph brought to life: from column values to answers, and from an encoded matrix to answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.brought.graph.described import Answered, GraphMapping
from pilotage.models.brought.graph.feeding import Feeder
from pilotage.models.brought.graph.reading import answers, completed
from pilotage.models.brought.graph.runtime import run, session
from pilotage.usecase.records.candidates import Scale

if TYPE_CHECKING:
    import pyarrow as pa


class GraphScorer:
    """A graph of ONNX asked with column values. Safe for many threads at once."""

    def __init__(self, content: bytes, mapping: GraphMapping) -> None:
        self.mapping = mapping
        self._feeder = Feeder(mapping)
        self._session = session(content)
        self._wanted = [mapping.answered.output]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.mapping.answered.classes

    @property
    def scale(self) -> Scale:
        return self.mapping.answered.scale

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The outputs of one row.

        Raises:
            ValueError: a value does not fit, or the model's answer is none.
        """
        (output,) = run(self._session, self._wanted, self._feeder.row(values))
        return [float(one) for one in answers(self.mapping.answered, output)[0]]

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """The outputs of many rows: rows × outputs.

        Raises:
            ValueError: a value does not fit, or the model's answer is none.
        """
        inputs = self._feeder.table(table)
        return asked_many(self._session, self.mapping.answered, inputs, table.num_rows, self.mapping.one_by_one)

    def completed(self, table: pa.Table) -> GraphMapping:
        """The mapping with the classes that only an answer shows.

        Raises:
            ValueError: the answer's classes do not fit what the file says.
        """
        import msgspec

        (output,) = run(self._session, self._wanted, self._feeder.table(table.slice(0, 1)))
        return msgspec.structs.replace(self.mapping, answered=completed(self.mapping.answered, output))


class MatrixScorer:
    """A graph of ONNX asked with encoded rows, which it sees as 32-bit floats. Safe for many threads at once."""

    def __init__(self, content: bytes, answered: Answered) -> None:
        self.answered = answered
        self._session = session(content)
        self._input = self._session.get_inputs()[0].name
        self._wanted = [answered.output]

    def row(self, row: list[float]) -> list[float]:
        """The outputs of one encoded row."""
        return [float(one) for one in self.matrix(np.array([row], dtype=np.float32))[0]]

    def matrix(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        """The outputs of many encoded rows: rows × outputs."""
        inputs = {self._input: matrix.astype(np.float32)}
        return asked_many(self._session, self.answered, inputs, len(matrix), one_by_one=False)


def asked_many(
    session: Any, answered: Answered, inputs: dict[str, NDArray[Any]], rows: int, one_by_one: bool
) -> NDArray[np.float64]:
    """Rows × outputs, in pieces, so that a large table does not fill the memory."""
    size = 1 if one_by_one else 10_000
    width = len(answered.classes) or 1
    found = np.empty((rows, width))
    for start in range(0, rows, size):
        piece = {name: column[start : start + size] for name, column in inputs.items()}
        (output,) = run(session, [answered.output], piece)
        found[start : start + size] = answers(answered, output)
    return found
