"""What a column means changed on a date: another unit, another scale, other codes.

A change is told from seasons and noise by comparison: it must be several times what the same column does between any
other two neighbouring windows, several times what its periods stray within a window, and it must last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from math import exp, log
from statistics import median

from pilotage.audit.measured.times import Histogram, Quantiles
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import About, percent
from pilotage.audit.rules.steps import Step, factor, middle, shift, step_of, summed, variation

# Windows of a week of days, or of four longer periods.
WINDOW_DAYS = 7
WINDOW_PERIODS = 4
OVER_USUAL = 3.0
# A factor has more evidence than its size: what it explains, and that the span took it, too.
OVER_USUAL_SCALE = 2.5
OVER_INSIDE = 3.0
# Weather drifts from week to week as far as some changes go, but a change comes overnight.
OVER_EDGES = 2.0
LASTING = 0.6
# In twelve months of weather, columns that nobody changed came as far as 5, 4.5 and 3.5 times; a shift that somebody
# shall act on must go further. What changes unit or codes has more evidence than its size.
OVER_USUAL_CERTAIN = 6.0
OVER_EDGES_CERTAIN = 4.0
# A cold front in the first or last days of a month looks like a change for good.
SIDE_SHIFT_MIN = 5
# A quarter of the column's span is a shift that a person sees on a chart; a tenth of the rows in another category, too.
SHIFT_MIN = 0.25
VARIATION_MIN = 0.1
# Between categories, small periods stray by chance alone.
VARIATION_OVER_INSIDE = 2.0
VARIATION_OVER_EDGES = 1.0
# A factor below this is a season; one above FACTOR_ANY is a change of scale whatever its name.
FACTOR_MIN = 1.4
FACTOR_ANY = 3.0
# How far a known factor may be missed, and how much of the quantiles a mere factor may leave unexplained.
FACTOR_NEAR = 0.06
FACTOR_EXACT = 0.02
UNEXPLAINED_MAX = 0.25
# How far, in spans, a temperature may be from what the other unit would make of it: it also warmed or cooled meanwhile.
DEGREES_NEAR = 0.75
# How far, as a logarithm, the factor between the spans may be from the one between the values.
SPAN_NEAR = 0.4
# A code was replaced when it had at least one row in a hundred and vanished as another appeared, of about its size.
CODE_SHARE = 0.01
CODE_PERIODS = 0.9

_FACTORS = (
    (0.3048, "feet and metres"),
    (1.609344, "miles and kilometres"),
    (1.852, "nautical miles and kilometres"),
    (2.54, "inches and centimetres"),
    (25.4, "inches and millimetres"),
    (0.45359237, "pounds and kilograms"),
    (3.785411784, "gallons and litres"),
    (33.8638866667, "inches of mercury and millibars"),
    (2.2369362921, "metres per second and miles per hour"),
    (3.6, "metres per second and kilometres per hour"),
    (1.94384449, "metres per second and knots"),
    (60.0, "minutes and hours, or seconds and minutes"),
    (24.0, "hours and days"),
    (1440.0, "minutes and days"),
    (3600.0, "seconds and hours"),
    (7.0, "days and weeks"),
    (12.0, "months and years, or dozens"),
    (100.0, "cents and whole units, or percent and shares"),
    (10.0, "a decimal point"),
    (1000.0, "thousands, or grams and kilograms"),
    (1024.0, "kilobytes and bytes"),
    (1_000_000.0, "millions"),
)
# Columns that tell the time change with it.
_CALENDAR = re.compile(
    r"(?i)(^|[_ .-])(year|quarter|month|week|day|date|season|period|weekday|hour|minute|yyyymm)($|[_ .-])"
)


def found(this: About) -> Iterator[Finding]:
    """Per column the largest change, if it is one."""
    periods = this.figures.times.periods
    window = WINDOW_DAYS if periods.days == 1 else WINDOW_PERIODS
    for name, quantiles in periods.numbers.items():
        if not _CALENDAR.search(name):
            yield from _number(this, name, quantiles, window)
    for name, histogram in periods.categories.items():
        if not _CALENDAR.search(name):
            yield from _category(this, name, histogram, window)


def lasting(
    step: Step, over_inside: float = OVER_INSIDE, over_edges: float = OVER_EDGES, over_usual: float = OVER_USUAL
) -> bool:
    """Whether a change is far larger than usual and stays."""
    return (
        step.size >= over_usual * step.usual
        and step.size >= over_inside * step.inside
        and step.lasting >= LASTING * step.size
        and step.edge >= over_edges * step.edges
    )


def _number(this: About, name: str, periods: Sequence[Quantiles | None], window: int) -> Iterator[Finding]:
    there = [
        (start, p.at) for start, p in zip(this.figures.times.periods.starts, periods, strict=True) if p is not None
    ]
    rows = [at for _, at in there]
    scaled = _scaled(rows, window)
    if scaled is not None:
        at, units = scaled
        yield _unit_changed(this, name, there[at][0], *_beside(rows, at, window), units)
        return
    moved = step_of(rows, window, middle, shift)
    if moved is None or moved.size < SHIFT_MIN or not lasting(moved, over_edges=0):
        return
    if not SIDE_SHIFT_MIN <= moved.at <= len(rows) - SIDE_SHIFT_MIN:
        return
    # Weather moves the best place by days from that of the step; the other unit is evidence enough beside it.
    overnight = _sharpest(rows, moved.at)
    before, after = _beside(rows, overnight, window)
    if _degrees(before, after):
        yield _unit_changed(this, name, there[overnight][0], before, after, "degrees Fahrenheit and Celsius")
    elif lasting(moved):
        before, after = _beside(rows, moved.at, window)
        sure = moved.size >= OVER_USUAL_CERTAIN * max(moved.usual, moved.inside)
        sure = sure and moved.edge >= OVER_EDGES_CERTAIN * moved.edges
        yield _moved(this, name, there[moved.at][0], before, after, this.severity(name) if sure else "informs")


def _sharpest(rows: Sequence[Sequence[float]], at: int) -> int:
    """The period nearby that differs most from the one before it."""
    nearby = range(max(at - SIDE_SHIFT_MIN, 1), min(at + SIDE_SHIFT_MIN, len(rows) - 1) + 1)
    return max(nearby, key=lambda place: shift(rows[place - 1], rows[place]))


def _beside(rows: Sequence[Sequence[float]], at: int, window: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The usual quantiles just before and just after a change, where seasons have not moved them."""
    return middle(rows[max(at - window, 0) : at]), middle(rows[at : at + window])


