"""Tables and views in SQLite, DuckDB, PostgreSQL, MySQL and MariaDB: read only, within limits, a batch at a time.

Instants with a zone are given in UTC; those without are taken as UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from importlib import import_module
from typing import TYPE_CHECKING

from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import batches, places
from pilotage.data.sources.databases.connecting import address_of, kind_of
from pilotage.data.sources.databases.database import Database

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["extent", "introspect", "opened", "read"]


def introspect(asked: Asked, address: str) -> tuple[FoundColumn, ...]:
    """The columns of the table or view, with the types that it declares and, in doubt, its values have."""
    with opened(asked, address) as database:
        place = places.found(asked, database.places())
        return database.judged(place, database.declared(place))


def extent(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How many rows the span has, and the first and last ``known_at``; of a static source only how many."""
    with opened(asked, address) as database:
        return database.extent(places.found(asked, database.places()), span)


def read(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows in the span, as Arrow batches; nothing is held but one batch."""
    with opened(asked, address) as database:
        place = places.found(asked, database.places())
        statement = database.statement(place, columns, span, asked.source.rows_max + 1)
        with closing(database.stream(statement, columns)) as stream:  # before the connection is, whatever happens
            yield from batches.limited(asked, stream)


def opened(asked: Asked, address: str) -> AbstractContextManager[Database]:
    """The database behind an address, inside a read-only transaction."""
    url = address_of(asked, address)
    module = import_module(f"pilotage.data.sources.databases.{kind_of(url)}")
    database: AbstractContextManager[Database] = module.opened(asked, url)
    return database
