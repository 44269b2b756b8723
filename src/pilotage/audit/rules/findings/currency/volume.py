"""How many rows there are a day: breaks for good, and single days far off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import exp, log
from statistics import fmean, median

from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About
from pilotage.audit.rules.findings.currency.gaps import days_of
from pilotage.audit.rules.steps import step_of
from pilotage.platform.counting import plural

# Three weeks show what is usual on a weekday; fewer rows a day scatter too much by themselves.
DAYS_MIN = 21
ROWS_MIN = 20
WEEK = 7
# A break for good is by half as much again, and several times what the count does anyway between two weeks.
BREAK_MIN = log(1.5)
BREAK_OVER_USUAL = 3.0
BREAK_OVER_INSIDE = 3.0
# A single day stands out at double or half its weekday's usual and beyond eight deviations. Real days do that (a storm,
# a sale): to be known. At a tenth or at ten times it is rather the delivery that failed.
DAY_MIN = log(2)
DAY_DEVIATIONS = 8.0
DAY_WARNS = log(10)
# The median absolute deviation of a normal law is this part of its standard deviation.
MAD = 0.6745


def found(this: About) -> Iterator[Finding]:
    """The largest break, and days far off."""
    by_day = days_of(this.figures.times.hours)
    if len(by_day) < DAYS_MIN or median(by_day.values()) < ROWS_MIN:
        return
    days, logs = logarithms(by_day)
    # A window of a week has each weekday once.
    counts = [log(by_day[day]) for day in days]
    step = step_of(counts, WEEK, fmean, lambda before, after: abs(after - before))
    if (
        step
        and step.size >= BREAK_MIN
        and step.lasting >= 0.6 * step.size
        and step.size >= BREAK_OVER_USUAL * step.usual
        and step.size >= BREAK_OVER_INSIDE * median([abs(value - _around(logs, at)) for at, value in enumerate(logs)])
    ):
        yield _break(this, by_day, days, step.at)
        # Measured against both levels at once, every day of the shorter one would be far off.
        return
    yield from _days(this, by_day, days, logs)


def logarithms(by_day: Mapping[date, int]) -> tuple[list[date], list[float]]:
    """Days with rows but for the first and the last, which may be cut, and the logarithm of their rows over what the
    weekday usually has."""
    days = sorted(by_day)[1:-1]
    weekdays: dict[int, list[float]] = defaultdict(list)
    for day in days:
        weekdays[day.weekday()].append(log(by_day[day]))
    usual = {weekday: median(logs) for weekday, logs in weekdays.items()}
    return days, [log(by_day[day]) - usual[day.weekday()] for day in days]


def _break(this: About, by_day: Mapping[date, int], days: Sequence[date], at: int) -> Finding:
    before = median([by_day[day] for day in days[:at]])
    after = median([by_day[day] for day in days[at:]])
    return this.finding(
        "volume-break",
        "warns",
        this.source.event_time,
        f"Since {days[at]} there are {after:,.0f} rows a day, before there were {before:,.0f}.",
        "Ask what was added or left out then. What comes in windows means something else since.",
        concerns=sum(by_day[day] for day in days[at:]),
        date=str(days[at]),
        before=before,
        after=after,
    )


def _days(this: About, by_day: Mapping[date, int], days: Sequence[date], logs: Sequence[float]) -> Iterator[Finding]:
    local = [value - _around(logs, at) for at, value in enumerate(logs)]
    deviation = median([abs(value) for value in local]) / MAD
    limit = max(DAY_MIN, DAY_DEVIATIONS * deviation)
    far = [at for at, value in enumerate(local) if abs(value) >= limit]
    if not far:
        return
    worst = max(far, key=lambda at: abs(local[at]))
    usual = by_day[days[worst]] / exp(local[worst])
    yield this.finding(
        "volume-break",
        "warns" if abs(local[worst]) >= DAY_WARNS else "informs",
        this.source.event_time,
        f"{plural(len(far), 'day')} {'has' if len(far) == 1 else 'have'} far more or fewer rows than that weekday "
        f"usually has, such as {days[worst]} with {by_day[days[worst]]:,} in place of about {usual:,.0f}.",
        "Ask whether that happened, or whether a delivery was cut or came twice.",
        concerns=sum(by_day[days[at]] for at in far),
        days=[str(days[at]) for at in far[:10]],
    )


def _around(logs: Sequence[float], at: int) -> float:
    """The level of the two weeks around a day, which follows seasons."""
    return median(logs[max(at - WEEK, 0) : at + WEEK + 1])
