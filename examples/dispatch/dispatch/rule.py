"""The office's rule for preparing a rebooking: a late aircraft tends to stay late."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from .arrivals import LATE_AFTER_MINUTES, last_arrival


@dataclass(frozen=True)
class Advice:
    """Whether planners should prepare a rebooking, and why, in one plain sentence."""

    rebook: bool
    reason: str


def advise(connection: Connection, flight_id: str, tail_number: str | None, moment: datetime) -> Advice:
    """Advice on a flight, from what was known at the moment (UTC).

    Rebooking is advised when the same aircraft's last known arrival was more than 30 minutes late.
    """
    if tail_number is None:
        return Advice(False, f"No aircraft is assigned to {flight_id}")
    arrival = last_arrival(connection, tail_number, moment)
    if arrival is None:
        return Advice(False, f"{tail_number} has no arrival on record")
    delay, at = arrival["arr_delay"], arrival["arr_time"]
    return Advice(delay > LATE_AFTER_MINUTES, f"{tail_number} last arrived {_punctuality(delay)} at {at:%H:%M} UTC")


def _punctuality(delay_minutes: float) -> str:
    minutes = round(abs(delay_minutes))
    if minutes == 0:
        return "on time"
    unit = "minute" if minutes == 1 else "minutes"
    return f"{minutes} {unit} {'late' if delay_minutes > 0 else 'early'}"
