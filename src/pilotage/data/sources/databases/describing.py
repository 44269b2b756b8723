"""A table as a live question needs to know it: its columns' values as they are read, and what an index can find."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import connecting, opened, places


class Table(Struct, frozen=True):
    """``values`` are the SQL of columns as snapshots have them, ``natives`` the types that the database declares."""

    kind: str
    url: sa.URL
    sql: str
    columns: tuple[FoundColumn, ...]
    values: dict[str, str]
    natives: dict[str, str]


def table(asked: Asked, address: str, needed: Sequence[str], known: Sequence[FoundColumn]) -> Table:
    """The table of a source. ``known`` are the types that snapshots have; else the database's own count.

    Raises:
        SourceUnavailable: it cannot be read, or lacks a column that is needed.
    """
    url = connecting.address_of(asked, address)
    types = {column.name: column for column in known}
    with opened(asked, address) as database:
        place = places.found(asked, database.places())
        declared = {column.name: column for column in database.declared(place)}
        judged = database.judged(place, [declared[name] for name in needed if name in declared])
        missing = [name for name in needed if name not in declared]
        if missing:
            repair = "Restore it, or correct the file."
            raise asked.failure(f"Source {asked.name}: column {missing[0]} is not there.", repair)
        columns = tuple(types.get(column.name, column) for column in judged)
        values = {column.name: database.value(declared[column.name], column) for column in columns}
    natives = {name: declared[name].native for name in needed}
    return Table(connecting.kind_of(url), url, place.sql, columns, values, natives)
