"""Parquet and CSV files, named by a pattern, read by the analytical engine."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.data.records import ColumnType, Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.engine import analytical
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH_ROWS = 100_000
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_FRACTIONS = ("FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT")


def introspect(asked: Asked, pattern: str) -> tuple[FoundColumn, ...]:
    """The columns of all files together; a file may lack some."""
    with analytical() as connection:
        reader = _reader(asked, pattern)
        relation = _run(asked, connection, f"SELECT * FROM {reader}")
        described = list(zip(relation.columns, relation.types, strict=True))
        return tuple(_found(asked, connection, reader, name, str(engine_type)) for name, engine_type in described)


def extent(asked: Asked, pattern: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How much the span has."""
    return None


def read(asked: Asked, pattern: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows in the span, as Arrow batches."""
    after, until = span.after, span.until
    assert until is not None
    known_at = _value(next(column for column in columns if column.name == asked.source.known_at))
    bounds = [f"{known_at} <= {_instant(until)}"] + ([f"{known_at} >= {_instant(after)}"] if after else [])
    wanted = ", ".join(f"{_value(column)} AS {quoted(column.name)}" for column in columns)
    with analytical() as connection:
        statement = f"SELECT {wanted} FROM {_reader(asked, pattern)} WHERE {' AND '.join(bounds)}"
        connection.execute("SET TimeZone = 'UTC'")
        yield from _run(asked, connection, statement).to_arrow_reader(_BATCH_ROWS)


def _reader(asked: Asked, pattern: str) -> str:
    paths = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (the pattern may be absolute)
    if not paths:
        raise asked.failure(
            f"Source {asked.name}: no file matches {asked.source.files if '://' in pattern else pattern}.",
            "Correct the pattern under `files`, or the environment variable in it, or wait for the first file.",
        )
    ending = Path(paths[0]).suffix.lower()
    listed = ", ".join(literal(path) for path in paths)
    if ending in {".parquet", ".pq"}:
        return f"read_parquet([{listed}], union_by_name = true)"
    if ending in {".csv", ".tsv", ".txt", ".gz"}:
        return f"read_csv([{listed}], union_by_name = true, nullstr = ['', 'NA', 'NULL'])"
    raise asked.failure(
        f"Source {asked.name}: {Path(paths[0]).name} is neither Parquet nor CSV.", "Use .parquet or .csv files."
    )


def _run(asked: Asked, connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation:
    import duckdb

    try:
        return connection.sql(statement)
    except duckdb.Error as error:
        raise _unreadable(asked, error) from None


def _unreadable(asked: Asked, error: duckdb.Error) -> SourceUnavailable:
    reason = str(error).splitlines()[0]
    return asked.failure(f"Source {asked.name}: a file cannot be read: {reason}", "Repair the file.")


def _found(
    asked: Asked, connection: duckdb.DuckDBPyConnection, reader: str, name: str, engine_type: str
) -> FoundColumn:
    """Text is read as instants only where the file says that the column is a clock, and its values are instants."""
    kind, stored = _kind(engine_type)
    is_clock = name in {asked.source.event_time, asked.source.known_at}
    if kind == "text" and is_clock and _holds_instants(asked, connection, reader, name):
        kind, stored = "datetime", "TIMESTAMP"
    return FoundColumn(name=name, type=kind, engine_type=stored)


def _holds_instants(asked: Asked, connection: duckdb.DuckDBPyConnection, reader: str, name: str) -> bool:
    """A clock may hold a few values that are no instants: sync names them."""
    import duckdb

    value = quoted(name)
    sample = f"SELECT {value} FROM {reader} WHERE {value} IS NOT NULL LIMIT 1000"
    relation = _run(asked, connection, f"SELECT count(*), count(TRY_CAST({value} AS TIMESTAMPTZ)) FROM ({sample})")
    try:
        count, instants = relation.fetchall()[0]
    except duckdb.Error as error:
        raise _unreadable(asked, error) from None
    return bool(instants or not count)


def _kind(engine_type: str) -> tuple[ColumnType, str]:
    if engine_type in _INTEGERS:
        return "number", "BIGINT"
    if engine_type in _FRACTIONS or engine_type.startswith("DECIMAL"):
        return "number", "DOUBLE"
    if engine_type == "BOOLEAN":
        return "flag", "BOOLEAN"
    if engine_type.startswith(("TIMESTAMP", "DATE")):
        return "datetime", "TIMESTAMP"
    return "text", "VARCHAR"


def _value(column: FoundColumn) -> str:
    """An instant without zone is UTC, because the engine's session is."""
    if column.type == "datetime":
        return f"CAST({quoted(column.name)} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return f"CAST({quoted(column.name)} AS {column.engine_type})"


def _instant(instant: datetime) -> str:
    return f"TIMESTAMP '{as_utc(instant):%Y-%m-%d %H:%M:%S.%f}'"
