"""What planners prepare for a flight."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from .tables import flights, rebookings

LONGEST_PLANNER = 60
LONGEST_NOTE = 400


def find_fault(planner: str, note: str) -> str | None:
    """What is wrong with a planner's entry, in one sentence; None when nothing is."""
    if not planner:
        return "Please give the planner's name."
    if len(planner) > LONGEST_PLANNER:
        return f"The planner's name may have at most {LONGEST_PLANNER} characters."
    if len(note) > LONGEST_NOTE:
        return f"The note may have at most {LONGEST_NOTE} characters."
    return None


def record_rebooking(connection: Connection, flight_id: str, planner: str, note: str, made_at: datetime) -> bool:
    """Records a prepared rebooking at the instant (UTC); False when there is no such flight."""
    known = connection.execute(select(flights.c.flight_id).where(flights.c.flight_id == flight_id)).scalar()
    if known is None:
        return False
    entry = {"flight_id": flight_id, "planner": planner, "made_at": made_at, "note": note}
    connection.execute(insert(rebookings), entry)
    return True


def rebookings_of(connection: Connection, flight_id: str) -> list[RowMapping]:
    """The rebookings prepared for a flight, latest first."""
    query = select(rebookings).where(rebookings.c.flight_id == flight_id).order_by(rebookings.c.id.desc())
    return list(connection.execute(query).mappings())
