"""Tables and views in SQLite files.

SQLite checks no types: a sample of each column's values decides with its declaration. A column that is declared a
number and holds words is text. Texts that are all numbers, some with a fraction such as 12.50, are numbers unless they
are a key. An empty text in a number is null. A datetime is ISO text, or a number whose size says what it counts
(:func:`instant`). Text that is no UTF-8 is read with U+FFFD in place of what cannot be; blobs as ``\\x…``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pilotage.data.records import ColumnType, Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import (
    batches,
    connecting,
    sqlite_extent,
    sqlite_instants,
    sqlite_numerals,
    sqlite_session,
)
from pilotage.data.sources.databases.database import EXACT_IN_DOUBLE, Database, Declared
from pilotage.data.sources.databases.places import Place
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_PLACES = """
SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
"""
_SAMPLE_CELLS = 200_000
_SAMPLE_ROWS_MAX = 2_000
_SAMPLE_COLUMNS = 200


class Sampled:
    """How many values of a column there are of each kind."""

    def __init__(self, counts: Sequence[int | None]) -> None:
        self.values, self.whole, self.fractions, self.texts, self.dates, self.instants, self.large = (
            n or 0 for n in counts[:7]
        )
        self.written_numbers, self.written_fractions = (n or 0 for n in counts[7:])

    @property
    def numbers(self) -> int:
        return self.whole + self.fractions

    @property
    def all_instants(self) -> bool:
        """Numbers only where all are of a size that an instant has."""
        return self.dates + self.instants == self.values


@contextmanager
def opened(asked: Asked, url: sa.URL) -> Iterator[SQLite]:
    """The file, opened so that it cannot be written."""
    with (
        sqlite_session.connected(asked, url) as connection,
        connecting.translated(asked, url, sqlite_session.driver_errors()),
    ):
        yield SQLite(asked, connection)


class SQLite(Database):
    """An open SQLite file."""

    def places(self) -> list[Place]:
        return [Place(schema="", table=name) for (name,) in self.connection.exec_driver_sql(_PLACES)]

    def declared(self, place: Place) -> tuple[Declared, ...]:
        rows = self.connection.exec_driver_sql(f"PRAGMA table_xinfo({literal(place.table)})")
        return tuple(_declared(row[1], row[2] or "") for row in rows if row[6] != 1)  # 1: hidden in a virtual table

    def judged(self, place: Place, declared: Sequence[Declared]) -> tuple[FoundColumn, ...]:
        sampled = self._sampled(place, [column.name for column in declared])
        found = [_judged(column, sampled[column.name], self._is_clock(column.name)) for column in declared]
        return tuple(
            FoundColumn(column.name, "number", "DOUBLE")
            if column.type == "text" and self._holds_fractions(place, column.name, sampled[column.name])
            else column
            for column in found
        )

    def value(self, declared: Declared, column: FoundColumn) -> str:
        name = quoted(column.name)
        if column.type == "datetime":
            return sqlite_instants.instant(name)
        if column.type == "text":
            return f"CASE typeof({name}) WHEN 'blob' THEN '\\x' || lower(hex({name})) ELSE CAST({name} AS TEXT) END"
        if column.engine_type == "DOUBLE":
            number = f"typeof({name}) = 'integer' OR (typeof({name}) = 'text' AND {sqlite_numerals.is_number(name)})"
            return f"CASE WHEN {number} THEN CAST({name} AS REAL) ELSE nullif({name}, '') END"
        return f"nullif({name}, '')"

    def within(self, place: Place, clock: Declared, span: Span) -> list[str]:
        sampled = self._sampled(place, [clock.name])[clock.name]
        return [sqlite_instants.within(quoted(clock.name), span, numbers=sampled.numbers > 0)]

    def extremes(self, place: Place, clock: Declared) -> tuple[str, str]:
        moment = sqlite_instants.moment(quoted(clock.name))
        return f"min({moment})", f"max({moment})"

    def extent(self, place: Place, span: Span) -> Extent:
        if self.asked.source.is_static:
            return super().extent(place, span)
        declared = {column.name: column for column in self.declared(place)}
        clock, near = quoted(self._clock(declared).name), self._where(place, declared, span)
        return sqlite_extent.extent(self.connection, place.sql, clock, near, span)

    def stream(self, statement: str, columns: Sequence[FoundColumn]) -> Generator[pa.RecordBatch]:
        driver: Any = self.connection.connection.dbapi_connection
        driver.text_factory = bytes  # Arrow checks the encoding a column at a time
        cursor = driver.cursor()
        try:
            cursor.execute(statement)
            yield from batches.batched(self.asked, columns, cursor.fetchmany, instants_as_text=True)
        finally:
            cursor.close()

    def _holds_fractions(self, place: Place, name: str, sampled: Sampled) -> bool:
        """Whether all texts of a column, not only of the sample, are plain numbers, and those of the sample fractions.

        A key is left as it is: as numbers, 1.1 and 1.10 would be one.
        """
        if name in self.asked.source.key or not sampled.written_fractions or sampled.written_numbers != sampled.texts:
            return False
        return bool(self.connection.exec_driver_sql(sqlite_numerals.all_numbers(quoted(name), place.sql)).scalar_one())

    def _is_clock(self, column: str) -> bool:
        return column in {self.asked.source.event_time, self.asked.source.known_at}

    def _sampled(self, place: Place, names: Sequence[str]) -> dict[str, Sampled]:
        rows = max(100, min(_SAMPLE_ROWS_MAX, _SAMPLE_CELLS // max(1, len(names))))
        found: dict[str, Sampled] = {}
        for start in range(0, len(names), _SAMPLE_COLUMNS):
            part = names[start : start + _SAMPLE_COLUMNS]
            counts = ", ".join(_counts(quoted(name)) for name in part)
            wanted = ", ".join(quoted(name) for name in part)
            statement = f"SELECT {counts} FROM (SELECT {wanted} FROM {place.sql} LIMIT {rows})"
            row = self.connection.exec_driver_sql(statement).one()
            size = len(row) // len(part)
            found |= {name: Sampled(row[size * number : size * (number + 1)]) for number, name in enumerate(part)}
        return found


def _counts(name: str) -> str:
    return (
        f"count(nullif({name}, '')), sum(typeof({name}) = 'integer'), sum(typeof({name}) = 'real'), "
        f"sum(typeof({name}) IN ('text', 'blob') AND {name} <> ''), sum({sqlite_instants.is_date(name)}), "
        f"sum(typeof({name}) IN ('integer', 'real') AND ({sqlite_instants.is_plausible(name)})), "
        f"sum(typeof({name}) = 'integer' AND abs({name} / 2) > {EXACT_IN_DOUBLE // 2}), "
        f"sum({sqlite_numerals.is_number(name)}), sum({sqlite_numerals.is_fraction(name)})"
    )


def _declared(name: str, native: str) -> Declared:
    column_type, engine_type = kind(native.upper())
    return Declared(name=name, native=native.lower(), type=column_type, engine_type=engine_type)


def kind(native: str) -> tuple[ColumnType, str]:
    if "BOOL" in native:
        return "flag", "BOOLEAN"
    if native.startswith(("DATE", "TIMESTAMP")):
        return "datetime", "TIMESTAMP"
    if "INT" in native and "POINT" not in native and "INTERVAL" not in native:
        return "number", "BIGINT"
    if any(part in native for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC", "MONEY")):
        return "number", "DOUBLE"
    return "text", "VARCHAR"


def _judged(column: Declared, sampled: Sampled, is_clock: bool) -> FoundColumn:
    """The type that the values have; a clock may hold a few values that are no instants: sync names them."""
    all_dates = bool(sampled.values) and sampled.dates == sampled.values
    if all_dates or (is_clock and sampled.dates) or ((is_clock or column.type == "datetime") and sampled.all_instants):
        return FoundColumn(column.name, "datetime", "TIMESTAMP")
    if sampled.texts or (not sampled.values and column.type == "text"):
        return FoundColumn(column.name, "text", "VARCHAR")
    if column.type == "flag" and not sampled.fractions:
        return FoundColumn(column.name, "flag", "BOOLEAN")
    whole = not sampled.fractions and (sampled.large > 0 or column.engine_type != "DOUBLE")
    return FoundColumn(column.name, "number", "BIGINT" if whole else "DOUBLE")
