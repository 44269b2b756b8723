"""Dates that cannot be: too long ago, too far ahead, the zero of a clock, an end before its start."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured.columns import ColumnFigures, DateFigures
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import About, percent
from pilotage.audit.rules.telling_dates import is_ending, is_rewritten

# Where more than this share lies ahead, the column holds plans.
FUTURE_MAX = 0.1
# An end before its start in more rows than this is another meaning of the two names.
WRONG_MAX = 0.2


def found(this: About) -> Iterator[Finding]:
    """Per datetime column, then per pair of a start and an end."""
    for column in this.columns:
        if column.dates is not None:
            yield from _column(this, column, column.dates)
    yield from _ordered(this)


def _column(this: About, column: ColumnFigures, dates: DateFigures) -> Iterator[Finding]:
    late, clocks = this.figures.times.lateness, (this.source.event_time, this.source.known_at)
    plans = late is not None and late.early > FUTURE_MAX * late.rows
    # Rows are written over, closed and deleted long after the last of them came.
    by_right = plans or (column.name not in clocks and (is_rewritten(column.name) or is_ending(column.name)))
    future = 0 if by_right or dates.future > FUTURE_MAX * column.filled else dates.future
    kinds = {
        "before 1900": dates.before_1900,
        "exactly 1970-01-01, the zero of computers' clocks": dates.epoch,
        "after 2100": dates.after_2100,
        "later than the last delivery": max(future - dates.after_2100, 0),
    }
    rows = sum(kinds.values())
    if not rows:
        return
    named = ", ".join(f"{what} in {n:,}" for what, n in kinds.items() if n)
    samples = this.figures.samples
    kept = next((samples[key] for kind in ("before 1900", "epoch", "after 2100", "future")
                 if samples.get(key := f"{kind} {column.name}")), ())  # fmt: skip
    yield this.finding(
        "impossible-dates",
        this.severity(column.name),
        column.name,
        f"{column.name} is {named} of {column.filled:,} rows.",
        "Have missing dates delivered as missing, and wrong ones repaired.",
        concerns=rows,
        of=column.filled,
        samples=kept,
        rows=rows,
    )


def _ordered(this: About) -> Iterator[Finding]:
    wrong = [pair for pair in this.figures.times.ordered if 0 < pair.wrong <= WRONG_MAX * pair.rows]
    # Where several columns name the start, one finding per end is enough.
    for pair in {pair.end: pair for pair in sorted(wrong, key=lambda pair: pair.wrong)}.values():
        used: Severity = "warns" if {pair.start, pair.end} & this.needed else "informs"
        yield this.finding(
            "impossible-dates",
            used,
            pair.end,
            f"{pair.end} lies before {pair.start} in {pair.wrong:,} of {pair.rows:,} rows "
            f"({percent(pair.wrong / pair.rows)}).",
            "Find out which of the two is wrong: swapped, in another time zone, or a day off after midnight.",
            concerns=pair.wrong,
            of=pair.rows,
            samples=this.figures.samples.get(f"wrong order {pair.start}, {pair.end}", ()),
            rows=pair.wrong,
        )
