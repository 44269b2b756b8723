"""Staging: a source's batches become typed rows of a table in the engine, which spills what does not fit in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotage.data.records import FoundColumn
from pilotage.data.rules.marks import DELETED, OURS
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Source
from pilotage.usecase.rules.expressions import columns_of, to_sql

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def stage(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: Source,
    columns: Sequence[FoundColumn],
    batches: Iterable[pa.RecordBatch],
    where: str = "true",
) -> None:
    """Put the rows that fulfil ``where`` into a new table, each marked whether it says that its key is gone.

    ``where`` may use the source's columns, typed, of a row called ``r``. Batch by batch, so that an error of the source
    comes out as it is.
    """
    import pyarrow as pa

    kept = stored(columns)
    types = ", ".join(f"{quoted(c.name)} {_engine_type(c)}" for c in kept)
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({types}, {DELETED} BOOLEAN)")
    typed = ", ".join(f"{_typed(column)} AS {quoted(column.name)}" for column in columns)
    names = ", ".join(quoted(column.name) for column in kept)
    whole = source.deleted and {column.name for column in columns} >= columns_of(source.deleted)
    gone = f"coalesce(CAST(({to_sql(source.deleted)}) AS BOOLEAN), false)" if whole else "false"
    statement = f"INSERT INTO {table} SELECT {names}, {gone} FROM (SELECT {typed} FROM batch) r WHERE {where}"
    for batch in batches:
        if batch.num_rows:
            connection.register("batch", pa.Table.from_batches([batch]))
            connection.execute(statement)
            connection.unregister("batch")


def stored(columns: Iterable[FoundColumn]) -> list[FoundColumn]:
    """The columns that are kept: a source's own ``_deleted`` may be read by its expression and gives way to ours."""
    return [column for column in columns if column.name.lower() not in OURS]


def instant(at: datetime) -> str:
    """An instant as SQL literal, in UTC without zone, as the engine's timestamps are."""
    return f"TIMESTAMP '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _engine_type(column: FoundColumn) -> str:
    return "TIMESTAMP" if column.type == "datetime" else column.engine_type


def _typed(column: FoundColumn) -> str:
    """An instant without zone is UTC, because the engine's session is."""
    name = quoted(column.name)
    if column.type == "datetime":
        return f"CAST({name} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return f"CAST({name} AS {column.engine_type})"
