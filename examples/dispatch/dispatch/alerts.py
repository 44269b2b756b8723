"""Asks the rule about every flight an hour before it is due out, as of that exact moment."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, insert, select

from .clock import hold_clock
from .late_arrivals import advise
from .tables import alerts, flights

ASKED_BEFORE_DEPARTURE = timedelta(minutes=60)
# Wide enough to raise what a crash between two transactions left out; the clock never steps further than this.
LOOK_BACK = timedelta(hours=24)


def raise_due_alerts(engine: Engine, now: datetime) -> int:
    """Raises the alerts due in the 24 hours up to now (UTC) that have not been raised; says how many.

    The rule is asked after the events it needs are committed and while no lock is held, so that asking may be slow.
    """
    with engine.connect() as connection:
        asked = [_ask(connection, row) for row in _unasked(connection, now)]
    if not asked:
        return 0
    with engine.begin() as connection:
        hold_clock(connection)
        still_unasked = {row["flight_id"] for row in _unasked(connection, now)}
        due = [alert for alert in asked if alert["flight_id"] in still_unasked]
        if due:
            connection.execute(insert(alerts), due)
    return len(due)


def _unasked(connection: Connection, now: datetime) -> list[RowMapping]:
    until = now + ASKED_BEFORE_DEPARTURE
    query = (
        select(flights)
        .outerjoin(alerts, alerts.c.flight_id == flights.c.flight_id)
        .where(
            flights.c.scheduled_departure > until - LOOK_BACK,
            flights.c.scheduled_departure <= until,
            alerts.c.flight_id.is_(None),
        )
        .order_by(flights.c.scheduled_departure, flights.c.flight_id)
    )
    return list(connection.execute(query).mappings())


def _ask(connection: Connection, flight: RowMapping) -> dict[str, object]:
    moment = flight["scheduled_departure"] - ASKED_BEFORE_DEPARTURE
    advice = advise(connection, flight, moment)
    return {"flight_id": flight["flight_id"], "raised_at": moment, "rebook": advice.rebook, "reason": advice.reason}
