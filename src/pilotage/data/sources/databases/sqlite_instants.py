"""Instants in SQLite, which has no type for them: ISO text in several forms, or numbers.

What a number counts is judged by its size: 20240131 is a day; up to 1e11 seconds since 1970, up to 1e14 milliseconds,
up to 1e17 microseconds, beyond nanoseconds; a fraction between 1.7 and 5.4 million is a Julian day, as SQLite's own
functions make it.
"""

from __future__ import annotations

from datetime import timedelta

from pilotage.data.records import Span
from pilotage.platform.instants import as_utc

_DIGITS = "[0-9]"
_DATE = "-".join([_DIGITS * 4, _DIGITS * 2, _DIGITS * 2])
_DAY = timedelta(days=1)
_FIRST, _LAST = "1000-", "3000-"
"""Years between which text is taken for an instant. With the dash SQLite never compares them as numbers."""


def is_date(name: str) -> str:
    """SQL: whether a value is text that begins like 2024-01-31, and goes on as an instant does if at all."""
    return f"({name} GLOB '{_DATE}' OR {name} GLOB '{_DATE}[ Tt]{_DIGITS}*')"


def is_plausible(name: str) -> str:
    """SQL: whether a number has the size of an instant: seconds since May 1970, what else is counted, or 0."""
    return f"{name} = 0 OR abs({name}) >= 1e7 OR {_is_julian(name)}"


def instant(name: str) -> str:
    """SQL of a value as ISO text; text as it is, empty text as null."""
    whole = f"CAST({name} AS INTEGER)"
    number = (
        f"CASE WHEN {_is_julian(name)} THEN strftime('%Y-%m-%d %H:%M:%f', {name})"
        f" WHEN {name} BETWEEN 19000101 AND 22001231"
        f" THEN printf('%04d-%02d-%02d', {whole} / 10000, {whole} / 100 % 100, {whole} % 100)"
        f" WHEN abs({name}) < 1e11 THEN {_since_1970(name, 1)} WHEN abs({name}) < 1e14 THEN {_since_1970(name, 1_000)}"
        f" WHEN abs({name}) < 1e17 THEN {_since_1970(name, 1_000_000)} ELSE {_since_1970(name, 1_000_000_000)} END"
    )
    text = f"nullif(CAST({name} AS TEXT), '')"
    return f"CASE WHEN typeof({name}) IN ('integer', 'real') THEN {number} ELSE {text} END"


def moment(name: str) -> str:
    """SQL of a value as ``2024-01-31 00:00:00.000`` in UTC; null where SQLite does not know the form."""
    return f"strftime('%Y-%m-%d %H:%M:%f', {instant(name)})"


def within(name: str, span: Span, numbers: bool) -> str:
    """SQL that lets no row of the span out, whatever offsets from UTC its text has.

    Text of an instant may lie 14 hours after UTC's or 12 before, so that a day's margin on both sides is enough. What
    begins with no year from 1000 to 2999 is let through: it is no instant, and the caller says so. So are numbers
    where a sample had none.
    """
    low = f"{as_utc(span.after) - _DAY:%Y-%m-%d}" if span.after else _FIRST
    high = f"{as_utc(span.until) + 2 * _DAY:%Y-%m-%d}" if span.until else _LAST
    value = instant(name) if numbers else name
    unknown = f"{value} >= '{_LAST}' OR ({value} < '{_FIRST}' AND {value} <> '')"
    return f"(({value} >= '{low}' AND {value} < '{high}') OR {unknown})"


def _is_julian(name: str) -> str:
    return f"(typeof({name}) = 'real' AND {name} BETWEEN 1721425.5 AND 5373484.5)"


def _since_1970(name: str, unit: int) -> str:
    """SQL of a count of so many units a second as ISO text to the microsecond, rounded down."""
    whole = f"CAST({name} AS INTEGER)"
    seconds = f"({whole} / {unit} - ({whole} % {unit} < 0))" if unit > 1 else f"CAST(floor({name}) AS INTEGER)"
    rest = f"(({whole} % {unit} + {unit}) % {unit})" if unit > 1 else f"({name} - floor({name}))"
    micro = f"CAST({rest} * 1e6 / {unit} AS INTEGER)"
    return f"strftime('%Y-%m-%d %H:%M:%S', {seconds}, 'unixepoch') || printf('.%06d', {micro})"
