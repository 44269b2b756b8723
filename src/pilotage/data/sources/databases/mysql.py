"""Tables and views in MySQL and MariaDB.

``0000-00-00`` and other dates that no calendar has (``2025-00-15``) are read as null. Types that are neither number,
text, datetime nor flag are read as text: json, enum, set, time, uuid; binary ones and geometries as ``\\x…``. A
``tinyint(1)`` is a number, for it may hold more than 0 and 1; a ``bit(1)`` is a flag.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from pilotage.data.records import ColumnType, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import batches, connecting, mysql_session
from pilotage.data.sources.databases.database import EXACT_IN_DOUBLE, SAMPLE_ROWS, Database, Declared, timestamp, typed
from pilotage.data.sources.databases.places import Place
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = ("tinyint", "smallint", "mediumint", "int", "integer", "year")
_INSTANTS = ("datetime", "timestamp", "date")
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "time")
_BINARY = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector", "geometry", "point",
           "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
           "geomcollection")  # fmt: skip
_BIGINT_MAX = 2**63 - 1
_DIGITS_OF_BIGINT = 18
_DIGITS_OF_DOUBLE = 15

_PLACES = """
SELECT TABLE_SCHEMA AS a, TABLE_NAME AS b, TABLE_SCHEMA = DATABASE() AS c FROM information_schema.TABLES
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
_COLUMNS = """
SELECT COLUMN_NAME AS a, lower(DATA_TYPE) AS b, lower(COLUMN_TYPE) AS c, NUMERIC_PRECISION AS d, NUMERIC_SCALE AS e
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table} ORDER BY ORDINAL_POSITION
"""


@contextmanager
def opened(asked: Asked, url: sa.URL) -> Iterator[MySQL]:
    """A connection that reads, as a user who can only read."""
    with (
        mysql_session.connected(asked, url) as connection,
        connecting.translated(asked, url, mysql_session.driver_errors()),
    ):
        yield MySQL(asked, connection)


class MySQL(Database):
    """An open MySQL or MariaDB database."""

    def places(self) -> list[Place]:
        rows = self.connection.exec_driver_sql(_PLACES).all()
        return [Place(schema=schema, table=table, visible=bool(visible)) for schema, table, visible in rows]

    def declared(self, place: Place) -> tuple[Declared, ...]:
        statement = _COLUMNS.format(schema=literal(place.schema), table=literal(place.table))
        return tuple(_declared(*row) for row in self.connection.exec_driver_sql(statement))

    def judged(self, place: Place, declared: Sequence[Declared]) -> tuple[FoundColumn, ...]:
        identifiers = self._identifiers(place, [column for column in declared if column.doubtful])
        return typed(declared, identifiers)

    def value(self, declared: Declared, column: FoundColumn) -> str:
        name, native = quoted(column.name), declared.native
        if column.type == "datetime":
            return f"{name} + INTERVAL 0 SECOND"  # null for a date that no calendar has
        if native == "bit":
            return f"{name} + 0"
        if native == "float":
            return f"{name} + 0e0"  # else it comes with six digits: 16777216 as 16777200
        if native in _BINARY:
            return f"CONCAT('\\x', LOWER(HEX({name})))"
        return name if column.type != "text" or native in _TEXTS else f"CAST({name} AS CHAR)"

    def within(self, place: Place, clock: Declared, span: Span) -> list[str]:
        name = quoted(clock.name)
        conditions = [f"{name} >= TIMESTAMP'{timestamp(span.after) if span.after else '1000-01-01 00:00:00'}'"]
        if span.until:
            conditions.append(f"{name} <= TIMESTAMP'{timestamp(span.until)}'")
        return conditions

    def extremes(self, place: Place, clock: Declared) -> tuple[str, str]:
        instant = f"{quoted(clock.name)} + INTERVAL 0 SECOND"
        return f"CAST(min({instant}) AS CHAR)", f"CAST(max({instant}) AS CHAR)"

    def stream(self, statement: str, columns: Sequence[FoundColumn]) -> Generator[pa.RecordBatch]:
        with mysql_session.streaming(self.connection, statement) as fetch:
            yield from batches.batched(self.asked, columns, fetch)

    def _identifiers(self, place: Place, columns: Sequence[Declared]) -> set[str]:
        """Columns of whole numbers, some of which are too large to be kept exactly in any other way than as text."""
        found: set[str] = set()
        for start in range(0, len(columns), 100):
            part = columns[start : start + 100]
            names = ", ".join(quoted(column.name) for column in part)
            tests = ", ".join(_is_identifier(column) for column in part)
            statement = f"SELECT {tests} FROM (SELECT {names} FROM {place.sql} LIMIT {SAMPLE_ROWS}) sampled"
            row = self.connection.exec_driver_sql(statement).one()
            found |= {column.name for column, is_one in zip(part, row, strict=True) if is_one}
        return found


def _is_identifier(column: Declared) -> str:
    name = quoted(column.name)
    largest = _BIGINT_MAX if column.engine_type == "BIGINT" else EXACT_IN_DOUBLE
    return f"min({name} = truncate({name}, 0)) AND max(abs({name})) > {largest}"


def _declared(name: str, native: str, full: str, precision: int | None, scale: int | None) -> Declared:
    column_type, engine_type, doubtful = kind(native, full, int(precision or 0), int(scale or 0))
    return Declared(name=name, native=native, type=column_type, engine_type=engine_type, doubtful=doubtful)


def kind(native: str, full: str, precision: int, scale: int) -> tuple[ColumnType, str, bool]:
    if native in _WHOLE:
        return "number", "BIGINT", False
    if native == "bigint":
        return "number", "BIGINT", "unsigned" in full
    if native == "bit":
        return ("flag", "BOOLEAN", False) if full == "bit(1)" else ("number", "BIGINT", precision > 63)
    if native == "decimal":
        if scale == 0 and precision <= _DIGITS_OF_BIGINT:
            return "number", "BIGINT", False
        return "number", "DOUBLE", precision - scale > _DIGITS_OF_DOUBLE
    if native in ("float", "double"):
        return "number", "DOUBLE", False
    if native in _INSTANTS:
        return "datetime", "TIMESTAMP", False
    return "text", "VARCHAR", False
