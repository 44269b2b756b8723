"""Everything the office knows now about one flight."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Table, select

from .arrivals import last_arrival
from .rebooking import rebookings_of
from .status import Status, status_of
from .tables import airlines, airports, alerts, arrivals, cancellations, departures, flights, planes
from .timeline import Moment, timeline


@dataclass(frozen=True)
class Flight:
    """A flight and what belongs to it; what is not known yet is None."""

    plan: RowMapping
    carrier_name: str
    origin_name: str
    destination_name: str
    aircraft: RowMapping | None
    departure: RowMapping | None
    arrival: RowMapping | None
    ending: RowMapping | None
    alert: RowMapping | None
    inbound: RowMapping | None
    rebookings: list[RowMapping]
    status: Status
    timeline: list[Moment]


def read_flight(connection: Connection, flight_id: str, now: datetime) -> Flight | None:
    """The flight as known at the instant (UTC); None when no such flight has been published."""
    plan = _one(connection, flights, "flight_id", flight_id)
    if plan is None:
        return None
    departure = _one(connection, departures, "flight_id", flight_id)
    arrival = _one(connection, arrivals, "flight_id", flight_id)
    ending = _one(connection, cancellations, "flight_id", flight_id)
    alert = _one(connection, alerts, "flight_id", flight_id)
    rebookings = rebookings_of(connection, flight_id)
    return Flight(
        plan=plan,
        carrier_name=_name(connection, airlines, "carrier", plan["carrier"]),
        origin_name=_name(connection, airports, "airport", plan["origin"]),
        destination_name=_name(connection, airports, "airport", plan["destination"]),
        aircraft=_one(connection, planes, "tail_number", plan["tail_number"]),
        departure=departure,
        arrival=arrival,
        ending=ending,
        alert=alert,
        inbound=_inbound(connection, plan["tail_number"], departure["dep_time"] if departure else now),
        rebookings=rebookings,
        status=status_of(
            now,
            plan["scheduled_departure"],
            departure["dep_delay"] if departure else None,
            arrival["arr_delay"] if arrival else None,
            ending["kind"] if ending else None,
        ),
        timeline=timeline(plan, alert, departure, arrival, ending, rebookings),
    )


def _inbound(connection: Connection, tail_number: str | None, moment: datetime) -> RowMapping | None:
    """The aircraft's last arrival before it left on this flight."""
    return last_arrival(connection, tail_number, moment) if tail_number else None


def _one(connection: Connection, table: Table, key: str, value: str | None) -> RowMapping | None:
    return connection.execute(select(table).where(table.c[key] == value)).mappings().one_or_none()


def _name(connection: Connection, table: Table, key: str, value: str) -> str:
    """Four airports of the archive are missing from its own list: their code has to do."""
    row = _one(connection, table, key, value)
    return row["name"] if row else value
