"""The nouns of guessing: what was seen of a table, and what is suggested with the reason."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.data.records import ColumnType
from pilotage.platform.quoting import literal
from pilotage.usecase.records import OutcomeKind, Rest


class SeenColumn(Struct, frozen=True):
    """A column as a sample of its rows shows it. ``common`` are its most frequent values with their counts.

    ``fractional``: a number that is kept as a fraction, and so measures rather than names something; ``longest`` is the
    length of its longest text, ``spaced`` whether any of its texts has a blank in it, ``words`` how many words they
    have on average.
    """

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
    fractional: bool = False
    longest: int = 0
    spaced: bool = False
    words: float = 0.0


class ForeignKey(Struct, frozen=True):
    """What a database declares: this column holds a value of that column of the source ``other``."""

    column: str
    other: str
    other_column: str


class Link(Struct, frozen=True):
    """That values of a column may be found in a column of another source; ``share`` of them are, in the samples."""

    table: str
    column: str
    other: str
    other_column: str
    declared: bool = False
    share: float = 0.0

    @property
    def says(self) -> str:
        """In words, as a comment of the draft has it."""
        declared = ", as the database declares" if self.declared else ""
        found = f"{self.table}.{self.column} are found in {self.other}.{self.other_column}"
        return f"{_percent(self.share)} of {found}{declared}"


class SeenTable(Struct, frozen=True):
    """A table, or files that are one table, as it was seen.

    ``place`` are the keys of a source that say where it is: database and table, files, or delta. ``sampled`` rows were
    looked at, ``whole`` when these are all. ``unique`` are columns or pairs that had no value twice among them, in the
    order in which they make good keys; ``primary_key`` is what the database declares. ``decimal`` and ``missing`` say
    how its texts were read, ``read_so`` which columns that concerns, and ``remarks`` what a person should know of
    those that stayed texts.
    """

    name: str
    place: dict[str, str]
    columns: tuple[SeenColumn, ...]
    sampled: int
    whole: bool
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    accept_writer: bool = False
    foreign_keys: tuple[ForeignKey, ...] = ()
    rest: Rest | None = None
    decimal: Literal["", ",", "."] = ""
    missing: tuple[str, ...] = ()
    read_so: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def column(self, name: str) -> SeenColumn:
        return next(column for column in self.columns if column.name == name)


class Guess(Struct, frozen=True):
    """Something suggested, and why: a person confirms it or not."""

    value: tuple[str, ...]
    why: str


class SourceGuess(Struct, frozen=True):
    """A table as a source: its key, its clocks or that it is static, and when a row says that it is gone."""

    table: SeenTable
    key: Guess
    clocks: tuple[Guess, Guess] | None
    deleted: str = ""


class LabelGuess(Struct, frozen=True):
    """What may be to be predicted: a condition over columns of a table, true in ``share`` of its rows; or of ``kind``
    category or number an expression, whose ``usual`` answer is its most frequent value or its middle.

    ``rank`` orders forms: 0 what is true or false, 1 a category or a number, 2 one value of several, 3 what no name
    speaks for. ``named`` is false there: then it only stands in for an outcome. ``meant`` says that the use case's own
    name speaks of it, ``is_flag`` that it is a boolean column as it stands.
    """

    table: str
    condition: str
    columns: tuple[str, ...]
    share: float
    score: float
    why: str
    named: bool = True
    meant: bool = False
    is_flag: bool = False
    kind: OutcomeKind = "flag"
    usual: str = ""
    rank: int = 0

    @property
    def truth(self) -> str:
        """A condition that tells its outcomes apart, as an expression of the file."""
        if self.kind == "category":
            return f"{self.condition} = {literal(self.usual)}"
        return f"{self.condition} > {self.usual}" if self.kind == "number" else self.condition

    @property
    def says(self) -> str:
        """The outcome in words."""
        means = {"category": "which it is, of several", "number": "how much it is", "flag": ""}[self.kind]
        return f"{self.condition}, {means}" if means else self.condition


def _percent(share: float) -> str:
    """One digit after the point; what is not all is never called 100 %."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"
