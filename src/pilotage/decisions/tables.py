"""Questions that come as the rows of a table: a CSV or Parquet file, each row as the JSON of a request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pilotage.decisions import delimited
from pilotage.decisions.contract import Contract
from pilotage.platform.engine import analytical
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import literal

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 2_000


def columns_of(file: Path) -> tuple[str, ...]:
    """The names of a table's columns.

    Raises:
        InvalidRequest: it cannot be read as a table.
    """
    import duckdb

    if _is_delimited(file):
        return delimited.columns_of(file)
    with analytical() as engine:
        try:
            return tuple(engine.sql(f"SELECT * FROM {_read(file)}").columns)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise InvalidRequest(f"It cannot be read: {reason}.", "Save it as CSV or Parquet again.") from None


def count_of(file: Path) -> int:
    """How many rows a table has."""
    if _is_delimited(file):
        return delimited.count_of(file)
    with analytical() as engine:
        return int(engine.sql(f"SELECT count(*) FROM {_read(file)}").fetchall()[0][0])


def rows_of(file: Path, contract: Contract) -> Iterator[bytes | InvalidRequest]:
    """The rows, in their order; one that cannot be read as what is wrong with it."""
    if _is_delimited(file):
        yield from delimited.rows_of(file, contract)
        return
    with analytical() as engine:
        engine.execute("SET preserve_insertion_order = true")
        for batch in engine.sql(f"SELECT * FROM {_read(file)}").to_arrow_reader(_ROWS_AT_ONCE):
            yield from map(msgspec.json.encode, _requests(batch, contract))


def _is_delimited(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def _read(file: Path) -> str:
    return f"read_parquet({literal(str(file))})"


def _requests(batch: pa.RecordBatch, contract: Contract) -> Iterator[dict[str, Any]]:
    """Rows without what is empty; instants without a zone are UTC there, and days their midnight, as in a source."""
    names = batch.schema.names
    columns = [_values(name, column, contract) for name, column in zip(names, batch.columns, strict=True)]
    for row in zip(*columns, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _values(name: str, column: pa.Array, contract: Contract) -> list[Any]:
    """A column's values; those of dates and instants as a request has them, all others as they are."""
    import pyarrow as pa

    values: list[Any] = column.to_pylist()
    if not pa.types.is_temporal(column.type):
        return values
    declared = contract.columns.get(name)
    is_instant = declared is not None and declared.kind == "datetime"
    return [_instant(value, is_instant) for value in values]


def _instant(value: Any, is_instant: bool) -> Any:
    if isinstance(value, datetime):
        return as_utc(value)
    return datetime.combine(value, time(), UTC) if is_instant and isinstance(value, date) else value
