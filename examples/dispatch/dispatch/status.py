"""Says in two or three words how a flight stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["calm", "moving", "good", "late", "bad"]
# Airlines count a flight as on time up to a quarter of an hour.
ON_TIME_MINUTES = 15


@dataclass(frozen=True)
class Status:
    """A label and the tone it is shown in."""

    label: str
    tone: Tone


def status_of(
    now: datetime,
    scheduled_departure: datetime,
    dep_delay: float | None,
    arr_delay: float | None,
    ending: str | None,
) -> Status:
    """The latest of what is known of a flight; delays in minutes, None while unknown."""
    if arr_delay is not None:
        return Status(f"Arrived {signed_minutes(arr_delay)}", "late" if arr_delay > ON_TIME_MINUTES else "good")
    if ending is not None:
        return Status(ending.capitalize(), "bad")
    if dep_delay is not None:
        return Status(f"Departed {signed_minutes(dep_delay)}", "late" if dep_delay > ON_TIME_MINUTES else "moving")
    if now > scheduled_departure:
        return Status("Not yet departed", "late")
    return Status("Scheduled", "calm")


def signed_minutes(minutes: float) -> str:
    """A delay as the office writes it: +12, −3, on time."""
    rounded = round(minutes)
    if rounded == 0:
        return "on time"
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}"
