"""The record of arrivals: how one is written down, and the last one known of an aircraft."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from .tables import arrivals, outcomes
from .world import Event

LATE_AFTER_MINUTES = 30


def record_arrivals(connection: Connection, landed: Sequence[Event]) -> None:
    """Writes down flights that have arrived; `late` is 1 when more than 30 minutes behind schedule."""
    connection.execute(insert(arrivals), [{**arrival, "late": _late(arrival["arr_delay"])} for arrival in landed])
    connection.execute(insert(outcomes), [_outcome(arrival) for arrival in landed])


def _outcome(arrival: Event) -> dict[str, object]:
    return {
        "flight_id": arrival["flight_id"],
        "delay_minutes": arrival["arr_delay"],
        "known_at": arrival["recorded_at"],
    }


def _late(arrival_delay_minutes: object) -> int:
    return int(isinstance(arrival_delay_minutes, float) and arrival_delay_minutes > LATE_AFTER_MINUTES)


def last_arrival(connection: Connection, tail_number: str, moment: datetime) -> RowMapping | None:
    """The aircraft's latest arrival recorded at or before the moment (UTC)."""
    query = (
        select(arrivals)
        .where(arrivals.c.tail_number == tail_number, arrivals.c.recorded_at <= moment)
        # A few archive rows put one aircraft at two gates in the same minute; the name settles it.
        .order_by(arrivals.c.recorded_at.desc(), arrivals.c.flight_id.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().one_or_none()
