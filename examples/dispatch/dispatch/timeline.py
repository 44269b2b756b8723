"""The story of a flight in the order it became known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from .status import signed_minutes

ENDINGS = {
    "cancelled": "Cancelled",
    "diverted": "Diverted to another airport",
    "no record": "No arrival was ever recorded",
}


@dataclass(frozen=True)
class Moment:
    """One thing that became known at an instant (UTC)."""

    at: datetime
    sentence: str


def timeline(
    plan: RowMapping,
    alert: RowMapping | None,
    departure: RowMapping | None,
    arrival: RowMapping | None,
    ending: RowMapping | None,
    rebookings: Iterable[RowMapping],
) -> list[Moment]:
    """Everything known of the flight, earliest first."""
    moments = [*_events(plan, alert, departure, arrival, ending), *map(_rebooking, rebookings)]
    return sorted(moments, key=lambda moment: moment.at)


def _events(
    plan: RowMapping,
    alert: RowMapping | None,
    departure: RowMapping | None,
    arrival: RowMapping | None,
    ending: RowMapping | None,
) -> Iterator[Moment]:
    yield Moment(plan["published_at"], "Schedule published")
    if alert is not None:
        advice = "Prepare rebooking" if alert["rebook"] else "No rebooking needed"
        yield Moment(alert["raised_at"], f"{advice}: {alert['reason']}")
    if departure is not None:
        delay = signed_minutes(departure["dep_delay"])
        yield Moment(departure["recorded_at"], f"Departed {plan['origin']} ({delay})")
    if arrival is not None:
        delay = signed_minutes(arrival["arr_delay"])
        yield Moment(arrival["recorded_at"], f"Arrived {plan['destination']} ({delay})")
    if ending is not None:
        yield Moment(ending["recorded_at"], ENDINGS[ending["kind"]])


def _rebooking(row: RowMapping) -> Moment:
    return Moment(row["made_at"], f"Rebooking prepared by {row['planner']}")