def _scaled(rows: Sequence[tuple[float, ...]], window: int) -> tuple[int, str] | None:
    """The period since which numbers are in another unit, and the likely units; None where they are not."""
    step = step_of(rows, window, middle, lambda a, b: abs(log(factor(a, b)[0])))
    if step is not None and lasting(step, over_usual=OVER_USUAL_SCALE):
        before, after = _beside(rows, step.at, window)
        units = _units(*factor(before, after)) if _widened(before, after) else None
        if units is not None:
            return step.at, units
    return _scaled_ends(rows, window)


def _scaled_ends(rows: Sequence[tuple[float, ...]], window: int) -> tuple[int, str] | None:
    """The same told by the median, the upper quartile or the 95 % alone, where one of them hardly ever moves."""
    for place in (4, 3, 2):
        values = [at[place] for at in rows]
        if not rows or min(at[2] for at in rows) <= 0:
            continue
        step = step_of(values, window, median, lambda a, b: abs(log(b / a)))
        if step is None or not lasting(step) or step.inside > FACTOR_EXACT:
            continue
        before, after = _beside(rows, step.at, window)
        alike = all(abs(abs(log(after[n] / before[n])) - step.size) <= 2 * FACTOR_EXACT for n in (2, 3, 4))
        units = _known(exp(step.size), FACTOR_EXACT)
        if units and alike and step.size >= log(FACTOR_MIN):
            return step.at, units
    return None


def _known(large: float, near: float) -> str:
    """The units between which a factor above one lies, or nothing."""
    return next((words for known, words in _FACTORS if abs(log(large / max(known, 1 / known))) <= near), "")


def _units(scale: float, unexplained: float) -> str | None:
    """What a factor between quantiles may be; None where it is no change of scale."""
    large = max(scale, 1 / scale)
    if large < FACTOR_MIN or unexplained > UNEXPLAINED_MAX:
        return None
    return _known(large, FACTOR_NEAR) or ("" if large >= FACTOR_ANY else None)


