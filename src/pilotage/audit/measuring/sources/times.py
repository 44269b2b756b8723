"""A source along its clock: how late rows are known, how many there are each hour, which dates contradict another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pilotage.audit.measured.times import Lateness, OrderedDates, TimeFigures
from pilotage.audit.measuring.sources.periods import measure_periods
from pilotage.audit.measuring.sources.place import Place, instant

# Twenty years of hours; a clock that says more is not looked at by hour.
HOURS_MAX = 200_000
# Rows at an end that lie further than this from the rest, and are few, are wrong dates and not history.
_APART = timedelta(days=60)
_APART_SHARE = 0.1
# Words that begin and end the same thing, as column names have them.
_PAIRS = (
    ("start", "end"), ("started", "ended"), ("begin", "end"), ("began", "ended"), ("from", "to"), ("from", "until"),
    ("since", "until"), ("created", "updated"), ("created", "modified"), ("created", "closed"), ("created", "deleted"),
    ("inserted", "updated"), ("opened", "closed"), ("open", "close"), ("dep", "arr"), ("departure", "arrival"),
    ("departed", "arrived"), ("pickup", "dropoff"), ("checkin", "checkout"), ("in", "out"), ("ordered", "shipped"),
    ("ordered", "delivered"), ("order", "delivery"), ("order", "ship"), ("shipped", "delivered"), ("placed", "shipped"),
    ("requested", "completed"), ("submitted", "approved"), ("admission", "discharge"), ("admitted", "discharged"),
    ("hired", "left"), ("birth", "death"), ("issued", "expires"), ("issue", "expiry"), ("effective", "expiration"),
    ("first", "last"), ("min", "max"),
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_ORDERED_MAX = 20


def measure_times(place: Place, distinct: dict[str, int]) -> TimeFigures:
    """Figures along ``event_time``; empty ones for a source without clocks of its own."""
    ordered = _ordered(place)
    if not place.event_time or not place.rows:
        return TimeFigures(ordered=ordered)
    hours = _hours(place)
    days = [hours[0][0].date(), hours[-1][0].date()] if hours else []
    return TimeFigures(
        lateness=_lateness(place),
        hours=tuple(hours),
        periods=measure_periods(place, days[0], days[1], distinct) if days else TimeFigures().periods,
        ordered=ordered,
    )


def _lateness(place: Place) -> Lateness | None:
    if not place.known_at or place.source.known_at == place.source.event_time:
        return None
    late = f"(epoch({place.known_at}) - epoch({place.event_time}))"
    early, rows = place.one(f"SELECT count(*) FILTER ({late} < 0), count({late}) FROM {place.whole}")
    if not rows:
        return None
    at, longest = place.one(
        f"SELECT quantile_disc({late}, [0.05, 0.25, 0.5, 0.75, 0.95]), max({late}) FROM {place.looked} "
        f"WHERE {late} IS NOT NULL"
    )
    steps = place.all(
        f"SELECT CAST(round({late} / 900) * 900 AS BIGINT) AS step, count(*) AS n FROM {place.looked} "
        f"WHERE abs({late}) < 8e8 GROUP BY 1 ORDER BY n DESC, step LIMIT 100"
    )
    return Lateness(rows, early, tuple(at or (0.0,) * 5), longest or 0.0, tuple((step, n) for step, n in steps))


def _hours(place: Place) -> list[tuple[datetime, int]]:
    """Hours with rows, ascending, without the few that lie far from all others."""
    at = place.event_time
    hours = place.all(
        f"SELECT date_trunc('hour', {at}) AS hour, count(*) FROM {place.whole} "
        f"WHERE {at} >= TIMESTAMP '1970-01-02' AND {at} < TIMESTAMP '2099-12-31' "
        f"GROUP BY 1 ORDER BY 1 LIMIT {HOURS_MAX + 1}"
    )
    return [] if len(hours) > HOURS_MAX else without_strays([(hour, n) for hour, n in hours])


def without_strays(hours: list[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """Hours without those before or after a long pause, where these are few in hours and in rows."""
    kept = hours
    for _ in range(2):
        cut = next((at for at in _pauses(kept) if _few(kept[:at], kept[at:])), 0)
        kept = [*reversed(kept[cut:])]
    return kept


def _pauses(hours: Sequence[tuple[datetime, int]]) -> Iterator[int]:
    """Places before which nothing happened for long, the latest first."""
    return (at for at in range(len(hours) - 1, 0, -1) if abs(hours[at][0] - hours[at - 1][0]) > _APART)


def _few(some: Sequence[tuple[datetime, int]], rest: Sequence[tuple[datetime, int]]) -> bool:
    rows = sum(n for _, n in some)
    others = sum(n for _, n in rest)
    return len(some) <= _APART_SHARE * len(rest) and rows <= _APART_SHARE * others


def _ordered(place: Place) -> tuple[OrderedDates, ...]:
    pairs = list(ordered_pairs([c.name for c in place.columns if c.type == "datetime"]))[:_ORDERED_MAX]
    if not pairs or not place.rows:
        return ()
    counts = ", ".join(
        f"count({instant(end)} - {instant(start)}), count(*) FILTER ({wrong_order(start, end)})" for start, end in pairs
    )
    row = place.one(f"SELECT {counts} FROM {place.whole}")
    return tuple(OrderedDates(start, end, row[2 * at], row[2 * at + 1]) for at, (start, end) in enumerate(pairs))


def wrong_order(start: str, end: str) -> str:
    """The end before its start, as SQL; dates that stand for none are another fault."""
    real = f"{instant(end)} > TIMESTAMP '1970-01-01' AND {instant(start)} < TIMESTAMP '2099-12-31'"
    return f"{instant(end)} < {instant(start)} AND {real}"


def ordered_pairs(columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Columns whose names differ in one word only, of which one begins what the other ends: start_time, end_time."""
    words = {column: [word.lower() for word in _WORD.findall(column)] for column in columns}
    for first in columns:
        for second in columns:
            if first != second and _begins(words[first], words[second]):
                yield first, second


def _begins(first: list[str], second: list[str]) -> bool:
    if len(first) != len(second):
        return False
    other = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    return len(other) == 1 and other[0] in _PAIRS
