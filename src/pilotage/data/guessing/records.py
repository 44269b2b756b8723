"""The nouns of guessing: what was seen of a table, and what is suggested with the reason."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.data.records import ColumnType


class SeenColumn(Struct, frozen=True):
    """A column as a sample of its rows shows it. ``common`` are its most frequent values with their counts."""

    name: str
    type: ColumnType
    filled: int
    distinct: int
    common: tuple[tuple[str, int], ...] = ()
    lowest: float | None = None
    highest: float | None = None
    middle: float | None = None
    first: datetime | None = None
    last: datetime | None = None


class SeenTable(Struct, frozen=True):
    """A table, or files that are one table, as it was seen.

    ``place`` are the keys of a source that say where it is: database and table, files, or delta. ``sampled`` rows were
    looked at, ``whole`` when these are all. ``unique`` are columns or pairs that had no value twice among them, in the
    order in which they make good keys; ``primary_key`` is what the database declares.
    """

    name: str
    place: dict[str, str]
    columns: tuple[SeenColumn, ...]
    sampled: int
    whole: bool
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    accept_writer: bool = False

    def column(self, name: str) -> SeenColumn:
        return next(column for column in self.columns if column.name == name)


class Guess(Struct, frozen=True):
    """Something suggested, and why: a person confirms it or not."""

    value: tuple[str, ...]
    why: str


class LabelGuess(Struct, frozen=True):
    """A condition that may be what is to be predicted: over columns of a table, true in ``share`` of its rows."""

    table: str
    condition: str
    columns: tuple[str, ...]
    share: float
    score: float
    why: str