def _widened(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether the spans of the values took the same factor as the values: a mere shift leaves them as they are."""
    scale, _ = factor(before, after)
    spans = [(at[-1] - at[0], at[3] - at[1]) for at in (before, after)]
    near = max(SPAN_NEAR, SPAN_NEAR * abs(log(scale)))
    return all(a > 0 and b > 0 and abs(log(b / a / scale)) <= near for a, b in zip(*spans, strict=True))


def _degrees(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether one side is the other's temperature in the other unit."""

    def fits(fahrenheit: Sequence[float], celsius: Sequence[float]) -> bool:
        expected = [(f - 32) / 1.8 for f in fahrenheit]
        return shift(expected, celsius) < min(DEGREES_NEAR, shift(fahrenheit, celsius) / 4)

    return fits(before, after) or fits(after, before)


def _unit_changed(
    this: About, name: str, day: date, before: Sequence[float], after: Sequence[float], units: str
) -> Finding:
    scale, _ = factor(before, after)
    likely = f": likely {units}" if units else ""
    return this.finding(
        "unit-changed",
        this.severity(name),
        name,
        f"Since {day} {name} is about {scale:.4g} times what it was{likely}. Its median went from {before[2]:.4g} to "
        f"{after[2]:.4g}.",
        "Agree on one unit and convert what was written in the other.",
        concerns=_since(this, day),
        sampled=this.figures.sampled,
        date=str(day),
        factor=scale,
        units=units,
        before=before[2],
        after=after[2],
    )


def _moved(
    this: About, name: str, day: date, before: Sequence[float], after: Sequence[float], severity: Severity
) -> Finding:
    return this.finding(
        "meaning-changed",
        severity,
        name,
        f"On {day} {name} moved for good: nine in ten values lay between {before[0]:.4g} and {before[-1]:.4g} (median "
        f"{before[2]:.4g}), since then between {after[0]:.4g} and {after[-1]:.4g} (median {after[2]:.4g}).",
        "Ask what changed in the system that day. Train on the time since, or on a column that means the same before.",
        concerns=_since(this, day),
        sampled=this.figures.sampled,
        date=str(day),
        before=before[2],
        after=after[2],
    )


def _category(this: About, name: str, histogram: Histogram, window: int) -> Iterator[Finding]:
    starts = this.figures.times.periods.starts
    there = [(start, counts) for start, counts in zip(starts, histogram.rows, strict=True) if sum(counts)]
    rows = [counts for _, counts in there]
    step = step_of(rows, window, summed, variation)
    if step is None:
        return
    if step.size >= VARIATION_MIN and lasting(step, VARIATION_OVER_INSIDE, VARIATION_OVER_EDGES):
        yield _codes_moved(
            this, name, there[step.at][0], histogram.values, summed(rows[: step.at]), summed(rows[step.at :])
        )
        return
    replaced = _replaced(histogram.values, rows)
    if replaced is not None:
        at, old, new = replaced
        yield this.finding(
            "meaning-changed",
            this.severity(name),
            name,
            f"Since {there[at][0]} {name} has {new!r}, and {old!r} no more, which had been there throughout.",
            "Ask whether one code took the other's place, and write one of them throughout.",
            concerns=_since(this, there[at][0]),
            sampled=this.figures.sampled,
            date=str(there[at][0]),
            old=old,
            new=new,
        )


def _codes_moved(
    this: About, name: str, day: date, values: Sequence[str], before: Sequence[int], after: Sequence[int]
) -> Finding:
    one, other = sum(before), sum(after)
    moves = sorted(
        ((b / other - a / one, value, a / one, b / other) for value, a, b in zip(values, before, after, strict=True)),
        key=lambda move: (-abs(move[0]), move[1]),
    )
    named = ", ".join(f"{value!r} from {percent(a)} to {percent(b)}" for _, value, a, b in moves[:3])
    return this.finding(
        "meaning-changed",
        this.severity(name),
        name,
        f"On {day} the shares of {name} changed for good: {named}.",
        "Ask what changed in the system that day: new codes, another rule, another part of the world.",
        concerns=_since(this, day),
        sampled=this.figures.sampled,
        date=str(day),
        variation=variation(before, after),
    )


def _replaced(values: Sequence[str], rows: Sequence[Sequence[int]]) -> tuple[int, str, str] | None:
    """The period at which one value vanished and another appeared, with both; None where that did not happen."""
    spans = {}
    total = sum(map(sum, rows))
    for place, value in enumerate(values):
        there = [at for at, counts in enumerate(rows) if counts[place]]
        if sum(counts[place] for counts in rows) >= CODE_SHARE * total:
            spans[value] = (there[0], there[-1] + 1, len(there), sum(rows[at][place] for at in there))
    for old, (begins, ends, periods, count) in spans.items():
        if begins or ends > len(rows) - 3 or ends < 3 or periods < CODE_PERIODS * ends:
            continue
        for new, (since, until, later, new_count) in spans.items():
            # On the day of the change itself both may be there.
            if not ends - 1 <= since <= ends or until < len(rows) or later < CODE_PERIODS * (until - since):
                continue
            if 0.5 <= (new_count / later) / (count / periods) <= 2:
                return since, old, new
    return None


def _since(this: About, day: date) -> int:
    periods = this.figures.times.periods
    return sum(rows for start, rows in zip(periods.starts, periods.rows, strict=True) if start >= day)
