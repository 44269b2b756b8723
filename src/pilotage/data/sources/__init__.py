"""The door to customers' data: what columns a source has, and its rows that became known in a span.

A source is a table or view in SQLite or PostgreSQL, or Parquet or CSV files named by a pattern. Every failure is a
:class:`~pilotage.platform.errors.SourceUnavailable` that names the source, its owner and the repair, and no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import Asked, NoSuchTable
from pilotage.platform.errors import SettingsError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NoSuchTable", "introspect", "read_new"]


def introspect(asked: Asked) -> tuple[FoundColumn, ...]:
    """The columns of a source, in its own order."""
    address = _address(asked)
    if asked.source.files:
        from pilotage.data.sources import files

        return files.introspect(asked, address)
    from pilotage.data.sources import databases

    return databases.introspect(asked, address)


def read_new(
    asked: Asked, columns: tuple[FoundColumn, ...], after: datetime | None, until: datetime
) -> Iterator[pa.RecordBatch]:
    """Rows with ``after <= known_at <= until``, in any order and possibly a few too many at the lower end.

    The caller filters exactly, once all timestamps are of one type. Rows without ``known_at`` are left out: nobody can
    say when they could have been known.
    """
    address = _address(asked)
    if asked.source.files:
        from pilotage.data.sources import files

        return files.read(asked, address, columns, after, until)
    from pilotage.data.sources import databases

    return databases.read(asked, address, columns, after, until)


def _address(asked: Asked) -> str:
    from pilotage.platform.settings import from_environment

    try:
        return from_environment(asked.source.files or asked.source.database, f"Source {asked.name}")
    except SettingsError as error:
        raise asked.failure(error.message, error.repair) from None
