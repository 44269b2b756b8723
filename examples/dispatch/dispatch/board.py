"""The departures board: what leaves from an hour ago to six hours ahead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, select

from .status import Status, status_of
from .tables import airports, alerts, arrivals, cancellations, departures, flights

ORIGINS = ("EWR", "JFK", "LGA")
BEHIND = timedelta(hours=1)
AHEAD = timedelta(hours=6)
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class BoardRow:
    """One line of the board."""

    flight: RowMapping
    status: Status


@dataclass(frozen=True)
class Board:
    """One page of the board, with the counts of the whole of it."""

    rows: list[BoardRow]
    page: int
    pages: int
    flights: int
    to_rebook: int


def read_board(connection: Connection, now: datetime, origin: str | None, alerted: bool, page: int) -> Board:
    """The board at the instant (UTC), of one airport or all, of all flights or those to prepare rebooking for."""
    shown = [flights.c.scheduled_departure > now - BEHIND, flights.c.scheduled_departure <= now + AHEAD]
    if origin is not None:
        shown.append(flights.c.origin == origin)
    total, to_rebook = _counts(connection, shown)
    if alerted:
        shown.append(alerts.c.rebook.is_(True))
    pages = max(1, -(-(to_rebook if alerted else total) // ROWS_PER_PAGE))
    page = min(max(page, 1), pages)
    rows = _rows(connection, shown, page)
    return Board([BoardRow(row, _status(now, row)) for row in rows], page, pages, total, to_rebook)


def _counts(connection: Connection, shown: list[ColumnElement[bool]]) -> tuple[int, int]:
    query = (
        select(func.count(), func.count().filter(alerts.c.rebook.is_(True)))
        .select_from(flights.outerjoin(alerts, alerts.c.flight_id == flights.c.flight_id))
        .where(and_(*shown))
    )
    total, to_rebook = connection.execute(query).one()
    return total, to_rebook


def _rows(connection: Connection, shown: list[ColumnElement[bool]], page: int) -> list[RowMapping]:
    everything = (
        flights.outerjoin(airports, airports.c.airport == flights.c.destination)
        .outerjoin(alerts, alerts.c.flight_id == flights.c.flight_id)
        .outerjoin(departures, departures.c.flight_id == flights.c.flight_id)
        .outerjoin(arrivals, arrivals.c.flight_id == flights.c.flight_id)
        .outerjoin(cancellations, cancellations.c.flight_id == flights.c.flight_id)
    )
    query = (
        select(
            flights,
            airports.c.name.label("destination_name"),
            alerts.c.rebook,
            alerts.c.reason,
            departures.c.dep_delay,
            arrivals.c.arr_delay,
            cancellations.c.kind.label("ending"),
        )
        .select_from(everything)
        .where(and_(*shown))
        .order_by(flights.c.scheduled_departure, flights.c.flight_id)
        .limit(ROWS_PER_PAGE)
        .offset((page - 1) * ROWS_PER_PAGE)
    )
    return list(connection.execute(query).mappings())


def _status(now: datetime, row: RowMapping) -> Status:
    return status_of(now, row["scheduled_departure"], row["dep_delay"], row["arr_delay"], row["ending"])
