"""How a column becomes numbers: one file per kind, and the encoder that puts the columns side by side.

What a model sees is a row of 64-bit floats, one per *slot*. A number has one slot (NaN where it is missing), a category
one that holds a code, a datetime two. A text has one per topic, or none: then its weighed words stand beside the slots;
where the sentence model reads it as well, one per dimension.
Batch and single row give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models.inputs.category import FIRST, CategoryInput, rows_min
from pilotage.models.inputs.datetime import DatetimeInput
from pilotage.models.inputs.embedding import EmbeddingInput
from pilotage.models.inputs.number import NumberInput, numbers
from pilotage.models.inputs.sentences import LIBRARIES
from pilotage.models.inputs.text import TextInput, Weighed, Words
from pilotage.usecase.records import Column

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Encoder", "Row", "Rows", "Slot", "TextInput", "Weighed", "Words"]

ColumnInput = NumberInput | CategoryInput | DatetimeInput | TextInput | EmbeddingInput
ODD_SHARE_MAX = 0.05
"""So many rows at most are left out of learning for the odd levels that they hold."""
KINDS: dict[str, type[NumberInput] | type[CategoryInput] | type[DatetimeInput] | type[TextInput]] = {
    "number": NumberInput,
    "flag": NumberInput,
    "category": CategoryInput,
    "datetime": DatetimeInput,
    "text": TextInput,
}
"""One row per kind of column: the input that encodes it. A text may be read by :class:`EmbeddingInput` as well."""


class Slot(msgspec.Struct, frozen=True):
    """One position of the encoded row. ``codes`` is how many codes a category has, 0 for a number.

    ``together`` is how many slots say one thing only together: each of them is a small part of it.
    """

    name: str
    column: str
    kind: Literal["number", "category"]
    codes: int = 0
    together: int = 1


class Row(NamedTuple):
    """One encoded row: its slots, and the weighed words of each text that has no slots."""

    slots: list[float]
    words: tuple[Weighed, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Many encoded rows: ``slots`` is rows × slots, ``words`` has per text without slots its weighed words, by row.

    ``vocabularies`` has the number of words of each of these texts.
    """

    slots: NDArray[np.float64]
    words: tuple[Sequence[Weighed], ...] = ()
    vocabularies: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, positions: NDArray[np.intp]) -> Rows:
        """The rows at these positions."""
        words = tuple([one[at] for at in positions.tolist()] for one in self.words)
        return Rows(self.slots[positions], words, self.vocabularies)

    def row(self, position: int) -> Row:
        """One of them."""
        return Row(self.slots[position].tolist(), tuple(one[position] for one in self.words))


