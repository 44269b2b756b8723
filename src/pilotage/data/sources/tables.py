"""A relation that stands for a source in the engine: its columns, how much a span of it has, and its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.inferring import Column, found_columns, value, with_decimal, written_as
from pilotage.data.sources.time_limit import TimeLimit
from pilotage.data.sources.unfit import no_dates
from pilotage.platform.engine import analytical
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ROW

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH_ROWS = 100_000
_UNFIT = "a value does not fit its column"
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


class Table(Struct, frozen=True):
    """What can stand after FROM, its columns, and the names that people know its files by."""

    relation: str
    columns: tuple[Column, ...]
    names: Mapping[str, str] = {}


@contextmanager
def engine(asked: Asked, limit: TimeLimit | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine for one source, in UTC, interrupted when the source's time is over; it may have begun before.

    Rows keep their order only where their number is the key.

    Raises:
        SourceUnreachable: time was over.
    """
    with analytical() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if ROW in asked.source.key:
            connection.execute("SET preserve_insertion_order = true")
        with (limit or TimeLimit(asked)).over_engine(connection):
            yield connection


@contextmanager
def failing_as(asked: Asked, names: Mapping[str, str]) -> Iterator[None]:
    """Says what the engine says in the terms of the source: its files, and the line where there is one."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _said(asked, names, str(error)) from None


@contextmanager
def _naming_unfit(
    connection: duckdb.DuckDBPyConnection, asked: Asked, table: Table, columns: Sequence[FoundColumn]
) -> Iterator[None]:
    """As :func:`failing_as`; where texts of a column of dates are none, they are named."""
    try:
        with failing_as(asked, table.names):
            yield
    except SourceUnavailable as error:
        texts = {column.name for column in table.columns if column.stored == "VARCHAR"}
        dated = [column for column in columns if column.type == "datetime" and column.name in texts]
        if not dated or _UNFIT not in error.message:
            raise
        with failing_as(asked, table.names):
            named = no_dates(connection, asked, table.relation, dated)
        raise named or error from None


def columns_of(connection: duckdb.DuckDBPyConnection, asked: Asked, table: Table) -> tuple[FoundColumn, ...]:
    """The columns, with types that all rows agree on."""
    with failing_as(asked, table.names):
        found = found_columns(connection, table.relation, table.columns, asked)
    numbered = ROW in asked.source.key and all(column.name != ROW for column in found)
    return (*found, FoundColumn(ROW, "number", "BIGINT")) if numbered else found


def extent_of(
    connection: duckdb.DuckDBPyConnection, asked: Asked, table: Table, columns: Sequence[FoundColumn], span: Span
) -> Extent:
    """How many rows the span has, and its first and last ``known_at``; of a static source only how many."""
    with _naming_unfit(connection, asked, table, columns):
        known = [column for column in columns if column.name == asked.source.known_at and not asked.source.is_static]
        values = _values(connection, asked, table, known)
        known_at = values.get(asked.source.known_at, "CAST(NULL AS TIMESTAMP)")
        where = _where(values, asked, span)
        statement = f"SELECT count(*), min({known_at}), max({known_at}) FROM {table.relation}{where}"
        rows, first, last = connection.execute(statement).fetchall()[0]
        return Extent(int(rows), first and first.replace(tzinfo=UTC), last and last.replace(tzinfo=UTC))


def rows_of(
    connection: duckdb.DuckDBPyConnection, asked: Asked, table: Table, columns: Sequence[FoundColumn], span: Span
) -> Iterator[pa.RecordBatch]:
    """The rows of the span as Arrow batches. A column that the table has no more is null."""
    with _naming_unfit(connection, asked, table, columns):
        relation = table.relation
        if any(column.name == ROW for column in columns) and ROW not in {c.name for c in table.columns}:
            relation = f"(SELECT *, row_number() OVER () AS {quoted(ROW)} FROM {relation})"
        values = _values(connection, asked, table, columns)
        wanted = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
        statement = f"SELECT {wanted} FROM {relation}{_where(values, asked, span)}"
        reader = connection.sql(statement).to_arrow_reader(_BATCH_ROWS)
        given = 0
        for batch in reader:
            given += batch.num_rows
            if given > asked.source.rows_max:
                raise asked.failure(
                    f"Source {asked.name} has more than {asked.source.rows_max:,} rows, which is its rows_max.",
                    "Raise rows_max, or name fewer files.",
                )
            yield batch


def _values(
    connection: duckdb.DuckDBPyConnection, asked: Asked, table: Table, columns: Sequence[FoundColumn]
) -> dict[str, str]:
    """SQL of each column's value."""
    stored = {column.name: column.stored for column in table.columns} | {ROW: "BIGINT"}
    numbers = {column.name for column in columns if column.engine_type == "DOUBLE"}
    texts = [column for column in table.columns if column.name in numbers and column.stored == "VARCHAR"]
    signed = with_decimal(connection, table.relation, texts, asked.source)
    values = {}
    for column in columns:
        form = None
        if column.type == "datetime" and stored.get(column.name) == "VARCHAR":
            form = written_as(connection, table.relation, column.name, asked)
        there = column.name in stored
        decimal = asked.source.decimal if column.name in signed else ""
        values[column.name] = (
            value(column, stored[column.name], form, asked.source, decimal)
            if there
            else f"CAST(NULL AS {column.engine_type})"
        )
    return values


def _where(values: Mapping[str, str], asked: Asked, span: Span) -> str:
    """The bounds of a span; none for a static source."""
    known_at = values.get(asked.source.known_at)
    if known_at is None or asked.source.is_static:
        return ""
    bounds = [f"{known_at} >= {_instant(span.after)}"] if span.after else []
    bounds += [f"{known_at} <= {_instant(span.until)}"] if span.until else []
    return f" WHERE {' AND '.join(bounds)}" if bounds else ""


def _instant(instant: datetime) -> str:
    return f"TIMESTAMP '{as_utc(instant):%Y-%m-%d %H:%M:%S.%f}'"


def _said(asked: Asked, names: Mapping[str, str], text: str) -> SourceUnavailable:
    line, file, counts = _LINE.search(text), _FILE.search(text), _COUNTS.search(text)
    if line and file:
        place = f"{names.get(file[1].strip(), file[1].strip())}, line {line[1]}"
        return asked.failure(f"Source {asked.name}: {place}: {_of_a_line(text, counts)}", "Repair the line.")
    reason = text.splitlines()[0].rstrip(".")
    for path in sorted(names, key=len, reverse=True):
        reason = reason.replace(path, names[path])
    if "Conversion Error" in text or reason.startswith("Invalid Input Error: it is written as"):
        return asked.failure(f"Source {asked.name}: {_UNFIT}: {reason}.", "Correct the rows.")
    if file:
        reason = f"{names.get(file[1].strip(), file[1].strip())}: {reason}"
    return asked.failure(f"Source {asked.name}: a file cannot be read: {reason}.", "Repair the file.")


def _of_a_line(text: str, counts: re.Match[str] | None) -> str:
    """What is wrong with a line, without what it holds."""
    if counts:
        return f"it has {counts[2]} fields where the header has {counts[1]}."
    if "unterminated quote" in text:
        return "a quoted value does not end, or goes on after its closing quote."
    if "Maximum line size" in text:
        return "it is longer than 2,000,000 bytes; a quote may be missing its end."
    return text.splitlines()[-1] if "Original Line" not in text else "it cannot be read."
