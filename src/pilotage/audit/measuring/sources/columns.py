"""Every column of a source in few scans: what is filled, how numbers lie, which dates can hardly be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from pilotage.audit.measured.columns import FENCES, ColumnFigures, DateFigures, NumberFigures, Spike, Value
from pilotage.audit.measuring.sources.place import Place, chunks, instant, number
from pilotage.audit.measuring.sources.texts import measure_text
from pilotage.data.records import FoundColumn
from pilotage.platform.quoting import quoted

# How many columns of a source are looked at value by value: further ones are counted only.
COLUMNS_MAX = 500
YEAR_DAYS = 366
# How many distinct values are named at each end.
_NAMED = 6
_SHARES = "[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]"
# Dates that programs write for "no date": the zero of Excel, of SQL Server, of .NET, the ends of their calendars.
_NO_DATES = (
    "0001-01-01",
    "1753-01-01",
    "1899-12-30",
    "1899-12-31",
    "1900-01-01",
    "2099-12-31",
    "2999-12-31",
    "9999-12-31",
)
_LONG_AGO = datetime.fromisoformat("1900-01-02")
_EPOCH = datetime.fromisoformat("1970-01-01")
_FAR = datetime.fromisoformat("2099-12-31")


def measure_columns(place: Place, known_to: datetime | None) -> dict[str, ColumnFigures]:
    """Figures by column, in the order of the source."""
    counted: dict[str, Any] = {}
    lain: dict[str, tuple[int, list[float] | None]] = {}
    for some in chunks(place.columns):
        counted |= _counted(place, some, known_to)
        lain |= _lain(place, some)
    looked = {column.name for column in place.columns[:COLUMNS_MAX]}
    return {c.name: _figures(place, c, counted[c.name], lain[c.name], c.name in looked) for c in place.columns}


def _figures(
    place: Place, column: FoundColumn, counted: dict[str, Any], lain: tuple[int, list[float] | None], looked: bool
) -> ColumnFigures:
    distinct, quantiles = lain
    filled = counted["filled"]
    figures = ColumnFigures(column.name, column.type, filled, distinct)
    if not filled:
        return figures
    if column.type == "number" and counted["low"] is not None:
        return _with_number(place, figures, counted, quantiles, looked)
    if column.type == "text" and looked:
        return ColumnFigures(
            column.name, column.type, filled, distinct, text=measure_text(place, column.name, distinct)
        )
    if column.type == "datetime":
        none = counted.get("no_dates") or {}
        dates = DateFigures(
            before_1900=counted.get("before_1900", 0),
            epoch=counted.get("epoch", 0),
            after_2100=counted.get("after_2100", 0),
            future=counted.get("future", 0),
            ahead=str(counted.get("ahead") or ""),
            placeholders=tuple(Value(text, rows) for text, rows in sorted(none.items())),
        )
        return ColumnFigures(column.name, column.type, filled, distinct, dates=dates)
    return figures


def _counted(place: Place, columns: Sequence[FoundColumn], known_to: datetime | None) -> dict[str, dict[str, Any]]:
    """Exact counts of all rows, by column and kind of count: first the ends, then what they leave possible."""
    found = _asked(place, {column.name: _ends(column) for column in columns})
    further = {}
    for column in columns:
        ends = found[column.name]
        if column.type == "number":
            further[column.name] = _of_number(number(column.name), ends)
        elif column.type == "datetime":
            ends["ahead"] = _ahead(place, column.name, known_to)
            further[column.name] = _of_dates(instant(column.name), ends, ends["ahead"])
    for name, counts in _asked(place, further).items():
        found[name] |= counts
    return found


def _asked(place: Place, wanted: dict[str, dict[str, str]]) -> dict[str, dict[str, Any]]:
    """One statement for all, its answers by column and kind."""
    flat = [(name, kind, sql) for name, kinds in wanted.items() for kind, sql in kinds.items()]
    found: dict[str, dict[str, Any]] = {name: {} for name in wanted}
    if not flat:
        return found
    row = place.one(f"SELECT {', '.join(sql for *_, sql in flat)} FROM {place.whole}")
    for (name, kind, _), value in zip(flat, row, strict=True):
        found[name][kind] = value
    return found


def _ends(column: FoundColumn) -> dict[str, str]:
    name = quoted(column.name)
    counts = {"filled": f"count({name})"}
    if column.type == "number":
        counts |= {"low": f"TRY_CAST(min({name}) AS DOUBLE)", "high": f"TRY_CAST(max({name}) AS DOUBLE)"}
    if column.type == "datetime":
        counts |= {"first": f"min({instant(column.name)})", "last": f"max({instant(column.name)})"}
    return counts


def _of_number(x: str, ends: dict[str, Any]) -> dict[str, str]:
    """Negatives and zeros where the ends allow them; the finite ends where those found are not finite."""
    low, high = ends["low"], ends["high"]
    if low is None:
        return {}
    counts = {}
    if low < 0:
        counts["negatives"] = f"count(*) FILTER ({x} < 0)"
    if low <= 0 <= high or not isfinite(high):
        counts["zeros"] = f"count(*) FILTER ({x} = 0)"
    if not isfinite(low) or not isfinite(high):
        counts["not_finite"] = f"count(*) FILTER (NOT isfinite({x}))"
        counts |= {"low": f"min({x}) FILTER (isfinite({x}))", "high": f"max({x}) FILTER (isfinite({x}))"}
    return counts


def _of_dates(at: str, ends: dict[str, Any], ahead: datetime | None) -> dict[str, str]:
    first, last = ends["first"], ends["last"]
    if first is None:
        return {}
    none = ", ".join(f"DATE '{day}'" for day in _NO_DATES)
    day = f"CAST({at} AS DATE)"
    counts = {}
    if first <= _EPOCH:
        counts["before_1900"] = f"count(*) FILTER ({at} < TIMESTAMP '1900-01-01' AND {day} NOT IN ({none}))"
        counts["epoch"] = f"count(*) FILTER ({at} = TIMESTAMP '1970-01-01')"
    if last >= _FAR:
        counts["after_2100"] = f"count(*) FILTER ({at} >= TIMESTAMP '2100-01-01' AND {day} NOT IN ({none}))"
    if first < _LONG_AGO or last >= _FAR:
        counts["no_dates"] = f"histogram(CAST({day} AS VARCHAR)) FILTER ({day} IN ({none}))"
    if ahead and last > ahead:
        counts["future"] = f"count(*) FILTER ({at} > TIMESTAMP '{ahead}' AND {at} < TIMESTAMP '2099-12-31')"
    return counts


def _ahead(place: Place, column: str, known_to: datetime | None) -> datetime | None:
    """From when on a date has hardly happened: what is due, or expires, may well lie months ahead.

    Where one clock stands for both, nobody says when a row was last written: it may tell of what came years later.
    """
    if known_to is None:
        return None
    source = place.source
    clock = column in (source.event_time, source.known_at)
    days = 1 if clock else YEAR_DAYS if source.event_time != source.known_at else 10 * YEAR_DAYS
    return known_to.replace(tzinfo=None) + timedelta(days=days)


def _lain(place: Place, columns: Sequence[FoundColumn]) -> dict[str, tuple[int, list[float] | None]]:
    """Of the rows looked at: about how many distinct values, and a number's quantiles."""
    wanted = []
    for column in columns:
        wanted.append(f"approx_count_distinct({quoted(column.name)})")
        x = number(column.name)
        numeric = column.type == "number"
        wanted.append(f"quantile_disc({x}, {_SHARES}) FILTER (isfinite({x}))" if numeric else "NULL")
    row = place.one(f"SELECT {', '.join(wanted)} FROM {place.looked}")
    return {column.name: (row[2 * at], row[2 * at + 1]) for at, column in enumerate(columns)}


