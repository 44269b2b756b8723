"""What every kind of database can do for a source; a module for each says how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct

from pilotage.data.records import ColumnType, Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases.places import Place
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_ROWS = 1_000
EXACT_IN_DOUBLE = 2**53
"""Whole numbers beyond it lose digits as DOUBLE: a column that has them holds identifiers and is read as text."""


class Declared(Struct, frozen=True):
    """A column as the database declares it. ``native`` is its type's own name, in lower case, domains resolved.

    ``doubtful``: its values decide whether it is a number, because some may be too large for one.
    """

    name: str
    native: str
    type: ColumnType
    engine_type: str
    doubtful: bool = False


class Database(ABC):
    """An open connection in a read-only transaction, with its limits set."""

    def __init__(self, asked: Asked, connection: sa.Connection) -> None:
        self.asked = asked
        self.connection = connection

    @abstractmethod
    def places(self) -> list[Place]:
        """All tables and views but the system's own."""

    @abstractmethod
    def declared(self, place: Place) -> tuple[Declared, ...]:
        """The columns of a table, in its order."""

    @abstractmethod
    def judged(self, place: Place, declared: Sequence[Declared]) -> tuple[FoundColumn, ...]:
        """The columns, with the types that their declaration and a sample of their values give them."""

    @abstractmethod
    def value(self, declared: Declared, column: FoundColumn) -> str:
        """SQL of a column's value as it is read."""

    @abstractmethod
    def within(self, place: Place, clock: Declared, span: Span) -> list[str]:
        """Conditions on ``known_at``; together they let no row of the span out, and any index be used."""

    @abstractmethod
    def extremes(self, place: Place, clock: Declared) -> tuple[str, str]:
        """SQL of the first and last ``known_at`` as ISO text in UTC."""

    @abstractmethod
    def stream(self, statement: str, columns: Sequence[FoundColumn]) -> Generator[pa.RecordBatch]:
        """What a statement gives, a batch at a time."""

    def statement(self, place: Place, columns: Sequence[FoundColumn], span: Span, limit: int) -> str:
        """The query for a span's rows."""
        declared = {column.name: column for column in self.declared(place)}
        for column in columns:
            if column.name not in declared:
                message = f"Source {self.asked.name}: column {column.name} is no longer there."
                raise self.asked.failure(message, "Restore it, or correct the file.")
        values = (f"{self.value(declared[column.name], column)} AS {quoted(column.name)}" for column in columns)
        return f"SELECT {', '.join(values)} FROM {place.sql}{self._where(place, declared, span)} LIMIT {limit}"

    def extent(self, place: Place, span: Span) -> Extent:
        """How many rows the span has, and its first and last ``known_at``; of a static source only how many."""
        declared = {column.name: column for column in self.declared(place)}
        where = self._where(place, declared, span)
        if self.asked.source.known_at in ("", SEEN_AT):
            count = self.connection.exec_driver_sql(f"SELECT count(*) FROM {place.sql}{where}").scalar_one()
            return Extent(rows=count, first=None, last=None)
        first, last = self.extremes(place, self._clock(declared))
        found = f"SELECT count(*), {first}, {last} FROM {place.sql}{where}"
        rows, least, most = self.connection.exec_driver_sql(found).one()
        return Extent(rows=rows, first=_instant(least), last=_instant(most))

    def _where(self, place: Place, declared: dict[str, Declared], span: Span) -> str:
        if span.after is None and span.until is None:
            return ""
        return " WHERE " + " AND ".join(self.within(place, self._clock(declared), span))

    def _clock(self, declared: dict[str, Declared]) -> Declared:
        known_at = self.asked.source.known_at
        if known_at not in declared:
            message = f"Source {self.asked.name}: column {known_at} is no longer there."
            raise self.asked.failure(message, "Restore it, or correct known_at in the file.")
        return declared[known_at]


def timestamp(instant: datetime) -> str:
    """An instant as ``2024-01-01 00:00:00.000000`` in UTC."""
    return f"{as_utc(instant):%Y-%m-%d %H:%M:%S.%f}"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else as_utc(datetime.fromisoformat(text))


def typed(declared: Sequence[Declared], identifiers: Collection[str]) -> tuple[FoundColumn, ...]:
    """The columns as they are declared; those of numbers too large to be kept exactly are texts."""
    return tuple(
        FoundColumn(column.name, "text", "VARCHAR")
        if column.name in identifiers
        else FoundColumn(column.name, column.type, column.engine_type)
        for column in declared
    )
