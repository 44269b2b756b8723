"""Tables and views in PostgreSQL.

Types that are neither number, text, datetime nor flag are read as text, as the server writes them: json, uuid, arrays,
time, interval, bytea as ``\\x…``, geometries. An instant that is infinite or outside the years 1 to 9999 is read as
null, for no calendar has it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from pilotage.data.records import ColumnType, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting, postgresql_session, postgresql_stream
from pilotage.data.sources.databases.database import EXACT_IN_DOUBLE, SAMPLE_ROWS, Database, Declared, timestamp, typed
from pilotage.data.sources.databases.places import Place
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = ("int2", "int4", "int8", "oid")
_DIGITS_OF_BIGINT = 18
_DIGITS_OF_DOUBLE = 15
_ZONED = "timestamptz"
_FIRST, _LAST = "0001-01-01", "9999-12-31 23:59:59.999999"

_PLACES = """
SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
ORDER BY 1, 2
"""
_COLUMNS = """
WITH RECURSIVE resolved(number, name, kind, modifier) AS (
  SELECT attnum, attname, atttypid, atttypmod FROM pg_catalog.pg_attribute
  WHERE attrelid = {relation}::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT number, name, typbasetype, CASE WHEN modifier = -1 THEN typtypmod ELSE modifier END
  FROM resolved JOIN pg_catalog.pg_type ON oid = kind WHERE typtype = 'd')
SELECT name, typname, modifier FROM resolved JOIN pg_catalog.pg_type ON oid = kind WHERE typtype <> 'd' ORDER BY number
"""


@contextmanager
def opened(asked: Asked, url: sa.URL) -> Iterator[PostgreSQL]:
    """A connection that reads, as a user who can only read."""
    with postgresql_session.connected(asked, url) as session, connecting.translated(asked, url):
        yield PostgreSQL(asked, session)


class PostgreSQL(Database):
    """An open PostgreSQL database."""

    def __init__(self, asked: Asked, session: postgresql_session.Session) -> None:
        super().__init__(asked, session.connection)
        self._session = session

    def places(self) -> list[Place]:
        rows = self.connection.exec_driver_sql(_PLACES).all()
        return [Place(schema=schema, table=table, visible=visible) for schema, table, visible in rows]

    def declared(self, place: Place) -> tuple[Declared, ...]:
        rows = self.connection.exec_driver_sql(_COLUMNS.format(relation=literal(place.sql)))
        return tuple(_declared(name, native, modifier) for name, native, modifier in rows)

    def judged(self, place: Place, declared: Sequence[Declared]) -> tuple[FoundColumn, ...]:
        identifiers = self._identifiers(place, [column.name for column in declared if column.doubtful])
        return typed(declared, identifiers)

    def value(self, declared: Declared, column: FoundColumn) -> str:
        name = quoted(column.name)
        if column.type == "datetime":
            zone = "+00" if declared.native == _ZONED else ""
            kind = "date" if declared.native == "date" else f"pg_catalog.{declared.native}"
            instant = f"({name} AT TIME ZONE 'UTC')" if zone else f"{name}::timestamp"
            last = _LAST[:10] if kind == "date" else _LAST + zone
            first = _FIRST if kind == "date" else f"{_FIRST} 00:00:00{zone}"
            return f"CASE WHEN {name} BETWEEN {kind} '{first}' AND {kind} '{last}' THEN {instant} END"
        if column.engine_type == "BIGINT" and declared.native == "numeric":
            return f"NULLIF({name}, 'NaN')::bigint"
        if declared.native == "money" and column.type == "number":
            return f"{name}::numeric::double precision"
        casts = {"BIGINT": "bigint", "DOUBLE": "double precision", "BOOLEAN": "boolean", "VARCHAR": "text"}
        return f"{name}::{casts[column.engine_type]}"

    def within(self, place: Place, clock: Declared, span: Span) -> list[str]:
        name = quoted(clock.name)
        kind, zone = ("timestamptz", "+00") if clock.native == _ZONED else ("timestamp", "")
        conditions = [f"isfinite({name})"]
        if span.after:
            conditions.append(f"{name} >= {kind} '{timestamp(span.after)}{zone}'")
        if span.until:
            conditions.append(f"{name} <= {kind} '{timestamp(span.until)}{zone}'")
        return conditions

    def extremes(self, place: Place, clock: Declared) -> tuple[str, str]:
        zone = " AT TIME ZONE 'UTC'" if clock.native == _ZONED else "::timestamp"
        form = "'YYYY-MM-DD HH24:MI:SS.US'"
        name = quoted(clock.name)
        return f"to_char(min({name}){zone}, {form})", f"to_char(max({name}){zone}, {form})"

    def stream(self, statement: str, columns: Sequence[FoundColumn]) -> Generator[pa.RecordBatch]:
        return postgresql_stream.stream(self.asked, self._session, statement, columns)

    def _identifiers(self, place: Place, names: Sequence[str]) -> set[str]:
        """Columns of whole numbers, some of which are too large to be kept exactly in any other way than as text."""
        found: set[str] = set()
        for start in range(0, len(names), 100):
            part = names[start : start + 100]
            tests = ", ".join(
                f"bool_and({quoted(name)} = trunc({quoted(name)})) AND max(abs({quoted(name)})) > {EXACT_IN_DOUBLE}"
                for name in part
            )
            numbers = ", ".join(f"NULLIF({quoted(name)}, 'NaN') AS {quoted(name)}" for name in part)
            statement = f"SELECT {tests} FROM (SELECT {numbers} FROM {place.sql} LIMIT {SAMPLE_ROWS}) sampled"
            row = self.connection.exec_driver_sql(statement).one()
            found |= {name for name, is_one in zip(part, row, strict=True) if is_one}
        return found


def _declared(name: str, native: str, modifier: int) -> Declared:
    column_type, engine_type, doubtful = kind(native, modifier)
    return Declared(name=name, native=native, type=column_type, engine_type=engine_type, doubtful=doubtful)


def kind(native: str, modifier: int) -> tuple[ColumnType, str, bool]:
    if native in _WHOLE:
        return "number", "BIGINT", False
    if native == "numeric":
        precision, scale = (modifier - 4 >> 16 & 0xFFFF, modifier - 4 & 0x7FF) if modifier >= 4 else (None, 0)
        if precision is not None and scale == 0 and precision <= _DIGITS_OF_BIGINT:
            return "number", "BIGINT", False
        return "number", "DOUBLE", precision is None or precision - scale > _DIGITS_OF_DOUBLE
    if native in ("float4", "float8", "money"):
        return "number", "DOUBLE", False
    if native == "bool":
        return "flag", "BOOLEAN", False
    if native in ("timestamp", _ZONED, "date"):
        return "datetime", "TIMESTAMP", False
    return "text", "VARCHAR", False
