"""Questions that come as the rows of a table: a CSV or Parquet file, each row as the JSON of a request."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec

from pilotage.decisions.contract import Contract
from pilotage.platform.engine import analytical
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import literal

_ROWS_AT_ONCE = 2_000


def columns_of(file: Path) -> tuple[str, ...]:
    """The names of a table's columns.

    Raises:
        InvalidRequest: it cannot be read as a table.
    """
    import duckdb

    with analytical() as engine:
        try:
            return tuple(engine.sql(f"SELECT * FROM {_read(file)}").columns)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise InvalidRequest(f"It cannot be read: {reason}.", "Save it as CSV or Parquet again.") from None


def rows_of(file: Path, columns: Collection[str], contract: Contract) -> Iterator[bytes]:
    """The rows, in their order. What the contract has as a text is one in a CSV file, whatever it looks like."""
    texts = [name for name in columns if name == contract.entity or contract.columns[name].kind in ("category", "text")]
    with analytical() as engine:
        engine.execute("SET preserve_insertion_order = true")
        for batch in engine.sql(f"SELECT * FROM {_read(file, texts)}").to_arrow_reader(_ROWS_AT_ONCE):
            yield from (msgspec.json.encode(_request(row, contract)) for row in batch.to_pylist())


def _read(file: Path, texts: Collection[str] = ()) -> str:
    if file.suffix.lower() == ".parquet":
        return f"read_parquet({literal(str(file))})"
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in texts)
    return f"read_csv({literal(str(file))}{f', types = {{{types}}}' if types else ''})"


def _request(row: dict[str, Any], contract: Contract) -> dict[str, Any]:
    """A row without what is empty; instants without a zone are UTC there, and days their midnight, as in a source."""
    return {name: _value(name, value, contract) for name, value in row.items() if value is not None}


def _value(name: str, value: Any, contract: Contract) -> Any:
    if isinstance(value, datetime):
        return as_utc(value)
    column = contract.columns.get(name)
    if isinstance(value, date) and column is not None and column.kind == "datetime":
        return datetime.combine(value, time(), UTC)
    return value
