"""How a column becomes numbers: one file per kind, and the encoder that puts the columns side by side.

What a model sees is a row of 64-bit floats, one per *slot*. A number has one slot (NaN where it is missing), a category
one that holds a code, a datetime two. Batch and single row give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs.category import FIRST, CategoryInput, rows_min
from pilotage.models.inputs.datetime import DatetimeInput
from pilotage.models.inputs.number import NumberInput
from pilotage.usecase.records import Column

if TYPE_CHECKING:
    import pyarrow as pa

ColumnInput = NumberInput | CategoryInput | DatetimeInput
KINDS: dict[str, type[NumberInput] | type[CategoryInput] | type[DatetimeInput]] = {
    "number": NumberInput,
    "flag": NumberInput,
    "category": CategoryInput,
    "datetime": DatetimeInput,
}
"""One row per kind of column: the input that encodes it."""


class Slot(msgspec.Struct, frozen=True):
    """One position of the encoded row. ``codes`` is how many codes a category has, 0 for a number."""

    name: str
    column: str
    kind: Literal["number", "category"]
    codes: int = 0


class Encoder:
    """All columns of a plan, encoded side by side."""

    def __init__(self, inputs: tuple[ColumnInput, ...]) -> None:
        self.inputs = inputs
        self.slots = tuple(
            Slot(name, one.name, "category" if codes else "number", codes)
            for one in inputs
            for name, codes in one.slots
        )
        self._readers = tuple((one.name, one.reader()) for one in inputs)

    @classmethod
    def fitted(cls, columns: tuple[Column, ...], table: pa.Table) -> Encoder:
        """The encoder that fits these rows: levels of categories are learnt here, nothing else is."""
        return cls(tuple(KINDS[column.kind].fitted(column.name, table[column.name]) for column in columns))

    @classmethod
    def decoded(cls, content: bytes) -> Encoder:
        """The encoder from the JSON that an artefact carries."""
        return cls(msgspec.json.decode(content, type=tuple[ColumnInput, ...]))

    def encoded(self) -> bytes:
        """The encoder as JSON."""
        return msgspec.json.encode(self.inputs)

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """One row of values by column name; what is absent or None is missing.

        Raises:
            ValueError: a number is a text that is none, or a datetime cannot be read.
        """
        encoded: list[float] = []
        for name, read in self._readers:
            read(values.get(name), encoded)
        return encoded

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """Many rows: an array of rows × slots."""
        columns = [part for one in self.inputs for part in one.columns(table[one.name])]
        return np.column_stack(columns) if columns else np.empty((table.num_rows, 0))

    def teaching(self, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which encoded rows may teach: not those that are among a handful with a missing or a rare level.

        Else a few odd rows would decide what a model says of every level that it never saw.
        """
        teaches = np.ones(len(matrix), dtype=np.bool_)
        for number, slot in enumerate(self.slots):
            if slot.codes:
                codes = matrix[:, number].astype(np.intp)
                few = np.bincount(codes, minlength=slot.codes)[:FIRST] < rows_min(len(matrix))
                teaches &= ~np.append(few, np.zeros(slot.codes - FIRST, dtype=np.bool_))[codes]
        return teaches

    def unknown_categories(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns whose level never occurred in training."""
        return tuple(
            one.name for one in self.inputs if isinstance(one, CategoryInput) and one.is_new(values.get(one.name))
        )
