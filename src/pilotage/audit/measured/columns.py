"""Figures of one column of one source: what is filled, how values lie, what they look like."""

from __future__ import annotations

from msgspec import Struct

from pilotage.data.records import ColumnType

FENCES = 20.0


class Value(Struct, frozen=True):
    """One value as text, and how many of the rows looked at have it."""

    text: str
    rows: int


class Spike(Struct, frozen=True):
    """One number, and how many of the rows looked at have it."""

    number: float
    rows: int


class NumberFigures(Struct, frozen=True):
    """How numbers lie. Counts are of all rows; quantiles and values of the rows looked at.

    ``quantiles`` are those of 1, 5, 25, 50, 75, 95 and 99 %; ``lowest``, ``highest`` and ``frequent`` name a few
    distinct values from the bottom, from the top, and the most frequent first. ``beyond`` counts finite values outside
    the ``fences``, ``distinct`` different values.
    """

    low: float
    high: float
    negatives: int
    zeros: int
    not_finite: int
    quantiles: tuple[float, ...]
    lowest: tuple[Spike, ...] = ()
    highest: tuple[Spike, ...] = ()
    frequent: tuple[Spike, ...] = ()
    distinct: int = 0
    beyond: int = 0
    looked_at: int = 0

    @property
    def fences(self) -> tuple[float, float]:
        """Twenty interquartile ranges below and above the quartiles."""
        low, high = self.quantiles[2], self.quantiles[4]
        return low - FENCES * (high - low), high + FENCES * (high - low)


class Shape(Struct, frozen=True):
    """What texts look like: a run of letters is A, each digit 9, other signs stay; with how many rows, and a few."""

    shape: str
    rows: int
    examples: tuple[Value, ...] = ()


class Spellings(Struct, frozen=True):
    """Texts that differ only in case, blanks, punctuation or accents.

    ``rows`` counts the rows that do not have the most frequent spelling of theirs, ``clusters`` names a few:
    the spellings of one thing with their rows, the most frequent first.
    """

    categories: int
    rows: int
    clusters: tuple[tuple[Value, ...], ...]


class TextFigures(Struct, frozen=True):
    """What texts look like, in the rows looked at.

    ``numbers`` and ``dates`` count rows whose text reads as one, ``neither`` rows that do not; ``not_numbers`` and
    ``not_dates`` name a few of the others. ``placeholders`` are texts that stand for a missing value.
    """

    looked_at: int
    distinct: int
    longest: int
    frequent: tuple[Value, ...]
    numbers: int
    dates: int
    not_numbers: tuple[Value, ...]
    not_dates: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    shaped: int
    placeholders: tuple[Value, ...]
    spellings: Spellings | None


class DateFigures(Struct, frozen=True):
    """Instants that hardly happened: rows before 1900, exactly at the start of 1970, after 2100, after the last sync.

    ``future`` begins at ``ahead``: for a clock a day after the newest ``known_at``, for another column a year after
    it, or ten where the source does not say when its rows were written.
    ``placeholders`` are dates that stand for a missing value, such as 1900-01-01.
    """

    before_1900: int
    epoch: int
    after_2100: int
    future: int
    ahead: str
    placeholders: tuple[Value, ...]


class ColumnFigures(Struct, frozen=True):
    """One column. ``distinct`` is approximate; values are looked at in the rows that ``SourceFigures.sampled`` says."""

    name: str
    type: ColumnType
    filled: int
    distinct: int
    number: NumberFigures | None = None
    text: TextFigures | None = None
    dates: DateFigures | None = None