def _with_number(
    place: Place, figures: ColumnFigures, counted: dict[str, Any], quantiles: list[float] | None, looked: bool
) -> ColumnFigures:
    at = tuple(quantiles or ())
    named: dict[str, Any] = _values(place, figures.name, at) if looked and at else {}
    return ColumnFigures(
        figures.name,
        figures.type,
        figures.filled,
        named.get("distinct", figures.distinct),
        number=NumberFigures(
            low=counted["low"],
            high=counted["high"],
            negatives=counted.get("negatives", 0),
            zeros=counted.get("zeros", 0),
            not_finite=counted.get("not_finite", 0),
            quantiles=at,
            **named,
        ),
    )


def _values(place: Place, name: str, quantiles: tuple[float, ...]) -> dict[str, Any]:
    """The values at the ends and the most frequent, from one count of values."""
    low, high = quantiles[2], quantiles[4]
    reach = FENCES * (high - low)
    beyond = f"value < {low - reach!r} OR value > {high + reach!r}" if reach > 0 else "false"
    pair = "{'value': value, 'n': n}"
    lowest, highest, frequent, distinct, far, rows = place.one(
        f"""WITH counted AS (
            SELECT {number(name)} AS value, count(*) AS n FROM {place.looked} WHERE isfinite({number(name)}) GROUP BY 1)
        SELECT arg_min({pair}, value, {_NAMED}), arg_max({pair}, value, {_NAMED}),
            arg_max({pair}, [n, -value], {_NAMED}), count(*), COALESCE(sum(n) FILTER ({beyond}), 0), sum(n)
        FROM counted"""
    )
    return {
        "lowest": _spikes(lowest),
        "highest": _spikes(highest),
        "frequent": _spikes(frequent),
        "distinct": distinct,
        "beyond": int(far),
        "looked_at": int(rows or 0),
    }


def _spikes(pairs: list[dict[str, Any]] | None) -> tuple[Spike, ...]:
    return tuple(Spike(pair["value"], pair["n"]) for pair in pairs or ())
