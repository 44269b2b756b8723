"""Files named by a pattern, local or on object storage: CSV and its kin, Parquet, JSON lines, Excel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.describing import Described, Surveyed, describe, survey
from pilotage.data.sources.files.opening import is_near, opened
from pilotage.data.sources.tables import columns_of, extent_of, rows_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Described", "Surveyed", "describe", "extent", "introspect", "read", "survey", "unclocked"]

_LAST = datetime(9999, 12, 31, tzinfo=UTC)


def introspect(asked: Asked, address: str) -> tuple[FoundColumn, ...]:
    """The columns of all files together; a file may lack some."""
    with opened(asked, address) as (connection, table):
        return columns_of(connection, asked, table)


def extent(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How much the span has; None where every look would fetch the files again."""
    if not is_near(asked, address):
        return None
    with opened(asked, address) as (connection, table):
        return extent_of(connection, asked, table, columns, span)


def unclocked(asked: Asked, address: str, columns: tuple[FoundColumn, ...]) -> int:
    """Rows without ``known_at``: those that no span with a bound has."""
    with opened(asked, address) as (connection, table):
        whole, clocked = (extent_of(connection, asked, table, columns, span) for span in (Span(), Span(None, _LAST)))
        return whole.rows - clocked.rows


def read(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows in the span, as Arrow batches."""
    with opened(asked, address) as (connection, table):
        yield from rows_of(connection, asked, table, columns, span)
