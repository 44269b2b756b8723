"""Writes into the office's tables what has become known."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, insert

from .arrivals import record_arrivals
from .tables import airlines, airports, cancellations, departures, flights, planes
from .world import Event, Kind, Reference, World

Record = Callable[[Connection, Sequence[Event]], None]


def _into(table: Table) -> Record:
    def record(connection: Connection, events: Sequence[Event]) -> None:
        connection.execute(insert(table), events)

    return record


RECORD: dict[Kind, Record] = {
    "flights": _into(flights),
    "departures": _into(departures),
    "arrivals": record_arrivals,
    "cancellations": _into(cancellations),
}
REFERENCE_TABLES: dict[Reference, Table] = {"airports": airports, "airlines": airlines, "planes": planes}


def record_kind(connection: Connection, world: World, kind: Kind, after: datetime | None, until: datetime) -> int:
    """Records the events of one kind that became known in (after, until]; says how many."""
    count = 0
    for batch in world.events(kind, after, until):
        RECORD[kind](connection, batch)
        count += len(batch)
    return count


def record_reference(connection: Connection, world: World) -> None:
    """Records airports, airlines and planes, whole."""
    for name, table in REFERENCE_TABLES.items():
        for batch in world.reference(name):
            connection.execute(insert(table), batch)
