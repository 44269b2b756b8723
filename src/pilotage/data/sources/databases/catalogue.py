"""What a database says of its own tables: for a first project, before any file names one of them.

Only what the user may read is listed. A view that is broken is listed without columns, where the database lists it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from pilotage.data.records import Span
from pilotage.data.sources import databases
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import places
from pilotage.data.sources.databases.catalogue_records import Column, Listed, Points, Table
from pilotage.data.sources.databases.connecting import address_of, kind_of
from pilotage.data.sources.databases.places import Place
from pilotage.usecase.records import SEEN_AT, Source

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Column", "Points", "Table", "catalogue", "sample"]


def catalogue(address: str, accept_writer: bool = False) -> tuple[Table, ...]:
    """All tables and views but the system's own, in the order of their schemas and names.

    Raises:
        SourceUnavailable: the database cannot be reached, or the user could write and ``accept_writer`` is false.
    """
    asked = _asked(address, accept_writer)
    module = import_module(f"{__package__}.{kind_of(address_of(asked, address))}_catalogue")
    with databases.opened(asked, address) as database:
        visible = {(place.schema, place.table): place.visible for place in database.places()}
        listed: Listed = module.listed(database.connection)
    return tuple(_tables(listed, visible))


def sample(address: str, table: str, limit: int, accept_writer: bool = False) -> pa.Table:
    """The first rows of a table, typed as they would be read; ``table`` as a file would name it.

    Raises:
        NoSuchTable: there is none of this name.
        SourceUnavailable: it cannot be read.
    """
    import pyarrow as pa

    asked = _asked(address, accept_writer, table)
    with databases.opened(asked, address) as database:
        place = places.found(asked, database.places())
        columns = database.judged(place, database.declared(place))
        batches = list(database.stream(database.statement(place, columns, Span(), limit), columns))
    if not batches:
        return pa.table({column.name: pa.array([], pa.string()) for column in columns})
    return pa.Table.from_batches(batches)


def _asked(address: str, accept_writer: bool, table: str = "") -> Asked:
    source = Source(database=address, table=table, key=[], known_at=SEEN_AT, static=True, accept_writer=accept_writer)
    return Asked(name=table or "database", source=source, owner="")


def _tables(listed: Listed, visible: dict[tuple[str, str], bool]) -> Iterator[Table]:
    columns = defaultdict(list)
    for where, column in listed.columns:
        columns[where].append(column)
    keys: dict[tuple[str, str], dict[tuple[bool, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, is_primary, key, name in listed.keys:
        keys[where][is_primary, key].append(name)
    for where, is_view, rows, comment in listed.tables:
        own = keys[where]
        yield Table(
            schema=where[0],
            name=where[1],
            named=_named(where, visible),
            is_view=is_view,
            rows=rows,
            columns=tuple(columns[where]),
            primary_key=next((tuple(names) for (is_primary, _), names in own.items() if is_primary), ()),
            unique=tuple(dict.fromkeys(tuple(names) for (is_primary, _), names in own.items() if not is_primary)),
            foreign_keys=tuple(_foreign_keys(listed, where, visible)),
            comment=comment,
        )


def _foreign_keys(listed: Listed, where: tuple[str, str], visible: dict[tuple[str, str], bool]) -> Iterator[Points]:
    pairs: dict[tuple[str, tuple[str, str]], list[tuple[str, str]]] = defaultdict(list)
    for child, key, column, parent, to in listed.foreign_keys:
        if child == where:
            pairs[key, parent].append((column, to))
    for (_, parent), both in pairs.items():
        own, theirs = zip(*both, strict=True)
        yield Points(columns=own, table=_named(parent, visible), to=theirs)


def _named(where: tuple[str, str], visible: dict[tuple[str, str], bool]) -> str:
    return Place(schema=where[0], table=where[1], visible=visible.get(where, False)).named