class Encoder:
    """All columns of a plan, encoded side by side."""

    def __init__(self, inputs: tuple[ColumnInput, ...]) -> None:
        self.inputs = inputs
        self.slots = tuple(
            Slot(name, one.name, "category" if codes else "number", codes, _together(one))
            for one in inputs
            for name, codes in one.slots
        )
        self.texts = tuple(one for one in inputs if isinstance(one, TextInput) and one.is_words)
        self._slotted = tuple(one for one in inputs if not (isinstance(one, TextInput) and one.is_words))
        self._runs = tuple(_Run(are_numbers, tuple(run)) for are_numbers, run in groupby(self._slotted, _is_number))
        self._categories = tuple(one for one in inputs if isinstance(one, CategoryInput))

    @classmethod
    def fitted(
        cls, columns: tuple[Column, ...], table: pa.Table, texts: Words = "words", seed: int = 0, embeds: bool = False
    ) -> Encoder:
        """The encoder that fits these rows: levels of categories and words of texts are learnt here, nothing else.

        Where it ``embeds``, the meaning of a text stands beside its words or topics: alone it knew less than with them.
        """
        return cls(tuple(one for column in columns for one in _fitted(column, table, texts, seed, embeds)))

    @property
    def tells(self) -> bool:
        """Whether there is anything to learn from: a slot, or a word."""
        return bool(self.slots) or any(text.vocabulary for text in self.texts)

    @classmethod
    def decoded(cls, content: bytes) -> Encoder:
        """The encoder from the JSON that an artefact carries."""
        return cls(msgspec.json.decode(content, type=tuple[ColumnInput, ...]))

    def encoded(self) -> bytes:
        """The encoder as JSON."""
        return msgspec.json.encode(self.inputs)

    @property
    def libraries(self) -> tuple[str, ...]:
        """What has to be installed beside numpy to read rows with it."""
        return LIBRARIES if any(isinstance(one, EmbeddingInput) for one in self.inputs) else ()

    def row(self, values: Mapping[str, Any]) -> Row:
        """One row of values by column name; what is absent or None is missing.

        Raises:
            ValueError: a number is a text that is none, or a datetime cannot be read.
        """
        encoded: list[float] = []
        for run in self._runs:
            run.read(values, encoded)
        if not self.texts:
            return Row(encoded)
        return Row(encoded, tuple(text.weigh(values.get(text.name)) for text in self.texts))

    def table(self, table: pa.Table) -> Rows:
        """Many rows."""
        columns = [part for one in self._slotted for part in one.columns(table[one.name])]
        slots = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
        words = tuple(text.table(table[text.name]) for text in self.texts)
        return Rows(slots, words, tuple(len(text.vocabulary) for text in self.texts))

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Many rows of values by column name, each encoded as :meth:`row` does.

        Raises:
            ValueError: as there; which row it was is not said.
        """
        encoded = [self.row(values) for values in rows]
        slots = np.array([one.slots for one in encoded], dtype=np.float64).reshape(len(encoded), len(self.slots))
        words = tuple([one.words[at] for one in encoded] for at in range(len(self.texts)))
        return Rows(slots, words, tuple(len(text.vocabulary) for text in self.texts))

    def teaching(self, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which encoded rows may teach: not those that are among a handful with a missing or a rare level.

        Else a few odd rows would decide what a model says of every level that it never saw. Where they are not few, as
        with very many columns, all teach.
        """
        teaches = np.ones(len(matrix), dtype=np.bool_)
        for number, slot in enumerate(self.slots):
            if slot.codes:
                codes = matrix[:, number].astype(np.intp)
                few = np.bincount(codes, minlength=slot.codes)[:FIRST] < rows_min(len(matrix))
                teaches &= ~np.append(few, np.zeros(slot.codes - FIRST, dtype=np.bool_))[codes]
        return teaches if teaches.mean() >= 1 - ODD_SHARE_MAX else np.ones_like(teaches)

    def unknown_categories(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns whose level never occurred in training."""
        return tuple([one.name for one in self._categories if one.is_new(values.get(one.name))])


class _Run:
    """Inputs that stand side by side and are read in one go: numbers, which most columns are, or any others."""

    def __init__(self, are_numbers: bool, inputs: tuple[ColumnInput, ...]) -> None:
        self._names = tuple(one.name for one in inputs)
        self._get = itemgetter(*self._names) if are_numbers and len(inputs) > 1 else None
        self._readers = tuple((one.name, one.reader()) for one in inputs)

    def read(self, values: Mapping[str, Any], into: list[float]) -> None:
        """Append what one row has of these columns."""
        if self._get is None:
            for name, read in self._readers:
                read(values.get(name), into)
            return
        try:
            found: Iterable[Any] = self._get(values)
        except KeyError:
            found = map(values.get, self._names)
        into += numbers(found)


def _is_number(one: ColumnInput) -> bool:
    return isinstance(one, NumberInput)


def _together(one: ColumnInput) -> int:
    return len(one.slots) if isinstance(one, EmbeddingInput) else 1


def _fitted(column: Column, table: pa.Table, texts: Words, seed: int, embeds: bool) -> tuple[ColumnInput, ...]:
    name, values = column.name, table[column.name]
    if column.kind != "text":
        return (KINDS[column.kind].fitted(name, values),)
    words = TextInput.fitted(name, values, texts, seed)
    return (EmbeddingInput.fitted(name, values), words) if embeds else (words,)
