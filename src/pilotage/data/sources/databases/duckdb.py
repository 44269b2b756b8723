"""Tables and views in DuckDB files.

Types that are neither number, text, datetime nor flag are read as text, as DuckDB writes them: lists, structs, uuid,
time, interval; blobs as ``\\x…``. An instant that is infinite or outside the years 1 to 9999 is read as null. A view
that reads other files, or an attached database, is refused: nothing but the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from pilotage.data.records import ColumnType, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting, duckdb_session
from pilotage.data.sources.databases.database import EXACT_IN_DOUBLE, SAMPLE_ROWS, Database, Declared, timestamp, typed
from pilotage.data.sources.databases.places import Place
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_PLACES = """
SELECT schema_name, table_name, schema_name = current_schema() FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal
UNION ALL
SELECT schema_name, view_name, schema_name = current_schema() FROM duckdb_views()
WHERE database_name = current_database() AND NOT internal ORDER BY 1, 2
"""
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_HUGE = {"UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DIGITS_OF_BIGINT = 18
_DIGITS_OF_DOUBLE = 15
_ZONED = "TIMESTAMP WITH TIME ZONE"
_INSTANTS = {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", _ZONED}
_ROWS_OF_NUMBERS, _ROWS_OF_TEXTS = 50_000, 2_048
"""So many rows a batch: texts may have megabytes each."""


@contextmanager
def opened(asked: Asked, url: sa.URL) -> Iterator[DuckDB]:
    """The file, opened so that it cannot be written."""
    with (
        connecting.translated(asked, url, duckdb_session.driver_errors()),
        duckdb_session.connected(asked, url) as session,
    ):
        yield DuckDB(asked, session)


class DuckDB(Database):
    """An open DuckDB file."""

    def __init__(self, asked: Asked, session: duckdb_session.Session) -> None:
        super().__init__(asked, cast(sa.Connection, session))
        self._session = session

    def places(self) -> list[Place]:
        return [Place(*row) for row in self._session.exec_driver_sql(_PLACES)]

    def declared(self, place: Place) -> tuple[Declared, ...]:
        rows = self._session.exec_driver_sql(f"DESCRIBE {place.sql}")
        return tuple(_declared(name, native) for name, native, *_ in rows)

    def judged(self, place: Place, declared: Sequence[Declared]) -> tuple[FoundColumn, ...]:
        doubtful = [column.name for column in declared if column.doubtful]
        if not doubtful:
            return typed(declared, ())
        tests = ", ".join(
            f"bool_and({name} = trunc({name})) AND max(abs({name})) > {EXACT_IN_DOUBLE}"
            for name in map(quoted, doubtful)
        )
        names = ", ".join(map(quoted, doubtful))
        statement = f"SELECT {tests} FROM (SELECT {names} FROM {place.sql} LIMIT {SAMPLE_ROWS}) sampled"
        row = self._session.exec_driver_sql(statement).one()
        return typed(declared, {name for name, is_one in zip(doubtful, row, strict=True) if is_one})

    def value(self, declared: Declared, column: FoundColumn) -> str:
        name = quoted(column.name)
        if column.type == "datetime":
            return f"CASE WHEN {_is_of_calendar(name)} THEN {_instant(name, declared.native)} END"
        if declared.native == "BLOB":
            return f"('\\x' || lower(hex({name})))"
        return f"CAST({name} AS {column.engine_type})"

    def within(self, place: Place, clock: Declared, span: Span) -> list[str]:
        name = quoted(clock.name)
        kind, zone = ("TIMESTAMPTZ", "+00") if clock.native == _ZONED else ("TIMESTAMP", "")
        conditions = [_is_of_calendar(name)]
        if span.after:
            conditions.append(f"{name} >= {kind} '{timestamp(span.after)}{zone}'")
        if span.until:
            conditions.append(f"{name} <= {kind} '{timestamp(span.until)}{zone}'")
        return conditions

    def extremes(self, place: Place, clock: Declared) -> tuple[str, str]:
        instant = _instant(quoted(clock.name), clock.native)
        form = literal("%Y-%m-%d %H:%M:%S.%f")
        return f"strftime(min({instant}), {form})", f"strftime(max({instant}), {form})"

    def stream(self, statement: str, columns: Sequence[FoundColumn]) -> Generator[pa.RecordBatch]:
        has_texts = any(column.engine_type == "VARCHAR" for column in columns)
        reader = self._session.driver.sql(statement).to_arrow_reader(_ROWS_OF_TEXTS if has_texts else _ROWS_OF_NUMBERS)
        yield from (batch for batch in reader if batch.num_rows)


def _declared(name: str, native: str) -> Declared:
    column_type, engine_type, doubtful = kind(native)
    return Declared(name=name, native=native, type=column_type, engine_type=engine_type, doubtful=doubtful)


def kind(native: str) -> tuple[ColumnType, str, bool]:
    """How a type is read, and whether values decide: some of it may be too large for a number."""
    if native in _WHOLE:
        return "number", "BIGINT", False
    if native in _HUGE:
        return "number", "DOUBLE", True
    if match := _DECIMAL.fullmatch(native):
        precision, scale = int(match[1]), int(match[2])
        if scale == 0 and precision <= _DIGITS_OF_BIGINT:
            return "number", "BIGINT", False
        return "number", "DOUBLE", precision - scale > _DIGITS_OF_DOUBLE
    if native in ("FLOAT", "DOUBLE"):
        return "number", "DOUBLE", False
    if native == "BOOLEAN":
        return "flag", "BOOLEAN", False
    return ("datetime", "TIMESTAMP", False) if native in _INSTANTS else ("text", "VARCHAR", False)


def _is_of_calendar(name: str) -> str:
    return f"(isfinite({name}) AND year({name}) BETWEEN 1 AND 9999)"


def _instant(name: str, native: str) -> str:
    return f"({name} AT TIME ZONE 'UTC')" if native == _ZONED else f"CAST({name} AS TIMESTAMP)"
