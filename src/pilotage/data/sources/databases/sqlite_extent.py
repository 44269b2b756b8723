"""How many rows of a SQLite table lie in a span, and the first and last instant, where instants are text or numbers.

Nearly always all instants have one form, in UTC: then text sorts as time does, and two scans are enough. Else SQLite
has to understand each of them, and those that it does not understand make the extent wider than it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pilotage.data.records import Extent, Span
from pilotage.data.sources.databases import sqlite_instants
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import literal

_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


def extent(connection: sa.Connection, table: str, clock: str, near: str, span: Span) -> Extent:
    """The extent. ``clock`` and ``table`` are quoted; ``near`` is a WHERE that lets no row of the span out."""
    row = connection.exec_driver_sql(
        f"SELECT count(*), min({clock}), max({clock}), min(length({clock})), max(length({clock})),"
        f" total(substr({clock}, 11) GLOB '*[+-]*') FROM {table}{near}"
    ).one()
    rows, low, high, shortest, longest, offsets = row
    if not rows:
        return Extent(rows=0, first=None, last=None)
    first, last = _instant(low), _instant(high)
    if first is None or last is None or shortest != longest or offsets:
        return _of_any_form(connection, table, clock, near, span)
    if (span.after and first < as_utc(span.after)) or (span.until and last > as_utc(span.until)):
        least, most = _alike(low, span.after) or low, _alike(low, span.until) or high
        exact = f"{clock} BETWEEN {literal(least)} AND {literal(most)}"
        found = connection.exec_driver_sql(f"SELECT count(*), min({clock}), max({clock}) FROM {table} WHERE {exact}")
        rows, low, high = found.one()
    return Extent(rows=rows, first=_instant(low), last=_instant(high))


def _of_any_form(connection: sa.Connection, table: str, clock: str, near: str, span: Span) -> Extent:
    moment, date = sqlite_instants.moment(clock), f"date(substr(CAST({clock} AS TEXT), 1, 10))"
    inside = [f"moment >= '{_text(span.after)}'"] if span.after else []
    inside += [f"moment <= '{_text(span.until)}'"] if span.until else []
    unread = "given IS NOT NULL AND given <> '' AND moment IS NULL"
    where = f" WHERE ({' AND '.join(inside)}) OR ({unread})" if inside else ""
    row = connection.exec_driver_sql(  # LIMIT -1: else SQLite puts the long expression of a moment into each place
        f"SELECT count(*), min(moment), max(moment), min(CASE WHEN {unread} THEN date END),"
        f" max(CASE WHEN {unread} THEN date END) FROM"
        f" (SELECT {clock} AS given, {moment} AS moment, {date} AS date FROM {table}{near} LIMIT -1){where}"
    ).one()
    rows, *texts = row
    low, high, unread_low, unread_high = (_instant(text) for text in texts)
    firsts = [low, unread_low and unread_low - _DAY]
    lasts = [high and high + _MILLISECOND, unread_high and unread_high + 2 * _DAY]  # SQLite cuts microseconds off
    first, last = min(filter(None, firsts), default=None), max(filter(None, lasts), default=None)
    if first and last:
        first = max(first, as_utc(span.after)) if span.after else first
        last = min(last, as_utc(span.until)) if span.until else last
    return Extent(rows=rows, first=first, last=last)


def _instant(text: Any) -> datetime | None:
    try:
        return as_utc(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _alike(example: str, instant: datetime | None) -> str:
    """An instant in the form of another, cut to its precision."""
    if instant is None:
        return ""
    zone = "Z" if example.endswith(("Z", "z")) else ""
    form = f"{as_utc(instant):%Y-%m-%d}{example[10:11]}{as_utc(instant):%H:%M:%S.%f}"
    return form[: len(example) - len(zone)] + example[len(example) - len(zone) :]


def _text(instant: datetime) -> str:
    return f"{as_utc(instant):%Y-%m-%d %H:%M:%S.%f}"[:-3]
