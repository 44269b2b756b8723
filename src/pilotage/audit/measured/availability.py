"""Figures of each input at the moment of decision: is it there, how old, from where."""

from __future__ import annotations

from msgspec import Struct


class Availability(Struct, frozen=True):
    """One input at the moments of past decisions.

    ``source`` is the source it is taken from, or empty for what the app sends and what is derived from that. Ages are
    the moment minus the ``event_time`` of the newest row known by then, in seconds; None where no row has a time.
    ``behind`` is the share of decisions at which a newer row had happened and was not known yet; ``too_late`` the
    share without a value only because the row that would have given it came late.
    """

    input: str
    source: str
    known: float
    age_median_seconds: float | None = None
    age_most_seconds: float | None = None
    behind: float = 0.0
    too_late: float = 0.0
    sampled: int = 0
