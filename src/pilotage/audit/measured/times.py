"""Figures of one source along its clock: lateness, rows by hour, columns by period."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct


class Lateness(Struct, frozen=True):
    """``known_at`` minus ``event_time`` in seconds.

    ``early`` counts rows known before they happened, of all; the rest is of the rows looked at: their 5, 25, 50, 75 and
    95 % and the greatest, and ``steps``: how many lie around each quarter of an hour (in seconds), the most first.
    """

    rows: int
    early: int
    quantiles: tuple[float, ...]
    longest: float
    steps: tuple[tuple[int, int], ...]


class OrderedDates(Struct, frozen=True):
    """Two columns of which one should not lie before the other, and how many rows break that."""

    start: str
    end: str
    rows: int
    wrong: int


class Quantiles(Struct, frozen=True):
    """Of one column in one period: how many values, and the 5, 25, 50, 75 and 95 % among them."""

    rows: int
    at: tuple[float, float, float, float, float]


class Histogram(Struct, frozen=True):
    """Of one column of categories: per period how many rows have each of ``values``."""

    values: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]


class Periods(Struct, frozen=True):
    """A source cut into periods of equal length along ``event_time``; all tuples go by period.

    ``missing`` are counts of all rows, for columns with some values missing; ``numbers`` (None where a period has too
    few) and ``categories`` are of the rows looked at.
    """

    days: int = 0
    starts: tuple[date, ...] = ()
    rows: tuple[int, ...] = ()
    missing: dict[str, tuple[int, ...]] = {}
    numbers: dict[str, tuple[Quantiles | None, ...]] = {}
    categories: dict[str, Histogram] = {}


class TimeFigures(Struct, frozen=True):
    """One source along its clock; ``hours`` are the hours with rows, ascending, with their rows."""

    lateness: Lateness | None = None
    hours: tuple[tuple[datetime, int], ...] = ()
    periods: Periods = Periods()
    ordered: tuple[OrderedDates, ...] = ()
