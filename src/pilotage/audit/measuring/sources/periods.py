"""A source cut into periods of equal length: what is missing, how numbers lie and which categories occur in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from pilotage.audit.measured.times import Histogram, Periods, Quantiles
from pilotage.audit.measuring.sources.place import Place, chunks, number
from pilotage.data.records import FoundColumn
from pilotage.platform.quoting import quoted

# A day shows the date of a change best; where that makes too many periods, whole weeks, so that weekdays do not matter.
_DAYS = (1, 7, 14, 28, 56, 91, 182, 364)
_PERIODS_MAX = 100
_PERIODS_MIN = 8
# The quantiles of fewer rows say little.
_ROWS_MIN = 30
# A column with up to this many values is compared value by value.
_CATEGORIES_MAX = 200
# A number with up to this many values is a code.
_CODES_MAX = 12
# How many columns are looked at along time, of numbers and of categories each.
_COLUMNS_MAX = 500


def measure_periods(place: Place, first: date, last: date, distinct: dict[str, int]) -> Periods:
    """Figures by period between two days; ``distinct`` is about how many values each column has."""
    days, number_of = _length((last - first).days + 1, place.rows)
    if not days:
        return Periods()
    start = last + timedelta(days=1) - number_of * timedelta(days=days)
    from_, to = (datetime.combine(day, time()) for day in (start, last + timedelta(days=1)))
    at = place.event_time
    period = f"CAST(floor((epoch({at}) - epoch(TIMESTAMP '{from_}')) / {days * 86_400}) AS INTEGER)"
    within = f"WHERE {at} >= TIMESTAMP '{from_}' AND {at} < TIMESTAMP '{to}'"
    rows, missing = _missing(place, period, within, number_of)
    own = {*place.source.key, place.source.event_time, place.source.known_at}
    others = [c for c in place.columns if c.name not in own and distinct.get(c.name, 0) > 1]
    codes = [c for c in others if c.type != "datetime" and distinct[c.name] <= _many(c)]
    numbers = [c for c in others if c.type == "number" and c not in codes][:_COLUMNS_MAX]
    return Periods(
        days=days,
        starts=tuple(start + n * timedelta(days=days) for n in range(number_of)),
        rows=rows,
        missing=missing,
        numbers=_numbers(place, period, within, numbers, number_of),
        categories={c.name: _histogram(place, period, within, c.name, number_of) for c in codes[:_COLUMNS_MAX]},
    )


def _many(column: FoundColumn) -> int:
    return _CODES_MAX if column.type == "number" else _CATEGORIES_MAX


def _length(days: int, rows: int) -> tuple[int, int]:
    """Days per period and how many periods; (0, 0) where there is too little to compare."""
    for length in _DAYS:
        periods = days // length
        if periods < _PERIODS_MIN:
            break
        if periods <= _PERIODS_MAX and rows / periods >= _ROWS_MIN:
            return length, periods
    return 0, 0


def _missing(
    place: Place, period: str, within: str, number_of: int
) -> tuple[tuple[int, ...], dict[str, tuple[int, ...]]]:
    """Rows by period, and by column those without a value: exact."""
    rows = [0] * number_of
    missing: dict[str, tuple[int, ...]] = {}
    for some in chunks(place.columns):
        counts = ", ".join(f"count(*) - count({quoted(column.name)})" for column in some)
        found = {n: rest for n, *rest in place.all(
            f"SELECT {period} AS period, count(*), {counts} FROM {place.whole} {within} GROUP BY 1"
        )}  # fmt: skip
        rows = [found[n][0] if n in found else 0 for n in range(number_of)]
        for at, column in enumerate(some):
            by_period = tuple(found[n][at + 1] if n in found else 0 for n in range(number_of))
            if any(by_period):
                missing[column.name] = by_period
    return tuple(rows), missing


def _numbers(
    place: Place, period: str, within: str, columns: Sequence[FoundColumn], number_of: int
) -> dict[str, tuple[Quantiles | None, ...]]:
    figures: dict[str, tuple[Quantiles | None, ...]] = {}
    for some in chunks(columns):
        finite = [f"isfinite({number(column.name)})" for column in some]
        wanted = ", ".join(
            f"count(*) FILTER ({is_finite}), "
            f"quantile_disc({number(column.name)}, [0.05, 0.25, 0.5, 0.75, 0.95]) FILTER ({is_finite})"
            for column, is_finite in zip(some, finite, strict=True)
        )
        found = {
            n: rest for n, *rest in place.all(f"SELECT {period}, {wanted} FROM {place.looked} {within} GROUP BY 1")
        }
        for at, column in enumerate(some):
            figures[column.name] = tuple(
                Quantiles(found[n][2 * at], tuple(found[n][2 * at + 1]))
                if n in found and found[n][2 * at] >= _ROWS_MIN
                else None
                for n in range(number_of)
            )
    return figures


def _histogram(place: Place, period: str, within: str, name: str, number_of: int) -> Histogram:
    value = f"CAST({quoted(name)} AS VARCHAR)"
    counted = place.all(
        f"SELECT {period}, {value}, count(*) FROM {place.looked} {within} AND {quoted(name)} IS NOT NULL GROUP BY 1, 2"
    )
    values = tuple(sorted({text for _, text, _ in counted}))
    places = {text: at for at, text in enumerate(values)}
    rows = [[0] * len(values) for _ in range(number_of)]
    for n, text, count in counted:
        rows[n][places[text]] = count
    return Histogram(values, tuple(tuple(row) for row in rows))
