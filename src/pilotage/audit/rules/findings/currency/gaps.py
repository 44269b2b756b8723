"""Days and hours on which nothing happened, although something usually does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About
from pilotage.platform.counting import plural

# A weekday on which rows come in three weeks of four is a working day of the source.
EXPECTED_MIN = 0.75
# With fewer rows a day than this, a day without any is chance: under a Poisson law e^-5 of days, one in 150.
ROWS_MIN = 5
# Two days in a row are an interruption; one may be a holiday, and a source that pauses as long now and then is closed.
DAYS_WARN = 2
OVER_OTHERS = 2
# A source is written by the hour when each hour of the day has rows on nine days of ten.
HOURLY_MIN = 0.9
HOURS_WARN = 24
DAYS_MIN = 3


def found(this: About) -> Iterator[Finding]:
    """Missing days of a daily source, missing hours of an hourly one."""
    hours = this.figures.times.hours
    by_day = days_of(hours)
    if len(by_day) < DAYS_MIN:
        return
    missing = missing_days(by_day)
    if missing:
        yield _days(this, missing)
    lost = missing_hours(hours, set(missing))
    if lost:
        yield _hours(this, lost)


def days_of(hours: Sequence[tuple[datetime, int]]) -> dict[date, int]:
    """Rows by day, days without any left out."""
    by_day: Counter[date] = Counter()
    for hour, rows in hours:
        by_day[hour.date()] += rows
    return dict(by_day)


def missing_days(by_day: Mapping[date, int]) -> list[date]:
    """Days between the first and the last without rows, on weekdays that have rows in most weeks."""
    first, last = min(by_day), max(by_day)
    weekdays: dict[int, list[int]] = defaultdict(list)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for day in days:
        weekdays[day.weekday()].append(by_day.get(day, 0))
    working = {weekday for weekday, rows in weekdays.items() if _usual(rows)}
    return [day for day in days if day not in by_day and day.weekday() in working]


def _usual(rows: Sequence[int]) -> bool:
    there = [n for n in rows if n]
    # The one day under suspicion is not counted against its own weekday: in a short history it would acquit itself.
    return bool(there) and len(there) >= EXPECTED_MIN * (len(rows) - 1) and median(there) >= ROWS_MIN


def missing_hours(hours: Sequence[tuple[datetime, int]], without: set[date]) -> list[datetime]:
    """Hours without rows between the first and the last of a source that is written by the hour."""
    first, last = hours[0][0], hours[-1][0]
    total = int((last - first).total_seconds() // 3600) + 1
    there = {hour for hour, _ in hours}
    days = max(total // 24 - len(without), 1)
    of_day = Counter(hour.hour for hour in there)
    if any(of_day[hour] < HOURLY_MIN * (days - 1) for hour in range(24)):
        return []
    every = (first + timedelta(hours=n) for n in range(total))
    return [hour for hour in every if hour not in there and hour.date() not in without]


def runs(instants: Sequence[datetime] | Sequence[date], step: timedelta) -> list[int]:
    """How many follow each other without a pause, per run, the longest first."""
    lengths = [1] if instants else []
    for earlier, later in pairwise(instants):
        if later - earlier == step:
            lengths[-1] += 1
        else:
            lengths.append(1)
    return sorted(lengths, reverse=True)


def _days(this: About, missing: list[date]) -> Finding:
    longest, *others = runs(missing, timedelta(days=1))
    named = ", ".join(str(day) for day in missing[:3]) + (" …" if len(missing) > 3 else "")
    return this.finding(
        "gap-in-time",
        "warns" if longest >= DAYS_WARN and longest >= OVER_OTHERS * max(others, default=0) else "informs",
        this.source.event_time,
        f"Nothing happened on {plural(len(missing), 'day')} in between on which rows usually come ({named}), "
        f"{longest:,} of them in a row at most.",
        "Deliver what is missing, if it is missing.",
        days=len(missing),
        longest=longest,
        first=str(missing[0]),
    )


def _hours(this: About, lost: list[datetime]) -> Finding:
    longest = runs(lost, timedelta(hours=1))[0]
    return this.finding(
        "gap-in-time",
        "warns" if longest >= HOURS_WARN else "informs",
        this.source.event_time,
        f"Rows come every hour, but not in {plural(len(lost), 'hour')}, {longest:,} of them in a row at most; the "
        f"first is {lost[0]:%Y-%m-%d %H:%M}.",
        "Deliver what is missing, if it is missing.",
        hours=len(lost),
        longest=longest,
        first=str(lost[0]),
    )
