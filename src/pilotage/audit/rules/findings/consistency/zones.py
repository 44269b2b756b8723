"""Clocks in another time zone: for a part of the rows, from a date on, or where clocks are put forward and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median

from pilotage.audit.measured.times import Lateness
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, percent
from pilotage.audit.rules.steps import step_of, summed, variation

HOUR = 3600
# Zones lie up to fourteen hours apart.
HOURS_MAX = 14
# The two clocks of a source differ by a narrow margin when half of its rows lie within a quarter of an hour.
NARROW_SECONDS = 900
PART_MIN = 0.002
PART_MAX = 0.5
# Beside a second margin, whole hours away, hardly anything lies between the two.
LONE_TIMES = 5
# The rhythm of the day moved when a fifth of the rows lies elsewhere and a turn by whole hours brings two thirds back.
RHYTHM_MIN = 0.2
RHYTHM_LEFT = 0.35
RHYTHM_OVER_USUAL = 2.0
# Hours at the change of clocks: twice the rows in autumn, none in spring.
DOUBLE_MIN = 1.7
HOUR_ROWS_MIN = 3


def found(this: About) -> Iterator[Finding]:
    """A second margin between the clocks, a turn of the daily rhythm, hours doubled or lost."""
    yield from _second_margin(this)
    yield from _turned(this)
    yield from _changed_clocks(this)


def _second_margin(this: About) -> Iterator[Finding]:
    late = this.figures.times.lateness
    if late is None or late.quantiles[3] - late.quantiles[1] > NARROW_SECONDS:
        return
    usual = late.quantiles[2]
    lumps = _lumps(late, usual)
    if not lumps:
        return
    hours, rows = max(lumps.items(), key=lambda lump: lump[1])
    looked = this.figures.sampled or this.figures.rows
    yield this.finding(
        "time-zone",
        this.severity(this.source.known_at),
        this.source.event_time,
        f"In {percent(rows / looked)} of rows {this.source.event_time} and {this.source.known_at} lie "
        f"{_hours(hours)} {'further' if hours > 0 else 'less'} apart than in the others: a clock in another time zone.",
        "Write all instants in UTC, and repair these.",
        concerns=rows,
        of=looked,
        samples=this.figures.samples.get(f"early {this.source.known_at}", ()),
        sampled=this.figures.sampled,
        hours=hours,
        rows=rows,
    )


def _hours(hours: int) -> str:
    return "1 whole hour" if abs(hours) == 1 else f"{abs(hours)} whole hours"


def _lumps(late: Lateness, usual: float) -> dict[int, int]:
    """Rows that lie whole hours from the usual margin, where nearly none lie half-way: hours → rows."""
    steps = dict(late.steps)
    at = round(usual / NARROW_SECONDS) * NARROW_SECONDS
    looked = sum(steps.values())

    def around(seconds: int) -> int:
        return sum(steps.get(seconds + near, 0) for near in (-NARROW_SECONDS, 0, NARROW_SECONDS))

    found_: dict[int, int] = {}
    for hours in range(-HOURS_MAX, HOURS_MAX + 1):
        if not hours:
            continue
        rows, between = around(at + hours * HOUR), steps.get(at + hours * HOUR + HOUR // 2, 0)
        between += steps.get(at + hours * HOUR - HOUR // 2, 0)
        if PART_MIN * looked <= rows <= PART_MAX * looked and rows >= LONE_TIMES * between:
            found_[hours] = rows
    return found_ if len(found_) <= 2 else {}


def _turned(this: About) -> Iterator[Finding]:
    by_day = hours_by_day(this.figures.times.hours)
    days = sorted(by_day)
    rows = [by_day[day] for day in days]
    step = step_of(rows, 7, summed, variation) if len(days) <= 4000 else None
    if step is None or step.size < RHYTHM_MIN or step.size < RHYTHM_OVER_USUAL * step.usual:
        return
    before, after = summed(rows[: step.at]), summed(rows[step.at :])
    hours = best_turn(before, after)
    left = variation(turned(before, hours), after)
    if not hours or left > RHYTHM_LEFT * variation(before, after):
        return
    if abs(hours) == 1 and near_clock_change(days[step.at]):
        return
    yield this.finding(
        "time-zone",
        "warns",
        this.source.event_time,
        f"Since {days[step.at]} the rhythm of the day lies {_hours(hours)} "
        f"{'later' if hours > 0 else 'earlier'} than before: {this.source.event_time} is written in another time zone.",
        "Write all instants in UTC, and repair one of the two times.",
        concerns=sum(map(sum, rows[step.at :])),
        date=str(days[step.at]),
        hours=hours,
    )


def hours_by_day(hours: Sequence[tuple[datetime, int]]) -> dict[date, tuple[int, ...]]:
    """Rows by hour of the day, per day with rows."""
    found_: dict[date, list[int]] = {}
    for hour, rows in hours:
        found_.setdefault(hour.date(), [0] * 24)[hour.hour] += rows
    return {day: tuple(rows) for day, rows in found_.items()}


def turned(rows: Sequence[int], hours: int) -> tuple[int, ...]:
    """Hours of a day, so many hours later."""
    return tuple(rows[(at - hours) % 24] for at in range(24))


def best_turn(before: Sequence[int], after: Sequence[int]) -> int:
    """By how many hours the first must be turned to come closest to the second, -11 to 12."""
    return min(range(-11, 13), key=lambda hours: (variation(turned(before, hours), after), abs(hours)))


def near_clock_change(day: date) -> bool:
    """Whether clocks are changed within a few days: then a true clock in UTC sees the rhythm move by an hour."""
    return day.month in (3, 4, 9, 10, 11)


def _changed_clocks(this: About) -> Iterator[Finding]:
    hours = dict(this.figures.times.hours)
    counts: Counter[date] = Counter(hour.date() for hour in hours)
    doubled = [hour for hour in _autumn(counts) if _double(hours, hour)]
    lost = [hour for hour in _spring(counts) if hour not in hours and _whole_but_one(counts, hour)]
    if not doubled and not lost:
        return
    parts = [f"the hour of {hour:%Y-%m-%d %H:00} is there twice" for hour in doubled[:2]]
    parts += [f"the hour of {hour:%Y-%m-%d %H:00} is missing" for hour in lost[:2]]
    rows = sum(hours[hour] for hour in doubled)
    yield this.finding(
        "time-zone",
        "warns" if doubled else "informs",
        this.source.event_time,
        f"{this.source.event_time} is written in local time where clocks are changed: {', '.join(parts)}.",
        "Write instants in UTC: of two rows of the doubled hour nobody can tell which came first.",
        concerns=rows,
        doubled=[str(hour) for hour in doubled],
        lost=[str(hour) for hour in lost],
    )


def _autumn(counts: Mapping[date, int]) -> Iterator[datetime]:
    """The hours that are there twice in local time: 01:00 in North America, 01:00 and 02:00 in Europe."""
    for year in sorted({day.year for day in counts}):
        for day, hours in ((_sunday(year, 11, 1), (1,)), (_sunday(year, 11, -1, last_of=10), (1, 2))):
            yield from (datetime.combine(day, time(hour)) for hour in hours if day in counts)


def _spring(counts: Mapping[date, int]) -> Iterator[datetime]:
    for year in sorted({day.year for day in counts}):
        for day, hours in ((_sunday(year, 3, 2), (2,)), (_sunday(year, 4, -1, last_of=3), (1, 2))):
            yield from (datetime.combine(day, time(hour)) for hour in hours if day in counts)


def _sunday(year: int, month: int, which: int, last_of: int = 0) -> date:
    """The first or second Sunday of a month, or the last one of the month before."""
    first = date(year, month, 1)
    first += timedelta(days=(6 - first.weekday()) % 7)
    return first - timedelta(days=7) if last_of else first + timedelta(days=7 * (which - 1))


def _double(hours: Mapping[datetime, int], hour: datetime) -> bool:
    """Twice as many rows as in the same hour of the days around and in the hours beside."""
    same = [hours[other] for n in (-7, -2, -1, 1, 2, 7) if (other := hour + timedelta(days=n)) in hours]
    beside = [hours[other] for n in (-2, -1, 1, 2) if (other := hour + timedelta(hours=n)) in hours]
    if len(same) < 4 or len(beside) < 2 or hour not in hours or max(same) < HOUR_ROWS_MIN:
        return False
    return hours[hour] >= DOUBLE_MIN * max(median(same), median(beside)) and hours[hour] > max(*same, *beside)


def _whole_but_one(counts: Mapping[date, int], hour: datetime) -> bool:
    """A day with every hour but this, between whole days."""
    around = [counts.get(hour.date() + timedelta(days=n), 0) for n in (-2, -1, 1, 2)]
    return counts[hour.date()] == 23 and min(around) == 24
