"""Columns asked of the source's own database, one query for each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pilotage.data.places.drivers import Connection, dialect_of, driver_errors
from pilotage.data.places.narrowing import Narrowing, narrowings
from pilotage.data.places.reading import Read, Reader, Reuse
from pilotage.data.records import FoundColumn
from pilotage.data.rules.direct import SPELLINGS, Group, for_driver, live_query, table_rows
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases import describing
from pilotage.usecase.rules.expressions import columns_of


def source_reader(
    asked: Asked,
    address: str,
    groups: Sequence[Group],
    needed: Sequence[str],
    known: Sequence[FoundColumn],
    wait_seconds: float,
    age_seconds: float = 0.0,
) -> Reader:
    """The groups' columns from one source. ``needed`` breaks ties in its order, ``known`` are the snapshot's types.

    With ``age_seconds``, what was read for a key is used again for so long.

    Raises:
        SourceUnavailable: the address is of no database that can be asked live.
    """
    dialect = dialect_of(address)
    columns = [column.name for group in groups for column in group.columns]

    def opened() -> _Session:
        return _Session(asked, address, groups, needed, known, wait_seconds)

    by = dict.fromkeys(name for group in groups for name in group.by)
    reuse = Reuse([*by], age_seconds) if age_seconds else None
    return Reader(asked.name, columns, opened, driver_errors(dialect), wait_seconds, reuse)


class _Session:
    """One connection with its statement."""

    def __init__(
        self,
        asked: Asked,
        address: str,
        groups: Sequence[Group],
        needed: Sequence[str],
        known: Sequence[FoundColumn],
        wait_seconds: float,
    ) -> None:
        names = [name for name in needed if not asked.source.is_static or name != asked.source.known_at]
        marks = columns_of(asked.source.deleted) if asked.source.deleted else frozenset()
        table = describing.table(asked, address, [*names, *sorted(marks - set(names))], known)
        types = {column.name: column for column in table.columns}
        rows = table_rows(table.sql, asked.source, names, types, table.values)
        dialect = dialect_of(address)
        self._narrowings: list[Narrowing] = narrowings(groups, rows, table.natives, dialect)
        conditions = {each.group: each.conditions for each in self._narrowings}
        query = live_query(groups, {group.source: rows for group in groups}, SPELLINGS[dialect], conditions)
        self._sql = for_driver(query, dialect)
        self._by = tuple(dict.fromkeys(by for group in groups for by in group.by))
        self._names = [column.name for group in groups for column in group.columns]
        self._connection = Connection(address, wait_seconds)

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        parameters: dict[str, Any] = {by: request.get(by) for by in self._by} | {"moment": moment}
        for each in self._narrowings:
            parameters |= each.parameters(request, moment)
        row = self._connection.ask(self._sql, parameters)[0]
        return Read(dict(zip(self._names, row, strict=True)))

    def close(self) -> None:
        self._connection.close()
